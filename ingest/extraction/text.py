"""Extracts the article's text from a page, by several opinions: the cheapest first, others if it took too little."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import trafilatura.utils
from lxml.html import HtmlElement
from trafilatura import bare_extraction
from trafilatura.meta import reset_caches
from trafilatura.settings import Extractor

from ingest.extraction.furniture import without_boilerplate
from ingest.extraction.page import parse_page
from ingest.extraction.prose import (
    cut_beside_article,
    cut_boxes_of_links,
    end_layout_tables,
    keep_container,
    of_article,
    prose,
    thin_out,
)
from ingest.extraction.structured import bodies
from ingest.text.storable import composed, storable

__all__ = ["ENGINE", "PageText", "empty_caches", "page_text"]

ENGINE = f"trafilatura {version('trafilatura')}"
# If less than this share of the page's prose was taken, another opinion is asked; below the second, also a slow one.
TAKEN, LITTLE_TAKEN = 0.7, 0.5
# Another opinion is believed if it finds so much more, and most of what there was before (or that is nearly nothing).
MORE, MOST, NEARLY_NOTHING = 1.2, 0.5, 0.1
# So short a text, in characters, may be a teaser of one in the page's data.
SHORT = 1500
# A text with this share of lines that are links is a menu.
MENU = 0.8
# A line so long is prose, in characters.
LINE = 40

for _name in ("trafilatura", "htmldate"):
    # Their messages about a page go into the ledger as its reason.
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_printable = trafilatura.utils.return_printables_and_spaces


def _printable_or_joiner(char: str) -> str:
    # Persian and Kurdish words have the zero-width non-joiner inside.
    return char if char == "\u200c" else _printable(char)


trafilatura.utils.return_printables_and_spaces = _printable_or_joiner  # type: ignore[assignment]


@dataclass(frozen=True)
class PageText:
    """The text of an article as on the page (`raw`), without boilerplate (`text`), and who found it (`opinion`).

    `share` is how much of the page's prose `raw` is: less than one if prose was left out, more if what is not prose is
    in it, such as lists; None for a page without prose.
    """

    raw: str = ""
    text: str = ""
    opinion: str = ENGINE
    share: float | None = None


def page_text(tree: HtmlElement, url: str, again: Callable[[], HtmlElement | None]) -> PageText:
    """Return the article's text on a page. Do not use the tree afterwards: parts of it are removed.

    `again` returns a new one.
    """
    thin_out(tree)
    pieces = prose(tree)
    held = sum(length for _, length in of_article(tree, pieces))
    end_layout_tables(tree, pieces)
    cut_boxes_of_links(tree, pieces)
    cut_beside_article(tree, pieces)
    raw, opinion, rival = _extracted(tree, url, fast=True), ENGINE, ""
    for least, short, who, ask in _others(url, again):
        if held and len(raw) >= max(least * held, short):
            continue
        other = ask()
        if len(other) <= MORE * len(raw):
            continue
        # One that has nothing of what was found before must be confirmed by another one; data say whose text it is.
        little = len(raw) < NEARLY_NOTHING * max(held, len(other))
        if little or who == "data" or _has(other, raw) or (rival and _has(other, rival)):
            raw, opinion = other, f"{who}, {ENGINE}"
        else:
            rival = other
    return PageText(raw, storable(without_boilerplate(raw)), opinion, round(len(raw) / held, 3) if held else None)


def _others(url: str, again: Callable[[], HtmlElement | None]) -> Iterator[tuple[float, int, str, Callable[[], str]]]:
    """Yield other opinions, the cheapest first, with the share and length from which on one is not asked."""

    def of_container() -> str:
        tree = again()
        if tree is None:
            return ""
        thin_out(tree)
        pieces = of_article(tree, prose(tree))
        if not pieces:
            return ""
        keep_container(tree, pieces)
        return _extracted(tree, url, fast=True)

    def of_data() -> str:
        tree = again()
        return "" if tree is None else max((_plain(body, url) for body in bodies(tree)), key=len, default="")

    def of_whole() -> str:
        # The default mode compares several extractors, which also read articles in JSON-LD.
        tree = again()
        if tree is None:
            return ""
        links = [link.text_content() for link in tree.iter("a")]
        text = _extracted(tree, url, fast=False)
        return "" if _is_menu(text, links) else text

    yield TAKEN, 0, "container", of_container
    yield LITTLE_TAKEN, SHORT, "data", of_data
    yield LITTLE_TAKEN, 0, "default", of_whole


def _plain(body: str, url: str) -> str:
    """The text of an article in a page's data: markup is read as a page of its own."""
    if "<" not in body:
        return composed(body).strip()
    tree = parse_page(f"<html><body><article>{body}</article></body></html>".encode(errors="replace"), None)
    return "" if tree is None else _extracted(tree, url, fast=True)


def _is_menu(text: str, links: Iterable[str]) -> bool:
    """Whether nearly all of a text is lines that are links."""
    linked = {" ".join(link.split()) for link in links}
    return sum(len(line) for line in text.split("\n") if line.lstrip("- ") in linked) >= MENU * len(text)


def _has(text: str, other: str) -> bool:
    """Whether a text has most of another one, line by line."""
    lines = [line for line in other.split("\n") if len(line) >= LINE] or other.split("\n")
    return sum(line in text for line in lines) >= MOST * len(lines)


def empty_caches() -> None:
    """Empty the caches in which trafilatura and its helpers keep parts of pages."""
    reset_caches()


@cache
def _options(fast: bool) -> Extractor:
    # Fast mode, favouring recall. On the evaluation pages, it is as complete and as clean as the default mode in little
    # more than half the time, because the default mode compares the text with the whole page before it decides.
    options = Extractor(
        output_format="python",
        fast=fast,
        recall=fast,
        comments=False,
        tables=True,
        dedup=False,
        with_metadata=False,
    )
    if fast:
        # Of a text that it finds short, it would take the whole page in one line: title, date, views and text.
        options.min_extracted_size = 1
    return options


def _extracted(tree: HtmlElement, url: str, *, fast: bool) -> str:
    document = bare_extraction(tree, url=url, options=_options(fast))
    return composed(getattr(document, "text", None) or "").strip()
