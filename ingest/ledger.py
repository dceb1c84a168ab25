"""The table `entries`, the ledger: each item seen in a feed and what became of it.

An entry moves discovered -> fetched -> extracted -> landed (or ends earlier) by the functions of this module alone.
None of them commits: the stage commits its result together with the new status.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db import Connection
from ingest.hosts import IN_HAND
from ingest.leases import LEASE

__all__ = [
    "ExtractJob",
    "FetchJob",
    "NewEntry",
    "advance",
    "anything_due",
    "anything_expected",
    "anything_ready",
    "claim_to_extract",
    "claim_to_fetch",
    "finish",
    "finish_landing",
    "frequent_reasons",
    "lock_to_land",
    "neglected",
    "next_due_at",
    "next_fetch_at",
    "outcomes",
    "record",
    "reopen",
    "retry",
    "statistics",
    "waiting",
    "wake",
]


@dataclass(frozen=True)
class NewEntry:
    """An item of a feed, ready for the ledger. With a `status`, it is final from the start."""

    identity: str
    url: str | None
    canonical_url: str | None
    host: str | None
    title: str | None
    summary: str | None
    content: str | None
    author: str | None
    published_at: datetime | None
    status: str = "discovered"
    reason: str | None = None


@dataclass(frozen=True)
class FetchJob:
    """A claimed entry whose page is to be fetched now."""

    id: int
    url: str
    host: str
    attempts: int
    language: str | None


@dataclass(frozen=True)
class ExtractJob:
    """A claimed entry whose page is to be extracted."""

    id: int
    attempts: int


def record(connection: Connection, feed_id: int, entries: Sequence[NewEntry], now: datetime) -> dict[int, str]:
    """Put the entries that the feed has not shown before into the ledger; returns their ids, and their identities.

    An item that came without a usable link (the document broke off, say) and has one now counts as new.
    """
    if not entries:
        return {}
    columns = (
        "identity", "url", "canonical_url", "host", "title", "summary", "content", "author", "status", "reason",
    )  # fmt: skip
    values: dict[str, object] = {name: [getattr(entry, name) for entry in entries] for name in columns}
    values |= {"feed": feed_id, "now": now, "published_at": [entry.published_at for entry in entries]}
    rows = connection.execute(
        """
        INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, title, summary, content, author,
                                  published_at, discovered_at, status, reason, next_attempt_at)
        SELECT %(feed)s, seen.identity, seen.url, seen.canonical_url, seen.host, seen.title, seen.summary,
               seen.content, seen.author, seen.published_at, %(now)s, seen.status, seen.reason,
               CASE WHEN seen.status IN ('discovered', 'fetched', 'extracted') THEN %(now)s::timestamptz END
        FROM unnest(%(identity)s::text[], %(url)s::text[], %(canonical_url)s::text[], %(host)s::text[],
                    %(title)s::text[], %(summary)s::text[], %(content)s::text[], %(author)s::text[],
                    %(published_at)s::timestamptz[], %(status)s::text[], %(reason)s::text[])
             WITH ORDINALITY
             AS seen(identity, url, canonical_url, host, title, summary, content, author, published_at, status,
                     reason, place)
        WHERE NOT EXISTS (SELECT FROM news.entries known
                          WHERE known.feed_id = %(feed)s AND known.identity = seen.identity
                            AND (known.url IS NOT NULL OR seen.url IS NULL))
        ORDER BY seen.place
        ON CONFLICT (feed_id, identity) DO UPDATE SET
            url = excluded.url, canonical_url = excluded.canonical_url, host = excluded.host, title = excluded.title,
            summary = excluded.summary, content = excluded.content, author = excluded.author,
            published_at = excluded.published_at, status = excluded.status, reason = excluded.reason,
            next_attempt_at = excluded.next_attempt_at
        WHERE news.entries.url IS NULL
        RETURNING id, identity
        """,
        values,
    ).fetchall()
    return dict(rows)


# Which discovered entries may be fetched now: due, and no earlier entry of the same page still on its way (that one
# settles this one too, see ingest.land).
_FETCHABLE = """
    e.host = h.host AND e.status = 'discovered' AND e.next_attempt_at <= %(now)s
    AND NOT EXISTS (SELECT FROM news.entries twin WHERE twin.canonical_url = e.canonical_url AND twin.id < e.id
                    AND twin.status IN ('discovered', 'fetched', 'extracted'))
"""


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

    A host that must be spaced (by `delay` or its Crawl-delay) gives one entry, at the time reserved for it; another
    up to `per_host`. Hosts wait in the order of their next free time, so a host with a thousand entries takes one
    turn like any other. Locked rows are passed over: any number of workers may claim at once.
    """
    with connection.cursor(row_factory=class_row(FetchJob)) as cursor:
        return cursor.execute(
            f"""
            WITH ready AS MATERIALIZED (
                SELECT h.host, greatest(h.next_request_at, %(now)s) AS slot,
                       greatest(%(delay)s, coalesce(h.crawl_delay, interval '0')) AS spacing
                FROM news.hosts h
                WHERE h.next_request_at <= %(now)s AND EXISTS (SELECT FROM news.entries e WHERE {_FETCHABLE})
                  AND (greatest(%(delay)s, h.crawl_delay) = interval '0' OR NOT {IN_HAND})
                  AND (%(shards)s = 1 OR mod(hashtext(h.host)::bigint + 2147483648, %(shards)s) = %(shard)s)
                ORDER BY h.next_request_at
                LIMIT %(limit)s
                FOR UPDATE OF h SKIP LOCKED
            ), chosen AS MATERIALIZED (
                SELECT e.id
                FROM ready h CROSS JOIN LATERAL (
                    SELECT e.id FROM news.entries e WHERE {_FETCHABLE}
                    ORDER BY e.next_attempt_at, e.id
                    LIMIT CASE WHEN h.spacing > interval '0' THEN 1 ELSE %(per_host)s END
                    FOR UPDATE OF e SKIP LOCKED
                ) e
                LIMIT %(limit)s
            ), claimed AS (
                UPDATE news.entries e
                SET next_attempt_at = %(now)s + %(lease)s, lease_holder = pg_backend_pid()
                FROM chosen, news.feeds f
                WHERE e.id = chosen.id AND f.id = e.feed_id
                RETURNING e.id, e.url, e.host, e.attempts, f.language
            ), spaced AS (
                UPDATE news.hosts SET next_request_at = ready.slot + ready.spacing
                FROM ready
                WHERE hosts.host = ready.host AND ready.host IN (SELECT host FROM claimed)
            )
            SELECT * FROM claimed
            """,
            {
                "now": now,
                "limit": limit,
                "per_host": per_host,
                "delay": delay,
                "lease": LEASE,
                "shard": shard[0],
                "shards": shard[1],
            },
        ).fetchall()


def next_fetch_at(connection: Connection, now: datetime) -> datetime | None:
    """Return when a host with due entries is free again; None when no entry is due."""
    row = connection.execute(
        f"SELECT min(h.next_request_at) FROM news.hosts h WHERE EXISTS (SELECT FROM news.entries e WHERE {_FETCHABLE})",
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
                WHERE status = 'fetched' AND next_attempt_at <= %(now)s
                ORDER BY next_attempt_at, id
                LIMIT %(limit)s
                FOR UPDATE SKIP LOCKED
            )
            UPDATE news.entries e
            SET next_attempt_at = %(now)s + %(lease)s, lease_holder = pg_backend_pid()
            FROM chosen WHERE e.id = chosen.id
            RETURNING e.id, e.attempts
            """,
            {"now": now, "lease": LEASE, "limit": limit},
        ).fetchall()


def lock_to_land(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Lock up to `limit` due extracted entries, oldest first, until the end of the transaction; returns their ids.

    Landing is one transaction from here to the final status, so it needs no lease.
    """
    rows = connection.execute(
        "SELECT id FROM news.entries WHERE status = 'extracted' AND next_attempt_at <= %s"
        " ORDER BY next_attempt_at, id LIMIT %s FOR UPDATE SKIP LOCKED",
        [now, limit],
    ).fetchall()
    return [row[0] for row in rows]


def advance(connection: Connection, ids: Sequence[int], status: str, now: datetime) -> set[int]:
    """Move entries this session has claimed to the next stage, due at once; returns those that were still its own."""
    if not ids:
        return set()
    rows = connection.execute(
        "UPDATE news.entries SET status = %s, reason = NULL, attempts = 0, next_attempt_at = %s, lease_holder = NULL"
        " WHERE id = ANY(%s) AND lease_holder = pg_backend_pid() RETURNING id",
        [status, now, ids],
    ).fetchall()
    return {row[0] for row in rows}


def finish(connection: Connection, ends: Sequence[tuple[int, str, str | None]]) -> None:
    """End entries this session has claimed: (id, final status, reason)."""
    _end(connection, ends, "e.lease_holder = pg_backend_pid()")


def finish_landing(connection: Connection, ends: Sequence[tuple[int, str, str | None]]) -> None:
    """End entries that this transaction has locked to land: (id, final status, reason)."""
    _end(connection, ends, "e.status = 'extracted'")


def _end(connection: Connection, ends: Sequence[tuple[int, str, str | None]], owned: str) -> None:
    if not ends:
        return
    ids, statuses, reasons = zip(*ends, strict=True)
    connection.execute(
        "UPDATE news.entries e SET status = ended.status, reason = ended.reason, next_attempt_at = NULL,"
        " lease_holder = NULL FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS ended(id, status, reason)"
        f" WHERE e.id = ended.id AND {owned}",
        [list(ids), list(statuses), list(reasons)],
    )


def retry(connection: Connection, again: Sequence[tuple[int, datetime, str, bool]]) -> None:
    """Give entries this session has claimed back: (id, due time, what went wrong, whether the attempt counts)."""
    if not again:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE news.entries SET attempts = attempts + %s, next_attempt_at = %s, reason = %s, lease_holder = NULL"
            " WHERE id = %s AND lease_holder = pg_backend_pid()",
            [(int(counts), due, reason, entry) for entry, due, reason, counts in again],
        )


def anything_due(connection: Connection, now: datetime, horizon: timedelta) -> bool:
    """Return whether any stage could take an entry now, or within `horizon` once its host is free."""
    row = connection.execute(
        f"""
        SELECT EXISTS (SELECT FROM news.entries WHERE status = 'fetched' AND next_attempt_at <= %(now)s)
            OR EXISTS (SELECT FROM news.entries WHERE status = 'extracted' AND next_attempt_at <= %(now)s)
            OR EXISTS (SELECT FROM news.hosts h WHERE h.next_request_at <= %(now)s + %(horizon)s
                       AND EXISTS (SELECT FROM news.entries e WHERE {_FETCHABLE}))
        """,
        {"now": now, "horizon": horizon},
    ).fetchone()
    return row is not None and bool(row[0])


def anything_expected(connection: Connection, stage: str, now: datetime, horizon: timedelta) -> bool:
    """Return whether the stages before `stage` ("extract" or "land") may still hand it something within `horizon`.

    They may when they have entries in hand, or could take some.
    """
    row = connection.execute(
        f"""
        SELECT EXISTS (SELECT FROM news.entries WHERE lease_holder IS NOT NULL
                       AND (status = 'discovered' OR (status = 'fetched' AND %(landing)s)))
            OR (%(landing)s
                AND EXISTS (SELECT FROM news.entries WHERE status = 'fetched' AND next_attempt_at <= %(now)s))
            OR EXISTS (SELECT FROM news.hosts h WHERE h.next_request_at <= %(now)s + %(horizon)s
                       AND EXISTS (SELECT FROM news.entries e WHERE {_FETCHABLE}))
        """,
        {"now": now, "horizon": horizon, "landing": stage == "land"},
    ).fetchone()
    connection.commit()
    return row is not None and bool(row[0])


def anything_ready(connection: Connection, stage: str, now: datetime) -> bool:
    """Return whether `stage` ("extract" or "land") could take an entry now."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM news.entries WHERE status = 'fetched' AND next_attempt_at <= %(now)s AND %(first)s)"
        " OR EXISTS (SELECT FROM news.entries WHERE status = 'extracted' AND next_attempt_at <= %(now)s"
        " AND NOT %(first)s)",
        {"now": now, "first": stage == "extract"},
    ).fetchone()
    connection.commit()
    return row is not None and bool(row[0])


def neglected(connection: Connection, now: datetime) -> int:
    """Return how many entries are due, of any stage, while no session works on any: 0 when one does."""
    row = connection.execute(
        f"""
        SELECT CASE WHEN EXISTS (SELECT FROM news.entries WHERE lease_holder IS NOT NULL) THEN 0 ELSE
            (SELECT count(*) FROM news.entries WHERE status = 'fetched' AND next_attempt_at <= %(now)s)
            + (SELECT count(*) FROM news.entries WHERE status = 'extracted' AND next_attempt_at <= %(now)s)
            + (SELECT count(*) FROM news.entries e JOIN news.hosts h ON h.host = e.host
               WHERE h.next_request_at <= %(now)s AND {_FETCHABLE}) END
        """,
        {"now": now},
    ).fetchone()
    connection.commit()
    assert row is not None
    return int(row[0])


def next_due_at(connection: Connection, now: datetime, horizon: timedelta) -> datetime | None:
    """Return when, after `now`, the first entry that waits will be due: a retry, or a host that asked for a pause.

    A host counts from `horizon` before it is free: whoever works on its entries waits so long.
    """
    row = connection.execute(
        """
        SELECT least(
            (SELECT min(next_attempt_at) FROM news.entries WHERE status = 'discovered' AND next_attempt_at > %(now)s),
            (SELECT min(next_attempt_at) FROM news.entries WHERE status = 'fetched' AND next_attempt_at > %(now)s),
            (SELECT min(next_attempt_at) FROM news.entries WHERE status = 'extracted' AND next_attempt_at > %(now)s),
            (SELECT min(h.next_request_at) - %(horizon)s FROM news.hosts h
             WHERE h.next_request_at > %(now)s + %(horizon)s
             AND EXISTS (SELECT FROM news.entries e WHERE e.host = h.host AND e.status = 'discovered')))
        """,
        {"now": now, "horizon": horizon},
    ).fetchone()
    connection.commit()
    return row[0] if row is not None else None


def wake(connection: Connection, entries: int) -> None:
    """Tell those who listen on the channel `news_entries` that entries wait; inserted ones tell it by themselves."""
    connection.execute("SELECT pg_notify('news_entries', json_build_object('entries', %s::int)::text)", [entries])
    connection.commit()


def reopen(
    connection: Connection,
    now: datetime,
    *,
    feed: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    reason: str | None = None,
) -> int:
    """Let entries that ended without an article be worked on again; returns how many.

    Those whose page is stored are extracted anew, the others fetched (imported texts: landed) anew. `feed` is an id
    of feeds.yaml, `since` and `until` (exclusive) limit when the entry was discovered, `reason` is a part of its
    reason. Entries kept out by a feed's gate, and those without a usable address, stay as they are.
    """
    reopened = connection.execute(
        """
        UPDATE news.entries e
        SET status = CASE WHEN EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) THEN 'fetched'
                          WHEN e.host = '' THEN 'extracted' ELSE 'discovered' END,
            reason = NULL, attempts = 0, next_attempt_at = %(now)s, lease_holder = NULL
        WHERE e.status IN ('off_topic', 'rejected', 'dead') AND e.url IS NOT NULL AND e.reason <> 'gate'
          AND (e.host <> '' OR EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id))
          AND NOT EXISTS (SELECT FROM news.sightings s WHERE s.entry_id = e.id)
          AND (%(feed)s::text IS NULL OR e.feed_id = (SELECT id FROM news.feeds WHERE slug = %(feed)s))
          AND (%(since)s::timestamptz IS NULL OR e.discovered_at >= %(since)s)
          AND (%(until)s::timestamptz IS NULL OR e.discovered_at < %(until)s)
          AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(e.reason)) > 0)
        """,
        {"now": now, "feed": feed, "since": since, "until": until, "reason": reason},
    ).rowcount
    connection.commit()
    if reopened:
        wake(connection, reopened)
    return reopened


def waiting(connection: Connection) -> tuple[int, datetime | None]:
    """Return how many entries are still on their way, and when the first of them is due."""
    row = connection.execute(
        "SELECT count(*), min(next_attempt_at) FROM news.entries WHERE next_attempt_at IS NOT NULL"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def outcomes(connection: Connection) -> Counter[tuple[int, str]]:
    """Return the number of entries by (feed_id, status).

    Made of indexes alone: a million entries are counted in a tenth of a second.
    """
    rows = connection.execute(
        """
        SELECT feed_id, status, count(*) FROM news.entries WHERE next_attempt_at IS NULL GROUP BY 1, 2
        UNION ALL SELECT feed_id, status, count(*) FROM news.entries WHERE status = 'discovered' GROUP BY 1, 2
        UNION ALL SELECT feed_id, status, count(*) FROM news.entries WHERE status = 'fetched' GROUP BY 1, 2
        UNION ALL SELECT feed_id, status, count(*) FROM news.entries WHERE status = 'extracted' GROUP BY 1, 2
        """
    ).fetchall()
    return Counter({(row[0], row[1]): row[2] for row in rows})


def statistics(connection: Connection) -> dict[str, int]:
    """Return the number of entries by status."""
    sums: Counter[str] = Counter()
    for (_, status), count in outcomes(connection).items():
        sums[status] += count
    return dict(sums)


def frequent_reasons(connection: Connection, *, among: int, limit: int) -> list[tuple[str, str, int]]:
    """Return the most frequent (status, reason, count) of the last `among` entries that ended without an article."""
    return connection.execute(
        """
        SELECT status, reason, count(*) FROM news.entries
        WHERE id > (SELECT max(id) FROM news.entries) - %s AND status IN ('off_topic', 'rejected', 'dead')
        GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %s
        """,
        [among, limit],
    ).fetchall()
