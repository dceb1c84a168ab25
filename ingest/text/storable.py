"""Text that PostgreSQL can store."""

import re
import unicodedata

__all__ = ["composed", "storable"]

# Letters as they look beside others (Unicode, Arabic Presentation Forms A and B), which some systems write for letters.
_PRESENTATION_FORMS = re.compile("[\ufb50-\ufdfb\ufe70-\ufefc]+")


def composed(text: str) -> str:
    """Return `text` in composed form (NFC), with presentation forms of Arabic as the letters that they are."""
    if text.isascii():
        return text
    letters = _PRESENTATION_FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return unicodedata.normalize("NFC", letters)


def storable(text: str) -> str:
    """Return `text` without NUL, and with lone surrogates (of JSON escapes, of bytes in headers) as question marks."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", errors="replace").decode("utf-8")
