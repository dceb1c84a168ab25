"""The input and output of extraction. Separate from `ingest.extraction.article`, whose imports are heavy."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["NO_TEXT", "Document", "Hint", "NotAnArticle"]

# How the reason begins if a page has no text, which may still come.
NO_TEXT = "no article text"


class NotAnArticle(Exception):
    """The page contains no article. The message is the reason for the ledger."""


@dataclass(frozen=True)
class Hint:
    """What the feed said about the page, and the time of extraction. `content` is HTML."""

    now: datetime
    title: str | None = None
    author: str | None = None
    published_at: datetime | None = None
    language: str | None = None
    content: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class Document:
    """An extracted article. `published_from` is the source of the date: feed, jsonld, meta, page or url.

    `stated_at` is the date in the page's metadata, even if another was used. `published_note` lists rejected dates and
    the reasons. `agency` is the news agency credited for the text. `page_url` is the address that the page states as
    its own, in canonical form. `taken` is how much of the prose on the page the text is, if known.
    """

    title: str | None
    author: str | None
    published_at: datetime | None
    published_from: str | None
    language: str | None
    text: str
    extractor: str
    stated_at: datetime | None = None
    published_note: str | None = None
    agency: str | None = None
    page_url: str | None = None
    taken: float | None = None
