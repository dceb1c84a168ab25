"""Which parts of a page are prose, and which are beside the article: menus, boxes of links, comments, what is hidden.

Text extraction works on what this leaves, and what it takes is measured against the prose that there was.
"""

import re
from collections import Counter
from typing import NamedTuple

from lxml import etree
from lxml.html import HtmlElement

__all__ = [
    "cut_beside_article",
    "cut_boxes_of_links",
    "end_layout_tables",
    "keep_container",
    "of_article",
    "prose",
    "thin_out",
]

# Blocks of text, and the length of the text that is theirs alone.
Pieces = list[tuple[HtmlElement, int]]

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
# Elements that trafilatura removes anyway, but only after it has copied and searched the tree four times. Those that
# should hold no article do so by mistake on some pages; a time or a label may be part of a sentence.
_NO_TEXT = (
    "applet",
    "area",
    "audio",
    "canvas",
    "datalist",
    "embed",
    "head",
    "iframe",
    "img",
    "input",
    "link",
    "map",
    "meta",
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
    "video",
)
_BESIDE_TEXT = ("aside", "button", "dialog", "fieldset", "footer", "label", "menu", "nav", "time")
# An element with this share of a page's text is the article, whatever it is called. Hidden ones with less of it are not
# for readers.
MOST_OF_A_PAGE, HIDDEN_SHARE = 0.5, 0.3
_HIDDEN = etree.XPath(
    "//*[@hidden or contains(translate(@style, ' ', ''), 'display:none')"
    " or (@aria-hidden='true' and (self::div or self::p or self::section or self::ul))]"
)
# Names of the parts of a page in which readers write.
_COMMENTS = re.compile(r"comment|respond|disqus|replies", re.IGNORECASE)
# The innermost element with this share of the prose is the one that holds the article.
CONTAINER_SHARE = 0.8
_TABLE = frozenset(("table", "tbody", "td", "tr"))
# Less prose, in characters, is not enough to tell the article from what is beside it.
LEAST_PROSE = 400
# So many elements of kind `article` are a list of teasers, if their headings are links.
CARDS, LEFT_BY_TEASERS = 2, 0.25


def thin_out(tree: HtmlElement) -> None:
    """Remove elements without article text, and without influence on what counts as the article.

    Trafilatura matches up to twenty regular expressions against each remaining element.
    """
    for element in tree.iter("div", "i", "section", "span"):
        # Placeholders for pictures and advertisements. A space separates words, so elements with one stay.
        if not len(element) and not element.text:
            element.tag = _NO_TEXT[0]
    etree.strip_elements(tree, *_NO_TEXT, with_tail=False)
    _remove_what_is_beside(tree)
    for element in tree.iter(*_FORMATTING):
        if not element.attrib:
            element.tag = _BARE
    for link in tree.iter("a"):
        # A paragraph that is a link. A link of a menu is short, a teaser's is in a list.
        around = link.getparent()
        if len(link.text or "") > LINK_LENGTH and around is not None and around.tag == "p":
            link.tag = _BARE
    etree.strip_tags(tree, _BARE)


def _remove_what_is_beside(tree: HtmlElement) -> None:
    """Remove what is beside the article by its kind or because it is hidden, unless it holds much of the text."""
    body = tree.find("body")
    if body is None:
        return
    for element in tree.iter("label", "time"):
        if _is_within_sentence(element):
            element.tag = _BARE
    length: int | None = None
    for element in list(tree.iter(*_BESIDE_TEXT)):
        text = len(element.text_content())
        if text > PROSE_LENGTH:
            length = length or len(body.text_content())
            if text >= MOST_OF_A_PAGE * length:
                element.tag = "div"
    etree.strip_elements(tree, *_BESIDE_TEXT, with_tail=False)
    for element in _HIDDEN(tree):
        if element.get("hidden") != "until-found" and element is not body and element.getparent() is not None:
            length = length or len(body.text_content())
            if len(element.text_content()) < HIDDEN_SHARE * length:
                element.tag = _NO_TEXT[0]
    etree.strip_elements(tree, _NO_TEXT[0], with_tail=False)


def _is_within_sentence(element: HtmlElement) -> bool:
    parent, previous = element.getparent(), element.getprevious()
    before = previous.tail if previous is not None else parent.text if parent is not None else None
    return bool(before and before.strip() and element.tail and element.tail.strip(" .,|·-\n\t"))


def prose(tree: HtmlElement) -> Pieces:
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


def end_layout_tables(tree: HtmlElement, pieces: Pieces) -> None:
    """Turn tables into plain blocks if one of their cells holds most of the prose: they are there for the layout."""
    if next(tree.iter("td"), None) is None:
        return
    within = _within(pieces)
    total = sum(length for _, length in pieces)
    for cell in list(tree.iter("td")):
        if within[cell] and within[cell] >= MOST_OF_A_PAGE * total:
            around: HtmlElement | None = cell
            while around is not None and around.tag in _TABLE:
                for part in [*around] if around.tag == "tr" else [around]:
                    part.tag = "div"
                around.tag = "div"
                around = around.getparent()


def _within(pieces: Pieces) -> Counter[HtmlElement]:
    """Return how much of the pieces is within each element."""
    within: Counter[HtmlElement] = Counter()
    for block, length in pieces:
        around: HtmlElement | None = block
        while around is not None:
            within[around] += length
            around = around.getparent()
    return within


def cut_boxes_of_links(tree: HtmlElement, pieces: Pieces) -> None:
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


def cut_beside_article(tree: HtmlElement, pieces: Pieces) -> None:
    """Remove what is beside the part of the page that contains the title and nearly all the text.

    The elements around that part stay, because trafilatura recognises articles by their names.
    """
    body, heading = tree.find("body"), next(tree.iter("h1"), None)
    if body is None or heading is None:
        return
    within = _within(pieces)
    if within[body] < LEAST_PROSE:
        return
    kept = next((e for e in heading.iterancestors() if within[e] >= ARTICLE_SHARE * within[body]), body)
    while kept is not body and (outer := kept.getparent()) is not None:
        for element in list(outer):
            if element is not kept:
                outer.remove(element)
        kept = outer


def of_article(tree: HtmlElement, pieces: Pieces) -> Pieces:
    """Return the pieces that may be the article's: not in comments, teasers or links, nor above the heading."""
    inside: dict[HtmlElement, bool] = {}

    def is_comment(element: HtmlElement) -> bool:
        if element not in inside:
            parent = element.getparent()
            named = element.tag not in ("body", "html", "main") and any(
                name and _COMMENTS.search(name) for name in (element.get("class"), element.get("id"))
            )
            inside[element] = named or (parent is not None and is_comment(parent))
        return inside[element]

    own = [(block, length) for block, length in pieces if not is_comment(block)]
    articles = list(tree.iter("article"))
    cards = {card for card in articles if len(articles) >= CARDS and _links_to_another(card)}
    others = [
        (block, length)
        for block, length in own
        if not any(around in cards or around.tag == "a" for around in (block, *block.iterancestors()))
    ]
    # If teasers hold nearly all of the prose, they are the article, or there is none.
    if sum(length for _, length in others) >= LEFT_BY_TEASERS * sum(length for _, length in own):
        own = others
    heading = next(tree.iter("h1"), None)
    if heading is None:
        return own
    place = {element: number for number, element in enumerate(tree.iter())}
    behind = [(block, length) for block, length in own if place[block] >= place[heading]]
    return behind or own


def _links_to_another(card: HtmlElement) -> bool:
    """Whether an element of many is a teaser: its heading is a link, and it holds no title and no others."""
    if card.find(".//h1") is not None or card.find(".//article") is not None:
        return False
    return any(
        heading.find(".//a[@href]") is not None or any(around.tag == "a" for around in heading.iterancestors())
        for heading in card.iter("h2", "h3", "h4", "h5")
    )


def keep_container(tree: HtmlElement, pieces: Pieces) -> None:
    """Leave of the page only the innermost element that holds most of the pieces, and nothing that could hide them.

    Names of elements tell extractors what they are. Those around the pieces lose theirs, and tables for layout end.
    """
    body = tree.find("body")
    if body is None:
        return
    within = _within(pieces)
    container = body
    while (inner := next((e for e in container if within[e] >= CONTAINER_SHARE * within[body]), None)) is not None:
        container = inner
    for block, _ in pieces:
        around: HtmlElement | None = block
        while around is not None and around is not container:
            for name in ("class", "id", "role"):
                around.attrib.pop(name, None)
            if around.tag in _TABLE:
                around.tag = "div"
            around = around.getparent()
    if container is not body:
        container.tag = "article"
        container.attrib.clear()
        container.tail = None
        body.clear()
        body.append(container)
