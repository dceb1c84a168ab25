"""Parsers of feed documents into plain values: RSS, Atom, JSON Feed and sitemaps."""
