"""Decode documents whose servers, declarations and authors disagree about the encoding.

Some send windows-1256 as UTF-8 or Latin-1, some UTF-8 as windows-1256, and some declare nothing. What the bytes reveal
takes precedence over what is declared.
"""

import codecs
import re

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, resolve_encoding, to_unicode

__all__ = ["decode"]

# A document is damaged UTF-8 if at most this share of its bytes outside ASCII is invalid.
DAMAGE_SHARE = 0.1
# Byte order marks, and the first characters of an XML document in encodings that cannot be read as ASCII (XML 1.0,
# appendix F.1). Longer ones come first.
_STARTS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_XML_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
# Declared for documents in any single-byte encoding, by servers and programs that do not check.
_SAID_OF_ANYTHING = {"cp1252", "iso8859-1", "ascii", "latin-1"}
# Python's own encodings ("Python Specific Encodings" in the documentation of `codecs`). No document uses them, and
# their behaviour on other bytes differs between versions: `punycode` fails, or returns nothing.
_PYTHON_SPECIFIC = {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
# The letters that make up most of any Arabic text. Text that is not Arabic has others when read as windows-1256.
_FREQUENT_ARABIC = re.compile("[اليمونرتبة]")
# Arabic letters occur in groups, accented Latin letters alone.
_ARABIC_WORD = re.compile("[\u0621-\u064a]{3,}")


def decode(body: bytes, content_type: str | None) -> str:
    """Decode the document `body`, without byte order mark; `content_type` is the header's value.

    In this order: a byte order mark; UTF-8 if the bytes are valid (in a text of some length, that is no coincidence);
    the encoding declared by header or document, if it is another one and fits; damaged UTF-8; windows-1256.
    """
    for start, encoding in _STARTS:
        if body.startswith(start):
            marked = encoding != "cp037" and not start.startswith((b"<", b"\0<", b"\0\0\0<"))
            return body[len(start) if marked else 0 :].decode(encoding, errors="replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    declared = _declared(body, content_type)
    if declared is not None and declared != "utf-8":
        if declared in _SAID_OF_ANYTHING and _is_windows_1256(body):
            return body.decode("windows-1256", errors="replace")
        return str(to_unicode(body, declared))
    if declared is None and _is_windows_1256(body):
        return body.decode("windows-1256", errors="replace")
    text = body.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd") <= DAMAGE_SHARE * max(sum(byte > 0x7F for byte in body), 1)
    return text if damaged else body.decode("windows-1256", errors="replace")


def _declared(body: bytes, content_type: str | None) -> str | None:
    """Return the encoding declared by the header, else by the document, under Python's name. None if unknown."""
    in_xml = _XML_DECLARED.match(body[:400])
    candidates = (
        http_content_type_encoding(content_type),
        resolve_encoding(in_xml[1].decode("ascii")) if in_xml else None,
        html_body_declared_encoding(body),
    )
    return next((encoding for encoding in candidates if encoding is not None and _is_of_text(encoding)), None)


def _is_of_text(encoding: str) -> bool:
    """Return whether the Python codec of that name decodes any bytes to text. Some do something else, or fail."""
    try:
        if codecs.lookup(encoding).name in _PYTHON_SPECIFIC:
            return False
        return isinstance(b"a\xff".decode(encoding, errors="replace"), str)
    except (LookupError, ValueError):
        return False


def _is_windows_1256(body: bytes) -> bool:
    """Return whether the bytes outside ASCII read as Arabic in windows-1256: as words, mostly of frequent letters."""
    text = body.decode("windows-1256", errors="replace")
    words = "".join(_ARABIC_WORD.findall(text))
    return len(words) >= 0.6 * sum(byte > 0x7F for byte in body) and len(_FREQUENT_ARABIC.findall(words)) >= 0.55 * len(
        words
    )
