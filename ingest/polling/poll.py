"""Poll: request the feeds that are due, and put new entries into the ledger.

For each feed, the stage claims it (a lease, and a turn at its host) and sends a conditional GET. `decide` interprets
the answer without touching clock, network or database. Then the new entries, the poll and the feed's next state are
stored in one transaction.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import psycopg

from db import Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.model.outcomes import NOT_ASKED, FailureKind, PollOutcome
from ingest.parsing.model import NotAFeed, ParsedEntry, ParsedFeed
from ingest.polling.decisions import (
    ACCEPT,
    PollResult,
    decide,
    failed_poll,
    kind_of,
    needs_parsing,
    record_of_find,
    request_headers,
)
from ingest.polling.intake import take_in
from ingest.polling.parsers import Parsers
from ingest.runtime.rolling import Claimed
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.stage import OnOutcome, RollingStage, ignore
from ingest.store import feeds, hosts, worker_deaths
from ingest.store.feeds import FeedState
from ingest.store.storing import store_or_refuse
from ingest.text.urls import host_of, without_user_info
from ingest.topics.topics import TopicSet
from ingest.web.client import Answer, RequestFailed, Web
from ingest.web.polite import Visitor
from ingest.web.turns import Turns

__all__ = ["PollCounts", "poll"]

log = logging.getLogger(__name__)

# How many sitemaps of an index to read at each poll: the newest, which hold the news.
MOST_SITEMAPS = 3
# Feeds to claim ahead for each one that is being polled, so that no worker waits for the next claim.
AHEAD = 4


@dataclass(frozen=True)
class PollCounts:
    """Outcomes of a run of the stage. A `busy` feed was not polled because its host was not free. It stays due."""

    polled: int = 0
    new: int = 0
    unchanged: int = 0
    not_modified: int = 0
    failed: int = 0
    busy: int = 0
    new_entries: int = 0
    changed_entries: int = 0


def poll(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    topics: TopicSet,
    *,
    due: datetime | None = None,
    pool: WorkerPool | None = None,
    stopping: Callable[[], bool] = lambda: False,
    leaving: Callable[[], bool] = lambda: False,
    on_outcome: OnOutcome = ignore,
) -> PollCounts:
    """Poll the feeds that were due at `due` and return the outcomes. By default, include those that come due meanwhile.

    Feeds are parsed in processes of `pool`. Without one, a process is started when there is something to parse.
    """
    retry_deadlocks(connection, lambda: _ensure_partitions(connection, now()))
    with Parsers(settings, pool) as parsers:
        stage = _Poll(connection, settings, now, on_outcome, topics, due, parsers)
        stage.run(settings.poll_concurrency, stopping, leaving, ahead=AHEAD * settings.poll_concurrency)
    return PollCounts(**stage.tally)


@dataclass
class _Polled:
    """A feed that was polled, and what its answer means."""

    feed: FeedState
    polled_at: datetime
    result: PollResult
    # The host that answered, after redirects.
    answered_by: str
    changed: int = 0


@dataclass(frozen=True)
class _Busy:
    """A feed that was not polled, because a host on the way to it is not free."""

    feed: FeedState


class _Poll(RollingStage[FeedState, _Polled | _Busy]):
    name = "poll"

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        now: Callable[[], datetime],
        on_outcome: OnOutcome,
        topics: TopicSet,
        due: datetime | None,
        parsers: Parsers,
    ) -> None:
        super().__init__(connection, settings, now, on_outcome)
        self._topics = topics
        self._due = due
        self._parsers = parsers

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self._turns = Turns(self.connection, self.database, self.settings, self.now)
        async with Web(self.settings) as web:
            self._web = web
            self._visitor = Visitor(self.connection, self.database, web, self.settings, self.now)
            yield

    def claim(self, limit: int) -> Claimed[FeedState]:
        until = self._due or self.now()
        claimed = feeds.claim(
            self.connection,
            self.now(),
            until,
            limit=limit,
            per_host=self.settings.host_concurrency,
            delay=self.settings.min_host_delay,
        )
        free = None if claimed else feeds.next_poll_at(self.connection, until)
        return Claimed(claimed, hosts.seconds_until(free, self.now()))

    async def perform(self, feed: FeedState) -> _Polled | _Busy:
        started = self.now()
        answer = await self._ask(feed)
        if isinstance(answer, RequestFailed) and answer.kind in NOT_ASKED:
            log.info("feed %s: not asked: %s", feed.slug, answer)
            return _Busy(feed)
        parsed = await self._parse(feed, answer, started)
        if isinstance(parsed, ParsedFeed) and parsed.sitemaps:
            parsed = await self._with_sitemaps(feed, parsed, started)
        result = decide(feed, answer, parsed, started, self._topics)
        return _Polled(feed, started, result, _answered_by(feed, answer))

    def save(self, results: list[_Polled | _Busy]) -> None:
        asked = [polled for polled in results if isinstance(polled, _Polled)]
        busy = [polled.feed for polled in results if isinstance(polled, _Busy)]
        ended = [(host, self.now()) for polled in asked for host in {polled.feed.host, polled.answered_by}]
        ended += [(feed.host, self.now()) for feed in busy]
        hosts.space(self.connection, ended, self.settings.min_host_delay)
        feeds.postpone(self.connection, busy, self.now())
        _save(self.connection, asked)
        for polled in asked:
            self._count(polled)
        if busy:
            self.count("busy", len(busy))
        worker_deaths.note(self.connection, self._parsers.take_deaths(), self.now())

    def give_back(self, jobs: list[FeedState]) -> None:
        feeds.give_back(self.connection, jobs)

    async def _ask(self, feed: FeedState) -> Answer | RequestFailed:
        headers = request_headers(feed, self._turns.now())
        try:
            return await self._web.get(feed.address, headers, before_redirect=self._turns.before_redirect)
        except RequestFailed as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - whatever a server makes the libraries raise is that feed's failure
            return RequestFailed(FailureKind.CONNECTION, f"{feed.host}: {type(error).__name__}")

    async def _parse(
        self, feed: FeedState, answer: Answer | RequestFailed, now: datetime
    ) -> ParsedFeed | NotAFeed | None:
        if not isinstance(answer, Answer) or not needs_parsing(feed, answer):
            return None
        try:
            return await self._parsers.parse(feed, answer, now)
        except NotAFeed as problem:
            return problem
        except (WorkerTimeout, WorkerDied) as problem:
            return NotAFeed(f"parsing the document: {problem}")

    async def _with_sitemaps(self, feed: FeedState, index: ParsedFeed, now: datetime) -> ParsedFeed | NotAFeed:
        """Return a sitemap index as one feed with the items of its newest sitemaps. Skips unreadable ones."""
        entries: dict[str, ParsedEntry] = {}
        problems = []
        for url in [listed.url for listed in index.sitemaps[:MOST_SITEMAPS]]:
            try:
                answer = await self._visitor.get(url, {"Accept": ACCEPT})
                await self._visitor.answered(answer)
                if not 200 <= answer.status < 300:
                    raise RequestFailed(kind_of(answer.status), f"HTTP {answer.status}")
                sitemap = await self._parsers.parse(feed, answer, now)
            except (RequestFailed, NotAFeed, WorkerTimeout, WorkerDied) as problem:
                problems.append(f"{url}: {problem}")
                log.warning("feed %s: sitemap %s: %s", feed.slug, without_user_info(url), problem)
                continue
            for entry in sitemap.entries:
                entries.setdefault(entry.identity, entry)
        if problems and not entries:
            return NotAFeed(f"none of the sitemaps it lists can be read; {problems[0]}")
        return replace(index, entries=tuple(entries.values()))

    def _count(self, polled: _Polled) -> None:
        feed, record = polled.feed, polled.result.record
        self.count("polled")
        self.count(record.outcome)
        self.count("new_entries", record.new_entries)
        self.count("changed_entries", polled.changed)
        if record.outcome == PollOutcome.FAILED:
            again = record.next_poll_at.astimezone(UTC).isoformat(timespec="seconds")
            log.warning("feed %s: %s; next try %s", feed.slug, record.error, again)
        else:
            log.info(
                "feed %s: %s, %d entries, %d new, %d changed, %d bytes in %d ms",
                feed.slug,
                record.outcome,
                record.entries,
                record.new_entries,
                polled.changed,
                record.body_bytes,
                record.took_ms,
            )


def _answered_by(feed: FeedState, answer: Answer | RequestFailed) -> str:
    if isinstance(answer, RequestFailed) or answer.url == feed.address:
        return feed.host
    return host_of(answer.url)


def _ensure_partitions(connection: Connection, now: datetime) -> None:
    """Create the partitions of this month and the next for polls and fetches."""
    try:
        connection.execute("SELECT news.ensure_partitions(%s, 2)", [now])
    except psycopg.errors.LockNotAvailable:
        # A long query holds a lock. The default partition takes rows of months without one, and the next poll retries.
        connection.rollback()
        log.info("next month's partitions are not created yet: a query is reading the current ones")
    else:
        connection.commit()


def _save(connection: Connection, results: list[_Polled]) -> None:
    """Store the results of polls: each poll with items in its own transaction, the others together."""
    refuse = partial(_refuse, connection)
    store_or_refuse(
        connection, [polled for polled in results if not polled.result.entries], partial(_store, connection), refuse
    )
    for polled in results:
        if polled.result.entries:
            store_or_refuse(connection, [polled], partial(_take_in, connection), refuse)


def _store(connection: Connection, results: list[_Polled]) -> None:
    if not results:
        return
    with connection.transaction():
        for polled in sorted(results, key=lambda polled: polled.feed.host):
            if polled.result.pause_host_until is not None:
                for host in sorted({polled.feed.host, polled.answered_by}):
                    hosts.pause(connection, host, polled.result.pause_host_until)
        feeds.save_polls(connection, [(polled.feed, polled.result.record) for polled in results])
    connection.commit()


def _take_in(connection: Connection, results: list[_Polled]) -> None:
    (polled,) = results
    record = polled.result.record
    with connection.transaction():
        taken = take_in(connection, polled.feed.id, polled.result.entries, polled.polled_at)
        if taken.new:
            record = record_of_find(polled.feed, polled.result, taken.new, polled.polled_at)
        feeds.save_polls(connection, [(polled.feed, record)])
    connection.commit()
    polled.result, polled.changed = replace(polled.result, record=record), taken.changed


def _refuse(connection: Connection, polled: _Polled, why: str) -> None:
    record = polled.result.record
    result = failed_poll(polled.feed, polled.polled_at, f"{polled.feed.host}: the feed {why}", FailureKind.NOT_A_FEED)
    seen = replace(result.record, status=record.status, body_bytes=record.body_bytes, took_ms=record.took_ms)
    polled.result = replace(result, record=seen)
    feeds.save_polls(connection, [(polled.feed, polled.result.record)])
    connection.commit()
