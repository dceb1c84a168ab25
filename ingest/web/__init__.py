"""Requests to servers of others: safe addresses, limits, robots.txt and spacing."""
