"""JSON Feed (jsonfeed.org, version 1.1). Invalid values in an item are dropped, not the whole document."""

import json
from typing import Any

from ingest.parsing.dates import read_feed_date
from ingest.parsing.model import FeedDocument, ParsedEntry, ParsedFeed, distinct, identity_of, plain
from ingest.text.charset import decode
from ingest.text.storable import storable
from ingest.text.urls import absolute_url

__all__ = ["is_json_feed", "parse_json_feed"]


def is_json_feed(body: bytes) -> bool:
    """Return whether the document may be a JSON Feed (jsonfeed.org, version 1.1)."""
    return body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and (
        b"jsonfeed.org/version" in body or b"jsonfeed.org\\/version" in body
    )


def parse_json_feed(document: FeedDocument) -> ParsedFeed:
    """Parse a JSON Feed. Raises ValueError if the document is not one."""
    # strict=False, because raw line breaks within strings are common.
    feed = json.loads(decode(document.body, None), strict=False)
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise ValueError("no items")
    entries = [_entry(item, document) for item in feed["items"] if isinstance(item, dict)]
    hubs = feed.get("hubs")
    hub = next((hub.get("url") for hub in hubs if isinstance(hub, dict)), None) if isinstance(hubs, list) else None
    return ParsedFeed(
        plain(_text(feed.get("title"))),
        distinct(entries),
        hub=absolute_url(hub, document.url) if isinstance(hub, str) else None,
        topic=absolute_url(_text(feed.get("feed_url")) or "", document.url),
    )


def _entry(item: dict[str, Any], document: FeedDocument) -> ParsedEntry:
    link = _text(item.get("url")) or _text(item.get("external_url"))
    if link is None and (_text(item.get("id")) or "").startswith(("http://", "https://")):
        link = _text(item.get("id"))
    address = absolute_url(link, document.url) if link else None
    title = plain(_text(item.get("title")))
    content = _text(item.get("content_html")) or _text(item.get("content_text"))
    summary = plain(_text(item.get("summary")) or _text(item.get("content_text")))
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [_text(author.get("name")) for author in authors or [] if isinstance(author, dict)]
    guid = item.get("id")
    changed = read_feed_date(_text(item.get("date_modified")), document.now, document.zone)
    published = read_feed_date(_text(item.get("date_published")), document.now, document.zone)
    published = published if published.at else changed
    return ParsedEntry(
        identity=identity_of(str(guid) if isinstance(guid, str | int) else None, address, title, summary),
        url=address,
        title=title,
        summary=summary,
        content=storable(content) if content else None,
        author=plain(", ".join(name for name in names if name)),
        published_at=published.at,
        published_note=published.note,
        updated_at=changed.at,
    )


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
