"""Poll: ask the feeds that are due whether there is anything new, and put what is new into the ledger.

For each feed: claim it (a lease, and a turn at its host); send a conditional GET; `decide` what the answer means
without touching clock, network or database; then, in one transaction, store the new entries, the poll and the feed's
next state.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

from db import Connection, retry_deadlocks
from ingest import backoff, feeds, hosts, leases, loops
from ingest.feed_dates import zone_of
from ingest.feed_parser import NotAFeed, ParsedEntry, ParsedFeed, parse_feed
from ingest.feeds import ADOPT_AFTER_POLLS, FeedState, PollRecord
from ingest.intake import take_in
from ingest.ledger import NewEntry
from ingest.report import Report, no_report
from ingest.rolling import Claimed, seconds_until, work_through
from ingest.schedule import Wishes, header_wish, narrowed, next_poll, pushed, widened
from ingest.settings import Settings
from ingest.storing import store_or_refuse
from ingest.topics import TopicSet
from ingest.turns import Turns
from ingest.urls import canonical_url, host_of, slug_words, without_user_info
from ingest.visitor import Visitor
from ingest.web import Answer, RequestFailed, Web, is_header_value, validators
from ingest.websub import with_links
from ingest.workers import WorkerDied, WorkerPool, WorkerTimeout

__all__ = [
    "ACCEPT",
    "PARSE_SECONDS",
    "PollCounts",
    "PollResult",
    "decide",
    "for_ledger",
    "found",
    "judge",
    "needs_parsing",
    "poll",
    "request_headers",
]

log = logging.getLogger(__name__)

# A server's word that nothing has changed is checked after this time.
TRUST_FOR = timedelta(days=1)
# Sitemaps read of an index at each poll: the newest, which hold the news.
MOST_PARTS = 3
# Caches on the way may be this much behind without anybody lying.
CACHES_LAG = timedelta(minutes=15)
# The largest feeds take a second to parse; what takes longer was made to.
PARSE_SECONDS = 5.0
# Feeds claimed for each that is being asked, so that none waits for the next claim.
AHEAD = 4
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
    changed_entries: int = 0


@dataclass(frozen=True)
class PollResult:
    """What an answer means: the poll's record and what to put into the ledger."""

    record: PollRecord
    entries: tuple[NewEntry, ...] = ()
    pause_host_until: datetime | None = None
    # Identities of items that, should they be new, the server has kept back, and how.
    hidden: Mapping[str, str] = field(default_factory=dict)


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

    async def parse(self, feed: FeedState, answer: Answer, now: datetime) -> ParsedFeed:
        if self._pool is None:
            own = WorkerPool(1, self._settings.extract_timeout, ("ingest.feed_parser",))
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
    report: Report = no_report,
) -> PollCounts:
    """Poll the feeds that were due at `due` and return what came of it; by default, those that come due meanwhile, too.

    Feeds are parsed in processes of `pool`; without one, a process is started when there is something to parse.
    """
    counts = PollCounts()
    leases.hold(connection)
    retry_deadlocks(connection, lambda: leases.release_dead(connection, now()))
    retry_deadlocks(connection, lambda: _ensure_partitions(connection, now()))

    async def work() -> None:
        database = asyncio.Lock()
        turns = Turns(connection, database, settings, now)
        async with Web(settings) as web:
            visitor = Visitor(connection, database, web, settings, now)

            def claim(limit: int) -> Claimed[FeedState]:
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
                if isinstance(parsed, ParsedFeed) and parsed.parts:
                    parsed = await _with_parts(visitor, parsers, feed, parsed, started)
                return _Polled(feed, started, decide(feed, answer, parsed, started, topics), _answered_by(feed, answer))

            def save(results: list[_Polled]) -> None:
                ended = [(host, now()) for polled in results for host in {polled.feed.host, polled.answered_by}]
                hosts.space(connection, ended, settings.min_host_delay)
                _save(connection, results)
                for polled in results:
                    _count(polled, counts, report)

            await work_through(
                claim, ask, save, concurrency=settings.poll_concurrency, ahead=AHEAD * settings.poll_concurrency,
                give_back=lambda claimed: feeds.give_back(connection, claimed, now()),
                stopping=stopping, database=database,
            )  # fmt: skip

    with _Parsers(settings, pool) as parsers:
        try:
            loops.run(work())
        finally:
            connection.rollback()
    return counts


def request_headers(feed: FeedState, now: datetime) -> dict[str, str]:
    """Return the headers of a poll at `now`: conditional (RFC 9110, 13.1) where the last answer allows it.

    Once a day, and always where the server was caught lying, the whole document is asked for.
    """
    headers = {"Accept": ACCEPT}
    if feed.language:
        headers["Accept-Language"] = f"{feed.language}, *;q=0.5"
    if feed.distrust or feed.last_full_at is None or now - feed.last_full_at >= TRUST_FOR:
        return headers
    return headers | validators(feed.etag, feed.last_modified)


def needs_parsing(feed: FeedState, answer: Answer | RequestFailed) -> bool:
    """Return whether `answer` brings a document that was not the last one too."""
    return (
        isinstance(answer, Answer)
        and 200 <= answer.status < 300
        and hashlib.sha256(answer.body).digest() != feed.body_hash
    )


def decide(
    feed: FeedState,
    answer: Answer | RequestFailed,
    parsed: ParsedFeed | NotAFeed | None,
    now: datetime,
    topics: TopicSet,
) -> PollResult:
    """Return what `answer` to a poll of `feed` made at `now` means. Pure: no clock, no I/O.

    `parsed` is what the document says, where it `needs_parsing`.
    """
    if isinstance(answer, RequestFailed):
        return _failed(feed, now, str(answer), answer.kind, took_ms=answer.took_ms)
    if answer.status == 304:
        return PollResult(_succeeded(feed, answer, now, "not_modified"))
    if not 200 <= answer.status < 300:
        wait = None
        if answer.status in (429, 503):
            wait = backoff.retry_after(answer.headers.get("retry-after"), now)
        if wait is not None:
            # It counts from the answer.
            wait += timedelta(milliseconds=answer.took_ms + 1)
        return _failed(feed, now, f"{feed.host}: HTTP {answer.status}", _kind_of(answer.status), answer, wait=wait)
    if parsed is None:
        return PollResult(_succeeded(feed, answer, now, "unchanged"))
    if isinstance(parsed, NotAFeed):
        return _failed(feed, now, f"{feed.host}: {parsed}", "not_a_feed", answer)
    entries = tuple(for_ledger(feed, entry, now, topics) for entry in parsed.entries)
    # Whether anything is new, only the ledger knows: see _take_in.
    record = _succeeded(feed, answer, now, "unchanged", with_links(parsed, answer))
    return PollResult(record, entries, hidden=_hidden(feed, answer, parsed))


def found(feed: FeedState, result: PollResult, new: Sequence[str], now: datetime) -> PollRecord:
    """Return the record of a poll that found the items of these identities new. Pure.

    The feed's own rhythm is read anew, and a server that kept new items behind a 304, or under an unchanged ETag, is
    not believed any more.
    """
    record = replace(result.record, outcome="new", new_entries=len(new))
    dates = [entry.published_at for entry in result.entries if entry.published_at is not None]
    interval = narrowed(feed.poll_interval, dates, now, feed.poll_every, feed.poll_within)
    again = _next_poll(feed, interval, record.asked_wait, record.skip_hours, record.skip_days, now)
    record = replace(record, poll_interval=interval, next_poll_at=again)
    suspected = {identity: why for identity, why in result.hidden.items() if identity in set(new)}
    if suspected and feed.distrust is None:
        record = replace(record, distrust=f"{now:%Y-%m-%d}: {next(iter(suspected.values()))}")
    return record


def _hidden(feed: FeedState, answer: Answer, parsed: ParsedFeed) -> dict[str, str]:
    """Return the items that, should they be new, the server has kept back, with the way it did."""
    etag = _header(answer, "etag")
    if etag is not None and etag == feed.etag:
        return {entry.identity: "new items under an unchanged ETag" for entry in parsed.entries}
    conditional_since = feed.last_full_at is not None and feed.last_polled_at is not None
    if not conditional_since or feed.last_polled_at == feed.last_full_at:
        return {}
    assert feed.last_full_at is not None
    assert feed.last_polled_at is not None
    # Published between the last whole document and the last 304, with time for caches on the way.
    latest = feed.last_polled_at - CACHES_LAG
    return {
        entry.identity: "items published before a 304 said that there was nothing new"
        for entry in parsed.entries
        if entry.published_at is not None and feed.last_full_at < entry.published_at < latest
    }


def _succeeded(
    feed: FeedState, answer: Answer, now: datetime, outcome: str, parsed: ParsedFeed | None = None
) -> PollRecord:
    modified = outcome != "not_modified"
    # The sitemaps of an index change while it stays the same.
    index = parsed is not None and bool(parsed.parts)
    wishes = parsed.wishes if parsed else None
    interval = widened(feed.poll_interval or feed.poll_every, feed.poll_every, feed.poll_within)
    asked_wait = max(wishes.wait, header_wish(answer.headers, now)) if wishes else feed.asked_wait
    skip_hours = sorted(wishes.skip_hours) if wishes else feed.skip_hours
    skip_days = sorted(wishes.skip_days) if wishes else feed.skip_days
    return PollRecord(
        polled_at=now,
        outcome=outcome,
        status=answer.status,
        entries=len(parsed.entries) if parsed else 0,
        new_entries=0,
        body_bytes=len(answer.body),
        took_ms=answer.took_ms,
        error=None,
        failure=None,
        next_poll_at=_next_poll(feed, interval, asked_wait, skip_hours, skip_days, now),
        failures=0,
        health="ok",
        # RFC 9111, 4.3.4: a 304 may carry a newer validator.
        etag=None if index else _header(answer, "etag") or (None if modified else feed.etag),
        last_modified=None if index else _header(answer, "last-modified") or (None if modified else feed.last_modified),
        body_hash=None if index else hashlib.sha256(answer.body).digest() if modified else feed.body_hash,
        poll_interval=interval,
        asked_wait=asked_wait,
        skip_hours=skip_hours,
        skip_days=skip_days,
        last_full_at=now if modified else feed.last_full_at,
        distrust=feed.distrust,
        hub=parsed.hub if parsed else feed.hub,
        topic=parsed.topic if parsed else feed.topic,
        **_moved(feed, answer),
    )


def _next_poll(
    feed: FeedState, interval: timedelta, asked_wait: timedelta | None, skip_hours: list[int] | None,
    skip_days: list[int] | None, now: datetime,
) -> datetime:  # fmt: skip
    wishes = Wishes(asked_wait or timedelta(0), frozenset(skip_hours or ()), frozenset(skip_days or ()))
    if feed.pushed_until is not None and feed.pushed_until > now:
        interval = pushed(interval, feed.poll_within)
    return next_poll(now, interval, wishes, feed.slug)


def _moved(feed: FeedState, answer: Answer) -> dict[str, Any]:
    """Return what is known of the feed's new address after a success."""
    if feed.address != feed.url:
        # It answers at its new address, or has moved on from there.
        moved_to = answer.moved_to or feed.address
        return {"moved_to": moved_to, "moved_polls": feed.moved_polls, "host": host_of(moved_to)}
    if answer.moved_to is None:
        return {"moved_to": None, "moved_polls": 0, "host": feed.host}
    polls = feed.moved_polls + 1 if answer.moved_to == feed.moved_to else 1
    used = answer.moved_to if polls >= ADOPT_AFTER_POLLS else feed.url
    return {"moved_to": answer.moved_to, "moved_polls": polls, "host": host_of(used)}


def _kind_of(status: int) -> str:
    return "gone" if status == 410 else f"http_{status // 100}xx"


def _failed(
    feed: FeedState, now: datetime, error: str, kind: str, answer: Answer | None = None, *,
    took_ms: int | None = None, wait: timedelta | None = None,
) -> PollResult:  # fmt: skip
    failures = feed.failures + 1
    first = feed.poll_interval or feed.poll_every
    again = now + max(backoff.after_failures(first, failures), wait or timedelta(0))
    # An address that was moved to and fails is left for the one that is configured.
    returns = feed.address != feed.url
    record = PollRecord(
        polled_at=now,
        outcome="failed",
        status=answer.status if answer else None,
        entries=0,
        new_entries=0,
        body_bytes=len(answer.body) if answer else 0,
        took_ms=answer.took_ms if answer else took_ms or 0,
        error=without_user_info(error),
        failure=kind,
        next_poll_at=again,
        failures=failures,
        health="gone" if kind == "gone" else "failing",
        etag=feed.etag,
        last_modified=feed.last_modified,
        body_hash=feed.body_hash,
        poll_interval=feed.poll_interval,
        asked_wait=feed.asked_wait,
        skip_hours=feed.skip_hours,
        skip_days=feed.skip_days,
        last_full_at=feed.last_full_at,
        distrust=feed.distrust,
        hub=feed.hub,
        topic=feed.topic,
        moved_to=None if returns else feed.moved_to,
        moved_polls=0 if returns else feed.moved_polls,
        host=host_of(feed.url),
    )
    return PollResult(record, pause_host_until=now + wait if wait else None)


def _header(answer: Answer, name: str) -> str | None:
    value = answer.headers.get(name)
    return value if value is not None and is_header_value(value) else None


def judge(
    entry: ParsedEntry, scope: str, max_age: timedelta | None, topics: TopicSet, now: datetime
) -> tuple[str, str] | None:
    """Return the final status and reason of an entry that is not to be fetched, None for one that is. Pure."""
    if entry.url is None:
        return "rejected", "the item has no usable link"
    if max_age is not None and entry.published_at is not None and entry.published_at < now - max_age:
        return "rejected", f"published more than {max_age.days} days before it was seen"
    if scope == "general":
        # Sitemaps give addresses alone, whose words are mostly those of the title.
        title = entry.title or slug_words(entry.url)
        if (title or entry.summary) and not topics.passes_gate(title, entry.summary):
            return "off_topic", "gate"
    return None


def for_ledger(feed: FeedState, entry: ParsedEntry, now: datetime, topics: TopicSet) -> NewEntry:
    """Return an item of `feed` as the ledger takes it, with its end where it is not to be fetched. Pure."""
    status, reason = judge(entry, feed.scope, feed.max_age, topics, now) or ("discovered", None)
    canonical = canonical_url(entry.url) if entry.url else None
    return NewEntry(
        identity=entry.identity,
        url=entry.url,
        canonical_url=canonical,
        host=host_of(entry.url) if entry.url else None,
        title=entry.title,
        summary=entry.summary,
        content=entry.content,
        author=entry.author,
        published_at=entry.published_at,
        status=status,
        reason=reason,
        published_note=entry.published_note,
        updated_at=entry.updated_at,
    )


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


async def _with_parts(
    visitor: Visitor, parsers: _Parsers, feed: FeedState, index: ParsedFeed, now: datetime
) -> ParsedFeed | NotAFeed:
    """Return a sitemap index as one feed: the items of its newest sitemaps, without those that fail, unless all do."""
    entries: dict[str, ParsedEntry] = {}
    problems = []
    for url in [part.url for part in index.parts[:MOST_PARTS]]:
        try:
            answer = await visitor.get(url, {"Accept": ACCEPT})
            await visitor.answered(answer)
            if not 200 <= answer.status < 300:
                raise RequestFailed("http", f"HTTP {answer.status}")
            part = await parsers.parse(feed, answer, now)
        except (RequestFailed, NotAFeed, WorkerTimeout, WorkerDied) as problem:
            problems.append(f"{url}: {problem}")
            log.warning("feed %s: part %s: %s", feed.slug, without_user_info(url), problem)
            continue
        for entry in part.entries:
            entries.setdefault(entry.identity, entry)
    if problems and not entries:
        return NotAFeed(f"none of the sitemaps it lists can be read; {problems[0]}")
    return replace(index, entries=tuple(entries.values()))


def _ensure_partitions(connection: Connection, now: datetime) -> None:
    # Both tables a poll and a fetch write to are partitioned by month.
    connection.execute("SELECT news.ensure_partitions(%s, 2)", [now])
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
    result = _failed(polled.feed, polled.polled_at, f"{polled.feed.host}: the feed {why}", "not_a_feed")
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
