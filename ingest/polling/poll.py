"""Poll: ask the feeds that are due whether there is anything new, and put what is new into the ledger.

For each feed: claim it (a lease, and a turn at its host); send a conditional GET; `decide` what the answer means
without touching clock, network or database; then, in one transaction, store the new entries, the poll and the feed's
next state.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Self

import psycopg

from db import Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.parsing.model import NotAFeed, ParsedEntry, ParsedFeed
from ingest.parsing.parse import parse_feed
from ingest.polling.decisions import ACCEPT, PollResult, decide, failed, found, needs_parsing, request_headers
from ingest.polling.intake import take_in
from ingest.runtime import loops
from ingest.runtime.progress import Report, no_report
from ingest.runtime.rolling import Claimed, work_through
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.store import feeds, hosts, leases, worker_deaths
from ingest.store.feeds import FeedState
from ingest.store.hosts import seconds_until
from ingest.store.periodic import Progress
from ingest.store.storing import store_or_refuse
from ingest.text.urls import host_of, without_user_info
from ingest.text.zones import zone_of
from ingest.topics.topics import TopicSet
from ingest.web.client import Answer, RequestFailed, Web
from ingest.web.polite import Visitor
from ingest.web.turns import Turns

__all__ = ["PARSE_SECONDS", "PollCounts", "PollResult", "decide", "poll"]

log = logging.getLogger(__name__)

# Sitemaps read of an index at each poll: the newest, which hold the news.
MOST_SITEMAPS = 3
# The largest feeds take a second of a processor to parse; what takes longer was made to.
PARSE_SECONDS = 5.0
# Feeds claimed for each that is being asked, so that none waits for the next claim.
AHEAD = 4


@dataclass
class PollCounts:
    """Outcomes of a run of the stage."""

    polled: int = 0
    new: int = 0
    unchanged: int = 0
    not_modified: int = 0
    failed: int = 0
    new_entries: int = 0
    changed_entries: int = 0


@dataclass
class _Polled:
    feed: FeedState
    polled_at: datetime
    result: PollResult
    # The host that answered, at the end of redirects.
    answered_by: str
    changed: int = 0


class _Parsers:
    """The processes in which feeds are parsed: feedparser can be made to compute for hours (its author pattern)."""

    def __init__(self, settings: Settings, pool: WorkerPool | None) -> None:
        self._settings = settings
        self._pool = pool
        self._own = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._own.close()

    def take_deaths(self) -> list[str]:
        """Return how processes died for which no feed was to blame, since the last call."""
        return self._pool.take_deaths() if self._pool is not None else []

    async def parse(self, feed: FeedState, answer: Answer, now: datetime) -> ParsedFeed:
        if self._pool is None:
            own = WorkerPool(1, self._settings.extract_timeout, ("ingest.parsing.parse",))
            self._pool = self._own.enter_context(own)
        kind, zone = answer.headers.get("content-type"), zone_of(feed.country)
        return await self._pool.run_within(PARSE_SECONDS, parse_feed, answer.body, answer.url, kind, now, zone)


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
    report: Report = no_report,
) -> PollCounts:
    """Poll the feeds that were due at `due` and return what came of it; by default, those that come due meanwhile, too.

    Feeds are parsed in processes of `pool`; without one, a process is started when there is something to parse.
    """
    counts = PollCounts()
    keep = partial(retry_deadlocks, connection, partial(leases.keep, connection))
    keep()
    progress = Progress(connection, "poll")
    retry_deadlocks(connection, lambda: _ensure_partitions(connection, now()))

    async def work() -> None:
        database = asyncio.Lock()
        turns = Turns(connection, database, settings, now)
        async with Web(settings) as web:
            visitor = Visitor(connection, database, web, settings, now)

            def claim(limit: int) -> Claimed[FeedState]:
                leases.ensure(connection)
                until = due or now()
                claimed = feeds.claim(
                    connection, now(), until, limit=limit,
                    per_host=settings.host_concurrency, delay=settings.min_host_delay,
                )  # fmt: skip
                free = None if claimed else feeds.next_poll_at(connection, until)
                connection.commit()
                return Claimed(claimed, seconds_until(free, now()))

            async def ask(feed: FeedState) -> _Polled:
                started = now()
                answer = await _ask(web, feed, turns)
                parsed = await _parse(parsers, feed, answer, started)
                if isinstance(parsed, ParsedFeed) and parsed.sitemaps:
                    parsed = await _with_sitemaps(visitor, parsers, feed, parsed, started)
                return _Polled(feed, started, decide(feed, answer, parsed, started, topics), _answered_by(feed, answer))

            def save(results: list[_Polled]) -> None:
                ended = [(host, now()) for polled in results for host in {polled.feed.host, polled.answered_by}]
                hosts.space(connection, ended, settings.min_host_delay)
                _save(connection, results)
                for polled in results:
                    _count(polled, counts, report)
                progress.note(now())
                worker_deaths.note(connection, parsers.take_deaths(), now())

            await work_through(
                claim, ask, save, concurrency=settings.poll_concurrency, ahead=AHEAD * settings.poll_concurrency,
                give_back=lambda claimed: feeds.give_back(connection, claimed), keep=keep,
                keep_seconds=leases.KEEP_SECONDS, stopping=stopping, leaving=leaving, database=database,
            )  # fmt: skip

    with _Parsers(settings, pool) as parsers:
        try:
            loops.run(work())
        finally:
            connection.rollback()
    return counts


async def _ask(web: Web, feed: FeedState, turns: Turns) -> Answer | RequestFailed:
    try:
        return await web.get(feed.address, request_headers(feed, turns.now()), gate=turns.gate)
    except RequestFailed as failure:
        return failure
    except Exception as error:  # noqa: BLE001 - whatever a server makes the libraries raise is that feed's trouble
        return RequestFailed("connection", f"{feed.host}: {type(error).__name__}")


def _answered_by(feed: FeedState, answer: Answer | RequestFailed) -> str:
    if isinstance(answer, RequestFailed) or answer.url == feed.address:
        return feed.host
    return host_of(answer.url)


async def _parse(
    parsers: _Parsers, feed: FeedState, answer: Answer | RequestFailed, now: datetime
) -> ParsedFeed | NotAFeed | None:
    if not isinstance(answer, Answer) or not needs_parsing(feed, answer):
        return None
    try:
        return await parsers.parse(feed, answer, now)
    except NotAFeed as problem:
        return problem
    except (WorkerTimeout, WorkerDied) as problem:
        return NotAFeed(f"parsing the document: {problem}")


async def _with_sitemaps(
    visitor: Visitor, parsers: _Parsers, feed: FeedState, index: ParsedFeed, now: datetime
) -> ParsedFeed | NotAFeed:
    """Return a sitemap index as one feed: the items of its newest sitemaps, without those that fail, unless all do."""
    entries: dict[str, ParsedEntry] = {}
    problems = []
    for url in [listed.url for listed in index.sitemaps[:MOST_SITEMAPS]]:
        try:
            answer = await visitor.get(url, {"Accept": ACCEPT})
            await visitor.answered(answer)
            if not 200 <= answer.status < 300:
                raise RequestFailed("http", f"HTTP {answer.status}")
            sitemap = await parsers.parse(feed, answer, now)
        except (RequestFailed, NotAFeed, WorkerTimeout, WorkerDied) as problem:
            problems.append(f"{url}: {problem}")
            log.warning("feed %s: sitemap %s: %s", feed.slug, without_user_info(url), problem)
            continue
        for entry in sitemap.entries:
            entries.setdefault(entry.identity, entry)
    if problems and not entries:
        return NotAFeed(f"none of the sitemaps it lists can be read; {problems[0]}")
    return replace(index, entries=tuple(entries.values()))


def _ensure_partitions(connection: Connection, now: datetime) -> None:
    """Make the tables of this month and the next, to which polls and fetches write."""
    try:
        connection.execute("SELECT news.ensure_partitions(%s, 2)", [now])
    except psycopg.errors.LockNotAvailable:
        # Somebody reads for long. There is a table for months that have none, and the next poll tries again.
        connection.rollback()
        log.info("the tables of the next month are not made yet: somebody reads the present ones")
    else:
        connection.commit()


def _save(connection: Connection, results: list[_Polled]) -> None:
    """Store what polls brought: those that brought items each in a transaction of its own, the others together."""
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
            record = found(polled.feed, polled.result, taken.new, polled.polled_at)
        feeds.save_polls(connection, [(polled.feed, record)])
    connection.commit()
    polled.result, polled.changed = replace(polled.result, record=record), taken.changed


def _refuse(connection: Connection, polled: _Polled, why: str) -> None:
    record = polled.result.record
    result = failed(polled.feed, polled.polled_at, f"{polled.feed.host}: the feed {why}", "not_a_feed")
    seen = replace(result.record, status=record.status, body_bytes=record.body_bytes, took_ms=record.took_ms)
    polled.result = replace(result, record=seen)
    feeds.save_polls(connection, [(polled.feed, polled.result.record)])
    connection.commit()


def _count(polled: _Polled, counts: PollCounts, report: Report) -> None:
    feed, record = polled.feed, polled.result.record
    counts.polled += 1
    counts.new_entries += record.new_entries
    counts.changed_entries += polled.changed
    setattr(counts, record.outcome, getattr(counts, record.outcome) + 1)
    report(record.outcome, 1)
    report("new_entries", record.new_entries)
    report("changed_entries", polled.changed)
    if record.outcome == "failed":
        again = record.next_poll_at.astimezone(UTC).isoformat(timespec="seconds")
        log.warning("feed %s: %s; next try %s", feed.slug, record.error, again)
    else:
        log.info(
            "feed %s: %s, %d entries, %d new, %d changed, %d bytes in %d ms",
            feed.slug, record.outcome, record.entries, record.new_entries, polled.changed, record.body_bytes,
            record.took_ms,
        )  # fmt: skip
