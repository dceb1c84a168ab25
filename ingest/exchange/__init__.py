"""Exchanges articles with files: export, import, the seed scheme and WARC."""
