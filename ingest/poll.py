"""Poll: ask the feeds that are due whether there is anything new, and put what is new into the ledger.

For each feed: claim it (a lease, and a turn at its host); send a conditional GET; `decide` what the answer means
without touching clock, network or database; then, in one transaction, store the new entries, the poll and the feed's
next state.
"""

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from db import Connection, retry_deadlocks
from ingest import articles, backoff, feeds, hosts, leases, ledger
from ingest.feed_parser import NotAFeed, ParsedEntry, parse_feed
from ingest.feeds import FeedState, PollRecord
from ingest.ledger import NewEntry
from ingest.report import Report, no_report
from ingest.rolling import Claimed, seconds_until, work_through
from ingest.settings import Settings
from ingest.topics import TopicSet
from ingest.urls import canonical_url, host_of, without_user_info
from ingest.web import Answer, RequestFailed, Web

__all__ = ["ACCEPT", "PollCounts", "PollResult", "decide", "judge", "poll", "request_headers"]

log = logging.getLogger(__name__)

ACCEPT = "application/rss+xml, application/atom+xml, application/rdf+xml;q=0.9, application/xml;q=0.8, */*;q=0.5"


@dataclass
class PollCounts:
    """Outcomes of a run of the stage."""

    polled: int = 0
    new: int = 0
    unchanged: int = 0
    not_modified: int = 0
    failed: int = 0
    new_entries: int = 0


@dataclass(frozen=True)
class PollResult:
    """What an answer means: the poll's record and what to put into the ledger."""

    record: PollRecord
    entries: tuple[NewEntry, ...] = ()
    pause_host_until: datetime | None = None


@dataclass
class _Polled:
    feed: FeedState
    polled_at: datetime
    answer: Answer | RequestFailed
    result: PollResult = field(init=False)


def poll(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    topics: TopicSet,
    *,
    due: datetime | None = None,
    stopping: Callable[[], bool] = lambda: False,
    report: Report = no_report,
) -> PollCounts:
    """Poll the feeds that were due at `due` (default: now) and return what came of it."""
    due = due or now()
    counts = PollCounts()
    leases.hold(connection)
    leases.release_dead(connection, now())
    # Both tables a poll and a fetch write to are partitioned by month.
    connection.execute("SELECT news.ensure_partitions(%s, 2)", [now()])
    connection.commit()

    async def work() -> None:
        parsing = asyncio.Lock()
        async with Web(settings) as web:

            def claim(limit: int) -> Claimed[FeedState]:
                claimed = feeds.claim(
                    connection, now(), due, limit=limit,
                    per_host=settings.host_concurrency, delay=settings.min_host_delay,
                )  # fmt: skip
                free = None if claimed else feeds.next_poll_at(connection, due)
                connection.commit()
                return Claimed(claimed, seconds_until(free, now()))

            async def ask(feed: FeedState) -> _Polled:
                started = now()
                polled = _Polled(feed, started, await _ask(web, feed))
                # Parsing holds the interpreter: one after another, or all feeds are ready only when the last one is.
                async with parsing:
                    polled.result = await asyncio.to_thread(decide, feed, polled.answer, started, topics)
                return polled

            def save(results: list[_Polled]) -> None:
                for polled in results:
                    record = retry_deadlocks(connection, partial(_save, connection, polled))
                    connection.commit()
                    _count(polled.feed, record, counts, report)

            await work_through(claim, ask, save, concurrency=settings.poll_concurrency, stopping=stopping)

    try:
        asyncio.run(work())
    finally:
        connection.rollback()
    return counts


def request_headers(feed: FeedState) -> dict[str, str]:
    """Return the headers of a poll: conditional (RFC 9110, 13.1) where the last answer allows it."""
    headers = {"Accept": ACCEPT}
    if feed.language:
        headers["Accept-Language"] = f"{feed.language}, *;q=0.5"
    if feed.etag:
        headers["If-None-Match"] = feed.etag
    if feed.last_modified:
        headers["If-Modified-Since"] = feed.last_modified
    return headers


def decide(feed: FeedState, answer: Answer | RequestFailed, now: datetime, topics: TopicSet) -> PollResult:
    """Return what `answer` to a poll of `feed` made at `now` means. Pure: no clock, no I/O."""
    if isinstance(answer, RequestFailed):
        return _failed(feed, now, str(answer), status=None, size=0, took_ms=answer.took_ms)
    if answer.status == 304:
        return PollResult(_succeeded(feed, answer, now, "not_modified"))
    if not 200 <= answer.status < 300:
        wait = backoff.retry_after(answer.headers.get("retry-after"), now) if answer.status in (429, 503) else None
        return _failed(
            feed, now, f"{feed.host}: HTTP {answer.status}", status=answer.status, size=len(answer.body),
            took_ms=answer.took_ms, wait=wait,
        )  # fmt: skip
    if feed.body_hash is not None and hashlib.sha256(answer.body).digest() == feed.body_hash:
        return PollResult(_succeeded(feed, answer, now, "unchanged"))
    try:
        parsed = parse_feed(answer.body, answer.url, answer.headers.get("content-type"), now)
    except NotAFeed as problem:
        return _failed(
            feed, now, f"{feed.host}: {problem}", status=answer.status, size=len(answer.body), took_ms=answer.took_ms
        )
    entries = tuple(_for_ledger(feed, entry, now, topics) for entry in parsed.entries)
    # Whether anything is new, only the ledger knows: see _save.
    return PollResult(_succeeded(feed, answer, now, "unchanged", entries=len(entries)), entries)


def _succeeded(feed: FeedState, answer: Answer, now: datetime, outcome: str, entries: int = 0) -> PollRecord:
    modified = outcome != "not_modified"
    return PollRecord(
        polled_at=now,
        outcome=outcome,
        status=answer.status,
        entries=entries,
        new_entries=0,
        body_bytes=len(answer.body),
        took_ms=answer.took_ms,
        error=None,
        next_poll_at=now + feed.poll_every,
        failures=0,
        health="ok",
        # RFC 9111, 4.3.4: a 304 may carry a newer validator.
        etag=_header(answer, "etag") or (None if modified else feed.etag),
        last_modified=_header(answer, "last-modified") or (None if modified else feed.last_modified),
        body_hash=hashlib.sha256(answer.body).digest() if modified else feed.body_hash,
    )


def _failed(
    feed: FeedState, now: datetime, error: str, *, status: int | None, size: int, took_ms: int,
    wait: timedelta | None = None,
) -> PollResult:  # fmt: skip
    failures = feed.failures + 1
    again = now + max(backoff.after_failures(feed.poll_every, failures), wait or timedelta(0))
    record = PollRecord(
        polled_at=now,
        outcome="failed",
        status=status,
        entries=0,
        new_entries=0,
        body_bytes=size,
        took_ms=took_ms,
        error=without_user_info(error),
        next_poll_at=again,
        failures=failures,
        health="failing",
        etag=feed.etag,
        last_modified=feed.last_modified,
        body_hash=feed.body_hash,
    )
    return PollResult(record, pause_host_until=now + wait if wait else None)


def _header(answer: Answer, name: str) -> str | None:
    value = answer.headers.get(name, "")
    # Sent back to the server as it is: nothing that could break a header, nothing endless.
    return value if re.fullmatch(r"[\x20-\x7e]{1,500}", value) else None


def judge(
    entry: ParsedEntry, scope: str, max_age: timedelta | None, topics: TopicSet, now: datetime
) -> tuple[str, str] | None:
    """Return the final status and reason of an entry that is not to be fetched, None for one that is. Pure."""
    if entry.url is None:
        return "rejected", "the item has no usable link"
    if max_age is not None and entry.published_at is not None and entry.published_at < now - max_age:
        return "rejected", f"published more than {max_age.days} days before it was seen"
    if scope == "general" and not topics.passes_gate(entry.title, entry.summary):
        return "off_topic", "gate"
    return None


def _for_ledger(feed: FeedState, entry: ParsedEntry, now: datetime, topics: TopicSet) -> NewEntry:
    status, reason = judge(entry, feed.scope, feed.max_age, topics, now) or ("discovered", None)
    return NewEntry(
        identity=entry.identity,
        url=entry.url,
        canonical_url=canonical_url(entry.url) if entry.url else None,
        host=host_of(entry.url) if entry.url else None,
        title=entry.title,
        summary=entry.summary,
        content=entry.content,
        author=entry.author,
        published_at=entry.published_at,
        status=status,
        reason=reason,
    )


async def _ask(web: Web, feed: FeedState) -> Answer | RequestFailed:
    try:
        return await web.get(feed.url, request_headers(feed))
    except RequestFailed as failure:
        return failure


def _save(connection: Connection, polled: _Polled) -> PollRecord:
    feed, result = polled.feed, polled.result
    record = result.record
    with connection.transaction():
        if result.entries:
            hosts.register(connection, {entry.host for entry in result.entries if entry.host}, polled.polled_at)
            new = ledger.record(connection, feed.id, result.entries, polled.polled_at)
            articles.settle_twins(
                connection, [entry.canonical_url for entry in result.entries if entry.canonical_url], polled.polled_at
            )
            if new:
                record = replace(record, outcome="new", new_entries=len(new))
        if result.pause_host_until is not None:
            hosts.pause(connection, feed.host, result.pause_host_until)
        feeds.save_poll(connection, feed, record)
    return record


def _count(feed: FeedState, record: PollRecord, counts: PollCounts, report: Report) -> None:
    counts.polled += 1
    counts.new_entries += record.new_entries
    setattr(counts, record.outcome, getattr(counts, record.outcome) + 1)
    report(record.outcome, 1)
    report("new_entries", record.new_entries)
    if record.outcome == "failed":
        again = record.next_poll_at.astimezone(UTC).isoformat(timespec="seconds")
        log.warning("feed %s: %s; next try %s", feed.slug, record.error, again)
    else:
        log.info(
            "feed %s: %s, %d entries, %d new, %d bytes in %d ms",
            feed.slug, record.outcome, record.entries, record.new_entries, record.body_bytes, record.took_ms,
        )  # fmt: skip
