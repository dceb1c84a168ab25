"""Collects what a feed's site published in the past, from sitemaps and archived feed documents."""
