"""Rejudge: apply a changed topics.yaml to stored documents, in both directions.

Documents that are now on a topic land. Articles that are no longer on any are withdrawn, and their entries end as off
topic. Scores and topics of the others are brought up to date. Nothing is fetched or extracted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from db import Connection, retry_deadlocks
from ingest.store import articles, documents, ledger, stories
from ingest.store.ledger import Selection
from ingest.text.folding import spell_sentences
from ingest.text.urls import slug_words
from ingest.topics.topics import Match, TopicSet

__all__ = ["Rejudged", "rejudge"]

BATCH = 500


@dataclass
class Rejudged:
    """The results of a run: documents newly on a topic, no longer on one, on one as before, off topic as before.

    `wanted` counts items that the gates of general feeds had kept out and now let through.
    """

    newly: int = 0
    no_longer: int = 0
    about: int = 0
    off_topic: int = 0
    wanted: int = 0

    @property
    def documents(self) -> int:
        return self.newly + self.no_longer + self.about + self.off_topic


def rejudge(
    connection: Connection,
    now: Callable[[], datetime],
    topics: TopicSet,
    selection: Selection,
    *,
    dry_run: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], object] = int,
) -> Rejudged:
    """Judge the stored documents of `selection` again. With `dry_run`, only count.

    Documents newly on a topic are left for `land`, items that now pass a gate for `fetch`. `on_progress` gets the
    number of documents done so far.
    """
    found = Rejudged()
    last = 0
    while not stopping():
        batch = documents.to_judge(connection, selection, after=last, limit=BATCH)
        connection.rollback()
        if not batch:
            break
        last = batch[-1].entry_id
        judged = {
            item.entry_id: topics.judge(item.title, spell_sentences(item.text), item.text, item.country)
            for item in batch
        }
        about = {entry: [match for match in matches if match.degree == "about"] for entry, matches in judged.items()}
        newly = [item.entry_id for item in batch if about[item.entry_id] and item.status == "off_topic"]
        gone = [item.entry_id for item in batch if not about[item.entry_id] and item.status != "off_topic"]
        found.newly += len(newly)
        found.no_longer += len(gone)
        found.about += sum(bool(matches) for matches in about.values()) - len(newly)
        found.off_topic += sum(not matches for matches in about.values()) - len(gone)
        if not dry_run:
            read = {item.entry_id: item.extracted_at for item in batch}
            retry_deadlocks(connection, partial(_save, connection, judged, about, newly, read, now()))
        on_progress(found.documents)
    found.wanted = _open_gates(connection, now, topics, selection, dry_run=dry_run, stopping=stopping)
    return found


def _open_gates(
    connection: Connection,
    now: Callable[[], datetime],
    topics: TopicSet,
    selection: Selection,
    *,
    dry_run: bool,
    stopping: Callable[[], bool],
) -> int:
    """Reopen items that their feeds' gates had kept out and now let through. Returns how many."""
    wanted = last = 0
    while not stopping():
        batch = ledger.kept_by_gate(connection, selection, after=last, limit=BATCH)
        connection.rollback()
        if not batch:
            break
        last = batch[-1].id
        # The same rule as when the feed is read: see `ingest.polling.decisions.unwanted`.
        passing = [item.id for item in batch if topics.passes_gate(item.title or slug_words(item.url), item.summary)]
        wanted += len(passing)
        if passing and not dry_run:
            ledger.let_through(connection, passing, now())
            connection.commit()
    return wanted


def _save(
    connection: Connection,
    judged: dict[int, list[Match]],
    about: dict[int, list[Match]],
    newly: list[int],
    read: dict[int, datetime],
    now: datetime,
) -> None:
    with connection.transaction():
        stories.lock(connection)
        ledger.land_again(connection, [(entry, read[entry]) for entry in newly], now)
        off = [
            (entry, "mention" if judged[entry] else "no topic", judged[entry][0].score if judged[entry] else None)
            for entry, matches in about.items()
            if not matches
        ]
        taken = ledger.set_off_topic(connection, off)
        articles.withdraw(connection, sorted(taken), now)
        articles.set_topics(connection, {entry: matches for entry, matches in about.items() if matches})
    connection.commit()
