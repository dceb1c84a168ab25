"""Prepares feed documents for feedparser: decodes them and removes what is slow to parse and never used.

Anything before the start of a document is cut. Authors are shortened, because feedparser's pattern for them is
quadratic. Elements that nobody reads are dropped. Long texts are set aside, because feedparser scans each eight times.
None of the patterns here scans any part of a hostile document twice.
"""

import html
import html.entities
import re

from ingest.text.charset import decode

__all__ = ["prepare", "taken_back"]

# No name is longer. feedparser takes five seconds for a name of 32 kB.
MAX_AUTHOR_LENGTH = 500
_LONG_NAME = re.compile(rf"(<(?:\w+:)?(?:name|email)\b[^<>]{{0,200}}>[^<]{{{MAX_AUTHOR_LENGTH}}})[^<]+", re.IGNORECASE)
# An author element with all its content ends within this many characters.
MAX_AUTHOR_ELEMENT = 4 * MAX_AUTHOR_LENGTH
_AUTHOR = re.compile(
    r"<((?:\w{1,20}:)?(?:author|creator|managingEditor|webMaster|publisher|contributor|owner))(?=[\s>])", re.IGNORECASE
)
# Elements that say nothing about an article. They make up a third of some feeds, and most of feedparser's time is per
# element.
_UNREAD = re.compile(
    r"<(category|comments|enclosure|slash:\w{1,20}|wfw:\w{1,20}"
    r"|media:(?:content|thumbnail|credit|keywords|text|copyright))\b"
    r"[^<>]{0,1000}?(?:/>|>(?:<!\[CDATA\[[^\]]{0,500}\]\]>|[^<]{0,1000})</\1>)",
    re.DOTALL,
)
# A photo's title and description, which feedparser takes for the item's. In feeds of videos there are no others.
_OF_A_PHOTO = re.compile(
    r"<(media:(?:title|description))\b[^<>]{0,1000}?(?:/>|>(?:<!\[CDATA\[[^\]]{0,2000}\]\]>|[^<]{0,2000})</\1>)",
    re.DOTALL,
)
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
# An ampersand that begins no reference, and references by number. A reference without its semicolon is none in XML.
_AMPERSAND = re.compile(r"&(?!(?:#\d{1,8}|#[xX][0-9a-fA-F]{1,7}|(\w{1,32}));)")
_NAMED = re.compile(r"&([A-Za-z]\w{0,31});")
_NUMBERED = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,7})|(\d{1,8}));")
_PAIR = re.compile(
    r"&#(?:[xX]([dD][89abAB][0-9a-fA-F]{2})|(5[56]\d{3}));&#(?:[xX]([dD][c-fC-F][0-9a-fA-F]{2})|(5[67]\d{3}));"
)
# Long texts without child elements, in CDATA or escaped, if the element ends after them.
_LONG_TEXT = re.compile(
    r"(<(description|content:encoded|summary|content)\b(?![^<>]{0,300}base64)(?:\s[^<>]{0,300})?(?<!/)>\s*)"
    r"(?:<!\[CDATA\[([^\]]*(?:\](?!\]>)[^\]]*)*)(?:\]\]>|\Z)|([^<]{200,}))"
)
# Placeholders for texts set aside, made of private-use characters (Unicode 23.5).
_ASIDE = "\ue000{}\ue001"
_SET_ASIDE = re.compile("\ue000(\\d+)\ue001")
# The start of a document that is preceded by something else (a PHP warning, for example).
_BEGINNING = re.compile(r"<\?xml\s|<(?:rss|feed|rdf:RDF|urlset|sitemapindex)\b", re.IGNORECASE)
_JUNK_WITHIN_CHARACTERS = 20_000


def prepare(body: bytes, content_type: str | None) -> tuple[str, list[str]]:
    """Return the document `body` for feedparser, and the texts that were set aside, for `taken_back`."""
    return _set_aside(_shortened(decode(body, content_type)))


def _shortened(text: str) -> str:
    """The document from its start, without unread elements, and with names of reasonable length."""
    text = text.lstrip("\ufeff\0 \t\r\n")
    if not text.startswith(("<?", "<!")):
        beginning = _BEGINNING.search(text, 0, _JUNK_WITHIN_CHARACTERS)
        text = text[beginning.start() :] if beginning else text
    if text.startswith("<?xml"):
        text = '<?xml version="1.0" encoding="utf-8"?>' + text.partition("?>")[2]
    text = _LONG_NAME.sub(r"\1", _UNREAD.sub("", text))
    if "<media:" in text and text.count("<title") > 1 and ("<description" in text or "<summary" in text):
        text = _OF_A_PHOTO.sub("", text)
    if "&" in text:
        # In CDATA, an ampersand is one.
        parts = _CDATA.split(text)
        text = "".join(part if part.startswith("<![CDATA[") else _mended(part) for part in parts)

    def bearable(match: re.Match[str]) -> str:
        ends = text.find(f"</{match[1]}>", match.end(), match.end() + MAX_AUTHOR_ELEMENT)
        # Under this other name, nothing reads it.
        return match[0] if ends >= 0 else "<unread"

    return _AUTHOR.sub(bearable, text)


def _mended(text: str) -> str:
    """The text with references that XML allows: one bad one makes a parser refuse the whole document."""
    text = _PAIR.sub(_character, text)
    text = _NUMBERED.sub(lambda found: found[0] if _is_character(_number(found[1], found[2])) else "", text)
    text = _NAMED.sub(lambda found: found[0] if f"{found[1]};" in html.entities.html5 else f"&amp;{found[1]};", text)
    return _AMPERSAND.sub("&amp;", text)


def _character(pair: re.Match[str]) -> str:
    """The character that two surrogates stand for, as JSON writes it."""
    high, low = _number(pair[1], pair[2]), _number(pair[3], pair[4])
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return pair[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)


def _number(hexadecimal: str | None, decimal: str | None) -> int:
    return int(hexadecimal, 16) if hexadecimal else int(decimal or 0)


def _is_character(number: int) -> bool:
    """Whether XML allows the character (XML 1.0, 2.2)."""
    return number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000


def _set_aside(text: str) -> tuple[str, list[str]]:
    """The document with numbers in place of its long texts, and those texts as feedparser would return them."""
    aside: list[str] = []
    if "\ue000" in text:
        return text, aside

    def number(match: re.Match[str]) -> str:
        literal, escaped = match[3], match[4]
        end = f"</{match[2]}>"
        after = text[match.end() : match.end() + 50].lstrip()
        if not after.startswith(end) or match.end() == len(text):
            return match[0]
        aside.append(_unmangled((html.unescape(escaped) if literal is None else literal).strip()))
        return match[1] + _ASIDE.format(len(aside) - 1)

    return _LONG_TEXT.sub(number, text), aside


def _unmangled(text: str) -> str:
    """Undo a double encoding: UTF-8 that was read as Latin-1 and encoded again."""
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        return text


def taken_back(text: str | None, aside: list[str]) -> str | None:
    """Return a text from feedparser, or the text that was set aside in its place."""
    match = _SET_ASIDE.fullmatch(text) if text and aside else None
    return aside[int(match[1])] if match else text
