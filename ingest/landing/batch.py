"""A batch of documents that land together, in one transaction.

Read `Batch.land` from top to bottom: it shows the rules of landing. Topics and hashes have been worked out before,
document by document.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

from db import Connection
from ingest.landing.returned import Returned, settle_returned
from ingest.model.status import Status
from ingest.store import articles, ledger, stories
from ingest.store.articles import Landing, Present
from ingest.store.ledger import End
from ingest.text.similarity import Comparable

__all__ = ["Batch"]

log = logging.getLogger(__name__)


class Batch:
    """Documents to land, and their outcomes. `tally` counts these, `ends` holds the end of each entry."""

    def __init__(self, connection: Connection, landings: Sequence[Landing], now: datetime) -> None:
        self._connection = connection
        # The documents still to be settled. Each step removes those that it settles.
        self._landings = list(landings)
        self._addresses: list[str] = []
        self._now = now
        self.tally: Counter[str] = Counter()
        self.ends: dict[int, End] = {}
        # Existing articles: by the content they have or had, and by the address of their page.
        self._known: dict[str, Present] = {}
        self._pages: dict[str, Present] = {}
        self._returned = Returned()
        # Documents on a topic, by content. Mobile editions of a page, with the content of that page.
        self._copies: dict[str, list[Landing]] = defaultdict(list)
        self._editions: list[tuple[str, Landing]] = []
        self._new: list[Landing] = []
        # Texts for grouping into stories: new, changed and moved articles, by id.
        self._texts: dict[int, Comparable] = {}
        # Sightings: an article's id, and the document in which its text was seen.
        self._sightings: list[tuple[int, Landing]] = []

    def land(self) -> Counter[str]:
        """Land the documents whose entries this session still holds, and commit. Returns the number of each outcome.

        Vectors and signatures are worked out in a thread while the database does its part.
        """
        on_topic = [landing for landing in self._landings if landing.matches]
        with ThreadPoolExecutor(1, "vectors") as thread:
            vectors = thread.submit(_write_vectors, on_topic)
            signatures = thread.submit(_sign, on_topic)
            return self._land(vectors, signatures)

    def _land(self, vectors: Future[None], signatures: Future[None]) -> Counter[str]:
        self._keep_what_is_ours()
        before = self._lock_articles()
        vectors.result()
        self._settle_what_came_back(before)
        self._set_aside_what_is_off_topic()
        self._tell_copies_from_editions()
        moved = self._choose_what_articles_describe()
        self._insert_new_articles()
        signatures.result()
        stories.join(self._connection, self._texts, self._now)
        articles.add_sightings(self._connection, self._sightings + self._returned.sightings, self._now)
        self._demote(moved)
        ledger.end_landing(self._connection, list(self.ends.values()), self._now)
        twins = self._bring_in_line()
        self._connection.commit()
        self._count(twins)
        return self.tally

    def _keep_what_is_ours(self) -> None:
        # This lock comes before all others, as everywhere.
        stories.lock(self._connection)
        mine = ledger.lock_claimed(self._connection, [landing.document.entry_id for landing in self._landings])
        self._landings = [landing for landing in self._landings if landing.document.entry_id in mine]
        self._addresses = [landing.document.canonical_url for landing in self._landings]

    def _lock_articles(self) -> dict[int, Present]:
        """Lock all articles that these documents may affect. Returns those of entries that have landed before."""
        entries = [landing.document.entry_id for landing in self._landings]
        on_topic = [landing for landing in self._landings if landing.matches]
        addresses = [landing.document.page for landing in on_topic]
        contents = {landing.content_hash for landing in on_topic}
        before = articles.of_entries(self._connection, entries)
        pages = articles.of_pages(self._connection, addresses)
        contents |= {landing.content_hash for landing in self._landings if landing.document.entry_id in before}
        while True:
            contents |= {present.content_hash for present in (*before.values(), *pages.values())}
            self._known = articles.lock(self._connection, sorted(contents))
            # Another session may have changed an article while this one waited for its lock.
            before = articles.of_entries(self._connection, entries)
            self._pages = pages = articles.of_pages(self._connection, addresses)
            if {present.content_hash for present in (*before.values(), *pages.values())} <= contents:
                return before

    def _settle_what_came_back(self, before: dict[int, Present]) -> None:
        """Settle pages that were fetched again, except copies that have become separate texts."""
        again = [landing for landing in self._landings if landing.document.entry_id in before]
        self._returned = settle_returned(self._connection, again, before, self._known, self._now)
        self._texts |= self._returned.texts
        self.ends |= {end.entry: end for end in self._returned.ends}
        self._landings = [landing for landing in self._landings if landing.document.entry_id not in self.ends]

    def _set_aside_what_is_off_topic(self) -> None:
        for landing in self._landings:
            if not landing.matches:
                mention = landing.mention
                reason, score = ("mention", mention.score) if mention else ("no topic", None)
                self._end(End(landing.document.entry_id, Status.OFF_TOPIC, reason, score))
        self._landings = [landing for landing in self._landings if landing.matches]

    def _tell_copies_from_editions(self) -> None:
        """Group documents by content. Another edition of a page (AMP, for phones) goes with that page."""
        contents = {address: present.content_hash for address, present in self._pages.items()}
        for landing in sorted(self._landings, key=_own_address_first):
            content = contents.setdefault(landing.document.page, landing.content_hash)
            if landing.content_hash in (content, *self._known):
                self._copies[landing.content_hash].append(landing)
            else:
                self._editions.append((content, landing))
                self._end(End(landing.document.entry_id, Status.DUPLICATE, "same page"))

    def _choose_what_articles_describe(self) -> set[int]:
        """For each content, make the article describe the place published first. Returns entries that articles left."""
        moved: set[int] = set()
        for content_hash, same in self._copies.items():
            same.sort(key=lambda landing: landing.place.order)
            first, present = same[0], self._known.get(content_hash)
            # A former text of an article does not replace its current one.
            earlier = present and present.content_hash == content_hash and first.place.order < present.place.order
            if present is None:
                self._new.append(first)
            elif earlier:
                articles.move(self._connection, present, first)
                moved.add(present.place.entry_id)
                self._texts[present.id] = first.comparable
            if present is None or earlier:
                self._end(End(first.document.entry_id, Status.LANDED))
            else:
                self._end(End(first.document.entry_id, Status.DUPLICATE, "same text"))
            for landing in same[1:]:
                self._end(End(landing.document.entry_id, Status.DUPLICATE, "same text"))
        return moved

    def _insert_new_articles(self) -> None:
        ids = {content_hash: present.id for content_hash, present in self._known.items()}
        inserted = articles.insert(self._connection, self._new, self._now)
        for landing, article in zip(self._new, inserted, strict=True):
            ids[landing.content_hash] = article
            self._texts[article] = landing.comparable
        self._sightings = [(ids[content], landing) for content, same in self._copies.items() for landing in same]
        self._sightings += [(ids[content], landing) for content, landing in self._editions]

    def _demote(self, moved: set[int]) -> None:
        """Turn entries fetched again in this batch into copies if their article has moved to an earlier place."""
        for entry in moved & self.ends.keys():
            if self.ends[entry].status is Status.LANDED:
                self._end(self.ends[entry]._replace(status=Status.DUPLICATE, reason="same text"))

    def _bring_in_line(self) -> int:
        """Make articles describe the right entries after all changes. Returns how many waiting twin entries ended."""
        articles.elect(self._connection, self._returned.corrected)
        seen = Counter(article for article, _ in self._sightings)
        repeated = [article for article, times in seen.items() if times > 1]
        present = sorted({present.id for present in self._known.values()})
        articles.prefer_own_feed(self._connection, repeated + present)
        return articles.settle_twins(self._connection, self._addresses, self._now)

    def _end(self, end: End) -> None:
        self.ends[end.entry] = end

    def _count(self, twins: int) -> None:
        self.tally["landed"] = len(self._new)
        self.tally["revised"] = self._returned.revised
        self.tally["duplicate"] = len(self._sightings) - len(self._new) + twins
        self.tally["off_topic"] = sum(end.status is Status.OFF_TOPIC for end in self.ends.values())
        for landing in self._new:
            log.info("landed %s: %s", landing.document.canonical_url, (landing.document.title or "")[:100])


def _write_vectors(landings: Sequence[Landing]) -> None:
    for landing in landings:
        if landing.search:
            _ = landing.search.written  # which keeps it


def _sign(landings: Sequence[Landing]) -> None:
    for landing in landings:
        _ = landing.comparable.bands  # which keeps them


def _own_address_first(landing: Landing) -> tuple[bool, int]:
    document = landing.document
    return document.canonical_url != document.page, document.entry_id
