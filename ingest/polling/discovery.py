"""Finds the feed behind an address that a person would enter: a home page, a section, or the feed itself."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from ingest.config.settings import Settings
from ingest.parsing.links import feeds_named_by
from ingest.parsing.model import NotAFeed, ParsedFeed
from ingest.parsing.parse import parse_feed
from ingest.polling.decisions import ACCEPT
from ingest.store.hosts import Robots
from ingest.text.urls import absolute_url, without_user_info
from ingest.web.client import Answer, RequestFailed, Web
from ingest.web.robots import ROBOTS_MAX_BYTES, robots_text, rules

__all__ = ["Discovered", "NoFeedFound", "discover"]

# Where publishing systems put their feeds, the most common first: WordPress, Drupal, static sites, Blogger.
COMMON_PATHS = ("/feed/", "/rss.xml", "/feed.xml", "/rss", "/atom.xml", "/index.xml", "/feeds/posts/default")
# How many sitemaps from a robots.txt to try. Large sites list one for each month.
MOST_SITEMAPS = 20


class NoFeedFound(Exception):
    """There is no feed at the address, nor at the usual places. The message says what was tried."""


@dataclass(frozen=True)
class Discovered:
    """A feed that was found, and its parsed document."""

    url: str
    feed: ParsedFeed


async def discover(web: Web, url: str, settings: Settings, now: datetime) -> Discovered:
    """Return the feed at `url`, else one that the page links to, else one at a usual place on the site.

    Requests are NEWS_HOST_DELAY apart. Raises NoFeedFound, or RequestFailed if the address itself cannot be fetched.
    """
    answer = await web.get(url, {"Accept": ACCEPT})
    if not 200 <= answer.status < 300:
        raise NoFeedFound(f"{without_user_info(url)}: HTTP {answer.status}")
    found = _as_feed(answer, now)
    if found is not None:
        return found
    named = feeds_named_by(answer.body, answer.url)
    tried = [*named, *(urljoin(answer.url, path) for path in COMMON_PATHS)]
    for address in dict.fromkeys(tried):
        found = await _try(web, address, settings, now)
        if found is not None:
            return found
    for address in await _sitemaps(web, answer.url, settings, now):
        found = await _try(web, address, settings, now)
        if found is not None:
            return found
    raise NoFeedFound(
        f"{without_user_info(url)} is not a feed, and none was found: the page links to {len(named) or 'none'}, and the"
        " usual places and robots.txt lead to none either"
    )


async def _try(web: Web, url: str, settings: Settings, now: datetime) -> Discovered | None:
    await asyncio.sleep(settings.host_delay)
    try:
        answer = await web.get(url, {"Accept": ACCEPT})
    except RequestFailed:
        return None
    return _as_feed(answer, now) if 200 <= answer.status < 300 else None


async def _sitemaps(web: Web, url: str, settings: Settings, now: datetime) -> list[str]:
    """Return the sitemaps listed in the site's robots.txt (sitemaps.org), news sitemaps first."""
    await asyncio.sleep(settings.host_delay)
    try:
        answer = await web.get(urljoin(url, "/robots.txt"), max_bytes=ROBOTS_MAX_BYTES, cut=True)
    except RequestFailed:
        return []
    robots = rules(Robots(robots_text(answer.body), answer.status, now))
    named = [absolute_url(address, url) for address in robots.sitemaps[:MOST_SITEMAPS]]
    return sorted((address for address in named if address is not None), key=lambda address: "news" not in address)


def _as_feed(answer: Answer, now: datetime) -> Discovered | None:
    try:
        parsed = parse_feed(answer.body, answer.url, answer.headers.get("content-type"), now)
    except NotAFeed:
        return None
    return Discovered(answer.url, parsed) if parsed.entries or parsed.sitemaps else None
