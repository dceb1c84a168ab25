"""The table `documents`: the article extracted from each page."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db import Connection
from ingest.document import Document, Hint
from ingest.ledger import FEED_DATE

__all__ = ["Landable", "hints", "load", "save"]


@dataclass(frozen=True)
class Landable:
    """A document with what landing needs to know of its entry and feed."""

    entry_id: int
    feed_id: int
    url: str
    canonical_url: str
    outlet: str
    title: str | None
    author: str | None
    published_at: datetime | None
    published_from: str | None
    language: str | None
    text: str


def hints(connection: Connection, entry_ids: list[int], now: datetime) -> dict[int, Hint]:
    """Return what the feeds said about the entries."""
    rows = connection.execute(
        f"SELECT e.id, e.title, e.author, {FEED_DATE}, f.language, e.content, f.country"
        " FROM news.entries e JOIN news.feeds f ON f.id = e.feed_id WHERE e.id = ANY(%s)",
        [entry_ids],
    ).fetchall()
    return {row[0]: Hint(now, *row[1:]) for row in rows}


def save(connection: Connection, documents: list[tuple[int, Document]], now: datetime) -> None:
    """Store the documents of entries, in place of earlier ones."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO news.documents (entry_id, extracted_at, title, author, published_at, published_from, language,
                                        text, extractor)
            VALUES (%(entry_id)s, %(now)s, %(title)s, %(author)s, %(published_at)s, %(published_from)s, %(language)s,
                    %(text)s, %(extractor)s)
            ON CONFLICT (entry_id) DO UPDATE SET
                extracted_at = excluded.extracted_at, title = excluded.title, author = excluded.author,
                published_at = excluded.published_at, published_from = excluded.published_from,
                language = excluded.language, text = excluded.text, extractor = excluded.extractor
            """,
            [vars(document) | {"entry_id": entry_id, "now": now} for entry_id, document in documents],
        )


def load(connection: Connection, entry_ids: list[int]) -> list[Landable]:
    """Return the documents of the entries."""
    with connection.cursor(row_factory=class_row(Landable)) as cursor:
        return cursor.execute(
            """
            SELECT e.id AS entry_id, e.feed_id, e.url, e.canonical_url, f.outlet, d.title, d.author,
                   d.published_at, d.published_from, d.language, d.text
            FROM news.entries e
            JOIN news.feeds f ON f.id = e.feed_id
            JOIN news.documents d ON d.entry_id = e.id
            WHERE e.id = ANY(%s)
            """,
            [entry_ids],
        ).fetchall()
