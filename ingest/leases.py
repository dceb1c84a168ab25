"""Leases: rows a session works on are its own until it commits, gives them back, dies or takes too long.

A claim writes the session's backend process id (`lease_holder`) and pushes the row's due time to the end of the
lease. The session also holds an advisory lock on that id, which PostgreSQL drops when the session ends, however it
ends. So a killed worker's rows are free as soon as the server notices, without waiting for the lease to run out, and
a worker that hangs loses its rows when the lease does.
"""

from datetime import datetime, timedelta

from db import Connection

__all__ = ["LEASE", "hold", "release_dead"]

# Longer than a row can wait for its turn and be worked on, in a queue of hanging pages say. Only a worker that hangs
# for ever is waited for so long: the rows of a dead one are free at once.
LEASE = timedelta(hours=2)

# First key of the advisory locks; the second is the backend process id.
_LOCK_CLASS = 0x6C65


def hold(connection: Connection) -> None:
    """Let this session's claims count as alive for as long as the session lasts."""
    fresh = connection.execute(
        "SELECT pg_advisory_lock(%(cls)s, pg_backend_pid()) WHERE NOT EXISTS ("
        "  SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %(cls)s AND objsubid = 2"
        "  AND objid = pg_backend_pid()::oid AND pid = pg_backend_pid()"
        "  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        {"cls": _LOCK_CLASS},
    ).fetchone()
    connection.commit()
    if fresh is None:
        return
    # Process ids come again, soon where the server runs in a container. What this one holds before its first claim is
    # a dead session's; no process has the number 0.
    for table in ("entries", "feeds", "hosts"):
        connection.execute(f"UPDATE news.{table} SET lease_holder = 0 WHERE lease_holder = pg_backend_pid()")
        connection.commit()


def release_dead(connection: Connection, now: datetime) -> int:
    """Make due again what sessions that no longer exist had claimed. Returns the number of rows."""
    released = 0
    # Entries before feeds, as everywhere: see docs/decisions.md on the order of locks.
    # A run polls the feeds that were due when it began; one released meanwhile was among them.
    for table, due, moment in (("entries", "next_attempt_at", now), ("feeds", "next_poll_at", now - LEASE)):
        # Table and column are constants of this module; values are bound.
        released += connection.execute(
            f"""
            UPDATE news.{table} SET lease_holder = NULL, {due} = least({due}, %(now)s)
            WHERE lease_holder IS NOT NULL AND lease_holder NOT IN (
                SELECT objid::bigint FROM pg_locks
                WHERE locktype = 'advisory' AND classid = %(cls)s AND objsubid = 2 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            """,
            {"now": moment, "cls": _LOCK_CLASS},
        ).rowcount
    # Hosts are locked before entries, and so not together with them.
    connection.commit()
    connection.execute(
        """
        UPDATE news.hosts SET lease_holder = NULL
        WHERE lease_holder IS NOT NULL AND lease_holder NOT IN (
            SELECT objid::bigint FROM pg_locks
            WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        """,
        [_LOCK_CLASS],
    )
    connection.commit()
    return released
