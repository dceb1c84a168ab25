"""Parses a page into a tree, as lenient as a browser. The tree is parsed once and shared by all readers."""

import re

from lxml.etree import ElementDefaultClassLookup, HTMLParser, ParserError
from lxml.html import HtmlElement, document_fromstring

from ingest.model.document import NotAnArticle
from ingest.text.charset import decode

__all__ = ["parse_page"]

# Large live blogs have about ten thousand elements. A page beyond this limit takes seconds and is not an article.
MAX_ELEMENTS = 100_000
# Characters that XML 1.0 (2.2) forbids, except surrogates, which decoded text never has; references to them (HTML
# Standard, 13.1.4), with and without the semicolon; and their escapes in JSON-LD (RFC 8259, 7). In UTF-8, and as bytes,
# which are searched many times as fast.
_CONTROL_CHARACTERS = bytes([*range(0x09), *range(0x0E, 0x20)])
_SPACES = bytes.maketrans(b"\f\v", b"  ")
_NONCHARACTERS = ("\ufffe".encode(), "\uffff".encode())
# They begin with what is searched for, in one case: then the regular expression engine is many times as fast.
_REFERENCE_TO_ONE = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|6553[45])(?!\d)"
    rb"|[xX]0*(?:[0-8bcefBCEF]|1[\da-fA-F]|[fF]{3}[efEF])(?![\da-fA-F]));?"
)
_JSON_ESCAPE_OF_ONE = re.compile(rb"\\u(?<!\\\\u)(?:000[0-8bcefBCEF]|001[\da-fA-F]|[fF]{3}[efEF])")


def parse_page(body: bytes, content_type: str | None) -> HtmlElement | None:
    """Return the tree of a page, or None if it is not HTML. Raises NotAnArticle if the page is too large."""
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    # One class for all elements, because lxml.html's own lookup calls back into Python for each.
    parser.set_element_class_lookup(ElementDefaultClassLookup(element=HtmlElement))
    # As bytes, because libxml2 works in UTF-8, and lxml rejects str with an encoding declaration.
    source = _without_control_characters(decode(body, content_type).lstrip("\ufeff \t\r\n").encode(errors="replace"))
    source = source.lstrip()
    if source.startswith(b"<?xml"):
        source = source.partition(b"?>")[2]
    try:
        tree = document_fromstring(source, parser=parser) if source else None
    except (ParserError, ValueError):
        return None
    if tree is None or not len(tree):
        return None
    # An element takes at least three characters, and counting is slow.
    if len(source) > 3 * MAX_ELEMENTS and (elements := int(tree.xpath("count(//*)"))) > MAX_ELEMENTS:
        raise NotAnArticle(f"the page has {elements:,} elements, which no article needs")
    return tree


def _without_control_characters(source: bytes) -> bytes:
    """The page without characters that lxml reads but refuses to write. With them, trafilatura finds nothing.

    Browsers show none of them. Form feeds separate words (HTML Standard, 13.2.5.1), and so do vertical tabs in lxml.
    """
    source = source.translate(_SPACES, _CONTROL_CHARACTERS)
    for character in _NONCHARACTERS:
        source = source.replace(character, b"")
    if b"&#" in source:
        source = _REFERENCE_TO_ONE.sub(b"", source)
    return _JSON_ESCAPE_OF_ONE.sub(b"", source) if b"\\u" in source else source
