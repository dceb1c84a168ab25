"""Entries that have ended and are worked on again: opened anew by hand, or with a document that has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db import Connection
from ingest.ledger.due import wake

__all__ = ["Selection", "count_with_pages", "land_again", "reject", "reopen", "with_pages"]

# What has ended, and may have a page whose document is worth another look.
_ENDED = "e.status IN ('landed', 'duplicate', 'off_topic', 'rejected') AND e.next_attempt_at IS NULL"


@dataclass(frozen=True)
class Selection:
    """Which entries: of a feed (its id in feeds.yaml), first seen in a period, whose end (`until`) is exclusive."""

    feed: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_SELECTED = """
    (%(feed)s::text IS NULL OR e.feed_id = (SELECT id FROM news.feeds WHERE slug = %(feed)s))
    AND (%(since)s::timestamptz IS NULL OR e.discovered_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR e.discovered_at < %(until)s)
"""


def with_pages(connection: Connection, selection: Selection, *, after: int, limit: int) -> list[int]:
    """Return the next of the ended entries whose page is stored, by id, those above `after`."""
    rows = connection.execute(
        f"SELECT e.id FROM news.entries e WHERE e.id > %(after)s AND {_ENDED} AND {_SELECTED}"
        " AND EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) ORDER BY e.id LIMIT %(limit)s",
        vars(selection) | {"after": after, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def count_with_pages(connection: Connection, selection: Selection) -> tuple[int, int]:
    """Return how many ended entries have a stored page, and how many have a document and no page any more."""
    row = connection.execute(
        f"""
        SELECT count(*) FILTER (WHERE stored), count(*) FILTER (WHERE NOT stored AND read)
        FROM (SELECT EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) AS stored,
                     EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id) AS read
              FROM news.entries e WHERE {_ENDED} AND {_SELECTED} AND e.host <> '') AS ended
        """,
        vars(selection),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def land_again(connection: Connection, ids: Sequence[int], now: datetime) -> set[int]:
    """Let ended entries, whose documents have changed, land again; returns those that had not been taken up since."""
    rows = connection.execute(
        "UPDATE news.entries e SET status = 'extracted', reason = NULL, attempts = 0, next_attempt_at = %s"
        f" WHERE e.id = ANY(%s) AND {_ENDED} RETURNING e.id",
        [now, list(ids)],
    ).fetchall()
    return {row[0] for row in rows}


def reject(connection: Connection, ends: Sequence[tuple[int, str]]) -> set[int]:
    """Let ended entries be rejected for a reason; returns those that had not been taken up since."""
    if not ends:
        return set()
    rows = connection.execute(
        "UPDATE news.entries e SET status = 'rejected', reason = ended.reason"
        " FROM unnest(%s::bigint[], %s::text[]) AS ended(id, reason)"
        f" WHERE e.id = ended.id AND {_ENDED} RETURNING e.id",
        [list(column) for column in zip(*ends, strict=True)],
    ).fetchall()
    return {row[0] for row in rows}


def reopen(connection: Connection, now: datetime, selection: Selection, *, reason: str | None = None) -> int:
    """Let entries that ended without an article be worked on again; returns how many.

    Those whose page is stored are extracted anew, the others fetched (imported texts: landed) anew. `reason` is a part
    of their reason. Entries kept out by a feed's gate, and those without a usable address, stay as they are.
    """
    reopened = connection.execute(
        f"""
        UPDATE news.entries e
        SET status = CASE WHEN EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) THEN 'fetched'
                          WHEN e.host = '' THEN 'extracted' ELSE 'discovered' END,
            reason = NULL, attempts = 0, next_attempt_at = %(now)s, lease_holder = NULL
        WHERE e.status IN ('off_topic', 'rejected', 'dead') AND e.url IS NOT NULL AND e.reason <> 'gate'
          AND (e.host <> '' OR EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id))
          AND NOT EXISTS (SELECT FROM news.sightings s WHERE s.entry_id = e.id)
          AND {_SELECTED}
          AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(e.reason)) > 0)
        """,
        vars(selection) | {"now": now, "reason": reason},
    ).rowcount
    connection.commit()
    if reopened:
        wake(connection, reopened)
    return reopened
