"""Land: put documents on a topic into `articles`, each text once, and record every place where it was seen.

The same text at another place is a sighting of its article. The article describes the place published first, with ties
broken by address, whatever the order of arrival. So any number of workers, in any order, produce the same articles.

Documents are judged one by one, outside any transaction, and land together as a `Batch`. If that fails, they land one
by one, so that one bad document does not hold back the others.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from db import SESSION_LOST, Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.landing.batch import Batch
from ingest.landing.failures import Failed, after_error
from ingest.landing.judging import Judged, judge
from ingest.model.status import Status
from ingest.stage import OnOutcome, Stage, ignore
from ingest.store import documents, ledger
from ingest.store.articles import Landing
from ingest.store.documents import Landable
from ingest.store.ledger import End
from ingest.store.storing import UNSTORABLE
from ingest.store.words import Words
from ingest.text.storable import storable
from ingest.topics.topics import TopicSet

__all__ = ["LandCounts", "land"]

log = logging.getLogger(__name__)

# Documents per transaction: enough to spread the cost of a commit, few enough to lose little in a crash.
BATCH = 50


@dataclass(frozen=True)
class LandCounts:
    """Outcomes of a run of the stage."""

    landed: int = 0
    revised: int = 0
    duplicate: int = 0
    off_topic: int = 0
    rejected: int = 0
    retried: int = 0
    dead: int = 0


def land(
    connection: Connection,
    settings: Settings,
    now: Callable[[], datetime],
    topics: TopicSet,
    *,
    stopping: Callable[[], bool] = lambda: False,
    on_outcome: OnOutcome = ignore,
) -> LandCounts:
    """Land all extracted documents and return the outcomes."""
    stage = _Land(connection, settings, now, on_outcome, topics)
    stage.run(stopping)
    return LandCounts(**stage.tally)


class _Land(Stage):
    name = "land"

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        now: Callable[[], datetime],
        on_outcome: OnOutcome,
        topics: TopicSet,
    ) -> None:
        super().__init__(connection, settings, now, on_outcome)
        self._topics = topics
        self._words = Words()

    def run(self, stopping: Callable[[], bool]) -> None:
        """Land batch after batch, until no extracted documents are left or until `stopping`.

        While the server lands a batch, a thread judges the next one. Raises SchemaMismatch if the database has another
        lexicon, before anything is claimed.
        """
        self._words.check(self.connection)
        self.keep_lease()
        try:
            with ThreadPoolExecutor(1, "judge") as thread:
                judging = None
                while (following := self._begin(thread, stopping)) or judging:
                    if judging:
                        self._land(judging)
                        self.beat()
                    judging = following
        finally:
            self.connection.rollback()

    def _begin(self, thread: Executor, stopping: Callable[[], bool]) -> Future[Judged] | None:
        """Claim and load a batch, and have `thread` judge it. Returns None if nothing is due or if `stopping`."""
        if stopping():
            return None
        self.ensure_lease()
        attempts = {job.id: job.attempts for job in ledger.claim_to_land(self.connection, self.now(), BATCH)}
        self.connection.commit()
        if not attempts:
            return None
        loaded, failed = _load(self.connection, attempts)
        return thread.submit(judge, loaded, attempts, failed, self._topics, stopping)

    def _land(self, judging: Future[Judged]) -> None:
        judged = judging.result()
        failed = list(judged.failed)
        if judged.left:
            ledger.give_back(self.connection, judged.left)
        if judged.landings:
            try:
                self._land_batch(judged.landings)
            except Exception as error:  # one document failed; it must not hold back the others
                if _is_of_the_database(error):
                    raise
                self.connection.rollback()
                failed += self._land_singly(judged.landings, judged.attempts)
        if failed:
            _end_failed(self.connection, failed, self.now())
            for item in failed:
                self.count(item.outcome)

    def _land_batch(self, landings: Sequence[Landing]) -> None:
        wanted = {landing.document.entry_id: landing.words for landing in landings if landing.words}
        vectors = dict(zip(wanted, self._words.vectors(self.connection, list(wanted.values())), strict=True))
        landings = [replace(landing, search=vectors.get(landing.document.entry_id)) for landing in landings]
        tally = retry_deadlocks(self.connection, lambda: Batch(self.connection, landings, self.now()).land())
        for outcome, count in tally.items():
            self.count(outcome, count)

    def _land_singly(self, landings: Sequence[Landing], attempts: Mapping[int, int]) -> list[Failed]:
        """Land documents one by one, each in its own transaction. Returns those that failed."""
        failed = []
        for landing in landings:
            entry = landing.document.entry_id
            try:
                self._land_batch([landing])
            except Exception as error:
                if _is_of_the_database(error):
                    raise
                self.connection.rollback()
                failed.append(after_error(entry, attempts[entry], error))
        return failed


def _load(connection: Connection, attempts: Mapping[int, int]) -> tuple[list[Landable], list[Failed]]:
    """Return the documents of the entries, and the failed entries: their document is missing or cannot be read."""
    loaded, failed = [], []
    try:
        loaded = documents.load(connection, list(attempts))
        connection.commit()
    except UNSTORABLE:
        connection.rollback()
        for entry in attempts:
            try:
                loaded += documents.load(connection, [entry])
                connection.commit()
            except UNSTORABLE as error:
                connection.rollback()
                failed.append(after_error(entry, attempts[entry], error))
    # A document may have been lost since it was extracted, deleted by hand or by a partial restore.
    without = attempts.keys() - {document.entry_id for document in loaded} - {item.entry for item in failed}
    failed += [Failed(entry, "its document is no longer stored", Status.REJECTED) for entry in sorted(without)]
    return loaded, failed


def _is_of_the_database(error: Exception) -> bool:
    """Return whether an error concerns the database or its server, and not a document."""
    return isinstance(error, SESSION_LOST) and not isinstance(error, UNSTORABLE)


def _end_failed(connection: Connection, failed: Sequence[Failed], now: datetime) -> None:
    with connection.transaction():
        ledger.end(connection, [End(item.entry, item.status, storable(item.reason)) for item in failed if item.status])
        again = [item for item in failed if item.status is None]
        ledger.retry(connection, [(item.entry, now + item.wait, storable(item.reason), True) for item in again])
    connection.commit()
    for item in failed:
        log.warning("entry %d: %s: %s", item.entry, item.outcome, item.reason)
