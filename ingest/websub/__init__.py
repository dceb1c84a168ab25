"""Feeds that announce their news themselves (WebSub)."""
