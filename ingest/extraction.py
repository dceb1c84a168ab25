"""From a page's bytes to an article: text, title, author, language, date. Pure, for use in a worker process."""

import html
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

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
# What stands between a title and the name of the site, and such a name of a few words with it.
_SEPARATOR = re.compile(r"\s*[|•·»]\s*|\s+[-–—:]\s+")
_ONLY_AN_OUTLET = re.compile(r"\s*[|•·»–—-]\s*(?:\S+\s*){1,4}|(?:\S+\s*){1,4}[|•·»–—-]\s*")


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
    if len(text) < MIN_TEXT_LENGTH:
        raise NotAnArticle(f"no article text on the page ({len(text)} characters)")
    metadata = _Metadata(tree)
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


class _Metadata:
    """What a page says about itself in JSON-LD (schema.org) and meta elements (Open Graph and others)."""

    def __init__(self, tree: HtmlElement | None) -> None:
        self._tree = tree
        self._meta: dict[str, str] = {}
        self._article: dict[str, Any] = {}
        if tree is None:
            return
        for element in tree.iter("meta"):
            name = element.get("property") or element.get("name") or element.get("itemprop")
            content = element.get("content")
            if name and content and content.strip():
                self._meta.setdefault(name.strip().lower(), content.strip())
        for element in tree.iter("script"):
            if (element.get("type") or "").strip().lower() == "application/ld+json" and element.text:
                for thing in _json_ld(element.text):
                    kinds = thing.get("@type", ())
                    kinds = kinds if isinstance(kinds, list) else [kinds]
                    if any(str(kind).endswith(("Article", "BlogPosting", "Report")) for kind in kinds):
                        self._article = self._article or thing

    def title(self) -> str | None:
        candidates = [self._article.get("headline"), self._meta.get("og:title"), self._meta.get("twitter:title")]
        headings = []
        if self._tree is not None:
            headings = [" ".join(heading.itertext()) for heading in self._tree.iter("h1")]
            candidates += [*headings, self._tree.findtext(".//title")]
        lines = (_line(html.unescape(text)) for text in candidates if isinstance(text, str))
        title = next((text for text in lines if text), None)
        return _without_outlet(title, [*filter(None, map(_line, headings))], self._outlets()) if title else None

    def _outlets(self) -> set[str]:
        """What the site calls itself, folded."""
        publisher = self._article.get("publisher")
        names = [
            self._meta.get("og:site_name"), self._meta.get("application-name"), self._meta.get("twitter:site"),
            publisher.get("name") if isinstance(publisher, dict) else publisher,
        ]  # fmt: skip
        return {fold(name) for name in names if isinstance(name, str) and fold(name)}

    def author(self) -> str | None:
        author = self._article.get("author")
        names = [
            person.get("name") if isinstance(person, dict) else person
            for person in (author if isinstance(author, list) else [author])
        ]
        found = ", ".join(name for name in map(_line, names) if name)
        return found or _line(self._meta.get("author"))

    def dates(self) -> Iterator[tuple[str, str]]:
        """Publication dates as they stand, with their source, the most trustworthy first."""
        for key in ("datePublished", "dateCreated"):
            if isinstance(value := self._article.get(key), str):
                yield value, "jsonld"
        for name in (
            "article:published_time", "og:article:published_time", "datepublished", "pubdate", "publishdate",
            "publish-date", "dc.date.issued", "dc.date", "date", "parsely-pub-date", "sailthru.date",
        ):  # fmt: skip
            if name in self._meta:
                yield self._meta[name], "meta"


def _without_outlet(title: str, headings: list[str], outlets: set[str]) -> str:
    """The title without the name of the site before or behind it.

    What is cut off is what the site calls itself, or all that the page's heading does not have.
    """
    for heading in headings:
        rest = (
            title[len(heading) :]
            if title.startswith(heading)
            else title[: -len(heading)]
            if title.endswith(heading)
            else ""
        )
        if rest and _ONLY_AN_OUTLET.fullmatch(rest):
            return heading
    for part in _SEPARATOR.finditer(title):
        before, after = title[: part.start()].strip(), title[part.end() :].strip()
        if before and fold(after) in outlets:
            return before
        if after and fold(before) in outlets:
            return after
    return title


def _json_ld(text: str) -> Iterator[dict[str, Any]]:
    try:
        # strict=False: raw line breaks within strings are common.
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return
    waiting = [found]
    for _ in range(1000):
        if not waiting:
            return
        thing = waiting.pop(0)
        if isinstance(thing, list):
            waiting.extend(thing)
        elif isinstance(thing, dict):
            yield thing
            waiting.extend(thing[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in thing)


def _date(tree: HtmlElement | None, url: str, metadata: _Metadata, hint: Hint) -> tuple[datetime | None, str | None]:
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


def _line(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(unicodedata.normalize("NFC", storable(value)).split())[:1000] or None
