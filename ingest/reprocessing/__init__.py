"""Stored pages and documents worked through again, with the rules of today."""
