"""Parses feed documents (RSS, Atom, JSON Feed and sitemaps) into plain values."""
