"""Select entries to work on again, and delete old ones."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db import Connection
from db.rows import only_row

__all__ = [
    "ENDED",
    "SELECTED",
    "Gated",
    "Selection",
    "count_with_pages",
    "delete_without_article",
    "kept_by_gate",
    "with_pages",
]

# What has ended, and may have a page whose document is worth another look.
ENDED = "e.status IN ('landed', 'duplicate', 'off_topic', 'rejected') AND e.next_attempt_at IS NULL"


@dataclass(frozen=True)
class Selection:
    """Entries by feed (its id in feeds.yaml), and by when they were first seen. `until` is exclusive."""

    feed: str | None = None
    since: datetime | None = None
    until: datetime | None = None


# Whether the entry `e` is one of a selection, whose fields are the parameters.
SELECTED = """
    (%(feed)s::text IS NULL OR e.feed_id = (SELECT id FROM news.feeds WHERE slug = %(feed)s))
    AND (%(since)s::timestamptz IS NULL OR e.discovered_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR e.discovered_at < %(until)s)
"""


def with_pages(connection: Connection, selection: Selection, *, copies: bool, after: int, limit: int) -> list[int]:
    """Return the next ended entries with a stored page, by id, above `after`: copies, or all others."""
    rows = connection.execute(
        f"SELECT e.id FROM news.entries e WHERE e.id > %(after)s AND {ENDED} AND {SELECTED}"
        " AND (e.status = 'duplicate') = %(copies)s"
        " AND EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) ORDER BY e.id LIMIT %(limit)s",
        vars(selection) | {"copies": copies, "after": after, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def count_with_pages(connection: Connection, selection: Selection) -> tuple[int, int]:
    """Return how many ended entries have a stored page, and how many have a document and no page any more."""
    row = only_row(
        connection,
        f"""
        SELECT count(*) FILTER (WHERE stored), count(*) FILTER (WHERE NOT stored AND read)
        FROM (SELECT EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) AS stored,
                     EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id) AS read
              FROM news.entries e WHERE {ENDED} AND {SELECTED} AND e.host <> '') AS ended
        """,
        vars(selection),
    )
    return row[0], row[1]


@dataclass(frozen=True)
class Gated:
    """An item that the gate of its feed kept from being fetched."""

    id: int
    url: str
    title: str | None
    summary: str | None


def kept_by_gate(connection: Connection, selection: Selection, *, after: int, limit: int) -> list[Gated]:
    """Return the next entries that a feed's gate has kept out, by id, above `after`."""
    with connection.cursor(row_factory=class_row(Gated)) as cursor:
        return cursor.execute(
            "SELECT e.id, e.url, e.title, e.summary FROM news.entries e WHERE e.id > %(after)s"
            f" AND e.status = 'off_topic' AND e.reason = 'gate' AND {SELECTED} ORDER BY e.id LIMIT %(limit)s",
            vars(selection) | {"after": after, "limit": limit},
        ).fetchall()


def delete_without_article(connection: Connection, before: datetime, limit: int) -> int:
    """Delete entries first seen before `before` that gave no article, with their documents and pages.

    At most so many; returns how many. What articles rest on stays.
    """
    return connection.execute(
        "DELETE FROM news.entries WHERE id IN (SELECT e.id FROM news.entries e WHERE e.discovered_at < %s"
        " AND e.status IN ('off_topic', 'rejected', 'dead')"
        " AND NOT EXISTS (SELECT FROM news.sightings s WHERE s.entry_id = e.id)"
        " AND NOT EXISTS (SELECT FROM news.articles a WHERE a.entry_id = e.id) LIMIT %s FOR UPDATE SKIP LOCKED)",
        [before, limit],
    ).rowcount
