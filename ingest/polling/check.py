"""A dry run of feeds that shows what they would yield. Touches no state and needs no database."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from ingest.config.feeds_file import FeedConfig
from ingest.config.settings import Settings
from ingest.parsing.model import NotAFeed
from ingest.parsing.parse import parse_feed
from ingest.polling.decisions import ACCEPT, unwanted
from ingest.text.urls import host_of
from ingest.text.zones import zone_of
from ingest.topics.topics import TopicSet
from ingest.web.client import RequestFailed, Web

__all__ = ["FeedYield", "check_feeds"]


@dataclass(frozen=True)
class FeedYield:
    """The yield of a feed: its entries, how many would be fetched, the date of the newest, and a title."""

    feed: str
    ok: bool
    answer: str
    entries: int = 0
    would_fetch: int = 0
    newest: datetime | None = None
    sample: str | None = None


async def check_feeds(
    settings: Settings, feeds: tuple[FeedConfig, ...], topics: TopicSet, now: datetime
) -> list[FeedYield]:
    """Return what each feed would yield, in order. Feeds on the same host are polled one by one, with a delay."""
    hosts: dict[str, asyncio.Lock] = {}

    async def one(feed: FeedConfig) -> FeedYield:
        lock = hosts.setdefault(host_of(feed.url), asyncio.Lock())
        waiting = lock.locked()
        async with lock:
            if waiting:
                await asyncio.sleep(settings.host_delay)
            return await _check(web, feed, topics, now)

    async with Web(settings) as web:
        return list(await asyncio.gather(*(one(feed) for feed in feeds)))


async def _check(web: Web, feed: FeedConfig, topics: TopicSet, now: datetime) -> FeedYield:
    try:
        answer = await web.get(feed.url, {"Accept": ACCEPT})
        if not 200 <= answer.status < 300:
            return FeedYield(feed.id, False, f"HTTP {answer.status}")
        kind, zone = answer.headers.get("content-type"), zone_of(feed.country)
        parsed = await asyncio.to_thread(parse_feed, answer.body, answer.url, kind, now, zone)
    except (RequestFailed, NotAFeed) as problem:
        return FeedYield(feed.id, False, str(problem))
    wanted = [entry for entry in parsed.entries if unwanted(entry, feed.scope, feed.max_age, topics, now) is None]
    dates = [entry.published_at for entry in parsed.entries if entry.published_at is not None]
    titles = [entry.title for entry in (*wanted, *parsed.entries) if entry.title]
    return FeedYield(
        feed.id,
        True,
        f"HTTP {answer.status}",
        len(parsed.entries),
        len(wanted),
        max(dates, default=None),
        next(iter(titles), None),
    )
