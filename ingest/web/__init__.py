"""HTTP requests to hosts we do not control: safe addresses, limits, robots.txt and spacing."""
