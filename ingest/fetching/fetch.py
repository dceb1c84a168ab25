"""Fetch: get the pages of new entries politely, and store them unchanged.

For each entry, the stage claims it together with a turn at its host, checks the host's robots.txt (fetched once a day),
waits for the turn and gets the page. `decide` interprets the answer. Then the page and the entry's new status are
stored in one transaction.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from db import Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.fetching.decisions import FetchResult, decide
from ingest.model.outcomes import FailureKind
from ingest.model.status import Status
from ingest.runtime.compression import compress
from ingest.runtime.rolling import Claimed
from ingest.stage import OnOutcome, RollingStage, ignore
from ingest.store import hosts, ledger, pages
from ingest.store.ledger import End, FetchJob
from ingest.store.pages import StoredPage
from ingest.store.storing import store_or_refuse
from ingest.text.urls import host_of, without_user_info
from ingest.web.client import Answer, RequestFailed, Web, validators
from ingest.web.polite import Visitor

__all__ = ["FetchCounts", "fetch"]

log = logging.getLogger(__name__)

ACCEPT = "text/html, application/xhtml+xml;q=0.9, application/xml;q=0.5, */*;q=0.1"


@dataclass(frozen=True)
class FetchCounts:
    """Outcomes of a run of the stage."""

    fetched: int = 0
    unchanged: int = 0
    rejected: int = 0
    retried: int = 0
    dead: int = 0


def fetch(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    *,
    shard: tuple[int, int] = (0, 1),
    stopping: Callable[[], bool] = lambda: False,
    leaving: Callable[[], bool] = lambda: False,
    on_outcome: OnOutcome = ignore,
) -> FetchCounts:
    """Fetch the pages of all due entries and return the outcomes.

    `shard` = (i, n) fetches only from the hosts of the i-th of n shards.
    """
    retry_deadlocks(connection, lambda: ledger.take_up_rechecks(connection, now()))
    stage = _Fetch(connection, settings, now, on_outcome, shard)
    stage.run(settings.fetch_concurrency, stopping, leaving)
    return FetchCounts(**stage.tally)


@dataclass
class _Fetched:
    job: FetchJob
    at: datetime
    answer: Answer | RequestFailed
    body: bytes = b""
    result: FetchResult = field(init=False)

    @property
    def answered_by(self) -> str:
        """The host that answered, after redirects."""
        return host_of(self.answer.url) if isinstance(self.answer, Answer) else self.job.host

    @property
    def reason(self) -> str | None:
        return without_user_info(self.result.reason) if self.result.reason else None


class _Fetch(RollingStage[FetchJob, _Fetched]):
    name = "fetch"

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        now: Callable[[], datetime],
        on_outcome: OnOutcome,
        shard: tuple[int, int],
    ) -> None:
        super().__init__(connection, settings, now, on_outcome)
        self._shard = shard

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with Web(self.settings) as web:
            self._visitor = Visitor(self.connection, self.database, web, self.settings, self.now)
            yield

    def claim(self, limit: int) -> Claimed[FetchJob]:
        claimed = ledger.claim_to_fetch(
            self.connection,
            self.now(),
            limit=limit,
            per_host=self.settings.host_concurrency,
            delay=self.settings.min_host_delay,
            shard=self._shard,
        )
        free = None if claimed else ledger.next_fetch_at(self.connection, self.now())
        return Claimed(claimed, hosts.seconds_until(free, self.now()))

    async def perform(self, job: FetchJob) -> _Fetched:
        answer: Answer | RequestFailed
        try:
            answer = await self._visitor.get(job.url, _headers(job), has_turn=True)
        except RequestFailed as failure:
            answer = failure
        except Exception as error:  # noqa: BLE001 - whatever a server makes the libraries raise is that page's failure
            answer = RequestFailed(FailureKind.CONNECTION, f"{job.host}: {type(error).__name__}")
        fetched = _Fetched(job, self.now(), answer)
        fetched.result = decide(job, answer, fetched.at, self.settings.fetch_attempts)
        if isinstance(answer, Answer) and fetched.result.outcome == "fetched":
            fetched.body = await asyncio.to_thread(compress, answer.body)
        return fetched

    def save(self, results: list[_Fetched]) -> None:
        ended = [(host, item.at) for item in results for host in {item.job.host, item.answered_by}]
        hosts.space(self.connection, ended, self.settings.min_host_delay)
        store_or_refuse(
            self.connection,
            results,
            partial(_store, self.connection, now=self.now()),
            partial(_refuse, self.connection),
        )
        for item in results:
            self.count(item.result.outcome)
            _log(item)

    def give_back(self, jobs: list[FetchJob]) -> None:
        ledger.give_back(self.connection, [job.id for job in jobs])


def _headers(job: FetchJob) -> dict[str, str]:
    headers = {"Accept": ACCEPT}
    if job.language:
        headers["Accept-Language"] = f"{job.language}, *;q=0.5"
    return headers | validators(job.etag, job.last_modified)


def _refuse(connection: Connection, item: _Fetched, why: str) -> None:
    item.result = FetchResult("rejected", f"the page {why}")
    ledger.end(connection, [End(item.job.id, Status.REJECTED, item.result.reason)])
    connection.commit()


def _store(connection: Connection, results: list[_Fetched], now: datetime) -> None:
    with connection.transaction():
        for item in sorted(results, key=lambda item: item.job.host):
            if item.result.pause_host_until is not None:
                for host in sorted({item.job.host, item.answered_by}):
                    hosts.pause(connection, host, item.result.pause_host_until)
        unchanged = [item.job.id for item in results if item.result.outcome == "unchanged"]
        landed_before = ledger.end_unchanged(connection, unchanged)
        # Entries that have not landed are judged again: their feed's data or the topics may have changed.
        others = [entry for entry in unchanged if entry not in landed_before]
        ledger.advance(connection, others, Status.FETCHED, now)
        # Save each page once: while frozen, this session may have lost an entry, then claimed and fetched it again.
        fetched = {item.job.id: item for item in results if item.result.outcome == "fetched"}
        mine = ledger.advance(connection, list(fetched), Status.FETCHED, now)
        pages.save(connection, [_stored(fetched[entry]) for entry in sorted(mine)])
        ledger.end(connection, [End(item.job.id, item.result.end, item.reason) for item in results if item.result.end])
        ledger.retry(
            connection,
            [
                (item.job.id, item.result.retry_at, item.reason or "", item.result.counts)
                for item in results
                if item.result.retry_at
            ],
        )
    connection.commit()


def _log(item: _Fetched) -> None:
    outcome, host, entry = item.result.outcome, item.job.host, item.job.id
    match outcome:
        case "retried":
            assert item.result.retry_at is not None
            again = item.result.retry_at.astimezone(UTC).isoformat(timespec="seconds")
            log.warning("host %s: entry %d: %s; next try %s", host, entry, item.reason, again)
        case "rejected" | "dead":
            level = logging.INFO if outcome == "rejected" else logging.WARNING
            log.log(level, "host %s: entry %d: %s: %s", host, entry, outcome, item.reason)
        case _:
            log.info("host %s: entry %d: %s", host, entry, outcome)


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
