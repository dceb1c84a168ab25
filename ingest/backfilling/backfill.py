"""Backfill: find what a feed's site published in the past, and put it into the ledger behind all new entries.

Reads the dated sitemaps that robots.txt lists (or those in the request) and the earlier pages of the feed itself
(WordPress' `?paged=N`, `rel=next`, `rel=prev-archive`), newest first, one document at a time, each at its host's turn.
Progress is stored with each document, so a backfill that is run again resumes where it stopped.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from db import Connection
from ingest.config.errors import ConfigError, IngestError
from ingest.config.settings import Settings
from ingest.model.outcomes import LASTING, FailureKind
from ingest.parsing.model import NotAFeed, ParsedEntry, ParsedFeed
from ingest.parsing.parse import parse_feed
from ingest.polling.decisions import ACCEPT, for_ledger
from ingest.polling.intake import take_in
from ingest.runtime import backoff
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.store import backfills, feeds, leases, ledger
from ingest.store.backfills import Backfill, Left, Part
from ingest.store.feeds import FeedState
from ingest.store.ledger import NewEntry
from ingest.store.storing import store_or_refuse
from ingest.text.urls import absolute_url, without_user_info
from ingest.text.zones import zone_of
from ingest.topics.topics import TopicSet
from ingest.web.client import Answer, RequestFailed, Web
from ingest.web.polite import Visitor

__all__ = ["Progress", "Request", "backfill", "selected", "wanted_part"]

log = logging.getLogger(__name__)

# First wait after a document fails, doubled by each further failure, and the number of attempts in all.
RETRY_AFTER = timedelta(minutes=1)
ATTEMPTS = 4
# An unreadable robots.txt is requested again after ten minutes. It may be unavailable for half a day.
ROBOTS_AGAIN_AFTER = timedelta(minutes=10)
ROBOTS_ATTEMPTS = 72
# Documents in one backfill. A large site has some thousand sitemaps; a site with more makes them up as they are read.
MOST_PARTS = 50_000
# Ledger rows written in one transaction.
ENTRIES_AT_ONCE = 1000
# Usual places of sitemaps that robots.txt does not list.
COMMON_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml")
# Months and days in the addresses of sitemaps and articles. A number at the very end may be the article's own.
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_/]?(0[1-9]|1[0-2])(?:[-_/]?(0[1-9]|[12]\d|3[01])(?=[-_/.]))?(?!\d)")
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Request:
    """A request: the id of a feed, the period (`until` is exclusive; see `backfills.begin`), and known sitemaps."""

    feed: str
    since: datetime
    until: datetime | None = None
    sitemaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """The progress of a backfill. `seconds` estimates how long the documents known so far will take."""

    left: Left
    seconds: float | None


def backfill(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    topics: TopicSet,
    request: Request,
    *,
    again: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Left:
    """Walk through a feed's past until nothing is left, or until `stopping`. Returns the progress.

    A finished backfill is repeated only with `again`. Raises ConfigError for an unknown feed or an empty period, and
    IngestError if another session is working on the same backfill.
    """
    feed = feeds.state(connection, request.feed)
    if feed is None:
        raise ConfigError(f"no feed {request.feed!r}; `ingest feeds list` shows their ids")
    if request.since >= (request.until or backfills.today(now())):
        raise ConfigError(f"the period is empty: {request.since:%Y-%m-%d} is not before its end")
    walk = backfills.begin(connection, feed.id, request.since, request.until, now())
    if walk.finished_at is not None and not again:
        return backfills.left(connection, walk.id, now())
    leases.keep(connection)
    if not backfills.hold(connection, walk.id):
        raise IngestError(f"another session works on this backfill of {feed.slug}")
    if walk.finished_at is not None:
        backfills.reset(connection, walk.id)
    with WorkerPool(1, settings.extract_timeout, ("ingest.parsing.parse",)) as pool:
        try:
            return asyncio.run(
                _Walk(connection, settings, now, topics, feed, walk, pool).to_the_end(
                    request.sitemaps, stopping, on_progress
                )
            )
        finally:
            connection.rollback()
            backfills.let_go(connection, walk.id)


def wanted_part(url: str, changed_at: datetime | None, since: datetime, until: datetime) -> bool:
    """Return whether a sitemap may list anything from the period. Pure.

    It cannot if it last changed before the period, or if its address names a month outside the period.
    """
    if changed_at is not None and changed_at < since:
        return False
    named = _period_named_by(url)
    return named is None or (named[0] < until and since < named[1])


def selected(entries: Sequence[ParsedEntry], since: datetime, until: datetime) -> tuple[list[ParsedEntry], int]:
    """Return the items in the period, and how many items have no date at all. Pure.

    An item's date comes from the feed, else from a day in its address, else from the time of its last change. But if
    its address names a month that does not include that time, the month counts. A day or month is in the period if
    part of it is.
    """
    found = []
    undated = 0
    for entry in entries:
        span = _span_of(entry)
        if span is None:
            undated += 1
        elif span[0] < until and since <= span[1]:
            found.append(entry)
    return found, undated


def _span_of(entry: ParsedEntry) -> tuple[datetime, datetime] | None:
    """Return the first and last moment at which an item may have been published."""
    at, named = entry.published_at, _period_named_by(entry.url or "")
    if at is not None and not (entry.published_note or "").startswith(("future", "lastmod")):
        return at, at
    if named is None:
        return (at, at) if at is not None else None
    by_day = named[1] - named[0] < timedelta(days=4)
    return (at, at) if at is not None and not by_day and named[0] <= at < named[1] else named


def _period_named_by(url: str) -> tuple[datetime, datetime] | None:
    """Return the day or month in an address, with one day more on either side: the site's day is not UTC's."""
    match = _DATE.search(url)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3] or 0)
    try:
        first = datetime(year, month, day or 1, tzinfo=UTC)
    except ValueError:
        return None
    after = first + timedelta(days=1) if day else (first + timedelta(days=32)).replace(day=1)
    return first - timedelta(days=1), after + timedelta(days=1)


def _addresses(urls: Iterable[str], base: str) -> list[str]:
    """Return the addresses that can be requested, made absolute, without user names."""
    found = (absolute_url(url, base) for url in urls)
    return list(dict.fromkeys(url for url in found if url is not None))[:MOST_PARTS]


class _Walk:
    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        now: Callable[[], datetime],
        topics: TopicSet,
        feed: FeedState,
        walk: Backfill,
        pool: WorkerPool,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._now = now
        self._topics = topics
        # Age does not matter: the period was asked for.
        self._feed = replace(feed, max_age=None)
        self._walk = walk
        self._pool = pool
        self._database = asyncio.Lock()
        self._seconds = 0.0
        self._read = 0
        self._last_page: frozenset[str] = frozenset()

    async def to_the_end(
        self, sitemaps: Sequence[str], stopping: Callable[[], bool], on_progress: Callable[[Progress], None]
    ) -> Left:
        async with Web(self._settings) as web:
            visitor = Visitor(self._connection, self._database, web, self._settings, self._now)
            loop = asyncio.get_running_loop()
            await self._begin(visitor, sitemaps)
            kept = loop.time()
            while True:
                if loop.time() - kept >= leases.KEEP_SECONDS:
                    leases.keep(self._connection)
                    kept = loop.time()
                state = backfills.left(self._connection, self._walk.id, self._now())
                on_progress(Progress(state, state.waiting * self._seconds / self._read if self._read else None))
                if stopping():
                    return state
                part = backfills.next_part(self._connection, self._walk.id, self._now())
                if part is not None:
                    started = loop.time()
                    await self._take(visitor, part)
                    self._read += 1
                    self._seconds += loop.time() - started
                elif state.waiting:
                    await asyncio.sleep(min(max(state.due_in or 0, 0.05), LOOK_SECONDS))
                else:
                    backfills.finish(self._connection, self._walk.id, self._now())
                    return state

    async def _begin(self, visitor: Visitor, sitemaps: Sequence[str]) -> None:
        """Store the documents to begin with, the first time."""
        if backfills.left(self._connection, self._walk.id, self._now()) != Left(0, None, 0, 0, 0, 0, 0):
            return
        address = self._feed.address
        urls = _addresses(sitemaps, address)
        if not urls:
            try:
                named = await visitor.sitemaps(address)
            except RequestFailed as failure:
                raise IngestError(f"{self._feed.host}: {failure}; run it again later") from failure
            urls = [address, *(_addresses(named, address) or self._common(address))]
        backfills.add_parts(self._connection, self._walk.id, [(url, True) for url in urls], self._now())
        self._connection.commit()

    @staticmethod
    def _common(address: str) -> list[str]:
        return [url for path in COMMON_SITEMAPS if (url := absolute_url(path, address))]

    async def _take(self, visitor: Visitor, part: Part) -> None:
        """Read one document."""
        try:
            answer = await visitor.get_unclaimed(part.url, {"Accept": ACCEPT})
            await visitor.answered(answer)
            if not 200 <= answer.status < 300:
                self._refused(part, answer)
                return
            kind, zone = answer.headers.get("content-type"), zone_of(self._feed.country)
            parsed = await self._pool.run(parse_feed, answer.body, answer.url, kind, self._now(), zone, whole=True)
        except RequestFailed as failure:
            if failure.kind is FailureKind.BUSY:
                # The document was never requested.
                backfills.failed(self._connection, part.id, str(failure), self._now(), RETRY_AFTER, counts=False)
                return
            if failure.kind is FailureKind.ROBOTS_UNAVAILABLE and part.attempts + 1 < ROBOTS_ATTEMPTS:
                backfills.failed(self._connection, part.id, str(failure), self._now(), ROBOTS_AGAIN_AFTER)
                return
            self._give_up(part, str(failure), lasting=failure.kind in LASTING)
        except (NotAFeed, WorkerTimeout, WorkerDied) as problem:
            self._give_up(part, str(problem), lasting=True)
        else:
            self._store(part, parsed)
            log.info("backfill of %s: read %s", self._feed.slug, without_user_info(part.url))

    def _refused(self, part: Part, answer: Answer) -> None:
        passes = answer.status >= 500 or answer.status in (408, 425, 429)
        self._give_up(part, f"HTTP {answer.status}", lasting=not passes)

    def _give_up(self, part: Part, error: str, *, lasting: bool) -> None:
        again = (
            None if lasting or part.attempts + 1 >= ATTEMPTS else backoff.after_failures(RETRY_AFTER, part.attempts + 1)
        )
        error = without_user_info(error)
        level = logging.INFO if lasting else logging.WARNING
        log.log(level, "backfill of %s: %s: %s", self._feed.slug, without_user_info(part.url), error)
        backfills.failed(self._connection, part.id, error, self._now(), again)

    def _store(self, part: Part, parsed: ParsedFeed) -> None:
        """Put a document's items into the ledger, mark it as read, and store the further documents that it names."""
        since, until = self._walk.since, self._walk.until
        found, undated = selected(parsed.entries, since, until)
        entries = [for_ledger(self._feed, entry, self._now(), self._topics) for entry in found]
        new = 0

        def record(batch: list[NewEntry]) -> None:
            nonlocal new
            taken = take_in(self._connection, self._feed.id, batch, self._now(), ledger.BACKFILL)
            self._connection.commit()
            new += len(taken.new)

        def refuse(entry: NewEntry, why: str) -> None:
            log.warning("backfill of %s: %s: %s", self._feed.slug, without_user_info(entry.url or part.url), why)

        for start in range(0, len(entries), ENTRIES_AT_ONCE):
            store_or_refuse(self._connection, entries[start : start + ENTRIES_AT_ONCE], record, refuse)
        further = [(at.url, wanted_part(at.url, at.changed_at, since, until)) for at in parsed.sitemaps]
        if parsed.earlier is not None and self._goes_on(parsed):
            further.append((parsed.earlier, True))
        if backfills.size(self._connection, self._walk.id) + len(further) > MOST_PARTS:
            log.warning("backfill of %s: more than %d documents; the rest is left out", self._feed.slug, MOST_PARTS)
            further = []
        backfills.add_parts(self._connection, self._walk.id, further, self._now())
        backfills.done(self._connection, part.id, self._now(), items=len(entries), new_entries=new, undated=undated)
        self._connection.commit()

    def _goes_on(self, page: ParsedFeed) -> bool:
        """Return whether earlier pages of the feed may hold anything from the period."""
        identities = frozenset(entry.identity for entry in page.entries)
        # A server without paging sends the first page for every request.
        again, self._last_page = identities == self._last_page, identities
        dates = [entry.published_at for entry in page.entries if entry.published_at is not None]
        return bool(identities) and not again and (not dates or max(dates) >= self._walk.since)
