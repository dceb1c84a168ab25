"""The stage that extracts documents from fetched pages, in worker processes that contain hangs and crashes.

For each entry: claim it, pass its page to a worker, and store the document, or the reason why there is none, together
with the entry's new status.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from db import Connection
from ingest.config.settings import Settings
from ingest.extraction.worker import extract_page
from ingest.model.document import Document, Hint, NotAnArticle
from ingest.model.status import Status
from ingest.runtime.rolling import Claimed
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.stage import OnOutcome, RollingStage, ignore
from ingest.store import documents, ledger, pages, worker_deaths
from ingest.store.ledger import End, ExtractJob
from ingest.store.storing import store_or_refuse
from ingest.text.storable import storable

__all__ = ["ExtractCounts", "extract", "extraction_pool"]

log = logging.getLogger(__name__)

# Running and waiting tasks per worker: enough that no worker waits for the database, and each claim pays off.
TASKS_PER_WORKER = 48


@dataclass(frozen=True)
class ExtractCounts:
    """Outcomes of a run of the stage."""

    extracted: int = 0
    rejected: int = 0
    dead: int = 0


def extraction_pool(settings: Settings) -> WorkerPool:
    """Return the process pool that `extract` uses, as a context manager."""
    return WorkerPool(
        settings.extract_processes,
        settings.extract_timeout,
        preload=("ingest.extraction.article", "ingest.extraction.worker", "ingest.parsing.parse"),
    )


def extract(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    *,
    pool: WorkerPool | None = None,
    stopping: Callable[[], bool] = lambda: False,
    leaving: Callable[[], bool] = lambda: False,
    on_outcome: OnOutcome = ignore,
) -> ExtractCounts:
    """Extract all fetched pages and return the outcomes. Without a `pool`, one is created for this call."""
    if pool is None:
        with extraction_pool(settings) as own:
            return extract(
                connection, settings, now, pool=own, stopping=stopping, leaving=leaving, on_outcome=on_outcome
            )
    stage = _Extract(connection, settings, now, on_outcome, pool)
    stage.run(pool.processes * TASKS_PER_WORKER, stopping, leaving)
    return ExtractCounts(**stage.tally)


@dataclass(frozen=True)
class _Page:
    job: ExtractJob
    url: str
    content_type: str | None
    body: bytes
    hint: Hint


@dataclass(frozen=True)
class _Extracted:
    """The outcome of a page: `status` is EXTRACTED with a document, else REJECTED or DEAD with a reason."""

    job: ExtractJob
    url: str
    status: Status
    document: Document | None = None
    reason: str | None = None


class _Extract(RollingStage[_Page, _Extracted]):
    name = "extract"

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        now: Callable[[], datetime],
        on_outcome: OnOutcome,
        pool: WorkerPool,
    ) -> None:
        super().__init__(connection, settings, now, on_outcome)
        self._pool = pool

    def claim(self, limit: int) -> Claimed[_Page]:
        jobs = {job.id: job for job in ledger.claim_to_extract(self.connection, self.now(), limit)}
        if not jobs:
            return Claimed([])
        hints = documents.hints(self.connection, list(jobs), self.now())
        found = [
            # A date counts as future if it was in the future when the page was fetched.
            _Page(
                jobs[page.entry_id],
                page.url,
                page.content_type,
                page.body,
                replace(hints[page.entry_id], now=page.fetched_at),
            )
            for page in pages.load(self.connection, list(jobs))
        ]
        # Retention may have deleted the page since it was fetched.
        without = jobs.keys() - {page.job.id for page in found}
        gone = [End(entry, Status.REJECTED, "its page is no longer stored") for entry in sorted(without)]
        ledger.end(self.connection, gone)
        return Claimed(found)

    async def perform(self, page: _Page) -> _Extracted:
        try:
            document = await self._pool.run(extract_page, page.body, page.url, page.content_type, page.hint)
            return _Extracted(page.job, page.url, Status.EXTRACTED, document)
        except NotAnArticle as reason:
            return _rejected(page, str(reason))
        except WorkerTimeout as problem:
            return _rejected(page, f"extraction {problem}")
        except WorkerDied as problem:
            why = f"extraction failed: {problem}, also with the page alone in it"
            return _Extracted(page.job, page.url, Status.DEAD, reason=why)
        except Exception as error:  # noqa: BLE001
            # If a page makes a library raise, only that page fails, not the stage.
            return _rejected(page, f"extraction failed: {type(error).__name__}: {str(error)[:200]}")

    def save(self, results: list[_Extracted]) -> None:
        refused: list[_Extracted] = []
        store_or_refuse(
            self.connection,
            results,
            partial(_store, self.connection, now=self.now()),
            partial(_refuse, self.connection, refused),
        )
        lost = {item.job.id for item in refused}
        for item in [item for item in results if item.job.id not in lost] + refused:
            self.count(item.status)
            _log(item)
        worker_deaths.note(self.connection, self._pool.take_deaths(), self.now())

    def give_back(self, jobs: list[_Page]) -> None:
        ledger.give_back(self.connection, [page.job.id for page in jobs])


def _rejected(page: _Page, reason: str) -> _Extracted:
    return _Extracted(page.job, page.url, Status.REJECTED, reason=storable(reason))


def _refuse(connection: Connection, refused: list[_Extracted], item: _Extracted, why: str) -> None:
    refused.append(_Extracted(item.job, item.url, Status.REJECTED, reason=f"the article {why}"))
    ledger.end(connection, [End(item.job.id, Status.REJECTED, refused[-1].reason)])
    connection.commit()


def _store(connection: Connection, results: list[_Extracted], now: datetime) -> None:
    with connection.transaction():
        # Each entry once: after a freeze, this session may have claimed and extracted an entry again that it had lost.
        done = {result.job.id: result.document for result in results if result.document is not None}
        mine = ledger.advance(connection, list(done), Status.EXTRACTED, now)
        documents.save(connection, [(entry, done[entry]) for entry in sorted(mine)], now)
        ledger.end(
            connection, [End(item.job.id, item.status, item.reason) for item in results if not item.document], now
        )
    connection.commit()


def _log(item: _Extracted) -> None:
    if item.reason is not None:
        # A page without an article is routine. A page that broke a worker is not.
        level = logging.INFO if item.status == Status.REJECTED else logging.WARNING
        log.log(level, "entry %d: %s: %s (%s)", item.job.id, item.status, item.reason, item.url)
