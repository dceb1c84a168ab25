"""The facts about an article apart from its text, from its page and its feed."""

from dataclasses import dataclass

from lxml.html import HtmlElement

from ingest.extraction.dates import Dating, dating
from ingest.extraction.metadata import Metadata
from ingest.extraction.page_kind import PageKind
from ingest.model.document import Hint
from ingest.text.urls import page_address

__all__ = ["PageFacts"]


@dataclass(frozen=True)
class PageFacts:
    """Title, author, dates and kind of a page. `kind` is None without HTML.

    `address` is what the page states as its own address, in canonical form.
    """

    title: str | None
    author: str | None
    dating: Dating
    address: str | None
    kind: PageKind | None

    @classmethod
    def read(cls, tree: HtmlElement | None, url: str, hint: Hint) -> "PageFacts":
        """Return the facts of the page `tree`, fetched from `url`. Without a tree, they come from the feed.

        Call this first: text extraction removes parts of the tree.
        """
        metadata = Metadata(tree, url)
        dated = dating(tree, metadata, url, hint)
        return cls(
            title=metadata.title() or hint.title,
            author=metadata.author() or hint.author,
            dating=dated,
            address=page_address(metadata.address(), url),
            kind=None if tree is None else PageKind.of(tree, url, metadata, is_dated=dated.at is not None),
        )
