"""RSS and Atom of any version, parsed by feedparser into plain values."""

import logging
import re
from datetime import datetime, tzinfo
from io import BytesIO
from typing import Any

import feedparser
from w3lib.url import add_or_replace_parameter, url_query_parameter

from ingest.parsing.dates import FeedDate, read_feed_date
from ingest.parsing.model import FeedDocument, ParsedEntry, ParsedFeed, distinct, identity_of, plain, storable_or_none
from ingest.parsing.preparation import prepare, taken_back
from ingest.parsing.wishes import wishes_of
from ingest.text.urls import absolute_url

__all__ = ["parse_rss"]

_ABSOLUTE = re.compile(r"\s*https?://", re.IGNORECASE)

log = logging.getLogger(__name__)


def parse_rss(document: FeedDocument) -> ParsedFeed | None:
    """Parse an RSS or Atom document. None if it is neither."""
    text, aside = prepare(document.body, document.content_type)
    # Bytes in a file object, because feedparser would take a str for an address or a file name.
    parsed = feedparser.parse(
        BytesIO(text.encode("utf-8", errors="replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        return None
    # Items' addresses are relative to the site (RSS has no other base); it may be another host than the feed's.
    base = absolute_url(parsed.feed.get("link") or "", document.url) or document.url
    entries = []
    for raw in parsed.entries:
        try:
            entries.append(_entry(raw, document, aside, base))
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError) as error:
            log.warning("%s: skipped an item that makes no sense (%s)", document.url, type(error).__name__)
    links = _links(parsed.feed)
    return ParsedFeed(
        plain(parsed.feed.get("title")),
        distinct(entries),
        wishes_of(parsed.feed, document.body),
        hub=absolute_url(links["hub"], document.url) if "hub" in links else None,
        topic=absolute_url(links["self"], document.url) if "self" in links else None,
        earlier=_earlier(parsed.feed, links, document.url),
    )


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
    """The first address for each link relation of the feed."""
    found: dict[str, str] = {}
    for link in feed.get("links", []):
        if link.get("rel") and link.get("href"):
            found.setdefault(str(link["rel"]).lower(), str(link["href"]))
    return found


def _entry(raw: Any, document: FeedDocument, aside: list[str], base: str) -> ParsedEntry:
    url = _address(raw, base)
    title, summary = plain(raw.get("title")), plain(taken_back(raw.get("summary"), aside))
    content = next((part.get("value") for part in raw.get("content", []) if part.get("value")), None)
    published, updated = _dates(raw, document.now, document.zone)
    return ParsedEntry(
        identity=identity_of(raw.get("id"), url, title, summary),
        url=url,
        title=title,
        summary=summary,
        content=storable_or_none(taken_back(content, aside)),
        author=plain(raw.get("author")),
        published_at=published.at,
        published_note=published.note,
        updated_at=updated.at,
    )


def _address(raw: Any, base: str) -> str | None:
    """The address of an item: its link, else its guid if that is one. feedparser takes any guid for a link."""
    guid = raw.get("id")
    link = raw.get("feedburner_origlink") or raw.get("link")
    if not link or (link == guid and not _ABSOLUTE.match(link)):
        link = guid if guid and _ABSOLUTE.match(guid) else None
    if link and link.lower().startswith("www."):
        link = f"http://{link}"
    return absolute_url(link, base) if link else None


def _dates(raw: Any, now: datetime, zone: tzinfo) -> tuple[FeedDate, FeedDate]:
    """The time of publication (or the next best one) and of the last change."""
    found = {}
    for key in ("published", "updated", "created"):
        # Not raw.get: feedparser answers for a missing `updated` with `published`, and warns.
        text, parsed = dict.get(raw, key), dict.get(raw, f"{key}_parsed")
        found[key] = read_feed_date(text if isinstance(text, str) else None, now, zone, parsed)
    published = next((date for date in found.values() if date.at is not None), found["published"])
    return published, found["updated"]
