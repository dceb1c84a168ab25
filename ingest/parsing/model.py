"""A parsed feed document as plain values, and how its items are identified."""

import hashlib
import html
import re
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

# Longer guids (some feeds put a whole text there) are stored as a hash.
MAX_IDENTITY_LENGTH = 500


# Tags between which words do not belong together.
_BLOCK = re.compile(
    r"</?(?:address|article|aside|blockquote|br|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|img|li|ol|p|pre"
    r"|section|table|td|th|tr|ul)\b[^<>]{0,1000}>",
    re.IGNORECASE,
)


class NotAFeed(Exception):
    """The document is not a feed. The message says what it is instead, if known."""


@dataclass(frozen=True)
class FeedDocument:
    """A document fetched from `url`, and what is needed to parse it.

    `zone` applies to dates without one. For a sitemap, only the newest pages count unless `whole` is set.
    """

    body: bytes
    url: str
    content_type: str | None
    now: datetime
    zone: tzinfo
    whole: bool = False


@dataclass(frozen=True)
class ParsedEntry:
    """A feed item. Texts are plain except `content`, which is HTML. Times are aware and in UTC."""

    identity: str
    url: str | None
    title: str | None
    summary: str | None
    content: str | None
    author: str | None
    published_at: datetime | None
    # Doubts about that date, see `ingest.parsing.dates`.
    published_note: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class ListedSitemap:
    """A sitemap listed in a sitemap index, and when it last changed."""

    url: str
    changed_at: datetime | None = None


@dataclass(frozen=True)
class ParsedFeed:
    """A feed's title, its items in order with unique identities, and its wishes for pollers."""

    title: str | None
    entries: tuple[ParsedEntry, ...]
    wishes: Wishes = field(default_factory=Wishes)
    # The hub that announces updates of the feed, and the URL by which it knows the feed (WebSub, 4).
    hub: str | None = None
    topic: str | None = None
    # The sitemaps with the items, newest first, if this is a sitemap index.
    sitemaps: tuple[ListedSitemap, ...] = ()
    # Where to find the items before these (RFC 5005, 3 and 4; WordPress).
    earlier: str | None = None


def distinct(entries: Iterable[ParsedEntry]) -> tuple[ParsedEntry, ...]:
    """Return the items in order without duplicates. If items share a guid but not an address, both identify them."""
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
    """Return the identity of an item within its feed: its guid, else its address, else a hash of its content."""
    name = storable_or_none(guid) or url
    if name and len(name) <= MAX_IDENTITY_LENGTH:
        return name
    return "sha256:" + hashlib.sha256((name or f"{title}\n{summary}").encode(errors="replace")).hexdigest()


def plain(value: str | None) -> str | None:
    """Return text without markup, which some feeds escape twice. None if nothing is left."""
    if not value:
        return None
    text = value
    for _ in range(2):
        text = html.unescape(remove_tags(_BLOCK.sub(" ", text)))
    # What cannot be stored goes first: spaces around it then become one.
    return " ".join(storable(text).split()) or None


def storable_or_none(value: str | None) -> str | None:
    """Return text in a form the database can store. None if nothing is left."""
    return storable(value) or None if value else None
