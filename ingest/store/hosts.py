"""The table `hosts`: when each web host may be asked again, and its robots.txt, shared by all workers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from db import Connection
from db.rows import only_row

__all__ = [
    "LONGEST_WAIT",
    "ROOM",
    "Robots",
    "Turn",
    "let_go",
    "load_robots",
    "pause",
    "register",
    "reserve",
    "save_robots",
    "seconds_until",
    "space",
]

# Requests to the host `h` that sessions have in hand: entries and feeds of it that are claimed, and what is asked for
# on the way to them.
_IN_HAND = """(
    (SELECT count(*) FROM news.entries busy WHERE busy.lease_holder IS NOT NULL AND busy.status = 'discovered'
     AND busy.host = h.host)
    + (SELECT count(*) FROM news.feeds busy WHERE busy.lease_holder IS NOT NULL AND busy.host = h.host)
    + (h.lease_holder IS NOT NULL)::int)"""
# The same, of sessions other than this one; a redirect of its own leads where it may be already.
_IN_OTHER_HANDS = """(
    EXISTS (SELECT FROM news.entries busy WHERE busy.lease_holder IS NOT NULL AND busy.status = 'discovered'
            AND busy.host = h.host AND busy.lease_holder IS DISTINCT FROM news.lease())
    OR EXISTS (SELECT FROM news.feeds busy WHERE busy.lease_holder IS NOT NULL AND busy.host = h.host
               AND busy.lease_holder IS DISTINCT FROM news.lease())
    OR (h.lease_holder IS NOT NULL AND h.lease_holder IS DISTINCT FROM news.lease()))"""
# How many more may be sent: one at a time to a host that must be spaced, to another up to `per_host`, of all sessions.
ROOM = f"""(
    CASE WHEN greatest(%(delay)s, h.crawl_delay) > interval '0' THEN 1 ELSE %(per_host)s END - {_IN_HAND})"""

# What waits for a host whose turn is further off than this is left to a later run.
LONGEST_WAIT = timedelta(seconds=60)


def seconds_until(free: datetime | None, now: datetime) -> float | None:
    """Return the seconds until a host is free, None when nothing waits for one, or for longer than LONGEST_WAIT."""
    return (free - now).total_seconds() if free is not None and free - now <= LONGEST_WAIT else None


@dataclass(frozen=True)
class Robots:
    """A host's robots.txt as last seen: `status` None when it could not be reached."""

    text: str
    status: int | None
    fetched_at: datetime


def register(connection: Connection, hosts: Iterable[str], now: datetime) -> None:
    """Add hosts. Known ones keep their times."""
    connection.execute(
        "INSERT INTO news.hosts (host, next_request_at)"
        " SELECT DISTINCT host, %s::timestamptz FROM unnest(%s::text[]) AS host ORDER BY host"
        " ON CONFLICT (host) DO NOTHING",
        [now, sorted(set(hosts))],
    )


@dataclass(frozen=True)
class Turn:
    """An answer to `reserve`: the time from which a request may be sent; None, and why, when none was reserved."""

    at: datetime | None
    # Another session has a request to the host in hand; it may be asked again soon.
    in_hand: bool = False


def reserve(connection: Connection, host: str, delay: timedelta, now: datetime, *, hold: bool = False) -> Turn:
    """Reserve the next free time for a request to `host`, at least `delay` after the one before.

    Nothing is reserved when that is further off than LONGEST_WAIT, or while another session has a request to a host in
    hand that must be spaced. With `hold`, nobody else sends it one until `let_go`, or until this session ends.
    """
    register(connection, [host], now)
    row = only_row(
        connection,
        f"""
        WITH free AS MATERIALIZED (
            SELECT h.host, greatest(h.next_request_at, %(now)s) AS slot,
                   greatest(%(delay)s, coalesce(h.crawl_delay, interval '0')) AS spacing,
                   {_IN_OTHER_HANDS} AS in_hand
            FROM news.hosts h WHERE h.host = %(host)s FOR UPDATE OF h
        ), reserved AS (
            UPDATE news.hosts h SET
                next_request_at = free.slot + free.spacing,
                lease_holder = CASE WHEN %(hold)s THEN news.claiming() ELSE h.lease_holder END
            FROM free
            WHERE h.host = free.host AND free.slot <= %(now)s + %(longest)s
              AND NOT (free.in_hand AND (free.spacing > interval '0' OR %(hold)s))
            RETURNING free.slot
        )
        SELECT (SELECT slot FROM reserved), (SELECT in_hand FROM free)
        """,
        {"host": host, "delay": delay, "now": now, "longest": LONGEST_WAIT, "hold": hold},
    )
    connection.commit()
    return Turn(row[0], in_hand=row[0] is None and bool(row[1]))


def let_go(connection: Connection, host: str) -> None:
    """Release a host that was held by `reserve`."""
    connection.execute(
        "UPDATE news.hosts SET lease_holder = NULL WHERE host = %s AND lease_holder = news.lease()", [host]
    )
    connection.commit()


def space(connection: Connection, ended: Iterable[tuple[str, datetime]], delay: timedelta) -> None:
    """Let the next request to each host come at least `delay`, or its Crawl-delay, after the last one was answered.

    A turn says when a request may be sent, not when it arrives: name lookup, handshakes and a busy processor come
    between. When the answer is there, the request has arrived.
    """
    latest = dict(sorted(ended))
    connection.execute(
        "WITH done AS (SELECT * FROM unnest(%(hosts)s::text[], %(ats)s::timestamptz[]) AS done(host, at)),"
        " spaced AS MATERIALIZED ("
        "   SELECT h.host, done.at + greatest(%(delay)s, coalesce(crawl_delay, interval '0')) AS free"
        "   FROM news.hosts h JOIN done ON done.host = h.host"
        "   WHERE greatest(%(delay)s, coalesce(crawl_delay, interval '0')) > interval '0'"
        "   ORDER BY h.host FOR UPDATE OF h)"
        " UPDATE news.hosts SET next_request_at = spaced.free FROM spaced"
        " WHERE hosts.host = spaced.host AND hosts.next_request_at < spaced.free",
        {"hosts": list(latest), "ats": list(latest.values()), "delay": delay},
    )
    # On its own: what is stored next may have to be rolled back and repeated, and other sessions wait for the rows.
    connection.commit()


def pause(connection: Connection, host: str, until: datetime) -> None:
    """Send `host` no request before `until`: it asked for that (Retry-After)."""
    connection.execute(
        "UPDATE news.hosts SET next_request_at = greatest(next_request_at, %s) WHERE host = %s", [until, host]
    )


def load_robots(connection: Connection, host: str) -> Robots | None:
    """Return the stored robots.txt of `host`, None when it was never asked for."""
    row = connection.execute(
        "SELECT robots, robots_status, robots_fetched_at FROM news.hosts WHERE host = %s", [host]
    ).fetchone()
    connection.commit()
    return Robots(row[0] or "", row[1], row[2]) if row is not None and row[2] is not None else None


def save_robots(connection: Connection, host: str, robots: Robots, crawl_delay: timedelta | None) -> None:
    """Store what was learnt of a host's robots.txt."""
    connection.execute(
        "UPDATE news.hosts SET robots = %s, robots_status = %s, robots_fetched_at = %s, crawl_delay = %s"
        " WHERE host = %s",
        [robots.text.replace("\0", ""), robots.status, robots.fetched_at, crawl_delay, host],
    )
    connection.commit()
