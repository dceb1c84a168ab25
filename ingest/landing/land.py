"""Land: put documents on a topic into `articles`, each text once, and record every place where it was seen.

The same text at another place is a sighting of its article. The article describes the place published first, with ties
broken by address, whatever the order of arrival. So any number of workers, in any order, produce the same articles.

Documents are judged one by one, outside any transaction, and land together as a `Batch`. If that fails, they land one
by one, so that one bad document does not hold back the others.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from db import SESSION_LOST, Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.landing.batch import Batch
from ingest.model.status import Status
from ingest.stage import OnOutcome, Stage, ignore
from ingest.store import documents, ledger
from ingest.store.articles import Landing
from ingest.store.documents import Landable
from ingest.store.ledger import End
from ingest.store.storing import UNSTORABLE
from ingest.store.words import Words
from ingest.text.folding import identity_of_folded, spell_sentences, unify, words_of_folded
from ingest.text.storable import storable
from ingest.topics.topics import TopicSet

__all__ = ["LandCounts", "land"]

log = logging.getLogger(__name__)

# Documents per transaction: enough to spread the cost of a commit, few enough to lose little in a crash.
BATCH = 50
# Limit for a document and for a batch: longer than any article and most books. Judging and comparing takes seconds.
MOST_CHARACTERS = 2_000_000
# A document that fails to land this often is given up. The wait after the first failure is doubled by each further one.
MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)


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


@dataclass(frozen=True)
class _Failed:
    """A document that did not land: its entry ends with `status`, or is retried after `wait`."""

    entry: int
    reason: str
    status: Status | None = None
    wait: timedelta = timedelta(0)

    @property
    def outcome(self) -> str:
        return self.status or "retried"


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

        Raises SchemaMismatch if the database has another lexicon, before anything is claimed.
        """
        self._words.check(self.connection)
        self.keep_lease()
        try:
            while not stopping():
                self.ensure_lease()
                jobs = ledger.claim_to_land(self.connection, self.now(), BATCH)
                self.connection.commit()
                if not jobs:
                    break
                self._land({job.id: job.attempts for job in jobs}, stopping)
                self.beat()
        finally:
            self.connection.rollback()

    def _land(self, attempts: Mapping[int, int], stopping: Callable[[], bool]) -> None:
        """Land the documents of claimed entries. `attempts` has how often each has failed before."""
        loaded, failed = _load(self.connection, attempts)
        judged, unfit = self._judge(loaded, attempts, stopping)
        failed += unfit
        if judged:
            try:
                self._land_batch(judged)
            except Exception as error:  # one document failed; it must not hold back the others
                if _is_of_the_database(error):
                    raise
                self.connection.rollback()
                failed += self._land_singly(judged, attempts)
        if failed:
            _end_failed(self.connection, failed, self.now())
            for item in failed:
                self.count(item.outcome)

    def _judge(
        self, loaded: Sequence[Landable], attempts: Mapping[int, int], stopping: Callable[[], bool]
    ) -> tuple[list[Landing], list[_Failed]]:
        """Return documents with their topics, and those that failed. Gives back what is too much for one batch."""
        judged: list[Landing] = []
        failed: list[_Failed] = []
        characters = 0
        for number, document in enumerate(loaded):
            if stopping() or characters >= MOST_CHARACTERS:
                ledger.give_back(self.connection, [left.entry_id for left in loaded[number:]])
                break
            if len(document.text) > MOST_CHARACTERS:
                why = f"a text of more than {MOST_CHARACTERS:,} characters"
                failed.append(_Failed(document.entry_id, why, Status.REJECTED))
                continue
            characters += len(document.text)
            try:
                judged.append(_landing(document, self._topics))
            except Exception as error:  # noqa: BLE001 - whatever a text makes the rules raise is that text's failure
                failed.append(_after_error(document.entry_id, attempts[document.entry_id], error))
        return judged, failed

    def _land_batch(self, landings: Sequence[Landing]) -> None:
        texts = [(landing.document.title, landing.document.text) for landing in landings]
        vectors = self._words.vectors(self.connection, texts)
        landings = [replace(landing, search=search) for landing, search in zip(landings, vectors, strict=True)]
        tally = retry_deadlocks(self.connection, lambda: Batch(self.connection, landings, self.now()).land())
        for outcome, count in tally.items():
            self.count(outcome, count)

    def _land_singly(self, landings: Sequence[Landing], attempts: Mapping[int, int]) -> list[_Failed]:
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
                failed.append(_after_error(entry, attempts[entry], error))
        return failed


def _load(connection: Connection, attempts: Mapping[int, int]) -> tuple[list[Landable], list[_Failed]]:
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
                failed.append(_after_error(entry, attempts[entry], error))
    # A document may have been lost since it was extracted, deleted by hand or by a partial restore.
    without = attempts.keys() - {document.entry_id for document in loaded} - {item.entry for item in failed}
    failed += [_Failed(entry, "its document is no longer stored", Status.REJECTED) for entry in sorted(without)]
    return loaded, failed


def _is_of_the_database(error: Exception) -> bool:
    """Return whether an error concerns the database or its server, and not a document."""
    return isinstance(error, SESSION_LOST) and not isinstance(error, UNSTORABLE)


def _after_error(entry: int, attempts: int, error: Exception) -> _Failed:
    """Return how to handle a document that failed on its own. Pure."""
    said = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}".rstrip(": ")
    if isinstance(error, UNSTORABLE):
        return _Failed(entry, f"the article cannot be stored: {type(error).__name__}", Status.REJECTED)
    if attempts + 1 >= MAX_ATTEMPTS:
        return _Failed(entry, f"landing failed {attempts + 1} times: {said}", Status.DEAD)
    return _Failed(entry, f"landing failed: {said}", wait=RETRY_AFTER * 2**attempts)


def _end_failed(connection: Connection, failed: Sequence[_Failed], now: datetime) -> None:
    with connection.transaction():
        ledger.end(connection, [End(item.entry, item.status, storable(item.reason)) for item in failed if item.status])
        again = [item for item in failed if item.status is None]
        ledger.retry(connection, [(item.entry, now + item.wait, storable(item.reason), True) for item in again])
    connection.commit()
    for item in failed:
        log.warning("entry %d: %s: %s", item.entry, item.outcome, item.reason)


def _landing(document: Landable, topics: TopicSet) -> Landing:
    sentences = spell_sentences(document.text)
    folded = unify(" ".join(sentences))
    found = topics.judge(document.title, sentences)
    about = [match for match in found if match.degree == "about"]
    return Landing(
        document,
        folded,
        identity_of_folded(folded).content_hash,
        words_of_folded(folded),
        about,
        mention=found[0] if found and not about else None,
    )
