"""Finds feeds and hubs named in web pages and HTTP headers."""

import re
from dataclasses import replace
from itertools import islice

from lxml import etree
from lxml import html as lxml_html

from ingest.parsing.model import ParsedFeed
from ingest.text.urls import absolute_url

__all__ = ["feeds_named_by", "with_link_header"]

_FEED_TYPES = {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
# Sites with a feed per section name dozens of them, in pages with large styles and scripts in their heads.
MOST_LINKS = 100
LINKS_WITHIN_BYTES = 1_000_000
_LINK = re.compile(r"<([^<>]{1,2000})>([^<>]{0,500})")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


def feeds_named_by(body: bytes, url: str) -> list[str]:
    """Return the addresses of the feeds that a web page names (`<link rel=alternate>`, HTML Standard 4.6.7.1).

    At most MOST_LINKS, from the start of the page, where its head is.
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


def with_link_header(parsed: ParsedFeed, header: str, url: str) -> ParsedFeed:
    """Return the feed with the hub and topic from the Link `header` of its response (RFC 8288; WebSub, 4).

    They take precedence over those in the document. `url` is the address that answered.
    """
    named: dict[str, str] = {}
    for target, parameters in _LINK.findall(header):
        relation = _RELATION.search(parameters)
        for name in (relation[1] or relation[2] or "").lower().split() if relation else ():
            named.setdefault(name, target)
    hub = absolute_url(named["hub"], url) if "hub" in named else None
    topic = absolute_url(named["self"], url) if "self" in named else None
    return replace(parsed, hub=hub or parsed.hub, topic=topic or parsed.topic)
