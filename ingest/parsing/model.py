"""The values that parsers return, and the identity of an item."""

import hashlib
import html
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from w3lib.html import remove_tags

from ingest.parsing.wishes import Wishes
from ingest.text.storable import storable
from ingest.text.urls import canonical_url

__all__ = [
    "FeedDocument",
    "ListedSitemap",
    "NotAFeed",
    "ParsedEntry",
    "ParsedFeed",
    "distinct",
    "identity_of",
    "plain",
    "storable_or_none",
]

# guids longer than this (some feeds put a whole text there) are stored as their hash.
MAX_IDENTITY_LENGTH = 500


class NotAFeed(Exception):
    """The document holds no feed. The message says what it is instead, as far as can be told."""


@dataclass(frozen=True)
class FeedDocument:
    """A document as it was fetched from `url`, and what is needed to read it.

    `zone` is that of dates without one. Of a sitemap, only the newest pages count unless the `whole` is wanted.
    """

    body: bytes
    url: str
    content_type: str | None
    now: datetime
    zone: tzinfo
    whole: bool = False


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
    # What is doubtful about that date, see `ingest.parsing.dates`.
    published_note: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class ListedSitemap:
    """A sitemap that a sitemap index lists, and when it last changed."""

    url: str
    changed_at: datetime | None = None


@dataclass(frozen=True)
class ParsedFeed:
    """A feed's title, its items in order, each identity once, and its wishes on polling."""

    title: str | None
    entries: tuple[ParsedEntry, ...]
    wishes: Wishes = field(default_factory=Wishes)
    # The hub that announces news of the feed, and the address under which it knows the feed (WebSub, 4).
    hub: str | None = None
    topic: str | None = None
    # Of a sitemap index: the sitemaps that hold the items, newest first.
    sitemaps: tuple[ListedSitemap, ...] = ()
    # Where the items before these are, for those who want them all (RFC 5005, 3 and 4; WordPress).
    earlier: str | None = None


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


def identity_of(guid: str | None, url: str | None, title: str | None, summary: str | None) -> str:
    """Return what names an item within its feed: its guid, else its address, else a hash of what it says."""
    name = storable_or_none(guid) or url
    if name and len(name) <= MAX_IDENTITY_LENGTH:
        return name
    return "sha256:" + hashlib.sha256((name or f"{title}\n{summary}").encode(errors="replace")).hexdigest()


def plain(value: str | None) -> str | None:
    """Return text without markup, also where it was escaped twice. None when nothing is left."""
    if not value:
        return None
    text = value
    for _ in range(2):
        text = html.unescape(remove_tags(text))
    return storable_or_none(" ".join(text.split()))


def storable_or_none(value: str | None) -> str | None:
    """Return text as the database can hold it; None when nothing is left."""
    return storable(value) or None if value else None
