"""A page as a tree, and the text of the article in it. The tree is parsed once and shared by all that look into it."""

import logging
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.metadata import version

from lxml import etree
from lxml.etree import ElementDefaultClassLookup, HTMLParser, ParserError
from lxml.html import HtmlElement, document_fromstring
from trafilatura import bare_extraction
from trafilatura.meta import reset_caches
from trafilatura.settings import Extractor

from ingest.boilerplate import without_boilerplate
from ingest.charset import decode
from ingest.document import NotAnArticle
from ingest.storing import storable

__all__ = ["ENGINE", "forget", "page_text", "parse_page"]

ENGINE = f"trafilatura {version('trafilatura')}"
# Below this, in characters, the first pass may have missed the text, and trafilatura's default mode, which compares
# several extractors, is asked too.
FAST_ENOUGH_LENGTH = 400
# Large live blogs have some ten thousand elements. Beyond this a page costs seconds, and is no article.
MAX_ELEMENTS = 100_000
# Shorter pieces of text, in characters, are captions and labels. Of the longer ones, nearly all are the article's; what
# others there are (a notice about cookies, a line about the site) is less than this share of it.
PROSE_LENGTH = 40
ARTICLE_SHARE = 0.98
_PROSE = etree.XPath(f"descendant::text()[string-length(normalize-space()) >= {PROSE_LENGTH}][not(ancestor::a)]")
# What trafilatura takes out anyway, after it has copied the tree four times and searched it as often.
_NO_TEXT = (
    "applet", "area", "aside", "audio", "button", "canvas", "datalist", "dialog", "embed", "fieldset", "footer", "head",
    "iframe", "img", "input", "label", "link", "map", "menu", "meta", "nav", "noindex", "noscript", "object", "option",
    "picture", "progress", "script", "select", "source", "style", "svg", "template", "textarea", "time", "video",
)  # fmt: skip

for _name in ("trafilatura", "htmldate"):
    # What they have to say about a page goes into the ledger as its reason.
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def parse_page(body: bytes, content_type: str | None) -> HtmlElement | None:
    """Return the tree of a page, None where it is no HTML. Raises NotAnArticle where it is too large for one."""
    source = decode(body, content_type)
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    # One class for all elements: lxml.html's own lookup calls back into Python for each.
    parser.set_element_class_lookup(ElementDefaultClassLookup(element=HtmlElement))
    # lxml refuses text with an encoding declaration, and stops at NUL.
    source = source.replace("\0", "").lstrip("\ufeff \t\r\n")
    if source.startswith("<?xml"):
        source = source.partition("?>")[2]
    try:
        # As bytes: libxml2 works in UTF-8.
        tree = document_fromstring(source.encode(errors="replace"), parser=parser) if source else None
    except (ParserError, ValueError):
        return None
    if tree is None or not len(tree):
        return None
    # An element takes three characters at the least, and counting takes a while.
    if len(source) > 3 * MAX_ELEMENTS and (elements := int(tree.xpath("count(//*)"))) > MAX_ELEMENTS:
        raise NotAnArticle(f"the page has {elements:,} elements, which no article needs")
    return tree


def page_text(tree: HtmlElement, url: str, again: Callable[[], HtmlElement | None]) -> tuple[str, str]:
    """Return the article's text as it stands on the page, and without boilerplate; both empty where there is none.

    The tree serves for nothing else afterwards: what holds no text is taken out of it. `again` returns a new one.
    """
    # Places for pictures and advertisements, which are looked at again and again otherwise. A space parts words.
    for element in tree.iter("div", "i", "section", "span"):
        if not len(element) and not element.text:
            element.tag = _NO_TEXT[0]
    etree.strip_elements(tree, *_NO_TEXT, with_tail=False)
    _cut_beside_article(tree)
    text = _extracted(tree, url, fast=True)
    if len(text) < FAST_ENOUGH_LENGTH and (whole := again()) is not None:
        # The other extractors look at what was taken out as well, such as articles in JSON-LD.
        text = max(text, _extracted(whole, url, fast=False), key=len)
    return text, storable(without_boilerplate(text))


def _cut_beside_article(tree: HtmlElement) -> None:
    """Take out what stands beside the part of the page that holds the title and all the text that is no link.

    The elements around that part stay, since trafilatura knows articles by their names.
    """
    body, heading = tree.find("body"), next(tree.iter("h1"), None)
    if body is None or heading is None:
        return
    within: Counter[HtmlElement] = Counter()
    for text in _PROSE(body):
        parent = text.getparent()
        around = parent.getparent() if text.is_tail else parent
        while around is not None:
            within[around] += len(text)
            around = around.getparent()
    if within[body] < FAST_ENOUGH_LENGTH:
        return
    kept = next((e for e in heading.iterancestors() if within[e] >= ARTICLE_SHARE * within[body]), body)
    while kept is not body and (outer := kept.getparent()) is not None:
        for element in list(outer):
            if element is not kept:
                outer.remove(element)
        kept = outer


def forget() -> None:
    """Empty the caches that trafilatura and its helpers fill with parts of the pages they have seen."""
    reset_caches()


@cache
def _options(fast: bool) -> Extractor:
    # Fast mode that favours recall: on the evaluation pages as complete and as clean as the default mode, in little
    # more than half of its time, since the default mode weighs the text against the whole page before it settles.
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
