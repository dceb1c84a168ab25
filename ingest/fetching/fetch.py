"""Fetch: get the pages of new entries, politely, and store them as they came.

For each entry: claim it together with a turn at its host; ask the host's robots.txt (once a day); wait for the turn;
get the page; `decide` what the answer means; store the page and the entry's new status in one transaction.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from db import Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.runtime import backoff, loops
from ingest.runtime.progress import Report, no_report
from ingest.runtime.rolling import Claimed, work_through
from ingest.store import hosts, leases, ledger, pages
from ingest.store.hosts import seconds_until
from ingest.store.ledger import FetchJob
from ingest.store.pages import StoredPage
from ingest.store.periodic import Progress
from ingest.store.storing import store_or_refuse
from ingest.text.urls import host_of, without_user_info
from ingest.web.client import Answer, RequestFailed, Web, validators
from ingest.web.polite import Visitor

__all__ = ["FetchCounts", "FetchResult", "decide", "fetch"]

log = logging.getLogger(__name__)

ACCEPT = "text/html, application/xhtml+xml;q=0.9, application/xml;q=0.5, */*;q=0.1"
# First wait after a failure; doubled by each further one: 5 attempts span an hour.
RETRY_AFTER = timedelta(minutes=4)
# Wait where the host, not the page, is why nothing was asked; as long as robots.txt counts as unavailable.
NOT_YET_AFTER = timedelta(minutes=10)
_WEB_PAGES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
# Final at once: asking again would bring the same. Anything else that is not a success may pass.
_LASTING = {400, 401, 402, 404, 405, 406, 410, 414, 451}


@dataclass
class FetchCounts:
    """Outcomes of a run of the stage."""

    fetched: int = 0
    unchanged: int = 0
    rejected: int = 0
    retried: int = 0
    dead: int = 0


@dataclass(frozen=True)
class FetchResult:
    """What an answer means for the entry: the status it takes, or the time of the next attempt.

    `unchanged` is no status, but a page that was fetched again and is the one that is stored.
    """

    status: str
    reason: str | None = None
    retry_at: datetime | None = None
    # Whether the attempt counts towards the last one: not when the page itself was never asked for.
    counts: bool = True
    pause_host_until: datetime | None = None


@dataclass
class _Fetched:
    job: FetchJob
    at: datetime
    answer: Answer | RequestFailed
    body: bytes = b""
    result: FetchResult = field(init=False)

    @property
    def answered_by(self) -> str:
        """The host that answered, at the end of redirects."""
        return host_of(self.answer.url) if isinstance(self.answer, Answer) else self.job.host


def fetch(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    *,
    shard: tuple[int, int] = (0, 1),
    stopping: Callable[[], bool] = lambda: False,
    leaving: Callable[[], bool] = lambda: False,
    report: Report = no_report,
) -> FetchCounts:
    """Fetch the pages of all due entries and return what came of them.

    `shard` = (i, n) takes only the hosts of the i-th of n shares.
    """
    counts = FetchCounts()
    keep = partial(retry_deadlocks, connection, partial(leases.keep, connection))
    keep()
    progress = Progress(connection, "fetch")
    retry_deadlocks(connection, lambda: ledger.take_up_rechecks(connection, now()))

    async def work() -> None:
        async with Web(settings) as web:
            database = asyncio.Lock()
            visitor = Visitor(connection, database, web, settings, now)

            def claim(limit: int) -> Claimed[FetchJob]:
                leases.ensure(connection)
                claimed = ledger.claim_to_fetch(
                    connection, now(), limit=limit, per_host=settings.host_concurrency,
                    delay=settings.min_host_delay, shard=shard,
                )  # fmt: skip
                free = None if claimed else ledger.next_fetch_at(connection, now())
                connection.commit()
                return Claimed(claimed, seconds_until(free, now()))

            def save(results: list[_Fetched]) -> None:
                ended = [(host, item.at) for item in results for host in {item.job.host, item.answered_by}]
                hosts.space(connection, ended, settings.min_host_delay)
                store_or_refuse(
                    connection, results, partial(_store, connection, now=now()), partial(_refuse, connection)
                )
                _count(results, counts, report)
                progress.note(now())

            await work_through(
                claim, partial(_visit, visitor, settings, now), save,
                concurrency=settings.fetch_concurrency, keep=keep, keep_seconds=leases.KEEP_SECONDS,
                stopping=stopping, leaving=leaving, database=database,
                give_back=lambda claimed: ledger.give_back(connection, [job.id for job in claimed]),
            )  # fmt: skip

    try:
        loops.run(work())
    finally:
        connection.rollback()
    return counts


def decide(job: FetchJob, answer: Answer | RequestFailed, now: datetime, max_attempts: int) -> FetchResult:
    """Return what `answer` to a request for the entry's page means. Pure: no clock, no I/O."""
    if isinstance(answer, RequestFailed):
        if answer.kind in ("blocked", "too_large", "redirects", "robots"):
            return FetchResult("rejected", str(answer))
        if answer.kind in ("busy", "robots_unavailable"):
            return FetchResult("discovered", str(answer), now + NOT_YET_AFTER, counts=False)
        return _again(job, str(answer), now, max_attempts)
    if answer.status == 304 and (job.etag or job.last_modified):
        return FetchResult("unchanged")
    if 200 <= answer.status < 300:
        kind = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
        if kind and kind not in _WEB_PAGES:
            return FetchResult("rejected", f"not a web page but {kind[:100]}")
        if not answer.body.strip():
            return _again(job, "empty page", now, max_attempts)
        return FetchResult("fetched")
    reason = f"HTTP {answer.status}"
    if answer.status in _LASTING:
        return FetchResult("rejected", reason)
    wait = backoff.retry_after(answer.headers.get("retry-after"), now) if answer.status in (429, 503) else None
    return _again(job, reason, now, max_attempts, wait)


def _again(job: FetchJob, reason: str, now: datetime, max_attempts: int, wait: timedelta | None = None) -> FetchResult:
    pause = now + wait if wait else None
    if job.attempts + 1 >= max_attempts:
        return FetchResult("dead", f"gave up after {job.attempts + 1} attempts: {reason}", pause_host_until=pause)
    later = backoff.after_failures(RETRY_AFTER, job.attempts + 1)
    return FetchResult("discovered", reason, now + (wait or later), pause_host_until=pause)


async def _visit(visitor: Visitor, settings: Settings, now: Callable[[], datetime], job: FetchJob) -> _Fetched:
    headers = {"Accept": ACCEPT}
    if job.language:
        headers["Accept-Language"] = f"{job.language}, *;q=0.5"
    headers |= validators(job.etag, job.last_modified)
    answer: Answer | RequestFailed
    try:
        answer = await visitor.get(job.url, headers, has_turn=True)
    except RequestFailed as failure:
        answer = failure
    except Exception as error:  # noqa: BLE001 - whatever a server makes the libraries raise is that page's trouble
        answer = RequestFailed("connection", f"{job.host}: {type(error).__name__}")
    fetched = _Fetched(job, now(), answer)
    fetched.result = decide(job, answer, fetched.at, settings.fetch_attempts)
    if isinstance(answer, Answer) and fetched.result.status == "fetched":
        fetched.body = await asyncio.to_thread(pages.compress, answer.body)
    return fetched


def _refuse(connection: Connection, item: _Fetched, why: str) -> None:
    item.result = FetchResult("rejected", f"the page {why}")
    ledger.finish(connection, [(item.job.id, "rejected", item.result.reason)])
    connection.commit()


def _store(connection: Connection, results: list[_Fetched], now: datetime) -> None:
    with connection.transaction():
        for item in sorted(results, key=lambda item: item.job.host):
            if item.result.pause_host_until is not None:
                for host in sorted({item.job.host, item.answered_by}):
                    hosts.pause(connection, host, item.result.pause_host_until)
        unchanged = [item.job.id for item in results if item.result.status == "unchanged"]
        landed_before = ledger.keep(connection, unchanged)
        # What has not landed is judged anew: what its feed says of it, or what is looked for, may have changed.
        ledger.advance(connection, [entry for entry in unchanged if entry not in landed_before], "fetched", now)
        # Each once: what this session lost while it was frozen, it may have claimed and fetched again.
        fetched = {item.job.id: item for item in results if item.result.status == "fetched"}
        mine = ledger.advance(connection, list(fetched), "fetched", now)
        pages.save(connection, [_stored(fetched[entry]) for entry in sorted(mine)])
        ledger.finish(
            connection,
            [
                (item.job.id, item.result.status, _safe(item))
                for item in results
                if item.result.status in ("rejected", "dead")
            ],
        )
        ledger.retry(
            connection,
            [
                (item.job.id, item.result.retry_at, _safe(item) or "", item.result.counts)
                for item in results
                if item.result.retry_at
            ],
        )
    connection.commit()


def _count(results: list[_Fetched], counts: FetchCounts, report: Report) -> None:
    for item in results:
        status, reason = item.result.status, _safe(item)
        if item.result.retry_at is not None:
            counts.retried += 1
            report("retried", 1)
            again = item.result.retry_at.astimezone(UTC).isoformat(timespec="seconds")
            log.warning("host %s: entry %d: %s; next try %s", item.job.host, item.job.id, reason, again)
        else:
            setattr(counts, status, getattr(counts, status) + 1)
            report(status, 1)
            if status in ("fetched", "unchanged"):
                log.info("host %s: entry %d: %s", item.job.host, item.job.id, status)
            else:
                level = logging.INFO if status == "rejected" else logging.WARNING
                log.log(level, "host %s: entry %d: %s: %s", item.job.host, item.job.id, status, reason)


def _safe(item: _Fetched) -> str | None:
    return without_user_info(item.result.reason) if item.result.reason else None


def _stored(item: _Fetched) -> StoredPage:
    answer = item.answer
    assert isinstance(answer, Answer)
    return StoredPage(
        entry_id=item.job.id,
        fetched_at=item.at,
        final_url=answer.url,
        http_status=answer.status,
        content_type=answer.headers.get("content-type"),
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
        body=item.body,
        body_bytes=len(answer.body),
    )
