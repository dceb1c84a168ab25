"""What is due, what will be due, and how waiting processes are notified."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from db import Connection
from db.rows import only_row, only_value
from ingest.store.ledger.ranks import BACKFILL, FETCHABLE

__all__ = [
    "LONGEST_TURN",
    "Due",
    "announce",
    "anything_due",
    "anything_expected",
    "anything_ready",
    "due",
    "neglected",
    "next_due_at",
    "waiting",
    "wake",
]

# A host whose turn is later than this has asked to be left alone.
LONGEST_TURN = timedelta(minutes=1)


@dataclass(frozen=True)
class Due:
    """What is due: how much, when the first entry became available (its host was free), and since when it waits."""

    count: int
    since: datetime | None
    waits_since: datetime | None


# Whether a stage may take an entry: it is due and unclaimed.
_FREE = "next_attempt_at <= %(now)s AND lease_holder IS NULL"


def anything_due(connection: Connection, now: datetime, horizon: timedelta) -> bool:
    """Return whether any stage could take an entry now, or within `horizon` once its host is free."""
    row = connection.execute(
        f"""
        SELECT EXISTS (SELECT FROM news.entries WHERE status = 'fetched' AND {_FREE})
            OR EXISTS (SELECT FROM news.entries WHERE status = 'extracted' AND {_FREE})
            OR EXISTS (SELECT FROM news.entries WHERE recheck_at <= %(now)s AND next_attempt_at IS NULL)
            OR EXISTS (SELECT FROM news.hosts h WHERE h.next_request_at <= %(now)s + %(horizon)s
                       AND EXISTS (SELECT FROM news.entries e WHERE {FETCHABLE}))
        """,
        {"now": now, "horizon": horizon},
    ).fetchone()
    return row is not None and bool(row[0])


def anything_expected(connection: Connection, stage: str, now: datetime, horizon: timedelta) -> bool:
    """Return whether the stages before `stage` ("extract" or "land") may still pass it something within `horizon`.

    They may if they have claimed entries, or could claim some.
    """
    row = connection.execute(
        f"""
        SELECT EXISTS (SELECT FROM news.entries WHERE lease_holder IS NOT NULL
                       AND (status = 'discovered' OR (status = 'fetched' AND %(landing)s)))
            OR (%(landing)s
                AND EXISTS (SELECT FROM news.entries WHERE status = 'fetched' AND {_FREE}))
            OR EXISTS (SELECT FROM news.hosts h WHERE h.next_request_at <= %(now)s + %(horizon)s
                       AND EXISTS (SELECT FROM news.entries e WHERE {FETCHABLE}))
        """,
        {"now": now, "horizon": horizon, "landing": stage == "land"},
    ).fetchone()
    connection.commit()
    return row is not None and bool(row[0])


def anything_ready(connection: Connection, stage: str, now: datetime) -> bool:
    """Return whether `stage` ("extract" or "land") could take an entry now."""
    row = connection.execute(
        f"SELECT EXISTS (SELECT FROM news.entries WHERE status = 'fetched' AND {_FREE} AND %(first)s)"
        f" OR EXISTS (SELECT FROM news.entries WHERE status = 'extracted' AND {_FREE} AND NOT %(first)s)",
        {"now": now, "first": stage == "extract"},
    ).fetchone()
    connection.commit()
    return row is not None and bool(row[0])


def neglected(connection: Connection, now: datetime) -> int:
    """Return how many entries are due at any stage while no session holds a claim; 0 if any does."""
    count = only_value(
        connection,
        f"""
        SELECT CASE WHEN EXISTS (SELECT FROM news.entries WHERE lease_holder IS NOT NULL) THEN 0 ELSE
            (SELECT count(*) FROM news.entries WHERE status = 'fetched' AND {_FREE})
            + (SELECT count(*) FROM news.entries WHERE status = 'extracted' AND {_FREE})
            + (SELECT count(*) FROM news.entries WHERE recheck_at <= %(now)s AND next_attempt_at IS NULL)
            + (SELECT count(*) FROM news.entries e JOIN news.hosts h ON h.host = e.host
               WHERE h.next_request_at <= %(now)s AND {FETCHABLE}) END
        """,
        {"now": now},
    )
    connection.commit()
    return int(count)


def next_due_at(connection: Connection, now: datetime, horizon: timedelta) -> datetime | None:
    """Return when, after `now`, the first waiting entry will be due: a retry, a recheck, or a host that is free again.

    A host counts from `horizon` before it is free, because a stage that works on its entries waits that long.
    """
    row = connection.execute(
        """
        SELECT least(
            (SELECT min(next_attempt_at) FROM news.entries WHERE status = 'discovered' AND next_attempt_at > %(now)s),
            (SELECT min(next_attempt_at) FROM news.entries WHERE status = 'fetched' AND next_attempt_at > %(now)s),
            (SELECT min(next_attempt_at) FROM news.entries WHERE status = 'extracted' AND next_attempt_at > %(now)s),
            (SELECT min(recheck_at) FROM news.entries WHERE recheck_at > %(now)s AND next_attempt_at IS NULL),
            (SELECT min(h.next_request_at) - %(horizon)s FROM news.hosts h
             WHERE h.next_request_at > %(now)s + %(horizon)s
             AND EXISTS (SELECT FROM news.entries e WHERE e.host = h.host AND e.status = 'discovered')))
        """,
        {"now": now, "horizon": horizon},
    ).fetchone()
    connection.commit()
    return row[0] if row is not None else None


def wake(connection: Connection, entries: int) -> None:
    """Notify listeners on the channel `news_entries` that entries are waiting. Inserts notify by themselves."""
    announce(connection, entries)
    connection.commit()


def announce(connection: Connection, entries: int) -> None:
    """Like `wake`, but when the transaction commits."""
    connection.execute("SELECT pg_notify('news_entries', json_build_object('entries', %s::int)::text)", [entries])


def waiting(connection: Connection) -> tuple[int, datetime | None]:
    """Return how many entries are still in flight, and when the first of them is due."""
    row = only_row(
        connection, "SELECT count(*), min(next_attempt_at) FROM news.entries WHERE next_attempt_at IS NOT NULL"
    )
    return row[0], row[1]


def due(connection: Connection, now: datetime) -> dict[str, Due]:
    """Return what is due for each stage, claimed or not. Entries from backfills are left out, as they can wait."""
    rows = connection.execute(
        """
        SELECT 'fetch', count(*), min(greatest(e.next_attempt_at, h.next_request_at)), min(e.next_attempt_at)
        FROM news.entries e JOIN news.hosts h ON h.host = e.host
        WHERE e.status = 'discovered' AND e.next_attempt_at <= %(now)s AND h.next_request_at <= %(now)s + %(turn)s
          AND e.priority <> %(backfill)s
          -- As in FETCHABLE: one whose page is on its way already waits for that.
          AND NOT EXISTS (SELECT FROM news.entries twin WHERE twin.canonical_url = e.canonical_url AND twin.id < e.id
                          AND twin.status IN ('discovered', 'fetched', 'extracted'))
        UNION ALL
        SELECT 'extract', count(*), min(next_attempt_at), min(next_attempt_at) FROM news.entries
        WHERE status = 'fetched' AND next_attempt_at <= %(now)s AND priority <> %(backfill)s
        UNION ALL
        SELECT 'land', count(*), min(next_attempt_at), min(next_attempt_at) FROM news.entries
        WHERE status = 'extracted' AND next_attempt_at <= %(now)s AND priority <> %(backfill)s
        """,
        {"now": now, "backfill": BACKFILL, "turn": LONGEST_TURN},
    ).fetchall()
    return {row[0]: Due(*row[1:]) for row in rows}
