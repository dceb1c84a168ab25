"""Text that PostgreSQL can store."""

__all__ = ["storable"]


def storable(text: str) -> str:
    """Return `text` without NUL, and with lone surrogates (of JSON escapes, of bytes in headers) as question marks."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", errors="replace").decode("utf-8")
