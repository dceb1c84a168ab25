"""The table `pages`: fetched pages as received, compressed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import class_row, dict_row

from db import Connection
from db.rows import only_value
from ingest.store.articles import CHOSEN, Chosen, bound

__all__ = [
    "LoadedPage",
    "StoredPage",
    "count_chosen",
    "load",
    "load_extracted",
    "save",
    "streamed",
]

PAGES_AT_ONCE = 100


@dataclass(frozen=True)
class StoredPage:
    """A page as stored. `body` is compressed; `body_bytes` is its uncompressed size."""

    entry_id: int
    fetched_at: datetime
    final_url: str
    http_status: int
    content_type: str | None
    etag: str | None
    last_modified: str | None
    body: bytes
    body_bytes: int


def save(connection: Connection, pages: list[StoredPage]) -> None:
    """Store pages."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO news.pages (entry_id, fetched_at, final_url, http_status, content_type, etag, last_modified,"
            " body, body_bytes) VALUES (%(entry_id)s, %(fetched_at)s, %(final_url)s, %(http_status)s,"
            " %(content_type)s, %(etag)s, %(last_modified)s, %(body)s, %(body_bytes)s)"
            " ON CONFLICT (entry_id, fetched_at) DO NOTHING",
            [vars(page) for page in pages],
        )


@dataclass(frozen=True)
class LoadedPage:
    """The part of a stored page that extraction needs. `body` is compressed."""

    entry_id: int
    url: str
    content_type: str | None
    body: bytes
    fetched_at: datetime


def load(connection: Connection, entry_ids: list[int]) -> list[LoadedPage]:
    """Return the newest page of each entry."""
    return _load(connection, entry_ids, "true")


def load_extracted(connection: Connection, entry_ids: list[int]) -> list[LoadedPage]:
    """Return, for each entry, the page its document was extracted from or, without a document, the newest.

    If a later fetch found no article, that page is not the one the document describes.
    """
    return _load(
        connection,
        entry_ids,
        "fetched_at <= coalesce((SELECT extracted_at FROM news.documents d WHERE d.entry_id = wanted.id), 'infinity')",
    )


_CHOSEN: LiteralString = f"""
    SELECT FROM news.sightings g JOIN news.articles a ON a.id = g.article_id WHERE g.entry_id = p.entry_id AND {CHOSEN}
"""


def count_chosen(connection: Connection, chosen: Chosen | None) -> int:
    """Return how many stored pages belong to the places of these articles; without `chosen`, count all pages."""
    return int(
        only_value(
            connection,
            f"SELECT count(*) FROM news.pages p WHERE %(all)s OR EXISTS ({_CHOSEN})",
            bound(chosen or Chosen()) | {"all": chosen is None},
        )
    )


@contextmanager
def streamed(connection: Connection, chosen: Chosen | None) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield those pages with their columns, `body` still compressed, with a few in memory at a time."""
    with connection.cursor("pages", row_factory=dict_row) as cursor:
        cursor.itersize = PAGES_AT_ONCE
        cursor.execute(
            f"SELECT * FROM news.pages p WHERE %(all)s OR EXISTS ({_CHOSEN}) ORDER BY p.fetched_at, p.entry_id",
            bound(chosen or Chosen()) | {"all": chosen is None},
        )
        yield iter(cursor)


def _load(connection: Connection, entry_ids: list[int], which: LiteralString) -> list[LoadedPage]:
    with connection.cursor(row_factory=class_row(LoadedPage)) as cursor:
        return cursor.execute(
            "SELECT p.entry_id, p.final_url AS url, p.content_type, p.body, p.fetched_at"
            " FROM unnest(%s::bigint[]) AS wanted(id) CROSS JOIN LATERAL (SELECT * FROM news.pages"
            f"   WHERE entry_id = wanted.id AND {which} ORDER BY fetched_at DESC LIMIT 1) p",
            [entry_ids],
        ).fetchall()
