"""Claims of feeds by the sessions that poll them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db import Connection
from db.rows import only_row
from ingest.store import hosts
from ingest.store.feeds.state import FeedState
from ingest.store.ledger import LONGEST_TURN, Due

__all__ = ["claim", "due", "give_back", "make_due", "next_poll_at", "postpone", "state"]

# The columns of a FeedState, in its order.
_STATE = ", ".join(f"f.{name}" for name in FeedState.__dataclass_fields__)


def state(connection: Connection, slug: str) -> FeedState | None:
    """Return the feed with this id, or None if it does not exist or stands for imported files."""
    with connection.cursor(row_factory=class_row(FeedState)) as cursor:
        found = cursor.execute(
            f"SELECT {_STATE} FROM news.feeds f WHERE slug = %s AND url NOT LIKE 'import:%%'", [slug]
        ).fetchone()
    connection.commit()
    return found


def make_due(connection: Connection, slugs: Sequence[str], now: datetime) -> set[str]:
    """Make the enabled feeds with these ids due now. Return those that are known and enabled."""
    rows = connection.execute(
        "UPDATE news.feeds SET next_poll_at = least(next_poll_at, %s) WHERE slug = ANY(%s) AND enabled RETURNING slug",
        [now, list(slugs)],
    ).fetchall()
    connection.commit()
    return {row[0] for row in rows}


_DUE = "f.host = h.host AND f.enabled AND f.next_poll_at <= %(due)s AND f.lease_holder IS NULL"


def claim(
    connection: Connection, now: datetime, due: datetime, *, limit: int, per_host: int, delay: timedelta
) -> list[FeedState]:
    """Claim up to `limit` feeds that were due at `due`, host by host, as `ledger.claim_to_fetch` does for pages."""
    with connection.cursor(row_factory=class_row(FeedState)) as cursor:
        return cursor.execute(
            f"""
            WITH ready AS MATERIALIZED (
                SELECT h.host, greatest(h.next_request_at, %(now)s) AS slot,
                       greatest(%(delay)s, coalesce(h.crawl_delay, interval '0')) AS spacing, {hosts.ROOM} AS room
                FROM news.hosts h
                WHERE h.next_request_at <= %(now)s AND EXISTS (SELECT FROM news.feeds f WHERE {_DUE})
                  AND {hosts.ROOM} > 0
                ORDER BY h.next_request_at
                LIMIT %(limit)s
                FOR UPDATE OF h SKIP LOCKED
            ), chosen AS MATERIALIZED (
                SELECT f.id
                FROM ready h CROSS JOIN LATERAL (
                    SELECT f.id FROM news.feeds f WHERE {_DUE}
                    ORDER BY f.next_poll_at, f.id
                    LIMIT h.room
                    FOR UPDATE OF f SKIP LOCKED
                ) f
                LIMIT %(limit)s
            ), claimed AS (
                UPDATE news.feeds f
                SET lease_holder = news.claiming()
                FROM chosen
                WHERE f.id = chosen.id
                RETURNING {_STATE}
            ), spaced AS (
                UPDATE news.hosts SET next_request_at = ready.slot + ready.spacing
                FROM ready
                WHERE hosts.host = ready.host AND ready.host IN (SELECT host FROM claimed)
            )
            SELECT * FROM claimed
            """,
            {"now": now, "due": due, "limit": limit, "per_host": per_host, "delay": delay},
        ).fetchall()


def next_poll_at(connection: Connection, due: datetime) -> datetime | None:
    """Return when a host with feeds due at `due` is free again, or None if no feed is due."""
    row = connection.execute(
        f"SELECT min(h.next_request_at) FROM news.hosts h WHERE EXISTS (SELECT FROM news.feeds f WHERE {_DUE})",
        {"due": due},
    ).fetchone()
    return row[0] if row is not None else None


def due(connection: Connection, now: datetime) -> Due:
    """Return what is due to be polled, claimed or not."""
    row = only_row(
        connection,
        "SELECT count(*), min(greatest(f.next_poll_at, h.next_request_at)), min(f.next_poll_at) FROM news.feeds f"
        " JOIN news.hosts h ON h.host = f.host WHERE f.enabled AND f.next_poll_at <= %(now)s"
        " AND h.next_request_at <= %(now)s + %(turn)s",
        {"now": now, "turn": LONGEST_TURN},
    )
    return Due(*row)


def give_back(connection: Connection, claimed: Sequence[FeedState]) -> None:
    """Release feeds this session has claimed. Their due times do not change."""
    connection.execute(
        "UPDATE news.feeds SET lease_holder = NULL WHERE id = ANY(%s) AND lease_holder = news.lease()",
        [sorted(feed.id for feed in claimed)],
    )
    connection.commit()


def postpone(connection: Connection, claimed: Sequence[FeedState], now: datetime) -> None:
    """Put off feeds this session has claimed, because their host is busy. Commits.

    No request was sent, so nothing else about them changes and no poll is recorded.
    """
    if claimed:
        connection.execute(
            "UPDATE news.feeds SET next_poll_at = %s, lease_holder = NULL"
            " WHERE id = ANY(%s) AND lease_holder = news.lease()",
            [now + hosts.LONGEST_WAIT, sorted(feed.id for feed in claimed)],
        )
        connection.commit()
