"""Reprocess: extract stored pages again after a change of rules or of trafilatura, and land what has changed.

Each new document is compared with the one extracted before. If they differ, it replaces the old one and lands again:
articles keep their ids, and their former texts and titles become revisions. If a page turns out to hold no article, its
entries lose their sightings, and an article that loses its last sighting is removed. Documents that do not differ are
left alone, so an interrupted run can simply be started again.
"""

import asyncio
import difflib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Literal

from db import Connection
from ingest.config.settings import Settings
from ingest.extraction.extract import extraction_pool
from ingest.extraction.worker import extract_page
from ingest.model.document import Document, Hint, NotAnArticle
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.store import articles, documents, ledger, pages, stories
from ingest.store.ledger import Selection
from ingest.store.pages import LoadedPage
from ingest.store.storing import store_or_refuse
from ingest.text.storable import storable

__all__ = ["Example", "Reprocessed", "reprocess"]

log = logging.getLogger(__name__)

# Pages in one batch: some MB, and a second or two of work.
BATCH = 200
# Lines of a difference in an example, and characters per line.
EXAMPLE_LINES = 12
EXAMPLE_WIDTH = 160
_COMPARED = ("text", "title", "author", "published_at", "published_from", "language", "agency", "page_url")
Kind = Literal["unchanged", "changed", "gained", "lost", "still_none", "failed"]


@dataclass(frozen=True)
class Example:
    """The changes to one page: its address, and lines that start with - (before) or + (after) or describe a change."""

    url: str
    lines: tuple[str, ...]


@dataclass
class Reprocessed:
    """The results of a run: pages whose document is unchanged, changed, gained or lost, pages without one, failures."""

    unchanged: int = 0
    changed: int = 0
    gained: int = 0
    lost: int = 0
    still_none: int = 0
    failed: int = 0
    # How many of the changed documents differ in each field.
    differences: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COMPARED, 0))
    examples: list[Example] = field(default_factory=list)

    def count(self, kind: Kind) -> None:
        """Count a page."""
        match kind:
            case "unchanged":
                self.unchanged += 1
            case "changed":
                self.changed += 1
            case "gained":
                self.gained += 1
            case "lost":
                self.lost += 1
            case "still_none":
                self.still_none += 1
            case "failed":
                self.failed += 1

    @property
    def pages(self) -> int:
        return self.unchanged + self.changed + self.gained + self.lost + self.still_none + self.failed


@dataclass(frozen=True)
class _Outcome:
    entry: int
    url: str
    kind: Kind
    document: Document | None = None
    reason: str | None = None


def reprocess(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    selection: Selection,
    *,
    dry_run: bool = False,
    examples: int = 0,
    pool: WorkerPool | None = None,
    stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], object] = int,
) -> Reprocessed:
    """Extract the stored pages of `selection` again. With `dry_run`, only report what would change.

    Returns what was found, with up to `examples` differences. `on_progress` gets the number of pages done so far.
    """
    if pool is None:
        with extraction_pool(settings) as own_pool:
            return reprocess(
                connection,
                settings,
                now,
                selection,
                dry_run=dry_run,
                examples=examples,
                pool=own_pool,
                stopping=stopping,
                on_progress=on_progress,
            )
    found = Reprocessed()
    # Entries that articles describe come first, so that these articles are revised before copies are matched to them.
    for copies in (False, True):
        last = 0
        while not stopping():
            ids = ledger.with_pages(connection, selection, copies=copies, after=last, limit=BATCH)
            if not ids:
                break
            last = ids[-1]
            stored = documents.stored(connection, ids)
            before = {entry: former.document for entry, former in stored.items()}
            hints = documents.hints(connection, ids, now())
            loaded = pages.load_extracted(connection, ids)
            connection.rollback()
            outcomes = asyncio.run(_extract_all(pool, loaded, hints, before))
            for outcome in outcomes:
                _note(found, outcome, before.get(outcome.entry), examples)
            if not dry_run:
                _save(connection, outcomes, {entry: former.extracted_at for entry, former in stored.items()}, now())
            on_progress(found.pages)
    return found


async def _extract_all(
    pool: WorkerPool, loaded: Sequence[LoadedPage], hints: dict[int, Hint], before: dict[int, Document]
) -> list[_Outcome]:
    async def one(page: LoadedPage) -> _Outcome:
        entry, url, former = page.entry_id, page.url, before.get(page.entry_id)
        hint = replace(hints[entry], now=page.fetched_at)
        try:
            document = await pool.run(extract_page, page.body, url, page.content_type, hint)
        except NotAnArticle as reason:
            return _Outcome(entry, url, "lost" if former else "still_none", reason=str(reason))
        except (WorkerTimeout, WorkerDied) as problem:
            # The stage `extract` would retry or give up here. The former document stays.
            return _Outcome(entry, url, "failed", reason=str(problem))
        except Exception as error:  # noqa: BLE001 - whatever a page makes the libraries raise
            return _Outcome(entry, url, "failed", reason=f"{type(error).__name__}: {str(error)[:200]}")
        if former is None:
            return _Outcome(entry, url, "gained", document)
        return _Outcome(entry, url, "changed" if _differences(former, document) else "unchanged", document)

    return await asyncio.gather(*(one(page) for page in loaded))


def _differences(former: Document, document: Document) -> list[str]:
    return [name for name in _COMPARED if getattr(former, name) != getattr(document, name)]


def _note(found: Reprocessed, outcome: _Outcome, former: Document | None, examples: int) -> None:
    found.count(outcome.kind)
    if outcome.kind == "failed":
        log.warning("entry %d: %s (%s)", outcome.entry, outcome.reason, outcome.url)
    if outcome.kind == "changed" and former and outcome.document:
        for name in _differences(former, outcome.document):
            found.differences[name] += 1
    if len(found.examples) < examples and outcome.kind in ("changed", "gained", "lost"):
        found.examples.append(Example(outcome.url, tuple(_example(outcome, former))))


def _example(outcome: _Outcome, former: Document | None) -> Iterator[str]:
    if outcome.reason is not None:
        yield f"no article any more: {outcome.reason}"
    elif former is None:
        yield "an article now"
        yield f"+ {(outcome.document.title if outcome.document else None) or ''}"
    elif outcome.document is not None:
        for name in _differences(former, outcome.document):
            if name != "text":
                yield f"- {name}: {getattr(former, name)}"
                yield f"+ {name}: {getattr(outcome.document, name)}"
        lines = difflib.unified_diff(former.text.split("\n"), outcome.document.text.split("\n"), n=0, lineterm="")
        changed = (line for line in islice(lines, 2, None) if not line.startswith("@@"))
        for number, line in enumerate(changed):
            if number == EXAMPLE_LINES:
                yield "..."
                break
            yield f"{line[0]} {line[1 : EXAMPLE_WIDTH + 1]}"


def _save(connection: Connection, outcomes: Sequence[_Outcome], read: dict[int, datetime], now: datetime) -> None:
    def store(items: list[_Outcome]) -> None:
        fresh = {item.entry: item.document for item in items if item.document is not None}
        gone = [(item.entry, storable(item.reason or "")) for item in items if item.kind == "lost"]
        with connection.transaction():
            stories.lock(connection)
            # Skip pages that the ordinary stages have extracted since they were read here: those documents are newer.
            mine = ledger.land_again(connection, [(entry, read.get(entry)) for entry in fresh], now)
            documents.save(connection, [(entry, fresh[entry]) for entry in sorted(mine)], now)
            rejected = sorted(ledger.reject(connection, [(entry, why, read.get(entry)) for entry, why in gone]))
            documents.delete(connection, rejected)
            articles.withdraw(connection, rejected, now)
        connection.commit()

    def refuse(item: _Outcome, why: str) -> None:
        log.warning("entry %d: the article %s (%s)", item.entry, why, item.url)

    differing = [item for item in outcomes if item.kind in ("changed", "gained", "lost")]
    store_or_refuse(connection, differing, store, refuse)
