"""Sitemaps, news sitemaps and sitemap indexes (sitemaps.org), read as feeds of the pages they list."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from ingest.parsing.dates import FeedDate, read_feed_date
from ingest.parsing.model import FeedDocument, ListedSitemap, ParsedEntry, ParsedFeed, identity_of, plain
from ingest.text.urls import absolute_url

__all__ = ["NEWEST_ITEMS", "is_sitemap", "parse_sitemap"]

# The first element, behind declarations and comments, with or without a prefix.
_ROOT = re.compile(
    rb"(?>\xef\xbb\xbf|\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?>\[.*?\]\s*)?>)*+<(?:\w+:)?(?:urlset|sitemapindex)\b",
    re.DOTALL,
)
_NUMBER = re.compile(r"\d+")
# A sitemap may list 50,000 pages (sitemaps.org). Only the newest count; news sites list them first or last.
NEWEST_ITEMS = 2_000


def is_sitemap(body: bytes) -> bool:
    """Return whether the document is a sitemap or a sitemap index (sitemaps.org)."""
    return _ROOT.match(body[:20_000]) is not None


def parse_sitemap(document: FeedDocument) -> ParsedFeed:
    """Return the newest pages of a sitemap (all if `whole` is set), or the sitemaps of an index, newest first.

    News sitemaps give titles and publication dates. Others say at most when a page last changed. A truncated document
    yields what came before the end. Raises ValueError if nothing can be read.
    """
    # Entities are not resolved, nothing is loaded, and lxml's own limits on depth and size apply.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    root = etree.fromstring(document.body, parser)
    if root is None:
        raise ValueError("no elements")
    is_index = etree.QName(root).localname == "sitemapindex"
    found = [entry for entry in _listed(root, "sitemap" if is_index else "url", document) if entry.url]
    earliest = datetime.min.replace(tzinfo=UTC)
    if is_index and not any(entry.published_at for entry in found):
        # Parts are numbered in the order in which they were filled.
        found.sort(key=lambda entry: [int(number[:18]) for number in _NUMBER.findall(entry.url or "")], reverse=True)
    found.sort(key=lambda entry: entry.published_at or earliest, reverse=True)
    if is_index:
        return ParsedFeed(
            None, (), sitemaps=tuple(ListedSitemap(entry.url, entry.updated_at) for entry in found if entry.url)
        )
    unique = {entry.identity: entry for entry in reversed(found if document.whole else found[:NEWEST_ITEMS])}
    return ParsedFeed(None, tuple(reversed(unique.values())))


def _listed(root: Any, name: str, document: FeedDocument) -> Iterator[ParsedEntry]:
    for element in root:
        if not isinstance(element.tag, str) or etree.QName(element).localname != name:
            continue
        address = absolute_url(_child(element, "loc") or "", document.url)
        news = element.find("{*}news")
        title = plain(_child(news, "title")) if news is not None else None
        changed = read_feed_date(_child(element, "lastmod"), document.now, document.zone)
        published = read_feed_date(
            _child(news, "publication_date") if news is not None else None, document.now, document.zone
        )
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
    # Match local names, because some sitemaps have no namespace or a wrong one.
    for child in element:
        if isinstance(child.tag, str) and etree.QName(child).localname == name:
            return (child.text or "").strip() or None
    return None
