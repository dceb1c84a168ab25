"""Worker processes that parse feed documents."""

from contextlib import ExitStack
from datetime import datetime
from typing import Self

from ingest.config.settings import Settings
from ingest.parsing.model import ParsedFeed
from ingest.parsing.parse import parse_feed
from ingest.runtime.workers import WorkerPool
from ingest.store.feeds import FeedState
from ingest.text.zones import zone_of
from ingest.web.client import Answer

__all__ = ["PARSE_SECONDS", "Parsers"]

# The largest feeds take one second of processor time to parse. A document that takes much longer is hostile.
PARSE_SECONDS = 5.0


class Parsers:
    """Parses feeds in worker processes, because a document can keep feedparser busy for hours (its author pattern)."""

    def __init__(self, settings: Settings, pool: WorkerPool | None) -> None:
        self._settings = settings
        self._pool = pool
        self._own = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._own.close()

    def take_deaths(self) -> list[str]:
        """Return how processes have died since the last call, if no feed was to blame."""
        return self._pool.take_deaths() if self._pool is not None else []

    async def parse(self, feed: FeedState, answer: Answer, now: datetime) -> ParsedFeed:
        """Return the parsed document. Raises NotAFeed, WorkerTimeout and WorkerDied."""
        if self._pool is None:
            own = WorkerPool(1, self._settings.extract_timeout, ("ingest.parsing.parse",))
            self._pool = self._own.enter_context(own)
        kind, zone = answer.headers.get("content-type"), zone_of(feed.country)
        return await self._pool.run_within(PARSE_SECONDS, parse_feed, answer.body, answer.url, kind, now, zone)
