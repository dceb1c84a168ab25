"""The table `pages`: fetched pages as they came, compressed."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import zstandard
from psycopg.rows import class_row

from db import Connection

__all__ = ["LoadedPage", "StoredPage", "compress", "decompress", "load", "load_extracted", "save"]

# The fastest level gains most of it on HTML already; higher ones cost the fetching process more than they save.
COMPRESSION_LEVEL = 1


@dataclass(frozen=True)
class StoredPage:
    """A page as stored; `body` is compressed, `body_bytes` its size before."""

    entry_id: int
    fetched_at: datetime
    final_url: str
    http_status: int
    content_type: str | None
    etag: str | None
    last_modified: str | None
    body: bytes
    body_bytes: int


def compress(body: bytes) -> bytes:
    """Return `body` as a zstd frame (RFC 8878)."""
    return zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(body)


def decompress(body: bytes) -> bytes:
    """Return the content of a zstd frame. Raises zstandard.ZstdError when it is damaged."""
    return zstandard.ZstdDecompressor().decompress(body)


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
    """What extraction needs of a stored page; `body` is compressed."""

    entry_id: int
    url: str
    content_type: str | None
    body: bytes
    fetched_at: datetime


def load(connection: Connection, entry_ids: list[int]) -> list[LoadedPage]:
    """Return the newest page of each entry."""
    return _load(connection, entry_ids, "true")


def load_extracted(connection: Connection, entry_ids: list[int]) -> list[LoadedPage]:
    """Return the page of each entry that its document was extracted from; without a document, the newest.

    A page that was fetched later, and held no article, is not what the document is about.
    """
    return _load(
        connection,
        entry_ids,
        "fetched_at <= coalesce((SELECT extracted_at FROM news.documents d WHERE d.entry_id = wanted.id), 'infinity')",
    )


def _load(connection: Connection, entry_ids: list[int], which: LiteralString) -> list[LoadedPage]:
    with connection.cursor(row_factory=class_row(LoadedPage)) as cursor:
        return cursor.execute(
            "SELECT p.entry_id, p.final_url AS url, p.content_type, p.body, p.fetched_at"
            " FROM unnest(%s::bigint[]) AS wanted(id) CROSS JOIN LATERAL (SELECT * FROM news.pages"
            f"   WHERE entry_id = wanted.id AND {which} ORDER BY fetched_at DESC LIMIT 1) p",
            [entry_ids],
        ).fetchall()
