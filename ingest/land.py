"""Land: put the documents that are on a topic into `articles`, each text once, and note every place it was seen.

The same text seen again is a sighting of its article. Which of its places the article describes does not depend on
the order of arrival: it is the one published first, ties broken by address. So any number of workers, in any order,
give the same articles.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from db import Connection, retry_deadlocks
from ingest import articles, documents, ledger
from ingest.articles import Landing
from ingest.documents import Landable
from ingest.folding import fold, identity_of_folded, words_of_folded
from ingest.report import Report, no_report
from ingest.settings import Settings
from ingest.topics import TopicSet

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
    ids = ledger.lock_to_land(connection, now, BATCH)
    landed = _land(connection, ids, now, topics) if ids else None
    connection.commit()
    return landed


def _land(connection: Connection, entry_ids: list[int], now: datetime, topics: TopicSet) -> LandCounts:
    loaded = documents.load(connection, entry_ids)
    # A document may have been deleted, by hand or by a partial restore, since it was extracted.
    without = set(entry_ids) - {document.entry_id for document in loaded}
    ends: list[tuple[int, str, str | None]] = [
        (entry, "rejected", "its document is no longer stored") for entry in without
    ]
    copies: dict[str, list[Landing]] = defaultdict(list)
    for document in loaded:
        folded = fold(document.text)
        matches = topics.match(document.title, folded)
        if matches:
            content_hash = identity_of_folded(folded).content_hash
            copies[content_hash].append(Landing(document, content_hash, words_of_folded(folded), matches))
        else:
            ends.append((document.entry_id, "off_topic", "no topic"))
    known = articles.lock(connection, list(copies))
    new: list[Landing] = []
    sightings: list[tuple[int, Landable]] = []
    for content_hash, landings in copies.items():
        landings.sort(key=lambda landing: landing.place.order)
        first, present = landings[0], known.get(content_hash)
        if present is None:
            new.append(first)
        elif first.place.order < present.place.order:
            articles.move(connection, present, first)
        if present is None or first.place.order < present.place.order:
            ends.append((first.document.entry_id, "landed", None))
        else:
            ends.append((first.document.entry_id, "duplicate", "same text"))
        ends += [(landing.document.entry_id, "duplicate", "same text") for landing in landings[1:]]
    article_ids = {content_hash: present.id for content_hash, present in known.items()}
    inserted = articles.insert(connection, new, now)
    article_ids |= {landing.content_hash: article for landing, article in zip(new, inserted, strict=True)}
    for content_hash, landings in copies.items():
        sightings += [(article_ids[content_hash], landing.document) for landing in landings]
    articles.add_sightings(connection, sightings, now)
    ledger.finish_landing(connection, ends)
    repeated = [article for article, seen in Counter(article for article, _ in sightings).items() if seen > 1]
    articles.prefer_own_feed(connection, repeated + [present.id for present in known.values()])
    twins = articles.settle_twins(connection, [document.canonical_url for document in loaded], now)
    for landing in new:
        log.info("landed %s: %s", landing.document.canonical_url, (landing.document.title or "")[:100])
    return LandCounts(
        landed=len(new),
        duplicate=len(sightings) - len(new) + twins,
        off_topic=len(loaded) - len(sightings),
    )
