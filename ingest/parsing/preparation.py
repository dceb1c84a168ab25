"""Prepares feed documents for feedparser: decodes them and removes what is slow to parse and never used.

Anything before the start of a document is cut. Authors are shortened, because feedparser's pattern for them is
quadratic. Elements that nobody reads are dropped. Long texts are set aside, because feedparser scans each eight times.
None of the patterns here scans any part of a hostile document twice.
"""

import html
import re

from ingest.text.charset import decode
from ingest.text.references import with_sound_references

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
    text = with_sound_references(text)

    def bearable(match: re.Match[str]) -> str:
        ends = text.find(f"</{match[1]}>", match.end(), match.end() + MAX_AUTHOR_ELEMENT)
        # Under this other name, nothing reads it.
        return match[0] if ends >= 0 else "<unread"

    return _AUTHOR.sub(bearable, text)


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
