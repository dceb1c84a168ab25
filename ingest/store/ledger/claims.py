"""Claims of entries by the sessions that work on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db import Connection
from ingest.store.hosts import ROOM
from ingest.store.ledger.ranks import FETCHABLE, RECHECK

__all__ = [
    "ExtractJob",
    "FetchJob",
    "LandJob",
    "claim_to_extract",
    "claim_to_fetch",
    "claim_to_land",
    "give_back",
    "lock_claimed",
    "next_fetch_at",
    "retry",
]


@dataclass(frozen=True)
class FetchJob:
    """A claimed entry whose page is due to be fetched. If it was fetched before, it has the page's validators."""

    id: int
    url: str
    host: str
    attempts: int
    language: str | None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class LandJob:
    """A claimed entry whose document is ready to land. `attempts` counts earlier failures."""

    id: int
    attempts: int


@dataclass(frozen=True)
class ExtractJob:
    """A claimed entry whose page is ready for extraction."""

    id: int
    attempts: int


def claim_to_fetch(
    connection: Connection,
    now: datetime,
    *,
    limit: int,
    per_host: int,
    delay: timedelta,
    shard: tuple[int, int] = (0, 1),
) -> list[FetchJob]:
    """Claim up to `limit` due entries for fetching, host by host.

    A host that must be spaced (by `delay` or its Crawl-delay) yields one entry, at the time reserved for it. Any other
    host yields up to `per_host`. Hosts are ordered by the rank of their entries (see LIVE), then by their next free
    time, so a host with a thousand entries takes one turn like any other. Locked rows are skipped, so any number of
    workers may claim at once.
    """
    with connection.cursor(row_factory=class_row(FetchJob)) as cursor:
        return cursor.execute(
            f"""
            WITH ready AS MATERIALIZED (
                SELECT h.host, greatest(h.next_request_at, %(now)s) AS slot,
                       greatest(%(delay)s, coalesce(h.crawl_delay, interval '0')) AS spacing, {ROOM} AS room
                FROM news.hosts h CROSS JOIN LATERAL (
                    SELECT e.priority FROM news.entries e WHERE {FETCHABLE} ORDER BY e.priority LIMIT 1
                ) AS first
                WHERE h.next_request_at <= %(now)s
                  AND {ROOM} > 0
                  AND (%(shards)s = 1 OR mod(hashtext(h.host)::bigint + 2147483648, %(shards)s) = %(shard)s)
                ORDER BY first.priority, h.next_request_at
                LIMIT %(limit)s
                FOR UPDATE OF h SKIP LOCKED
            ), chosen AS MATERIALIZED (
                SELECT e.id
                FROM ready h CROSS JOIN LATERAL (
                    SELECT e.id FROM news.entries e WHERE {FETCHABLE}
                    ORDER BY e.priority, e.next_attempt_at, e.id
                    LIMIT h.room
                    FOR UPDATE OF e SKIP LOCKED
                ) e
                LIMIT %(limit)s
            ), claimed AS (
                UPDATE news.entries e
                SET lease_holder = news.claiming()
                FROM chosen, news.feeds f
                WHERE e.id = chosen.id AND f.id = e.feed_id
                RETURNING e.id, e.url, e.host, e.attempts, f.language, e.priority
            ), spaced AS (
                UPDATE news.hosts SET next_request_at = ready.slot + ready.spacing
                FROM ready
                WHERE hosts.host = ready.host AND ready.host IN (SELECT host FROM claimed)
            )
            SELECT claimed.id, url, host, attempts, language, page.etag, page.last_modified
            FROM claimed LEFT JOIN LATERAL (
                SELECT etag, last_modified FROM news.pages
                WHERE entry_id = claimed.id AND claimed.priority = %(recheck)s ORDER BY fetched_at DESC LIMIT 1
            ) page ON true
            """,
            {
                "now": now,
                "limit": limit,
                "recheck": RECHECK,
                "per_host": per_host,
                "delay": delay,
                "shard": shard[0],
                "shards": shard[1],
            },
        ).fetchall()


def next_fetch_at(connection: Connection, now: datetime) -> datetime | None:
    """Return when a host with due entries is free again, or None if no entry is due."""
    row = connection.execute(
        f"SELECT min(h.next_request_at) FROM news.hosts h WHERE EXISTS (SELECT FROM news.entries e WHERE {FETCHABLE})",
        {"now": now},
    ).fetchone()
    return row[0] if row is not None else None


def claim_to_extract(connection: Connection, now: datetime, limit: int) -> list[ExtractJob]:
    """Claim up to `limit` due entries with a fetched page, oldest first."""
    with connection.cursor(row_factory=class_row(ExtractJob)) as cursor:
        return cursor.execute(
            """
            WITH chosen AS MATERIALIZED (
                SELECT id FROM news.entries
                WHERE status = 'fetched' AND next_attempt_at <= %(now)s AND lease_holder IS NULL
                ORDER BY next_attempt_at, id
                LIMIT %(limit)s
                FOR UPDATE SKIP LOCKED
            )
            UPDATE news.entries e
            SET lease_holder = news.claiming()
            FROM chosen WHERE e.id = chosen.id
            RETURNING e.id, e.attempts
            """,
            {"now": now, "limit": limit},
        ).fetchall()


def claim_to_land(connection: Connection, now: datetime, limit: int) -> list[LandJob]:
    """Claim up to `limit` due entries with an extracted document, oldest first. Earlier failures are claimed alone."""
    with connection.cursor(row_factory=class_row(LandJob)) as cursor:
        return cursor.execute(
            """
            WITH chosen AS MATERIALIZED (
                SELECT id, attempts FROM news.entries
                WHERE status = 'extracted' AND next_attempt_at <= %(now)s AND lease_holder IS NULL
                ORDER BY next_attempt_at, id
                LIMIT %(limit)s
                FOR UPDATE SKIP LOCKED
            )
            UPDATE news.entries e SET lease_holder = news.claiming() FROM chosen WHERE e.id = chosen.id
            RETURNING e.id, e.attempts
            """,
            {"now": now, "limit": limit},
        ).fetchall()


def lock_claimed(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Lock entries this session has claimed until the end of the transaction. Return those it still owns."""
    rows = connection.execute(
        "SELECT id FROM news.entries WHERE id = ANY(%s) AND lease_holder = news.lease() ORDER BY id FOR UPDATE",
        [sorted(ids)],
    ).fetchall()
    return {row[0] for row in rows}


def give_back(connection: Connection, ids: Sequence[int]) -> None:
    """Release entries this session has claimed. Their due times do not change. Commits."""
    connection.execute(
        "UPDATE news.entries SET lease_holder = NULL WHERE id = ANY(%s) AND lease_holder = news.lease()", [list(ids)]
    )
    connection.commit()


def retry(connection: Connection, again: Sequence[tuple[int, datetime, str, bool]]) -> None:
    """Release claimed entries for a retry: (id, due time, what went wrong, whether the attempt counts)."""
    if not again:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE news.entries SET attempts = attempts + %s, next_attempt_at = %s, reason = %s, lease_holder = NULL"
            " WHERE id = %s AND lease_holder = news.lease()",
            [(int(counts), due, reason, entry) for entry, due, reason, counts in again],
        )
