"""The tables `backfills` and `backfill_parts`: walks through a site's past, and their progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db import Connection
from db.rows import only_value

__all__ = [
    "Backfill",
    "Left",
    "Part",
    "add_parts",
    "begin",
    "done",
    "failed",
    "finish",
    "hold",
    "left",
    "let_go",
    "next_part",
    "reset",
]


@dataclass(frozen=True)
class Backfill:
    """A walk through everything a feed's site published from `since` until before `until`."""

    id: int
    feed_id: int
    since: datetime
    until: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Part:
    """A document to read: a sitemap, a sitemap index, or a page of a feed."""

    id: int
    url: str
    attempts: int


@dataclass(frozen=True)
class Left:
    """Progress of a backfill: documents to read (the first is due in `due_in` seconds), read, and given up."""

    waiting: int
    due_in: float | None
    read: int
    failed: int
    items: int
    new_entries: int
    undated: int


def begin(connection: Connection, feed_id: int, since: datetime, until: datetime | None, now: datetime) -> Backfill:
    """Return the backfill of this feed and period, and create it if there is none.

    Without `until`, return the feed's last unfinished backfill from `since`, else one that ends today.
    """
    with connection.cursor(row_factory=class_row(Backfill)) as cursor:
        if until is None:
            unfinished = connection.execute(
                "SELECT max(until) FROM news.backfills WHERE feed_id = %s AND since = %s AND finished_at IS NULL",
                [feed_id, since],
            ).fetchone()
            until = (unfinished and unfinished[0]) or today(now)
        found = cursor.execute(
            """
            INSERT INTO news.backfills AS b (feed_id, since, until, started_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT (feed_id, since, until) DO UPDATE SET started_at = b.started_at
            RETURNING id, feed_id, since, until, finished_at
            """,
            [feed_id, since, until, now],
        ).fetchone()
    connection.commit()
    assert found is not None
    return found


def today(now: datetime) -> datetime:
    """Return the start of the day, which is the default end of a period."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def size(connection: Connection, backfill: int) -> int:
    """Return how many documents of a backfill are known."""
    return int(only_value(connection, "SELECT count(*) FROM news.backfill_parts WHERE backfill_id = %s", [backfill]))


def hold(connection: Connection, backfill: int) -> bool:
    """Claim a backfill for this session while its lease lasts. Return False if another session has it."""
    held = connection.execute(
        "UPDATE news.backfills SET lease_holder = news.claiming()"
        " WHERE id = %s AND (lease_holder IS NULL OR lease_holder = news.lease())",
        [backfill],
    ).rowcount
    connection.commit()
    return held == 1


def let_go(connection: Connection, backfill: int) -> None:
    """Release a backfill to other sessions. Commits."""
    connection.execute(
        "UPDATE news.backfills SET lease_holder = NULL WHERE id = %s AND lease_holder = news.lease()", [backfill]
    )
    connection.commit()


def add_parts(connection: Connection, backfill: int, urls: Sequence[tuple[str, bool]], now: datetime) -> int:
    """Add documents that are not known yet: (address, whether to read it). Return how many are new."""
    rows = connection.execute(
        """
        INSERT INTO news.backfill_parts (backfill_id, url, status, next_attempt_at, read_at)
        SELECT %(backfill)s, url, CASE WHEN wanted THEN 'waiting' ELSE 'skipped' END, %(now)s,
               CASE WHEN NOT wanted THEN %(now)s::timestamptz END
        FROM unnest(%(urls)s::text[], %(wanted)s::boolean[]) WITH ORDINALITY AS part(url, wanted, place)
        ORDER BY place
        ON CONFLICT (backfill_id, url) DO NOTHING RETURNING id
        """,
        {
            "backfill": backfill,
            "now": now,
            "urls": [url for url, _ in urls],
            "wanted": [wanted for _, wanted in urls],
        },
    ).fetchall()
    return len(rows)


def next_part(connection: Connection, backfill: int, now: datetime) -> Part | None:
    """Return the first document that is due."""
    with connection.cursor(row_factory=class_row(Part)) as cursor:
        part = cursor.execute(
            "SELECT id, url, attempts FROM news.backfill_parts"
            " WHERE backfill_id = %s AND status = 'waiting' AND next_attempt_at <= %s ORDER BY id LIMIT 1",
            [backfill, now],
        ).fetchone()
    connection.commit()
    return part


def done(connection: Connection, part: int, now: datetime, *, items: int, new_entries: int, undated: int) -> None:
    """Record that a document was read, and what it contained."""
    connection.execute(
        "UPDATE news.backfill_parts SET status = 'done', read_at = %s, items = %s, new_entries = %s, undated = %s,"
        " error = NULL WHERE id = %s",
        [now, items, new_entries, undated, part],
    )


def failed(
    connection: Connection, part: int, error: str, now: datetime, again_after: timedelta | None, *, counts: bool = True
) -> None:
    """Record why a document could not be read, and when to try it again, if at all."""
    connection.execute(
        """
        UPDATE news.backfill_parts SET
            status = CASE WHEN %(again)s::interval IS NULL THEN 'failed' ELSE status END,
            read_at = CASE WHEN %(again)s::interval IS NULL THEN %(now)s::timestamptz END,
            attempts = attempts + %(counts)s, error = %(error)s,
            next_attempt_at = %(now)s + coalesce(%(again)s, interval '0')
        WHERE id = %(part)s
        """,
        {"part": part, "error": error, "now": now, "again": again_after, "counts": int(counts)},
    )
    connection.commit()


def reset(connection: Connection, backfill: int) -> None:
    """Forget the progress of a backfill."""
    connection.execute("DELETE FROM news.backfill_parts WHERE backfill_id = %s", [backfill])
    connection.execute("UPDATE news.backfills SET finished_at = NULL WHERE id = %s", [backfill])
    connection.commit()


def finish(connection: Connection, backfill: int, now: datetime) -> None:
    """Record that a backfill is complete."""
    connection.execute("UPDATE news.backfills SET finished_at = %s WHERE id = %s", [now, backfill])
    connection.commit()


def left(connection: Connection, backfill: int, now: datetime) -> Left:
    """Return the progress of a backfill."""
    with connection.cursor(row_factory=class_row(Left)) as cursor:
        row = cursor.execute(
            """
            SELECT count(*) FILTER (WHERE status = 'waiting') AS waiting,
                   extract(epoch FROM min(next_attempt_at) FILTER (WHERE status = 'waiting') - %s)::float8 AS due_in,
                   count(*) FILTER (WHERE status = 'done') AS read,
                   count(*) FILTER (WHERE status = 'failed') AS failed,
                   coalesce(sum(items), 0) AS items, coalesce(sum(new_entries), 0) AS new_entries,
                   coalesce(sum(undated), 0) AS undated
            FROM news.backfill_parts WHERE backfill_id = %s
            """,
            [now, backfill],
        ).fetchone()
    connection.commit()
    assert row is not None
    return row
