"""Land: put the documents that are on a topic into `articles`, each text once, and note every place it was seen.

The same text seen again is a sighting of its article. Which of its places the article describes does not depend on
the order of arrival: it is the one published first, ties broken by address. So any number of workers, in any order,
give the same articles.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from db import Connection, retry_deadlocks
from ingest import articles, documents, leases, ledger
from ingest.articles import Place
from ingest.documents import Landable
from ingest.folding import content_identity
from ingest.report import Report, no_report
from ingest.settings import Settings
from ingest.topics import Match, TopicSet

__all__ = ["LandCounts", "land"]

log = logging.getLogger(__name__)

# One transaction each: large enough to spread the cost of a commit, small enough to lose little in a crash.
BATCH = 50


@dataclass
class LandCounts:
    """Outcomes of a run of the stage."""

    landed: int = 0
    duplicate: int = 0
    off_topic: int = 0


def land(
    connection: Connection,
    settings: Settings,  # noqa: ARG001 - all stages are called alike
    now: Callable[[], datetime],
    topics: TopicSet,
    *,
    stopping: Callable[[], bool] = lambda: False,
    report: Report = no_report,
) -> LandCounts:
    """Land all extracted documents and return what became of them."""
    counts = LandCounts()
    leases.hold(connection)
    leases.release_dead(connection, now())
    try:
        while not stopping():
            landed = retry_deadlocks(connection, partial(_land_batch, connection, now(), topics))
            if landed is None:
                break
            for outcome, count in vars(landed).items():
                setattr(counts, outcome, getattr(counts, outcome) + count)
                report(outcome, count)
    finally:
        connection.rollback()
    return counts


def _land_batch(connection: Connection, now: datetime, topics: TopicSet) -> LandCounts | None:
    """Land one batch in one transaction; None when there is nothing to land."""
    jobs = ledger.claim_stage(connection, "extracted", now, BATCH)
    landed = _land(connection, [job.id for job in jobs], now, topics) if jobs else None
    connection.commit()
    return landed


def _land(connection: Connection, entry_ids: list[int], now: datetime, topics: TopicSet) -> LandCounts:
    counts = LandCounts()
    ends: list[tuple[int, str, str | None]] = []
    by_content: dict[str, list[tuple[Landable, list[Match]]]] = defaultdict(list)
    loaded = documents.load(connection, entry_ids)
    for document in loaded:
        matches = topics.match(document.title, document.text)
        if matches:
            by_content[content_identity(document.text).content_hash].append((document, matches))
        else:
            ends.append((document.entry_id, "off_topic", "no topic"))
            counts.off_topic += 1
    known = articles.lock(connection, list(by_content))
    for content_hash, copies in by_content.items():
        for document, matches in sorted(copies, key=lambda copy: _place(copy[0]).order):
            place = _place(document)
            present = known.get(content_hash)
            if present is None:
                known[content_hash] = articles.insert(connection, content_hash, document, matches, now)
                ends.append((document.entry_id, "landed", None))
                counts.landed += 1
                log.info("landed %s: %s", document.url, (document.title or "")[:100])
            else:
                if place.order < present.place.order:
                    known[content_hash] = articles.move(connection, present, document, matches)
                    ends.append((document.entry_id, "landed", None))
                else:
                    ends.append((document.entry_id, "duplicate", "same text"))
                counts.duplicate += 1
            articles.add_sighting(connection, known[content_hash].id, document, now)
    ledger.finish(connection, ends)
    counts.duplicate += articles.settle_twins(connection, [document.canonical_url for document in loaded], now)
    return counts


def _place(document: Landable) -> Place:
    return Place(document.entry_id, document.published_at or datetime.max.replace(tzinfo=UTC), document.canonical_url)
