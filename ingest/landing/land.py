"""Land: put the documents that are on a topic into `articles`, each text once, and note every place it was seen.

The same text seen again is a sighting of its article. Which of its places the article describes does not depend on
the order of arrival: it is the one published first, ties broken by address. So any number of workers, in any order,
give the same articles.

A page that was fetched again comes by here again. When its text or title has changed, the article that describes it
keeps its id and takes them over, and the old ones become a revision. A copy at another place that has been changed
goes its own way: it becomes an article of its own, or a sighting of the article it is the same as now.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Thread

from db import SESSION_LOST, Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.runtime.progress import Report, no_report
from ingest.store import articles, documents, leases, ledger, stories
from ingest.store.articles import Landing, Present
from ingest.store.documents import Landable
from ingest.store.ledger import LandJob
from ingest.store.periodic import Progress
from ingest.store.storing import UNSTORABLE
from ingest.text.folding import fold_sentences, identity_of_folded, words_of_folded
from ingest.text.similarity import Comparable
from ingest.text.storable import storable
from ingest.topics.topics import TopicSet

__all__ = ["LandCounts", "land"]

log = logging.getLogger(__name__)

# One transaction each: large enough to spread the cost of a commit, small enough to lose little in a crash.
BATCH = 50
# Longer than any article, and than most books; of a batch, too. To judge and compare so many takes a few seconds.
MOST_CHARACTERS = 2_000_000
# A document at which landing failed so often is given up; the wait after the first time, doubled each time.
MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)


@dataclass
class LandCounts:
    """Outcomes of a run of the stage."""

    landed: int = 0
    revised: int = 0
    duplicate: int = 0
    off_topic: int = 0
    rejected: int = 0
    retried: int = 0
    dead: int = 0

    def add(self, other: "LandCounts") -> None:
        for outcome, count in vars(other).items():
            setattr(self, outcome, getattr(self, outcome) + count)


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
    progress = Progress(connection, "land")
    retry_deadlocks(connection, partial(leases.keep, connection))
    try:
        while not stopping():
            retry_deadlocks(connection, partial(leases.ensure, connection))
            jobs = ledger.claim_to_land(connection, now(), BATCH)
            connection.commit()
            if not jobs:
                break
            landed = _land_claimed(connection, jobs, now, topics, stopping)
            counts.add(landed)
            for outcome, count in vars(landed).items():
                report(outcome, count)
            progress.note(now())
    finally:
        connection.rollback()
    return counts


def _land_claimed(
    connection: Connection, jobs: Sequence[LandJob], now: Callable[[], datetime], topics: TopicSet,
    stopping: Callable[[], bool],
) -> LandCounts:  # fmt: skip
    """Judge the documents of claimed entries, one by one, then land them together; where that fails, singly."""
    attempts = {job.id: job.attempts for job in jobs}
    loaded, failed = _load(connection, attempts)
    judged: list[Landing] = []
    characters = 0
    for number, document in enumerate(loaded):
        if stopping() or characters >= MOST_CHARACTERS:
            ledger.give_back(connection, [left.entry_id for left in loaded[number:]])
            break
        if len(document.text) > MOST_CHARACTERS:
            failed.append(_Failed(document.entry_id, "rejected", f"a text of more than {MOST_CHARACTERS:,} characters"))
            continue
        characters += len(document.text)
        try:
            judged.append(_judge(document, topics))
        except Exception as error:  # noqa: BLE001 - whatever a text makes of the rules is that text's trouble
            failed.append(_after_error(document.entry_id, attempts[document.entry_id], error))
    counts = LandCounts()
    if judged:
        try:
            counts = retry_deadlocks(connection, partial(_land_batch, connection, judged, now()))
        except Exception as error:  # one of them fails, and must not keep the others
            if _is_of_the_database(error):
                raise
            connection.rollback()
            counts, alone = _land_singly(connection, judged, attempts, now)
            failed += alone
    if failed:
        _end_failed(connection, failed, now())
        for item in failed:
            setattr(counts, item.outcome, getattr(counts, item.outcome) + 1)
    return counts


def _load(connection: Connection, attempts: Mapping[int, int]) -> tuple[list[Landable], list["_Failed"]]:
    """Return the documents of entries, and those that have none or one that cannot be read."""
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
    # A document may have been deleted, by hand or by a partial restore, since it was extracted.
    without = attempts.keys() - {document.entry_id for document in loaded} - {item.entry for item in failed}
    failed += [_Failed(entry, "rejected", "its document is no longer stored") for entry in sorted(without)]
    return loaded, failed


def _is_of_the_database(error: Exception) -> bool:
    """Whether an error says something about the database or its server, and nothing about a document."""
    return isinstance(error, SESSION_LOST) and not isinstance(error, UNSTORABLE)


@dataclass(frozen=True)
class _Failed:
    """A document that did not land, and how its entry goes on: `rejected`, `dead` or `retried`."""

    entry: int
    outcome: str
    reason: str
    wait: timedelta = timedelta(0)


def _after_error(entry: int, attempts: int, error: Exception) -> _Failed:
    """Return what follows when a document fails alone. Pure."""
    said = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}".rstrip(": ")
    if isinstance(error, UNSTORABLE):
        return _Failed(entry, "rejected", f"the article cannot be stored: {type(error).__name__}")
    if attempts + 1 >= MAX_ATTEMPTS:
        return _Failed(entry, "dead", f"landing failed {attempts + 1} times: {said}")
    return _Failed(entry, "retried", f"landing failed: {said}", RETRY_AFTER * 2**attempts)


def _end_failed(connection: Connection, failed: Sequence[_Failed], now: datetime) -> None:
    with connection.transaction():
        ended = [item for item in failed if item.outcome != "retried"]
        ledger.finish(connection, [(item.entry, item.outcome, storable(item.reason)) for item in ended])
        again = [item for item in failed if item.outcome == "retried"]
        ledger.retry(connection, [(item.entry, now + item.wait, storable(item.reason), True) for item in again])
    connection.commit()
    for item in failed:
        log.warning("entry %d: %s: %s", item.entry, item.outcome, item.reason)


def _land_batch(connection: Connection, judged: Sequence[Landing], now: datetime) -> LandCounts:
    """Land documents in one transaction: those whose entries are still this session's own."""
    # Before all other locks, as everywhere.
    stories.lock(connection)
    mine = ledger.lock_claimed(connection, [landing.document.entry_id for landing in judged])
    landed = _land(connection, [landing for landing in judged if landing.document.entry_id in mine], now)
    connection.commit()
    return landed


def _land_singly(
    connection: Connection, judged: Sequence[Landing], attempts: Mapping[int, int], now: Callable[[], datetime]
) -> tuple[LandCounts, list[_Failed]]:
    """Land documents one by one, each in a transaction. Returns what became of them, and those that failed."""
    counts, failed = LandCounts(), []
    for landing in judged:
        entry = landing.document.entry_id
        try:
            counts.add(retry_deadlocks(connection, partial(_land_batch, connection, [landing], now())))
        except Exception as error:
            if _is_of_the_database(error):
                raise
            connection.rollback()
            failed.append(_after_error(entry, attempts[entry], error))
    return counts, failed


def _land(connection: Connection, landings: list[Landing], now: datetime) -> LandCounts:
    ends: list[tuple[int, str, str | None]] = []
    before, known, pages = _lock(connection, landings)
    again = [landing for landing in landings if landing.document.entry_id in before]
    returned = _return(connection, again, before, known, now)
    ends += returned.ends
    copies, variants, others = _group(
        [landing for landing in landings if landing.document.entry_id not in returned.settled], known, pages
    )
    ends += others
    new: list[Landing] = []
    moved: set[int] = set()
    # What the stories must know of: new, changed and moved articles, by id.
    texts = dict(returned.texts)
    for content_hash, same in copies.items():
        same.sort(key=lambda landing: landing.place.order)
        first, present = same[0], known.get(content_hash)
        # What an article said formerly does not replace what it says now.
        earlier = present and present.content_hash == content_hash and first.place.order < present.place.order
        if present is None:
            new.append(first)
        elif earlier:
            articles.move(connection, present, first)
            moved.add(present.place.entry_id)
            texts[present.id] = first.comparable
        if present is None or earlier:
            ends.append((first.document.entry_id, "landed", None))
        else:
            ends.append((first.document.entry_id, "duplicate", "same text"))
        ends += [(landing.document.entry_id, "duplicate", "same text") for landing in same[1:]]
    article_ids = {content_hash: present.id for content_hash, present in known.items()}
    with _bands_ahead(new):
        inserted = articles.insert(connection, new, now)
    article_ids |= {landing.content_hash: article for landing, article in zip(new, inserted, strict=True)}
    texts |= {article: landing.comparable for landing, article in zip(new, inserted, strict=True)}
    stories.take_in(connection, texts, now)
    sightings = [(article_ids[landing.content_hash], landing) for same in copies.values() for landing in same]
    sightings += [(article_ids[content_hash], landing) for content_hash, landing in variants]
    articles.add_sightings(connection, sightings + returned.sightings, now)
    # A page that came back in this batch, and whose article describes an earlier place since, is a copy of that.
    ends = [
        (entry, "duplicate", "same text") if entry in moved and status == "landed" else (entry, status, reason)
        for entry, status, reason in ends
    ]
    mentions = {landing.document.entry_id: landing.mention.score for landing in landings if landing.mention}
    ledger.finish_landing(connection, ends, now, mentions)
    articles.elect(connection, returned.corrected)
    repeated = [article for article, seen in Counter(article for article, _ in sightings).items() if seen > 1]
    articles.prefer_own_feed(connection, repeated + sorted({present.id for present in known.values()}))
    twins = articles.settle_twins(connection, [landing.document.canonical_url for landing in landings], now)
    for landing in new:
        log.info("landed %s: %s", landing.document.canonical_url, (landing.document.title or "")[:100])
    return LandCounts(
        landed=len(new),
        revised=returned.revised,
        duplicate=len(sightings) - len(new) + twins,
        off_topic=len(landings) - len(sightings) - len(returned.settled),
    )


@contextmanager
def _bands_ahead(landings: list[Landing]) -> Iterator[None]:
    """Work the signatures out while the database is at work: it makes the search vectors meanwhile."""

    def work() -> list[list[int]]:
        # Kept by what they are asked of.
        return [landing.comparable.bands for landing in landings]

    thread = Thread(target=work, name="signatures")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _group(
    landings: list[Landing], known: dict[str, Present], pages: dict[str, Present]
) -> tuple[dict[str, list[Landing]], list[tuple[str, Landing]], list[tuple[int, str, str | None]]]:
    """Return the documents on a topic by content, those that are a known page's other edition, and the ends of some.

    Other editions (AMP, for telephones) come with the content of the page they are one of.
    """
    copies: dict[str, list[Landing]] = defaultdict(list)
    variants: list[tuple[str, Landing]] = []
    ends: list[tuple[int, str, str | None]] = []
    contents = {address: present.content_hash for address, present in pages.items()}
    for landing in sorted(landings, key=_own_address_first):
        entry = landing.document.entry_id
        if not landing.matches:
            ends.append((entry, "off_topic", "mention" if landing.mention else "no topic"))
            continue
        content = contents.setdefault(landing.document.page, landing.content_hash)
        if landing.content_hash in (content, *known):
            copies[landing.content_hash].append(landing)
        else:
            variants.append((content, landing))
            ends.append((entry, "duplicate", "same page"))
    return copies, variants, ends


def _own_address_first(landing: Landing) -> tuple[bool, int]:
    document = landing.document
    return document.canonical_url != document.page, document.entry_id


def _judge(document: Landable, topics: TopicSet) -> Landing:
    sentences = fold_sentences(document.text)
    folded = " ".join(sentences)
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


def _lock(
    connection: Connection, landings: list[Landing]
) -> tuple[dict[int, Present], dict[str, Present], dict[str, Present]]:
    """Return the articles of entries that have landed before, those by content, and those of the same pages.

    All are locked until the commit.
    """
    entries = [landing.document.entry_id for landing in landings]
    addresses = [landing.document.page for landing in landings if landing.matches]
    contents = {landing.content_hash for landing in landings if landing.matches}
    before = articles.of_entries(connection, entries)
    pages = articles.of_pages(connection, addresses)
    contents |= {landing.content_hash for landing in landings if landing.document.entry_id in before}
    while True:
        contents |= {present.content_hash for present in (*before.values(), *pages.values())}
        known = articles.lock(connection, sorted(contents))
        # Another session may have changed an article while this one waited for its lock.
        before = articles.of_entries(connection, entries)
        pages = articles.of_pages(connection, addresses)
        if {present.content_hash for present in (*before.values(), *pages.values())} <= contents:
            return before, known, pages


@dataclass
class _Returned:
    """What became of pages that were fetched again: how entries end, what was seen where, how many articles changed."""

    ends: list[tuple[int, str, str | None]] = field(default_factory=list)
    sightings: list[tuple[int, Landing]] = field(default_factory=list)
    revised: int = 0
    texts: dict[int, Comparable] = field(default_factory=dict)
    corrected: list[int] = field(default_factory=list)

    @property
    def settled(self) -> set[int]:
        return {entry for entry, _, _ in self.ends}


def _return(
    connection: Connection, again: list[Landing], before: dict[int, Present], known: dict[str, Present], now: datetime
) -> _Returned:
    """Settle pages that were fetched again, all but copies that have become texts of their own.

    `known` is brought up to date with what articles say now.
    """
    returned = _Returned()
    latest = {present.id: present for present in before.values()}
    # Those that articles describe first: their copies then find the text that the article has now.
    credited = {present.place.entry_id for present in before.values()}
    order = sorted(again, key=lambda landing: (landing.document.entry_id not in credited, landing.document.entry_id))
    for landing in order:
        document = landing.document
        present = latest[before[document.entry_id].id]
        same = known.get(landing.content_hash)
        own_page = document.canonical_url == present.place.canonical_url
        if not own_page and landing.matches and (same is None or same.id != present.id):
            continue
        # What has become the same as another article stays what it was: there is each text once.
        if own_page and (same is None or same.id == present.id) and _has_changed(landing, present):
            present = articles.revise(connection, present, landing, now)
            latest[present.id] = present
            # Under its former texts, too, it is the article that says this now.
            for content_hash, other in known.items():
                if other.id == present.id:
                    known[content_hash] = present
            known[landing.content_hash] = present
            returned.revised += 1
            returned.texts[present.id] = Comparable(present.title, landing.folded)
            log.info("revised %s: %s", document.canonical_url, (document.title or "")[:100])
        if own_page:
            articles.correct(connection, present, landing)
            returned.corrected.append(present.id)
        returned.sightings.append((present.id, landing))
        if document.entry_id == present.place.entry_id:
            returned.ends.append((document.entry_id, "landed", None))
        else:
            returned.ends.append((document.entry_id, "duplicate", "same page" if own_page else "same text"))
    return returned


def _has_changed(landing: Landing, present: Present) -> bool:
    """Whether a page says something else than its article. Of several entries for it, the credited one gives titles."""
    if landing.content_hash != present.content_hash:
        return True
    credited = landing.document.entry_id == present.place.entry_id
    return credited and landing.document.title is not None and landing.document.title != present.title
