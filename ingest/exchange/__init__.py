"""Articles in and out of files: export, import, the seed scheme and WARC."""
