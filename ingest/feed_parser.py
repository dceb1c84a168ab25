"""What a feed document says: RSS and Atom of any version, by feedparser, as plain values."""

import hashlib
import html
import logging
import re
from calendar import timegm
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import feedparser
from lxml import etree
from lxml import html as lxml_html
from w3lib.html import remove_tags

from ingest.backoff import MAX_WAIT
from ingest.schedule import Wishes, day_number
from ingest.storing import storable
from ingest.urls import absolute_url

__all__ = ["NotAFeed", "ParsedEntry", "ParsedFeed", "feeds_named_by", "identity_of", "parse_feed", "plain", "sensible"]

log = logging.getLogger(__name__)

# A publication date further ahead than this is a mistake of the feed's, not a clock a little fast.
FUTURE_TOLERANCE = timedelta(hours=1)
# No web page is older; feeds give 1970 and 0001 for "unknown".
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
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
# guids longer than this (some feeds put a whole text there) are stored as their hash.
MAX_IDENTITY_LENGTH = 500


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


@dataclass(frozen=True)
class ParsedFeed:
    """A feed's title and items, in its order, each identity once, and what it asks of those who poll it."""

    title: str | None
    entries: tuple[ParsedEntry, ...]
    wishes: Wishes = field(default_factory=Wishes)
    # Of a sitemap index: the sitemaps that hold the items, newest first.
    parts: tuple[str, ...] = ()


def parse_feed(body: bytes, url: str, content_type: str | None, now: datetime) -> ParsedFeed:
    """Return what the feed document `body`, fetched from `url`, says.

    A document that breaks off gives what came before. Raises NotAFeed.
    """
    other = _other_format(body, url, now)
    if other is not None:
        return other
    headers = {"content-type": content_type} if content_type else {}
    try:
        # Bytes in a file object: a str would be taken for an address or a file name.
        parsed = feedparser.parse(
            BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:
        # Damaged feeds make feedparser raise TypeError, KeyError, UnicodeDecodeError, RecursionError and others.
        raise NotAFeed(f"the document cannot be parsed ({type(error).__name__})") from error
    if not parsed.get("version") and not parsed.entries:
        raise NotAFeed(_what_instead(body, url, content_type))
    entries: dict[str, ParsedEntry] = {}
    for raw in parsed.entries:
        try:
            entry = _entry(raw, url, now)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError) as error:
            log.warning("%s: skipped an item that makes no sense (%s)", url, type(error).__name__)
            continue
        entries.setdefault(entry.identity, entry)
    return ParsedFeed(plain(parsed.feed.get("title")), tuple(entries.values()), _wishes(parsed.feed, body))


def _other_format(body: bytes, url: str, now: datetime) -> ParsedFeed | None:
    from ingest import feed_formats

    try:
        if feed_formats.is_json_feed(body):
            return feed_formats.parse_json_feed(body, url, now)
        if feed_formats.is_sitemap(body):
            return feed_formats.parse_sitemap(body, url, now)
    except (ValueError, etree.LxmlError, RecursionError) as error:
        raise NotAFeed(f"the document cannot be parsed ({type(error).__name__})") from error
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


def _entry(raw: Any, base: str, now: datetime) -> ParsedEntry:
    link = raw.get("feedburner_origlink") or raw.get("link")
    url = absolute_url(urljoin(base, link), base) if link else None
    title, summary = plain(raw.get("title")), plain(raw.get("summary"))
    content = next((part.get("value") for part in raw.get("content", []) if part.get("value")), None)
    return ParsedEntry(
        identity=identity_of(raw.get("id"), url, title, summary),
        url=url,
        title=title,
        summary=summary,
        content=_storable(content),
        author=plain(raw.get("author")),
        published_at=_moment(raw, now),
    )


def identity_of(guid: str | None, url: str | None, title: str | None, summary: str | None) -> str:
    """Return what names an item within its feed: its guid, else its address, else a hash of what it says."""
    name = _storable(guid) or url
    if name and len(name) <= MAX_IDENTITY_LENGTH:
        return name
    return "sha256:" + hashlib.sha256((name or f"{title}\n{summary}").encode(errors="replace")).hexdigest()


def _moment(raw: Any, now: datetime) -> datetime | None:
    for key in ("published_parsed", "updated_parsed", "created_parsed"):
        # Not raw.get: feedparser answers for a missing `updated` with `published`, and warns.
        parsed = dict.get(raw, key)
        if parsed is None:
            continue
        moment = sensible(datetime.fromtimestamp(timegm(parsed), UTC), now)
        if moment is not None:
            return moment
    return None


def sensible(moment: datetime, now: datetime) -> datetime | None:
    """Return a publication date as it may be stored, in UTC, at the latest now; None for one that cannot be true."""
    return min(moment.astimezone(UTC), now) if EARLIEST <= moment <= now + FUTURE_TOLERANCE else None


def plain(value: str | None) -> str | None:
    """Return text without markup, of which some feeds escape theirs twice; None when nothing is left."""
    if not value:
        return None
    text = value
    for _ in range(2):
        text = html.unescape(remove_tags(text))
    return _storable(re.sub(r"\s+", " ", text).strip())


def _storable(value: str | None) -> str | None:
    return storable(value) or None if value else None


def feeds_named_by(body: bytes, url: str) -> list[str]:
    """Return the addresses of the feeds that a web page names (`<link rel=alternate>`, HTML Standard 4.6.7.1)."""
    try:
        page = lxml_html.fromstring(body)
    except (etree.LxmlError, ValueError, AssertionError):
        return []
    base = page.base_url or next(iter(page.xpath("//base/@href")), None) or url
    found = []
    for link in page.iter("link"):
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        if "alternate" in (link.get("rel") or "").lower().split() and kind in _FEED_TYPES:
            address = absolute_url(link.get("href") or "", urljoin(url, base))
            if address is not None and address not in found:
                found.append(address)
    return found


def _what_instead(body: bytes, url: str, content_type: str | None) -> str:
    start = body[:1000].lstrip().lower()
    if not start:
        return "the document is empty"
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        named = feeds_named_by(body, url)
        return (
            f"this is a web page, not a feed; it names as its feed {named[0]}"
            if named
            else ("this is a web page, not a feed, and it names none")
        )
    if start.startswith((b"{", b"[")):
        return "this is JSON, not an RSS or Atom feed"
    return f"no RSS or Atom feed in the document (Content-Type: {content_type or 'none'})"
