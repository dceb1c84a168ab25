"""Requests to other people's servers: safe addresses, limits, robots.txt and spacing."""
