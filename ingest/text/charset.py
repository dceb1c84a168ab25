"""Decode documents whose servers, declarations and authors disagree about the encoding.

Windows-1256 is sent as UTF-8 or as Latin-1, UTF-8 as windows-1256, and nothing is said at all. What the bytes
themselves can tell wins over what is said about them.
"""

import codecs
import re

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, resolve_encoding, to_unicode

__all__ = ["decode"]

# Bytes outside ASCII that are not UTF-8, of all such bytes, up to which a document is UTF-8 with some damage.
DAMAGE_SHARE = 0.1
# The first characters of an XML document in encodings that cannot be read as ASCII (XML 1.0, appendix F.1), and byte
# order marks; the longer ones first.
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
# Said of documents in any single-byte encoding, by servers and programs that do not look.
_SAID_OF_ANYTHING = {"cp1252", "iso8859-1", "ascii", "latin-1"}
# Python's own ("Python Specific Encodings" in the documentation of `codecs`): no document is written in one. What they
# make of other bytes differs between versions: `punycode` gives up, or returns nothing.
_PYTHON_SPECIFIC = {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
# The letters that make up most of any Arabic text, and what windows-1256 makes of texts that are not Arabic.
_FREQUENT_ARABIC = re.compile("[اليمونرتبة]")
# Arabic letters stand together, accented ones of Latin scripts alone.
_ARABIC_WORD = re.compile("[\u0621-\u064a]{3,}")


def decode(body: bytes, content_type: str | None) -> str:
    """Return the text of the document `body`, without byte order mark; `content_type` is the header's value.

    In this order: a byte order mark; UTF-8 where the bytes are (no text of some length is by chance); what the header
    or the document declares, where that is another encoding and fits; UTF-8 with some damage; windows-1256.
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
    """Return the encoding that the header, else the document, declares, by Python's name; None for unknown ones."""
    in_xml = _XML_DECLARED.match(body[:400])
    candidates = (
        http_content_type_encoding(content_type),
        resolve_encoding(in_xml[1].decode("ascii")) if in_xml else None,
        html_body_declared_encoding(body),
    )
    return next((encoding for encoding in candidates if encoding is not None and _is_of_text(encoding)), None)


def _is_of_text(encoding: str) -> bool:
    """Return whether Python's codec of that name makes text of any bytes; some are for other things, or give up."""
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
