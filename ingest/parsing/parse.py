"""What a feed document says: RSS and Atom of any version, by feedparser, as plain values."""

import hashlib
import html
import logging
import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from io import BytesIO
from itertools import islice
from typing import Any

import feedparser
from lxml import etree
from lxml import html as lxml_html
from w3lib.html import remove_tags
from w3lib.url import add_or_replace_parameter, url_query_parameter

from ingest.parsing.dates import FeedDate, read_date
from ingest.parsing.preparation import prepare, taken_back
from ingest.polling.schedule import Wishes, day_number
from ingest.runtime.backoff import MAX_WAIT
from ingest.store.storing import storable
from ingest.text.urls import absolute_url, canonical_url, without_user_info

__all__ = [
    "NotAFeed",
    "ParsedEntry",
    "ParsedFeed",
    "Part",
    "distinct",
    "feeds_named_by",
    "identity_of",
    "parse_feed",
    "plain",
]

log = logging.getLogger(__name__)

# Where a channel says when it wants to be left alone.
WISHES_WITHIN_BYTES = 20_000
_FEED_TYPES = {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
# Sites with a feed for each section name some dozens of them, in pages with large styles and scripts in their heads.
MOST_LINKS = 100
LINKS_WITHIN_BYTES = 1_000_000
# guids longer than this (some feeds put a whole text there) are stored as their hash.
MAX_IDENTITY_LENGTH = 500
# The largest sitemap there may be (sitemaps.org).
MOST_UNPACKED_BYTES = 52_428_800


class NotAFeed(Exception):
    """The document holds no feed. The message says what it is instead, as far as can be told."""


@dataclass(frozen=True)
class ParsedEntry:
    """An item of a feed. Texts are plain, but `content`, which is HTML; times are aware, in UTC."""

    identity: str
    url: str | None
    title: str | None
    summary: str | None
    content: str | None
    author: str | None
    published_at: datetime | None
    # What is doubtful about that date, see ingest.parsing.dates.
    published_note: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Part:
    """A sitemap that a sitemap index lists, and when it last changed."""

    url: str
    changed_at: datetime | None = None


@dataclass(frozen=True)
class ParsedFeed:
    """A feed's title and items, in its order, each identity once, and what it asks of those who poll it."""

    title: str | None
    entries: tuple[ParsedEntry, ...]
    wishes: Wishes = field(default_factory=Wishes)
    # The hub that announces news of the feed, and the address under which it knows the feed (WebSub, 4).
    hub: str | None = None
    topic: str | None = None
    # Of a sitemap index: the sitemaps that hold the items, newest first.
    parts: tuple[Part, ...] = ()
    # Where the items before these are, for those who want them all (RFC 5005, 3 and 4; WordPress).
    earlier: str | None = None


def parse_feed(
    body: bytes, url: str, content_type: str | None, now: datetime, zone: tzinfo = UTC, *, whole: bool = False
) -> ParsedFeed:
    """Return what the feed document `body`, fetched from `url`, says.

    `zone` is that of dates without one. Of a sitemap, only the newest pages count unless the `whole` is wanted. A
    document that breaks off gives what came before. Raises NotAFeed, and nothing else, whatever the document is.
    """
    try:
        return _parse(body, url, content_type, now, zone, whole)
    except NotAFeed:
        raise
    except Exception as error:
        # Damaged and hostile documents make every library on the way raise something of its own.
        raise NotAFeed(f"the document cannot be parsed ({type(error).__name__})") from error


def _parse(body: bytes, url: str, content_type: str | None, now: datetime, zone: tzinfo, whole: bool) -> ParsedFeed:
    body = _unpacked(body)
    other = _other_format(body, url, now, zone, whole)
    if other is not None:
        return other
    text, aside = prepare(body, content_type)
    # Bytes in a file object: a str would be taken for an address or a file name.
    parsed = feedparser.parse(
        BytesIO(text.encode("utf-8", errors="replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        raise NotAFeed(_what_instead(body, url, content_type))
    entries = []
    for raw in parsed.entries:
        try:
            entries.append(_entry(raw, url, now, zone, aside))
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError) as error:
            log.warning("%s: skipped an item that makes no sense (%s)", url, type(error).__name__)
    links = _links(parsed.feed)
    return ParsedFeed(
        plain(parsed.feed.get("title")),
        distinct(entries),
        _wishes(parsed.feed, body),
        hub=absolute_url(links["hub"], url) if "hub" in links else None,
        topic=absolute_url(links["self"], url) if "self" in links else None,
        earlier=_earlier(parsed.feed, links, url),
    )


def _unpacked(body: bytes) -> bytes:
    """The document, where it is a gzip file (RFC 1952), as large sitemaps are, what that holds."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        unpacking = zlib.decompressobj(wbits=31)
        unpacked = unpacking.decompress(body, MOST_UNPACKED_BYTES)
    except zlib.error as error:
        raise NotAFeed("the document is a damaged gzip file") from error
    if unpacking.unconsumed_tail:
        raise NotAFeed(f"the document is a gzip file of more than {MOST_UNPACKED_BYTES} bytes")
    return unpacked


def distinct(entries: Iterable[ParsedEntry]) -> tuple[ParsedEntry, ...]:
    """Return the items in order, each once. Items that share a guid and not an address are told apart by both."""
    found: dict[str, ParsedEntry] = {}
    for entry in entries:
        first = found.get(entry.identity)
        if first is None:
            found[entry.identity] = entry
        elif entry.url is not None and first.url is not None and canonical_url(entry.url) != canonical_url(first.url):
            own = replace(entry, identity=identity_of(f"{entry.identity} {entry.url}", entry.url, None, None))
            found.setdefault(own.identity, own)
    return tuple(found.values())


def _earlier(feed: Any, links: dict[str, str], url: str) -> str | None:
    for relation in ("next", "prev-archive"):
        if relation in links:
            return absolute_url(links[relation], url)
    if "wordpress" in str(feed.get("generator", "")).lower():
        page = url_query_parameter(url, "paged", "1")
        if page.isascii() and page.isdigit():
            return add_or_replace_parameter(url, "paged", str(int(page[:6]) + 1))
    return None


def _links(feed: Any) -> dict[str, str]:
    """The first address for each relation of the feed's links."""
    found: dict[str, str] = {}
    for link in feed.get("links", []):
        if link.get("rel") and link.get("href"):
            found.setdefault(str(link["rel"]).lower(), str(link["href"]))
    return found


def _other_format(body: bytes, url: str, now: datetime, zone: tzinfo, whole: bool) -> ParsedFeed | None:
    from ingest.parsing import formats as feed_formats

    if feed_formats.is_json_feed(body):
        return feed_formats.parse_json_feed(body, url, now, zone)
    if feed_formats.is_sitemap(body):
        return feed_formats.parse_sitemap(body, url, now, zone, most=None if whole else feed_formats.NEWEST_ITEMS)
    return None


def _wishes(feed: Any, body: bytes) -> Wishes:
    """What the document asks of those who poll it; what makes no sense is left out."""
    waits = [timedelta(0)]
    with suppress(ValueError, OverflowError):
        waits.append(timedelta(minutes=int(feed.get("ttl", ""))))
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    if period is not None:
        with suppress(ValueError, ZeroDivisionError, OverflowError):
            waits.append(period / int(feed.get("sy_updatefrequency") or 1))
    hours = {int(hour) for hour in _listed(body, b"skipHours", b"hour") if hour.isdigit()}
    days = {day_number(day) for day in _listed(body, b"skipDays", b"day")}
    # RSS 0.91 counts hours from 1 to 24.
    return Wishes(
        min(max(waits), MAX_WAIT),
        frozenset(hour % 24 for hour in hours if hour <= 24),
        frozenset(day for day in days if day is not None),
    )


def _listed(body: bytes, group: bytes, item: bytes) -> list[str]:
    """The texts of the items in a group, which feedparser passes over. It stands before the first item."""
    head = body[:WISHES_WITHIN_BYTES]
    match = re.search(rb"<%b>(.{0,2000}?)</%b>" % (group, group), head, re.DOTALL | re.IGNORECASE)
    if match is None:
        return []
    found = re.findall(rb"<%b>([^<]{1,20})</%b>" % (item, item), match[1], re.IGNORECASE)
    return [text.decode("ascii", errors="replace").strip() for text in found]


def _entry(raw: Any, base: str, now: datetime, zone: tzinfo, aside: list[str]) -> ParsedEntry:
    link = raw.get("feedburner_origlink") or raw.get("link")
    url = absolute_url(link, base) if link else None
    title, summary = plain(raw.get("title")), plain(taken_back(raw.get("summary"), aside))
    content = next((part.get("value") for part in raw.get("content", []) if part.get("value")), None)
    published, updated = _dates(raw, now, zone)
    return ParsedEntry(
        identity=identity_of(raw.get("id"), url, title, summary),
        url=url,
        title=title,
        summary=summary,
        content=_storable(taken_back(content, aside)),
        author=plain(raw.get("author")),
        published_at=published.at,
        published_note=published.note,
        updated_at=updated.at,
    )


def identity_of(guid: str | None, url: str | None, title: str | None, summary: str | None) -> str:
    """Return what names an item within its feed: its guid, else its address, else a hash of what it says."""
    name = _storable(guid) or url
    if name and len(name) <= MAX_IDENTITY_LENGTH:
        return name
    return "sha256:" + hashlib.sha256((name or f"{title}\n{summary}").encode(errors="replace")).hexdigest()


def _dates(raw: Any, now: datetime, zone: tzinfo) -> tuple[FeedDate, FeedDate]:
    """The times of publication (where that is missing, the next best) and of the last change."""
    found = {}
    for key in ("published", "updated", "created"):
        # Not raw.get: feedparser answers for a missing `updated` with `published`, and warns.
        text, parsed = dict.get(raw, key), dict.get(raw, f"{key}_parsed")
        found[key] = read_date(text if isinstance(text, str) else None, now, zone, parsed)
    published = next((date for date in found.values() if date.at is not None), found["published"])
    return published, found["updated"]


def plain(value: str | None) -> str | None:
    """Return text without markup, of which some feeds escape theirs twice; None when nothing is left."""
    if not value:
        return None
    text = value
    for _ in range(2):
        text = html.unescape(remove_tags(text))
    return _storable(" ".join(text.split()))


def _storable(value: str | None) -> str | None:
    return storable(value) or None if value else None


def feeds_named_by(body: bytes, url: str) -> list[str]:
    """Return the addresses of the feeds that a web page names (`<link rel=alternate>`, HTML Standard 4.6.7.1).

    The first ones, of those that stand where such links stand: in the head of the page.
    """
    try:
        page = lxml_html.fromstring(body[:LINKS_WITHIN_BYTES])
    except (etree.LxmlError, ValueError, AssertionError):
        return []
    stated = page.base_url or next(iter(page.xpath("//base/@href")), None)
    base = (absolute_url(stated, url) if stated else None) or url
    links = (
        link.get("href") or ""
        for link in page.iter("link")
        if "alternate" in (link.get("rel") or "").lower().split()
        and (link.get("type") or "").partition(";")[0].strip().lower() in _FEED_TYPES
    )
    addresses = (absolute_url(link, base) for link in islice(links, MOST_LINKS))
    return list(dict.fromkeys(address for address in addresses if address is not None))


def _what_instead(body: bytes, url: str, content_type: str | None) -> str:
    start = body[:1000].lstrip().lower()
    if not start:
        return "the document is empty"
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        named = feeds_named_by(body, url)
        if named:
            return f"this is a web page, not a feed; it names as its feed {named[0]}"
        return f"this is a web page, not a feed; `ingest feeds add {without_user_info(url)}` looks for its feed"
    if start.startswith((b"{", b"[")):
        return "this is JSON, not an RSS or Atom feed"
    return f"no RSS or Atom feed in the document (Content-Type: {content_type or 'none'})"
