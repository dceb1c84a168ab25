"""Documents that list articles and are not RSS or Atom: JSON Feed, and sitemaps.

Each is read into `ParsedEntry`s, like any feed. What makes no sense in a single item is left out, not the document.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any

from lxml import etree

from ingest.parsing.dates import FeedDate, read_date
from ingest.parsing.parse import ParsedEntry, ParsedFeed, Part, distinct, identity_of, plain
from ingest.store.storing import storable
from ingest.text.charset import decode
from ingest.text.urls import absolute_url

__all__ = ["NEWEST_ITEMS", "is_json_feed", "is_sitemap", "parse_json_feed", "parse_sitemap"]

# A sitemap may list 50,000 pages (sitemaps.org); those that count are the newest, which news sites put first or last.
NEWEST_ITEMS = 2_000


def is_json_feed(body: bytes) -> bool:
    """Return whether the document may be a JSON Feed (jsonfeed.org, version 1.1)."""
    return body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b"jsonfeed.org/version" in body


def is_sitemap(body: bytes) -> bool:
    """Return whether the document is a sitemap or a sitemap index (sitemaps.org)."""
    start = body[:2000]
    return b"<urlset" in start or b"<sitemapindex" in start


def parse_json_feed(body: bytes, url: str, now: datetime, zone: tzinfo = UTC) -> ParsedFeed:
    """Return what a JSON Feed says. Raises ValueError when it is none."""
    document = json.loads(decode(body, None))
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise ValueError("no items")
    entries = [_json_item(item, url, now, zone) for item in document["items"] if isinstance(item, dict)]
    hubs = document.get("hubs")
    hub = next((hub.get("url") for hub in hubs if isinstance(hub, dict)), None) if isinstance(hubs, list) else None
    return ParsedFeed(
        plain(_text(document.get("title"))),
        distinct(entries),
        hub=absolute_url(hub, url) if isinstance(hub, str) else None,
        topic=absolute_url(_text(document.get("feed_url")) or "", url),
    )


def _json_item(item: dict[str, Any], base: str, now: datetime, zone: tzinfo) -> ParsedEntry:
    link = _text(item.get("url")) or _text(item.get("external_url"))
    address = absolute_url(link, base) if link else None
    title = plain(_text(item.get("title")))
    content = _text(item.get("content_html")) or _text(item.get("content_text"))
    summary = plain(_text(item.get("summary")) or _text(item.get("content_text")))
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [_text(author.get("name")) for author in authors or [] if isinstance(author, dict)]
    guid = item.get("id")
    changed = read_date(_text(item.get("date_modified")), now, zone)
    published = read_date(_text(item.get("date_published")), now, zone)
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


def parse_sitemap(
    body: bytes, url: str, now: datetime, zone: tzinfo = UTC, most: int | None = NEWEST_ITEMS
) -> ParsedFeed:
    """Return the newest pages of a sitemap (at `most` so many), or of a sitemap index the sitemaps, newest first.

    News sitemaps give titles and dates of publication; others at most when the page last changed. Raises ValueError
    when nothing of it can be read; a document that breaks off gives what came before.
    """
    # Entities stay as they are, nothing is loaded, and lxml's own limits on depth and size hold.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    root = etree.fromstring(body, parser)
    if root is None:
        raise ValueError("no elements")
    is_index = etree.QName(root).localname == "sitemapindex"
    found = [entry for entry in _listed(root, "sitemap" if is_index else "url", url, now, zone) if entry.url]
    earliest = datetime.min.replace(tzinfo=UTC)
    found.sort(key=lambda entry: entry.published_at or earliest, reverse=True)
    if is_index:
        return ParsedFeed(None, (), parts=tuple(Part(entry.url, entry.updated_at) for entry in found if entry.url))
    unique = {entry.identity: entry for entry in reversed(found[:most])}
    return ParsedFeed(None, tuple(reversed(unique.values())))


def _listed(root: Any, name: str, base: str, now: datetime, zone: tzinfo) -> Iterator[ParsedEntry]:
    for element in root:
        if not isinstance(element.tag, str) or etree.QName(element).localname != name:
            continue
        address = absolute_url(_child(element, "loc") or "", base)
        news = element.find("{*}news")
        title = plain(_child(news, "title")) if news is not None else None
        changed = read_date(_child(element, "lastmod"), now, zone)
        published = read_date(_child(news, "publication_date") if news is not None else None, now, zone)
        if published.at is None:
            published = FeedDate(changed.at, "lastmod" if changed.at else None)
        yield ParsedEntry(
            identity=identity_of(None, address, title, None),
            url=address,
            title=title,
            summary=None,
            content=None,
            author=None,
            published_at=published.at,
            published_note=published.note,
            updated_at=changed.at,
        )


def _child(element: Any, name: str) -> str | None:
    # By local names: some sitemaps have no namespace, or a wrong one.
    for child in element:
        if isinstance(child.tag, str) and etree.QName(child).localname == name:
            return (child.text or "").strip() or None
    return None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
