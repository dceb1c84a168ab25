"""Articles that exist already, as landing finds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from db import Connection

__all__ = ["Place", "Present", "lock", "of_entries", "of_pages"]


@dataclass(frozen=True)
class Place:
    """Where and when a text was published. The article describes its place with the lowest `order`."""

    entry_id: int
    published_at: datetime
    canonical_url: str

    @property
    def order(self) -> tuple[datetime, str]:
        return self.published_at, self.canonical_url


@dataclass(frozen=True)
class Present:
    """An existing article: the hash of its text, its title, and the place it describes."""

    id: int
    content_hash: str
    title: str | None
    place: Place


_PRESENT = "a.id, a.content_hash, a.title, a.entry_id, a.published_at, credited.canonical_url"


def _present(row: Sequence[Any]) -> Present:
    return Present(row[0], row[1], row[2], Place(row[3], row[4] or datetime.max.replace(tzinfo=UTC), row[5]))


def of_entries(connection: Connection, entry_ids: list[int]) -> dict[int, Present]:
    """Return the article of each of these entries whose text has landed before."""
    rows = connection.execute(
        f"SELECT s.entry_id, {_PRESENT} FROM news.sightings s JOIN news.articles a ON a.id = s.article_id"
        " JOIN news.entries credited ON credited.id = a.entry_id WHERE s.entry_id = ANY(%s)",
        [entry_ids],
    ).fetchall()
    return {row[0]: _present(row[1:]) for row in rows}


def of_pages(connection: Connection, addresses: list[str]) -> dict[str, Present]:
    """Return the articles that describe these pages, by the address in their feeds or the one they state."""
    rows = connection.execute(
        f"""
        SELECT known.address, {_PRESENT}
        FROM (SELECT id AS entry_id, canonical_url AS address FROM news.entries WHERE canonical_url = ANY(%(urls)s)
              UNION SELECT entry_id, page_url FROM news.documents WHERE page_url = ANY(%(urls)s)) AS known
        JOIN news.entries credited ON credited.id = known.entry_id
        JOIN news.articles a ON a.entry_id = credited.id
        ORDER BY a.id DESC
        """,
        {"urls": addresses},
    ).fetchall()
    return {row[0]: _present(row[1:]) for row in rows}


def lock(connection: Connection, content_hashes: list[str]) -> dict[str, Present]:
    """Return the articles that have or had these contents, and keep others from changing them until the commit.

    An article that has a content now goes before one that had it. The caller holds `stories.lock`, which keeps others
    from landing the same.
    """
    if not content_hashes:
        return {}
    rows = connection.execute(
        f"""
        SELECT same.content_hash, {_PRESENT}
        FROM (SELECT content_hash, id FROM news.articles WHERE content_hash = ANY(%(hashes)s)
              UNION SELECT content_hash, article_id FROM news.article_revisions WHERE content_hash = ANY(%(hashes)s)
             ) AS same
        JOIN news.articles a USING (id) JOIN news.entries credited ON credited.id = a.entry_id
        ORDER BY a.id FOR UPDATE OF a
        """,
        {"hashes": content_hashes},
    ).fetchall()
    found: dict[str, Present] = {}
    for row in rows:
        present = _present(row[1:])
        if row[0] not in found or present.content_hash == row[0]:
            found[row[0]] = present
    return found
