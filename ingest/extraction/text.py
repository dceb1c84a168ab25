"""Parses a page into a tree and extracts the article's text. The tree is parsed once and shared by all readers."""

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

from lxml import etree
from lxml.etree import ElementDefaultClassLookup, HTMLParser, ParserError
from lxml.html import HtmlElement, document_fromstring
from trafilatura import bare_extraction
from trafilatura.meta import reset_caches
from trafilatura.settings import Extractor

from ingest.extraction.furniture import without_boilerplate
from ingest.model.document import NotAnArticle
from ingest.text.charset import decode
from ingest.text.storable import storable

__all__ = ["ENGINE", "empty_caches", "page_text", "parse_page"]

ENGINE = f"trafilatura {version('trafilatura')}"
# Below this length, in characters, the first pass may have missed the text, so trafilatura's default mode, which
# compares several extractors, runs too.
FAST_ENOUGH_LENGTH = 400
# Large live blogs have about ten thousand elements. A page beyond this limit takes seconds and is not an article.
MAX_ELEMENTS = 100_000
# Formatting elements, which do not separate words. Those with attributes may be hidden, or be boxes.
_FORMATTING, _BARE = ("b", "big", "em", "font", "i", "small", "span", "strong", "u"), "bare"
# Shorter pieces of text, in characters, are captions and labels. At least this share of the longer ones is the article;
# the rest is a cookie notice, a line about the site and the like.
PROSE_LENGTH = 40
ARTICLE_SHARE = 0.98
# A box without such pieces leads to other pages if it has this many links and little else: labels, a date. A link is at
# most as long as a title. If it is longer, the page has forgotten to close it.
LINKS_OF_A_BOX = 3
LINK_LENGTH = 150
_INLINE = frozenset((*_FORMATTING, "a", "abbr", "bdi", "bdo", "cite", "dfn", "ins", "mark", "q", "s", "sub", "sup"))
# The maximum text beside the links, relative to theirs. Less in lists, because articles have lists too.
_BOXES = {"div": 0.5, "form": 0.5, "header": 0.5, "ol": 0.2, "section": 0.5, "ul": 0.2}
_HEADINGS = frozenset(("h2", "h3", "h4", "h5", "h6"))
# Elements that trafilatura removes anyway, but only after it has copied and searched the tree four times.
_NO_TEXT = (
    "applet",
    "area",
    "aside",
    "audio",
    "button",
    "canvas",
    "datalist",
    "dialog",
    "embed",
    "fieldset",
    "footer",
    "head",
    "iframe",
    "img",
    "input",
    "label",
    "link",
    "map",
    "menu",
    "meta",
    "nav",
    "noindex",
    "noscript",
    "object",
    "option",
    "picture",
    "progress",
    "script",
    "select",
    "source",
    "style",
    "svg",
    "template",
    "textarea",
    "time",
    "video",
)
# Characters that XML 1.0 (2.2) forbids, except surrogates, which decoded text never has; references to them (HTML
# Standard, 13.1.4), with and without the semicolon; and their escapes in JSON-LD (RFC 8259, 7).
_CONTROL_CHARACTER = re.compile("[\0-\x08\x0e-\x1f\ufffe\uffff]")
_REFERENCE_TO_ONE = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|6553[45])(?!\d)"
    r"|x0*(?:[0-8bcef]|1[\da-f]|fff[ef])(?![\da-f]));?",
    re.IGNORECASE | re.ASCII,
)
_JSON_ESCAPE_OF_ONE = re.compile(r"(?<!\\)\\u(?:000[0-8bcef]|001[\da-f]|fff[ef])", re.IGNORECASE | re.ASCII)

for _name in ("trafilatura", "htmldate"):
    # Their messages about a page go into the ledger as its reason.
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def parse_page(body: bytes, content_type: str | None) -> HtmlElement | None:
    """Return the tree of a page, or None if it is not HTML. Raises NotAnArticle if the page is too large."""
    source = decode(body, content_type)
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    # One class for all elements, because lxml.html's own lookup calls back into Python for each.
    parser.set_element_class_lookup(ElementDefaultClassLookup(element=HtmlElement))
    # lxml rejects str input with an encoding declaration.
    source = _without_control_characters(source).lstrip("\ufeff \t\r\n")
    if source.startswith("<?xml"):
        source = source.partition("?>")[2]
    try:
        # As bytes, because libxml2 works in UTF-8.
        tree = document_fromstring(source.encode(errors="replace"), parser=parser) if source else None
    except (ParserError, ValueError):
        return None
    if tree is None or not len(tree):
        return None
    # An element takes at least three characters, and counting is slow.
    if len(source) > 3 * MAX_ELEMENTS and (elements := int(tree.xpath("count(//*)"))) > MAX_ELEMENTS:
        raise NotAnArticle(f"the page has {elements:,} elements, which no article needs")
    return tree


def _without_control_characters(source: str) -> str:
    """The page without characters that lxml reads but refuses to write. With them, trafilatura finds nothing.

    Browsers show none of them. Form feeds separate words (HTML Standard, 13.2.5.1), and so do vertical tabs in lxml.
    """
    source = _CONTROL_CHARACTER.sub("", source.replace("\f", " ").replace("\v", " "))
    if "&#" in source:
        source = _REFERENCE_TO_ONE.sub("", source)
    return _JSON_ESCAPE_OF_ONE.sub("", source) if "\\u" in source else source


def page_text(tree: HtmlElement, url: str, again: Callable[[], HtmlElement | None]) -> tuple[str, str]:
    """Return the article's text as on the page, and without boilerplate. Both are empty if there is none.

    Do not use the tree afterwards: parts of it are removed. `again` returns a new one.
    """
    _thin_out(tree)
    pieces = _prose(tree)
    _cut_boxes_of_links(tree, pieces)
    _cut_beside_article(tree, pieces)
    text = _extracted(tree, url, fast=True)
    if len(text) < FAST_ENOUGH_LENGTH and (whole := again()) is not None:
        # The other extractors also read what was removed, such as articles in JSON-LD.
        text = max(text, _extracted(whole, url, fast=False), key=len)
    return text, storable(without_boilerplate(text))


def _thin_out(tree: HtmlElement) -> None:
    """Remove elements without article text, and without influence on what counts as the article.

    Trafilatura matches up to twenty regular expressions against each remaining element.
    """
    for element in tree.iter("div", "i", "section", "span"):
        # Placeholders for pictures and advertisements. A space separates words, so elements with one stay.
        if not len(element) and not element.text:
            element.tag = _NO_TEXT[0]
    etree.strip_elements(tree, *_NO_TEXT, with_tail=False)
    for element in tree.iter(*_FORMATTING):
        if not element.attrib:
            element.tag = _BARE
    etree.strip_tags(tree, _BARE)


def _prose(tree: HtmlElement) -> list[tuple[HtmlElement, int]]:
    """Return the blocks with more text than a label, not counting links and headings, and their text length."""
    body = tree.find("body")
    if body is None:
        return []
    pieces: Counter[tuple[HtmlElement, HtmlElement | None]] = Counter()
    # The block that contains each element, and whether it is within a link or heading.
    within: dict[HtmlElement, tuple[HtmlElement, bool]] = {}
    for element in body.iter():
        outer, apart = within.get(element.getparent(), (element, False))
        if not apart and element is not body:
            # Text after a line break or another block is a piece of its own.
            pieces[outer, None if element.tag in _INLINE else element] += _length(element.tail)
        apart = apart or _is_link(element) or (element.tag in _HEADINGS and _is_short(element))
        block = outer if element.tag in _INLINE else element
        within[element] = block, apart
        if not apart:
            pieces[block, None] += _length(element.text)
    return [(block, length) for (block, _), length in pieces.items() if length >= PROSE_LENGTH]


def _length(text: str | None) -> int:
    return len(text.strip()) if text else 0


def _is_link(element: HtmlElement) -> bool:
    return element.tag == "a" and element.get("href") is not None and _is_short(element)


def _is_short(element: HtmlElement) -> bool:
    return len(element.text_content()) <= LINK_LENGTH


def _cut_boxes_of_links(tree: HtmlElement, pieces: list[tuple[HtmlElement, int]]) -> None:
    """Remove boxes that lead to other pages: menus, topics, further reading."""
    body = tree.find("body")
    if body is None:
        return
    holding = {body}
    for holder, _ in pieces:
        around = holder
        while around not in holding:
            holding.add(around)
            around = around.getparent()
    sizes: dict[HtmlElement, _Size] = {}
    waiting = [body]
    while waiting:
        for element in waiting.pop():
            if element in holding:
                waiting.append(element)
            elif len(element):
                if element not in sizes:
                    _measure(element, sizes)
                size = sizes[element]
                if element.tag in _BOXES and size.links >= LINKS_OF_A_BOX:
                    if size.text <= (1 + _BOXES[element.tag]) * size.linked:
                        element.tag = _NO_TEXT[0]
                    else:
                        waiting.append(element)
    etree.strip_elements(tree, _NO_TEXT[0], with_tail=False)


class _Size(NamedTuple):
    """The length of an element's text, the length of its links' text, and the number of links."""

    text: int
    linked: int
    links: int


def _measure(outermost: HtmlElement, sizes: dict[HtmlElement, _Size]) -> None:
    """Measure an element and everything in it, innermost first."""
    for element in reversed(list(outermost.iter())):
        text, linked, links = _length(element.text), 0, 0
        for child in element:
            inner = sizes[child]
            text += inner.text + _length(child.tail)
            linked += inner.linked
            links += inner.links
        is_link = element.tag == "a" and text <= LINK_LENGTH and element.get("href") is not None
        sizes[element] = _Size(text, text, 1) if is_link else _Size(text, linked, links)


def _cut_beside_article(tree: HtmlElement, pieces: list[tuple[HtmlElement, int]]) -> None:
    """Remove what is beside the part of the page that contains the title and nearly all the text.

    The elements around that part stay, because trafilatura recognises articles by their names.
    """
    body, heading = tree.find("body"), next(tree.iter("h1"), None)
    if body is None or heading is None:
        return
    within: Counter[HtmlElement] = Counter()
    for holder, length in pieces:
        around: HtmlElement | None = holder
        while around is not None:
            within[around] += length
            around = around.getparent()
    if within[body] < FAST_ENOUGH_LENGTH:
        return
    kept = next((e for e in heading.iterancestors() if within[e] >= ARTICLE_SHARE * within[body]), body)
    while kept is not body and (outer := kept.getparent()) is not None:
        for element in list(outer):
            if element is not kept:
                outer.remove(element)
        kept = outer


def empty_caches() -> None:
    """Empty the caches in which trafilatura and its helpers keep parts of pages."""
    reset_caches()


@cache
def _options(fast: bool) -> Extractor:
    # Fast mode, favouring recall. On the evaluation pages, it is as complete and as clean as the default mode in little
    # more than half the time, because the default mode compares the text with the whole page before it decides.
    return Extractor(
        output_format="python",
        fast=fast,
        recall=fast,
        comments=False,
        tables=True,
        dedup=False,
        with_metadata=False,
    )


def _extracted(tree: HtmlElement, url: str, *, fast: bool) -> str:
    document = bare_extraction(tree, url=url, options=_options(fast))
    return unicodedata.normalize("NFC", getattr(document, "text", None) or "").strip()
