"""Parses feed documents of any format."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from ingest.parsing.json_feed import is_json_feed, parse_json_feed
from ingest.parsing.links import feeds_named_by
from ingest.parsing.model import FeedDocument, NotAFeed, ParsedFeed
from ingest.parsing.rss import parse_rss
from ingest.parsing.sitemap import is_sitemap, parse_sitemap
from ingest.text.urls import without_user_info

__all__ = ["parse_feed"]

# The maximum size of a sitemap (sitemaps.org).
MOST_UNPACKED_BYTES = 52_428_800


class _Format(NamedTuple):
    """`is_it` checks the first bytes; `parse` returns None if the document has nothing in this format."""

    is_it: Callable[[bytes], bool]
    parse: Callable[[FeedDocument], ParsedFeed | None]


# The first match wins. RSS and Atom come last, because feedparser accepts anything that looks a little like them.
FORMATS = (
    _Format(is_json_feed, parse_json_feed),
    _Format(is_sitemap, parse_sitemap),
    _Format(lambda _: True, parse_rss),
)


def parse_feed(
    body: bytes, url: str, content_type: str | None, now: datetime, zone: tzinfo = UTC, *, whole: bool = False
) -> ParsedFeed:
    """Parse the feed document `body`, fetched from `url`.

    `zone` applies to dates without one. For a sitemap, only the newest pages count unless `whole` is set. A truncated
    document yields what came before the end. Raises NotAFeed, and nothing else, whatever the document is.
    """
    try:
        document = FeedDocument(_unpacked(body), url, content_type, now, zone, whole)
        parsed = next(form for form in FORMATS if form.is_it(document.body)).parse(document)
    except NotAFeed:
        raise
    except Exception as error:
        # On damaged and hostile documents, each library raises its own exceptions.
        raise NotAFeed(f"the document cannot be parsed ({type(error).__name__})") from error
    if parsed is None:
        raise NotAFeed(_what_instead(document))
    return parsed


def _unpacked(body: bytes) -> bytes:
    """The document, decompressed if it is a gzip file (RFC 1952), as large sitemaps are."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacked = b""
    # A file may have several members (RFC 1952, 2.2), and what follows the last one does not matter.
    while body.startswith(b"\x1f\x8b"):
        try:
            unpacking = zlib.decompressobj(wbits=31)
            unpacked += unpacking.decompress(body, MOST_UNPACKED_BYTES - len(unpacked) + 1)
        except zlib.error as error:
            raise NotAFeed("the document is a damaged gzip file") from error
        if unpacking.unconsumed_tail or len(unpacked) > MOST_UNPACKED_BYTES:
            raise NotAFeed(f"the document is a gzip file of more than {MOST_UNPACKED_BYTES} bytes")
        body = unpacking.unused_data
    return unpacked


def _what_instead(document: FeedDocument) -> str:
    start = document.body[:1000].lstrip().lower()
    if not start:
        return "the document is empty"
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        named = feeds_named_by(document.body, document.url)
        if named:
            return f"this is a web page, not a feed; it names as its feed {named[0]}"
        page = without_user_info(document.url)
        return f"this is a web page, not a feed; `ingest feeds add {page}` looks for its feed"
    if start.startswith((b"{", b"[")):
        return "this is JSON, not an RSS or Atom feed"
    return f"no RSS or Atom feed in the document (Content-Type: {document.content_type or 'none'})"
