"""Extract: turn fetched pages into documents, in worker processes that a page can neither hang nor crash for long.

For each entry: claim it; hand its page to a worker; store the document, or the reason why there is none, together
with the entry's new status.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count

from db import Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.model.document import Document, Hint, NotAnArticle
from ingest.runtime.progress import Report, no_report
from ingest.runtime.rolling import Claimed, work_through
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.store import documents, leases, ledger, pages, worker_deaths
from ingest.store.ledger import ExtractJob
from ingest.store.periodic import Progress
from ingest.store.storing import store_or_refuse
from ingest.text.storable import storable

__all__ = ["ExtractCounts", "extract", "extract_page", "extraction_pool"]

log = logging.getLogger(__name__)

# Tasks in work and waiting, per worker: enough that none waits for the database, and that claims are worth a query.
TASKS_PER_WORKER = 48
# The caches of the libraries hold parts of pages; what they keep of these many is forgotten at once.
PAGES_PER_CACHE = 200


@dataclass
class ExtractCounts:
    """Outcomes of a run of the stage."""

    extracted: int = 0
    rejected: int = 0
    dead: int = 0


@dataclass(frozen=True)
class _Page:
    job: ExtractJob
    url: str
    content_type: str | None
    body: bytes
    hint: Hint


@dataclass(frozen=True)
class _Extracted:
    job: ExtractJob
    url: str
    status: str
    document: Document | None = None
    reason: str | None = None


def extraction_pool(settings: Settings) -> WorkerPool:
    """Return the pool of processes that `extract` works with; a context manager."""
    return WorkerPool(
        settings.extract_processes,
        settings.extract_timeout,
        preload=("ingest.extraction.article", "ingest.parsing.parse"),
    )


def extract(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    *,
    pool: WorkerPool | None = None,
    stopping: Callable[[], bool] = lambda: False,
    leaving: Callable[[], bool] = lambda: False,
    report: Report = no_report,
) -> ExtractCounts:
    """Extract all fetched pages and return what came of them. Without a `pool`, one is made for this call."""
    if pool is None:
        with extraction_pool(settings) as own_pool:
            return extract(connection, settings, now, pool=own_pool, stopping=stopping, leaving=leaving, report=report)
    counts = ExtractCounts()
    keep = partial(retry_deadlocks, connection, partial(leases.keep, connection))
    keep()
    progress = Progress(connection, "extract")

    def claim(limit: int) -> Claimed[_Page]:
        leases.ensure(connection)
        jobs = {job.id: job for job in ledger.claim_to_extract(connection, now(), limit)}
        if not jobs:
            connection.commit()
            return Claimed([])
        hints = documents.hints(connection, list(jobs), now())
        found = [
            # A date counts as future when it was so as the page was fetched.
            _Page(jobs[page.entry_id], page.url, page.content_type, page.body,
                  replace(hints[page.entry_id], now=page.fetched_at))
            for page in pages.load(connection, list(jobs))
        ]  # fmt: skip
        # The page may have been deleted by retention since it was fetched.
        without = jobs.keys() - {page.job.id for page in found}
        ledger.finish(connection, [(entry, "rejected", "its page is no longer stored") for entry in without])
        connection.commit()
        return Claimed(found)

    async def perform(page: _Page) -> _Extracted:
        return await _extract(pool, page)

    def save(results: list[_Extracted]) -> None:
        refused: list[_Extracted] = []
        store_or_refuse(
            connection, results, partial(_store, connection, now=now()), partial(_refuse, connection, refused)
        )
        lost = {item.job.id for item in refused}
        _count([item for item in results if item.job.id not in lost] + refused, counts, report)
        progress.note(now())
        worker_deaths.note(connection, pool.take_deaths(), now())

    try:
        work = work_through(
            claim, perform, save, concurrency=pool.processes * TASKS_PER_WORKER,
            keep=keep, keep_seconds=leases.KEEP_SECONDS, stopping=stopping, leaving=leaving,
            give_back=lambda claimed: ledger.give_back(connection, [page.job.id for page in claimed]),
        )  # fmt: skip
        asyncio.run(work)
    finally:
        connection.rollback()
    return counts


async def _extract(pool: WorkerPool, page: _Page) -> _Extracted:
    try:
        document = await pool.run(extract_page, page.body, page.url, page.content_type, page.hint)
        return _Extracted(page.job, page.url, "extracted", document)
    except NotAnArticle as reason:
        return _Extracted(page.job, page.url, "rejected", reason=str(reason))
    except WorkerTimeout as problem:
        return _Extracted(page.job, page.url, "rejected", reason=f"extraction {problem}")
    except WorkerDied as problem:
        why = f"extraction failed: {problem}, also with the page alone in it"
        return _Extracted(page.job, page.url, "dead", reason=why)
    except Exception as error:  # noqa: BLE001
        # Whatever a page makes the libraries raise is that page's end, not the stage's.
        return _Extracted(
            page.job, page.url, "rejected", reason=f"extraction failed: {type(error).__name__}: {str(error)[:200]}"
        )


# Pages that one worker process has had since it last emptied its caches.
_seen = count(1)


def extract_page(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Return the article in a stored page. For use in a worker process. Raises NotAnArticle."""
    from ingest.extraction import article

    if next(_seen) % PAGES_PER_CACHE == 0:
        article.forget()
    return article.extract(pages.decompress(body), url, content_type, hint)


def _refuse(connection: Connection, refused: list[_Extracted], item: _Extracted, why: str) -> None:
    refused.append(_Extracted(item.job, item.url, "rejected", reason=f"the article {why}"))
    ledger.finish(connection, [(item.job.id, "rejected", refused[-1].reason)])
    connection.commit()


def _store(connection: Connection, results: list[_Extracted], now: datetime) -> None:
    with connection.transaction():
        # Each once: what this session lost while it was frozen, it may have claimed and extracted again.
        done = {result.job.id: result.document for result in results if result.document is not None}
        mine = ledger.advance(connection, list(done), "extracted", now)
        documents.save(connection, [(entry, done[entry]) for entry in sorted(mine)], now)
        ledger.finish(
            connection,
            [(item.job.id, item.status, _clean(item)) for item in results if item.status in ("rejected", "dead")],
        )
    connection.commit()


def _count(results: list[_Extracted], counts: ExtractCounts, report: Report) -> None:
    for result in results:
        setattr(counts, result.status, getattr(counts, result.status) + 1)
        report(result.status, 1)
        if result.reason is not None:
            # That a page holds no article is everyday; that it broke a worker is not.
            level = logging.INFO if result.status == "rejected" else logging.WARNING
            log.log(level, "entry %d: %s: %s (%s)", result.job.id, result.status, result.reason, result.url)


def _clean(result: _Extracted) -> str:
    return storable(result.reason or "")
