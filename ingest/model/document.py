"""What extraction takes and gives, apart from `ingest.extraction.article` itself, whose imports are heavy."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Document", "Hint", "NotAnArticle"]


class NotAnArticle(Exception):
    """The page holds no article. The message is the reason for the ledger."""


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
    """An extracted article. `published_from` says where the date comes from: feed, jsonld, meta, page or url.

    `stated_at` is the date that the page itself gives for programs, whichever was taken; `published_note` says what
    dates were refused, and why. `agency` is the news agency the text is credited to. `page_url` is the address that the
    page states as its own, in canonical form.
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
