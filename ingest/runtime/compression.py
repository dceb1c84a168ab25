"""Compression of page bodies for storage."""

import zstandard

__all__ = ["compress", "decompress"]

# On HTML, the fastest level already saves the most. Higher levels cost the fetching process more than they save.
COMPRESSION_LEVEL = 1


def compress(body: bytes) -> bytes:
    """Return `body` as a zstd frame (RFC 8878)."""
    return zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(body)


def decompress(body: bytes) -> bytes:
    """Return the content of a zstd frame. Raises zstandard.ZstdError when it is damaged."""
    return zstandard.ZstdDecompressor().decompress(body)
