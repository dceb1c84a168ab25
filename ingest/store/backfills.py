"""The tables `backfills` and `backfill_parts`: the backfills, and how far each has come."""

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
    """A backfill of what a feed's site published from `since` to before `until`."""

    id: int
    feed_id: int
    since: datetime
    until: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Part:
    """A document to be read: a sitemap, a sitemap index, or a page of a feed."""

    id: int
    url: str
    attempts: int


@dataclass(frozen=True)
class Left:
    """What is left of a backfill: documents to be read (and in how many seconds the first is due), read, given up."""

    waiting: int
    due_in: float | None
    read: int
    failed: int
    items: int
    new_entries: int
    undated: int


def begin(connection: Connection, feed_id: int, since: datetime, until: datetime | None, now: datetime) -> Backfill:
    """Return the backfill of this feed and period, a new one when there is none yet.

    Without `until`, the last one of the feed since then that was not finished, else one until the present day.
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
    """Return the beginning of the day, the end of a period that has none."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def size(connection: Connection, backfill: int) -> int:
    """Return how many documents of a backfill are known."""
    return int(only_value(connection, "SELECT count(*) FROM news.backfill_parts WHERE backfill_id = %s", [backfill]))


def hold(connection: Connection, backfill: int) -> bool:
    """Let this session work on a backfill for as long as its lease lasts; False when another one does."""
    held = connection.execute(
        "UPDATE news.backfills SET lease_holder = news.claiming()"
        " WHERE id = %s AND (lease_holder IS NULL OR lease_holder = news.lease())",
        [backfill],
    ).rowcount
    connection.commit()
    return held == 1


def let_go(connection: Connection, backfill: int) -> None:
    """Let other sessions work on a backfill. Commits."""
    connection.execute(
        "UPDATE news.backfills SET lease_holder = NULL WHERE id = %s AND lease_holder = news.lease()", [backfill]
    )
    connection.commit()


def add_parts(connection: Connection, backfill: int, urls: Sequence[tuple[str, bool]], now: datetime) -> int:
    """Add documents that are not known yet: (address, whether it is worth reading). Returns how many are new."""
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
    """Note that a document was read, and what it held."""
    connection.execute(
        "UPDATE news.backfill_parts SET status = 'done', read_at = %s, items = %s, new_entries = %s, undated = %s,"
        " error = NULL WHERE id = %s",
        [now, items, new_entries, undated, part],
    )


def failed(
    connection: Connection, part: int, error: str, now: datetime, again_after: timedelta | None, *, counts: bool = True
) -> None:
    """Note why a document could not be read, and when it is tried again, if it is."""
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
    """Start a backfill again from the beginning."""
    connection.execute("DELETE FROM news.backfill_parts WHERE backfill_id = %s", [backfill])
    connection.execute("UPDATE news.backfills SET finished_at = NULL WHERE id = %s", [backfill])
    connection.commit()


def finish(connection: Connection, backfill: int, now: datetime) -> None:
    """Note that nothing is left of a backfill."""
    connection.execute("UPDATE news.backfills SET finished_at = %s WHERE id = %s", [now, backfill])
    connection.commit()


def left(connection: Connection, backfill: int, now: datetime) -> Left:
    """Return how far a backfill has come."""
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
