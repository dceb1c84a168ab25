"""Collects the past of a feed, from sitemaps and archived feed documents."""
