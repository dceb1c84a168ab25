"""Feeds that push their news (WebSub)."""
