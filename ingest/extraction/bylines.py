"""Who wrote an article, as the page shows it to readers: elements marked as a byline, near the title."""

import re
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter

from lxml import etree
from lxml.html import HtmlElement

from ingest.text.folding import fold

__all__ = ["bylines", "without_credit"]

# Names of classes, ids and the like for a byline.
_BYLINE = re.compile(r"author(?!it|iz)|by-?line|(?<![a-z])writer", re.IGNORECASE)
# Elements that may be one, quickly.
_MARKED = etree.XPath(
    "//*[self::h1 or contains(@class, 'uthor') or contains(@class, 'yline') or contains(@class, 'yLine')"
    " or contains(@class, 'riter') or contains(@id, 'uthor') or @rel = 'author' or contains(@itemprop, 'author')]"
)
# Where others are named: comments, further articles, boxes about persons.
_OTHERS = re.compile(
    r"comment|respond|repl(?:y|ies)|related|sidebar|widget|teaser|(?<!v)card|recommend|popular|bio(?:$|[\s_-])",
    re.IGNORECASE,
)
_OUTSIDE = frozenset(("aside", "footer", "nav"))
# A byline is at most this long, in characters and words, and at most so many elements are looked at.
LONGEST, MOST_WORDS, MOST_LOOKED_AT = 120, 9, 300
# The words of a name, and how many elements behind the title are looked at for one in words, with few others in them.
A_NAME, NEAR_TITLE, FEW = range(2, 6), 60, 3
_LINES = frozenset(("a", "address", "div", "em", "li", "p", "small", "span", "strong"))
# What precedes a name.
_CREDIT = re.compile(
    r"^\s*(?:(?:written|posted|published|reported|story|words|text|article)\s+)?by\b[\s:]*|^\s*(?:author|writer)s?\s*[:|]\s*"
    r"|^\s*(?:بقلم|كتب(?:ه|ها|ت)?|كتابة|إعداد|اعداد|تقرير|الكاتب|نویسنده|نووسەر|نوسینی|نووسینی)\s*[:/\-–]?\s+(?=\S)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<[^>]{0,300}>")
# What follows a name in a byline: a date, a separator.
_REST = re.compile(
    r"\s*(?:[|•·⋅]|\s[-–—]\s|\b(?:posted|updated|published)\b|\bon\s+\w+\s+\d|\d{1,4}[/.:-]\d).*$",
    re.IGNORECASE | re.DOTALL,
)


def bylines(tree: HtmlElement) -> Iterator[str]:
    """Yield what the page shows as its author, the most explicit first: those behind the title before others."""
    behind: list[tuple[int, HtmlElement]] = []
    before: list[tuple[int, HtmlElement]] = []
    heading = next(tree.iter("h1"), None)
    passed = heading is None
    for element in islice(_MARKED(tree), MOST_LOOKED_AT):
        if element.tag == "h1":
            passed = passed or element is heading
        elif (rank := _rank(element)) is not None:
            (behind if passed else before).append((rank, element))
    behind += [(2, element) for element in _in_words(tree, heading)]
    for marked in (behind, before):
        for _, element in sorted(marked, key=itemgetter(0)):
            text = _shown(element)
            if text and not _is_of_others(element):
                yield text


def _in_words(tree: HtmlElement, heading: HtmlElement | None) -> Iterator[HtmlElement]:
    """Yield short elements soon behind the title that begin with words such as "By", whatever they are called."""
    if heading is None:
        return
    passed = False
    near = 0
    for element in tree.iter():
        if passed:
            near += 1
            if near > NEAR_TITLE:
                return
            if element.tag in _LINES and _CREDIT.match(element.text or "") and len(element) <= FEW:
                around = element.getparent()
                # The word and the name may be in elements of their own.
                alone = not without_credit(element.text or "") and not len(element) and around is not None
                yield around if alone and around is not None else element
        elif element is heading:
            passed = True


def without_credit(name: str) -> str:
    """Return a name without markup and words such as "By" in front of it."""
    plain = " ".join(_MARKUP.sub(" ", name).split())
    return _CREDIT.sub("", plain, count=1).strip(" ,;:-–—|")


def _rank(element: HtmlElement) -> int | None:
    """How explicitly an element is a byline: 0 for most; None if it is none."""
    if not element.attrib:
        return None
    if "author" in (element.get("itemprop") or "").split() or "author" in (element.get("rel") or "").lower().split():
        return 0
    named = (element.get(name) for name in ("class", "id"))
    return 1 if any(name and _BYLINE.search(name) for name in named) else None


def _shown(element: HtmlElement) -> str:
    inner = element.find(".//*[@itemprop='name']")
    if inner is None and (links := element.findall(".//a[@href]")):
        # A picture's link has no text.
        inner = next((link for link in links if link.text_content().strip()), None)
    for shown in (element if inner is None else inner, element):
        pieces = [" ".join(piece.split()) for piece in shown.itertext() if piece.strip()]
        text = " ".join(pieces) or str(shown.get("content") or "")
        if pieces and len(text) > LONGEST and len(pieces[0].split()) in A_NAME:
            # A box about the author begins with the name.
            text = pieces[0]
        if text and len(text) <= LONGEST:
            name = without_credit(_REST.sub("", without_credit(text)))
            if name and len(fold(name).split()) <= MOST_WORDS and not name.endswith((".", "!", "?")):
                return name
    return ""


def _is_of_others(element: HtmlElement) -> bool:
    for around in (element, *element.iterancestors()):
        if around.tag in _OUTSIDE:
            return True
        if around.tag in ("article", "body", "html", "main"):
            continue
        if any(name and _OTHERS.search(name) for name in (around.get("class"), around.get("id"))):
            return True
    return False
