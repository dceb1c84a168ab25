"""Prepare feed documents for feedparser: decode them, and remove what only costs it time.

What stands before the beginning of a document is cut off, authors are cut short (feedparser's pattern for them is
quadratic), elements that nobody reads are left out, and long texts are set aside, as it goes through each eight times.
None of the patterns here goes through any part of a hostile document twice.
"""

import html
import re

from ingest.text.charset import decode

__all__ = ["prepare", "taken_back"]

# No name is longer. feedparser takes five seconds for 32 kB of one.
MAX_AUTHOR_LENGTH = 500
_LONG_NAME = re.compile(rf"(<(?:\w+:)?(?:name|email)\b[^<>]{{0,200}}>[^<]{{{MAX_AUTHOR_LENGTH}}})[^<]+", re.IGNORECASE)
# An author with everything in it ends within so many characters.
MAX_AUTHOR_ELEMENT = 4 * MAX_AUTHOR_LENGTH
_AUTHOR = re.compile(
    r"<((?:\w{1,20}:)?(?:author|creator|managingEditor|webMaster|publisher|contributor|owner))(?=[\s>])", re.IGNORECASE
)
# Elements that say nothing about an article, and make up a third of some feeds; feedparser takes most of its time per
# element.
_UNREAD = re.compile(
    r"<(category|comments|enclosure|slash:\w{1,20}|wfw:\w{1,20}|media:(?:content|thumbnail|credit|keywords))\b"
    r"[^<>]{0,1000}?(?:/>|>(?:<!\[CDATA\[[^\]]{0,500}\]\]>|[^<]{0,1000})</\1>)",
    re.DOTALL,
)
# Long texts that are nothing but text, in CDATA or with escapes, if the element ends after them.
_LONG_TEXT = re.compile(
    r"(<(description|content:encoded|summary|content)\b(?![^<>]{0,300}base64)(?:\s[^<>]{0,300})?(?<!/)>\s*)"
    r"(?:<!\[CDATA\[([^\]]*(?:\](?!\]>)[^\]]*)*)(?:\]\]>|\Z)|([^<]{200,}))"
)
# Stand for a text that was set aside; private to whoever uses them (Unicode 23.5).
_ASIDE = "\ue000{}\ue001"
_SET_ASIDE = re.compile("\ue000(\\d+)\ue001")
# Where a document begins that has something else (a warning of PHP, say) before that.
_BEGINNING = re.compile(r"<\?xml\s|<(?:rss|feed|rdf:RDF|urlset|sitemapindex)\b", re.IGNORECASE)
_JUNK_WITHIN_CHARACTERS = 20_000


def prepare(body: bytes, content_type: str | None) -> tuple[str, list[str]]:
    """Return the document `body` for feedparser, and the texts that were set aside, for `taken_back`."""
    return _set_aside(_shortened(decode(body, content_type)))


def _shortened(text: str) -> str:
    """The document without junk before it, without unused elements, and with long names cut."""
    text = text.lstrip("\ufeff\0 \t\r\n")
    if not text.startswith(("<?", "<!")):
        beginning = _BEGINNING.search(text, 0, _JUNK_WITHIN_CHARACTERS)
        text = text[beginning.start() :] if beginning else text
    if text.startswith("<?xml"):
        text = '<?xml version="1.0" encoding="utf-8"?>' + text.partition("?>")[2]
    text = _LONG_NAME.sub(r"\1", _UNREAD.sub("", text))

    def bearable(match: re.Match[str]) -> str:
        ends = text.find(f"</{match[1]}>", match.end(), match.end() + MAX_AUTHOR_ELEMENT)
        # By another name, it is nobody's.
        return match[0] if ends >= 0 else "<unread"

    return _AUTHOR.sub(bearable, text)


def _set_aside(text: str) -> tuple[str, list[str]]:
    """The document with numbers in place of its long texts, and those texts, as feedparser would return them."""
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
    """UTF-8 that was taken for Latin-1 and encoded again is what it was."""
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        return text


def taken_back(text: str | None, aside: list[str]) -> str | None:
    """Return a text that feedparser returned, or the one that was set aside in its place."""
    match = _SET_ASIDE.fullmatch(text) if text and aside else None
    return aside[int(match[1])] if match else text
