"""From a page's bytes to an article: text, title, author, language, date. Pure, for use in a worker process."""

import logging
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version

import py3langid
from htmldate import find_date
from lxml import etree
from lxml.etree import ElementDefaultClassLookup, HTMLParser, ParserError
from lxml.html import HtmlElement, document_fromstring
from trafilatura import bare_extraction
from trafilatura.settings import Extractor

from ingest.boilerplate import without_boilerplate
from ingest.charset import decode
from ingest.dates import EARLIEST, believable, read_date
from ingest.document import Document, Hint, NotAnArticle
from ingest.feed_dates import zone_of
from ingest.folding import fold
from ingest.not_articles import instead_of_article
from ingest.page_metadata import Metadata
from ingest.storing import storable

__all__ = ["detect_language", "extract"]

# A text shorter than this, in characters, is not a news article but what is left of a page without one.
MIN_TEXT_LENGTH = 120
# Below this, in characters, the first pass may have missed the text, and trafilatura's default mode, which compares
# several extractors, is asked too.
FAST_ENOUGH_LENGTH = 400
SHORT_TEXT_LENGTH = 200
# Elements between a title and the date that belongs to it, and the longest text that is little but a date.
NEAR_TITLE = 60
MAX_DATE_LENGTH = 150
_DATE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:date|time|datetime|publish(?:ed)?|posted|pubdate|tarikh)(?:$|[\s_-])", re.IGNORECASE
)
_AMERICAN = re.compile(r"^\s*(\d\d)/(\d\d)/(\d{4})( \d\d:\d\d:\d\d)\s*$")
# The start of a text tells its language as well as the whole.
LANGUAGE_SAMPLE_LENGTH = 300

# The alphabet of Arabic, and what Persian, Kurdish, Urdu and their neighbours write beyond it. Arabic pages hold some
# of these by mistake (Persian keyboards), their own languages hold one in ten letters at least.
_ARABIC_LETTERS = re.compile("[\u0621-\u064a]")
_OTHER_LANGUAGES_LETTERS = re.compile("[\u0671-\u06d3]")
MISTYPED_SHARE = 0.03


# Loads the model now: worker processes forked from a process that has imported this module share it.
py3langid.classify("")


def extract(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Return the article in the page `body`, fetched from `url`. Raises NotAnArticle."""
    tree = _parse(body, content_type)
    extractor = f"trafilatura {_trafilatura_version()}"
    text = _text(tree, url) if tree is not None else ""
    if hint.content and len(text) < MIN_TEXT_LENGTH:
        # Some pages are empty shells filled by scripts, while the feed carries the whole article.
        feed_tree = _parse(
            f"<html><body><article>{hint.content}</article></body></html>".encode(), "text/html; charset=utf-8"
        )
        from_feed = _text(feed_tree, url) if feed_tree is not None else ""
        if len(from_feed) > len(text):
            text, extractor = from_feed, f"feed, {extractor}"
    if tree is None and not text:
        raise NotAnArticle("the page is no HTML")
    reason = instead_of_article(tree, text) if tree is not None else None
    if reason is not None:
        raise NotAnArticle(reason)
    if len(text) < MIN_TEXT_LENGTH:
        raise NotAnArticle(f"no article text on the page ({len(text)} characters)")
    metadata = Metadata(tree)
    title = metadata.title() or hint.title
    text = _without_title(text, title)
    published_at, published_from = _date(tree, url, metadata, hint)
    return Document(
        title=title,
        author=metadata.author() or hint.author,
        published_at=published_at,
        published_from=published_from,
        # Of a short text the feed knows more than its letters tell.
        language=hint.language if hint.language and len(text) < SHORT_TEXT_LENGTH else detect_language(text),
        text=text,
        extractor=extractor,
    )


def _parse(body: bytes, content_type: str | None) -> HtmlElement | None:
    source = decode(body, content_type)
    parser = HTMLParser(remove_comments=True, remove_pis=True, collect_ids=False)
    # One class for all elements: lxml.html's own lookup calls back into Python for each.
    parser.set_element_class_lookup(ElementDefaultClassLookup(element=HtmlElement))
    # lxml refuses text with an encoding declaration, and stops at NUL.
    source = source.replace("\0", "").lstrip("\ufeff \t\r\n")
    if source.startswith("<?xml"):
        source = source.partition("?>")[2]
    try:
        tree = document_fromstring(source, parser=parser) if source else None
    except (ParserError, ValueError):
        return None
    return tree if tree is not None and len(tree) else None


@cache
def _trafilatura_version() -> str:
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    return version("trafilatura")


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


def _text(tree: HtmlElement, url: str) -> str:
    text = ""
    for fast in (True, False):
        document = bare_extraction(tree, url=url, options=_options(fast))
        found = unicodedata.normalize("NFC", getattr(document, "text", None) or "").strip()
        if len(found) > len(text):
            text = found
        if len(text) >= FAST_ENOUGH_LENGTH:
            break
    return storable(without_boilerplate(text))


def _without_title(text: str, title: str | None) -> str:
    """The text without its first line, where that only repeats the title."""
    first, line_break, rest = text.partition("\n")
    return rest.lstrip() if line_break and title and fold(first) == fold(title) else text


def _date(tree: HtmlElement | None, url: str, metadata: Metadata, hint: Hint) -> tuple[datetime | None, str | None]:
    if hint.published_at is not None:
        return hint.published_at, "feed"
    zone = zone_of(hint.country)
    for value, source in metadata.dates():
        # Programs write days and months in the American order where they write seconds as well.
        found = read_date(_AMERICAN.sub(r"\3-\1-\2\4", value), zone)
        moment = believable(found.at, hint.now) if found else None
        if moment is not None:
            return moment, source
    if tree is None:
        return None, None
    for value in _dates_beside_title(tree):
        found = read_date(value, zone)
        moment = believable(found.at, hint.now) if found else None
        if moment is not None:
            return moment, "page"
    for source, address in (("page", None), ("url", url)):
        # Without the extensive search, which takes any year on the page for its first of January.
        day = find_date(
            tree, extensive_search=False, original_date=True, url=address, min_date=EARLIEST, max_date=hint.now
        )
        if day:
            return datetime.fromisoformat(day).replace(tzinfo=UTC), source
    return None, None


def _dates_beside_title(tree: HtmlElement) -> Iterator[str]:
    """The texts in which a page may say when it was published, near its title, the most explicit first."""
    marked, timed, named = [], [], []
    title_at = None
    for place, element in enumerate(tree.iter(etree.Element)):
        if element.tag == "h1" and title_at is None:
            title_at = place
        if element.get("itemprop") in ("datePublished", "dateCreated") or element.get("pubdate") is not None:
            marked.append(element)
        elif element.tag == "time":
            timed.append((place, element))
        elif _DATE_CLASS.search(f"{element.get('class', '')} {element.get('id', '')}"):
            named.append((place, element))
    near = title_at if title_at is not None else 0
    close = [
        element
        for places in (timed, named)
        for place, element in sorted(places, key=lambda item: abs(item[0] - near))
        if title_at is None or -NEAR_TITLE <= place - near <= NEAR_TITLE
    ]
    for element in [*marked, *close]:
        for value in (element.get("datetime"), element.get("content"), " ".join(element.itertext())):
            if value and len(value) <= MAX_DATE_LENGTH:
                yield value


def detect_language(text: str) -> str:
    """Return the language of `text` (ISO 639-1)."""
    sample = text[:LANGUAGE_SAMPLE_LENGTH]
    arabic = len(_ARABIC_LETTERS.findall(sample))
    if arabic > len(sample) / 2 and len(_OTHER_LANGUAGES_LETTERS.findall(sample)) <= MISTYPED_SHARE * arabic:
        return "ar"
    return str(py3langid.classify(sample)[0])
