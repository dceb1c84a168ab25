"""Entries that have ended: worked on again, by hand or with a document that has changed, or let go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db import Connection
from ingest.store.ledger.due import wake
from ingest.store.ledger.ranks import BACKFILL

__all__ = [
    "SELECTED", "Gated", "Selection", "count_with_pages", "forget", "kept_by_gate", "land_again", "let_through",
    "reject", "reopen", "set_off_topic", "with_pages",
]  # fmt: skip

# What has ended, and may have a page whose document is worth another look.
_ENDED = "e.status IN ('landed', 'duplicate', 'off_topic', 'rejected') AND e.next_attempt_at IS NULL"


@dataclass(frozen=True)
class Selection:
    """Which entries: of a feed (its id in feeds.yaml), first seen in a period, whose end (`until`) is exclusive."""

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
    """Return the next of the ended entries whose page is stored, by id, those above `after`; copies, or all others."""
    rows = connection.execute(
        f"SELECT e.id FROM news.entries e WHERE e.id > %(after)s AND {_ENDED} AND {SELECTED}"
        " AND (e.status = 'duplicate') = %(copies)s"
        " AND EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) ORDER BY e.id LIMIT %(limit)s",
        vars(selection) | {"copies": copies, "after": after, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def count_with_pages(connection: Connection, selection: Selection) -> tuple[int, int]:
    """Return how many ended entries have a stored page, and how many have a document and no page any more."""
    row = connection.execute(
        f"""
        SELECT count(*) FILTER (WHERE stored), count(*) FILTER (WHERE NOT stored AND read)
        FROM (SELECT EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) AS stored,
                     EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id) AS read
              FROM news.entries e WHERE {_ENDED} AND {SELECTED} AND e.host <> '') AS ended
        """,
        vars(selection),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


# Whose document is still the one that was read, from the time it was extracted; none, where there was none.
_AS_READ = (
    "(SELECT d.extracted_at FROM news.documents d WHERE d.entry_id = e.id) IS NOT DISTINCT FROM again.extracted_at"
)


def land_again(connection: Connection, entries: Sequence[tuple[int, datetime | None]], now: datetime) -> set[int]:
    """Let ended entries, whose documents have changed, land again; returns those that had not been taken up since.

    Each comes with when the document that is replaced was extracted, None without one.
    """
    if not entries:
        return set()
    rows = connection.execute(
        "UPDATE news.entries e SET status = 'extracted', reason = NULL, attempts = 0, next_attempt_at = %s"
        " FROM unnest(%s::bigint[], %s::timestamptz[]) AS again(id, extracted_at)"
        f" WHERE e.id = again.id AND {_ENDED} AND {_AS_READ} RETURNING e.id",
        [now, *(list(column) for column in zip(*entries, strict=True))],
    ).fetchall()
    return {row[0] for row in rows}


def reject(connection: Connection, ends: Sequence[tuple[int, str, datetime | None]]) -> set[int]:
    """Let ended entries be rejected, each for a reason; returns those that had not been taken up since.

    With them go the entries of other feeds that stand for the same page and have none of their own.
    """
    if not ends:
        return set()
    rows = connection.execute(
        f"""
        WITH again AS (
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS again(id, reason, extracted_at)
        ), mine AS (
            SELECT e.id, e.canonical_url, again.reason FROM news.entries e JOIN again USING (id)
            WHERE {_ENDED} AND {_AS_READ}
        ), ended AS (
            SELECT id, reason FROM mine
            UNION
            SELECT twin.id, mine.reason FROM mine JOIN news.entries twin USING (canonical_url)
            WHERE twin.next_attempt_at IS NULL AND twin.status IN ('landed', 'duplicate')
              AND NOT EXISTS (SELECT FROM news.documents d WHERE d.entry_id = twin.id)
        )
        UPDATE news.entries e SET status = 'rejected', reason = ended.reason
        FROM ended WHERE e.id = ended.id RETURNING e.id
        """,
        [list(column) for column in zip(*ends, strict=True)],
    ).fetchall()
    return {row[0] for row in rows}


def set_off_topic(connection: Connection, ends: Sequence[tuple[int, str, float | None]]) -> set[int]:
    """Let ended entries be off topic, each for a reason and with the score of what it mentions.

    Returns those that were not so before, with the entries of other feeds that stand for the same page.
    """
    if not ends:
        return set()
    rows = connection.execute(
        f"""
        WITH judged AS (
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::real[]) AS judged(id, reason, score)
        ), mine AS (
            SELECT e.id, e.canonical_url, e.status, judged.reason, judged.score
            FROM news.entries e JOIN judged USING (id) WHERE {_ENDED}
        ), ended AS (
            SELECT id, status, reason, score FROM mine
            UNION
            SELECT twin.id, twin.status, mine.reason, mine.score FROM mine JOIN news.entries twin USING (canonical_url)
            WHERE mine.status <> 'off_topic' AND twin.next_attempt_at IS NULL AND twin.status IN ('landed', 'duplicate')
              AND NOT EXISTS (SELECT FROM news.documents d WHERE d.entry_id = twin.id)
        ), changed AS (
            UPDATE news.entries e SET status = 'off_topic', reason = ended.reason, topic_score = ended.score
            FROM ended WHERE e.id = ended.id
              AND (e.status, e.reason, e.topic_score) IS DISTINCT FROM ('off_topic', ended.reason, ended.score)
            RETURNING e.id, ended.status
        )
        SELECT id FROM changed WHERE status <> 'off_topic'
        """,
        [list(column) for column in zip(*ends, strict=True)],
    ).fetchall()
    return {row[0] for row in rows}


@dataclass(frozen=True)
class Gated:
    """An item that the gate of its feed kept from being fetched."""

    id: int
    url: str
    title: str | None
    summary: str | None


def kept_by_gate(connection: Connection, selection: Selection, *, after: int, limit: int) -> list[Gated]:
    """Return the next of the entries that a feed's gate has kept out, by id, those above `after`."""
    with connection.cursor(row_factory=class_row(Gated)) as cursor:
        return cursor.execute(
            "SELECT e.id, e.url, e.title, e.summary FROM news.entries e WHERE e.id > %(after)s"
            f" AND e.status = 'off_topic' AND e.reason = 'gate' AND {SELECTED} ORDER BY e.id LIMIT %(limit)s",
            vars(selection) | {"after": after, "limit": limit},
        ).fetchall()


def let_through(connection: Connection, entries: Sequence[int], now: datetime) -> int:
    """Let entries that a gate has kept out be fetched, behind all that is new; returns how many."""
    opened = connection.execute(
        "UPDATE news.entries SET status = 'discovered', reason = NULL, attempts = 0, next_attempt_at = %s,"
        " priority = %s WHERE id = ANY(%s) AND status = 'off_topic' AND reason = 'gate'",
        [now, BACKFILL, list(entries)],
    ).rowcount
    if opened:
        wake(connection, opened)
    return opened


def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Delete entries first seen before that time that came to nothing, with their documents and pages.

    At most so many; returns how many. What articles rest on stays.
    """
    return connection.execute(
        "DELETE FROM news.entries WHERE id IN (SELECT e.id FROM news.entries e WHERE e.discovered_at < %s"
        " AND e.status IN ('off_topic', 'rejected', 'dead')"
        " AND NOT EXISTS (SELECT FROM news.sightings s WHERE s.entry_id = e.id)"
        " AND NOT EXISTS (SELECT FROM news.articles a WHERE a.entry_id = e.id) LIMIT %s FOR UPDATE SKIP LOCKED)",
        [before, limit],
    ).rowcount


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
          AND {SELECTED}
          AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(e.reason)) > 0)
        """,
        vars(selection) | {"now": now, "reason": reason},
    ).rowcount
    connection.commit()
    if reopened:
        wake(connection, reopened)
    return reopened
