"""A document that is about to land."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from ingest.store.articles.present import Place
from ingest.store.documents import Landable
from ingest.text.similarity import Comparable
from ingest.topics.topics import Match

__all__ = ["Landing"]


@dataclass(frozen=True)
class Landing:
    """A document that becomes what an article describes: its content hash, length in words, and topics.

    `mention` is the best of the topics that a text on none of them mentions.
    """

    document: Landable
    folded: str
    content_hash: str
    word_count: int
    matches: list[Match]
    mention: Match | None = None

    @cached_property
    def comparable(self) -> Comparable:
        return Comparable(self.document.title, self.folded)

    @property
    def place(self) -> Place:
        published_at = self.document.published_at or datetime.max.replace(tzinfo=UTC)
        return Place(self.document.entry_id, published_at, self.document.canonical_url)
