"""A document that is about to become an article."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from ingest.store.articles.present import Place
from ingest.store.documents import Landable
from ingest.store.words import SplitText, Vector
from ingest.text.similarity import Comparable
from ingest.topics.topics import Match

__all__ = ["Landing"]


@dataclass(frozen=True)
class Landing:
    """A document ready to land, with its content hash, word count and topics.

    If the text is on no topic, `mention` is the best topic that it mentions. `words` are those of its title and text,
    and `search` is the vector made of them by which it is found (`ingest.store.words`). Without it, the server works it
    out.
    """

    document: Landable
    folded: str
    content_hash: str
    word_count: int
    matches: list[Match]
    mention: Match | None = None
    words: SplitText | None = None
    search: Vector | None = None

    @cached_property
    def comparable(self) -> Comparable:
        return Comparable(self.document.title, self.folded)

    @property
    def place(self) -> Place:
        published_at = self.document.published_at or datetime.max.replace(tzinfo=UTC)
        return Place(self.document.entry_id, published_at, self.document.canonical_url)
