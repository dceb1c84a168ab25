"""Leases: a session owns the rows it works on until it commits, gives them back, dies, or is silent for LEASE.

A session draws a token (`hold`). Its claims write the token into `lease_holder`, and the session regularly renews the
lease (`keep`), by the server's clock. If a session has ended, its rows are free as soon as another session checks. If
it is only silent (a frozen process, a lost machine), they are free after LEASE. A session that has lost a row cannot
commit results for it: every write checks `lease_holder = news.lease()`.

Claimed rows that were not reached stay as due as before: leases change nothing but `lease_holder`.
"""

import time
from datetime import timedelta
from weakref import WeakKeyDictionary

from db import Connection

__all__ = ["KEEP_SECONDS", "LEASE", "ensure", "hold", "keep", "release_dead"]

# Long enough for a server that is busy or fails over, short enough for a host to wait if its worker is lost.
LEASE = timedelta(minutes=2)
KEEP_SECONDS = 20.0

# When sessions last renewed their lease, by this process's clock.
_kept: "WeakKeyDictionary[Connection, float]" = WeakKeyDictionary()

# Whether the token `of` belongs to a live session. The pid may have been reused by now, so check `alive_until` too.
_ALIVE = """EXISTS (
    SELECT FROM news.leases l WHERE l.token = {of} AND l.alive_until > clock_timestamp()
    AND EXISTS (SELECT FROM pg_stat_get_activity(l.pid)))"""


def hold(connection: Connection) -> None:
    """Give this session a token for claims, valid as long as it is kept alive. Commits."""
    _kept[connection] = time.monotonic()
    if _renewed(connection):
        return
    connection.execute(
        "WITH drawn AS (INSERT INTO news.leases (pid, alive_until)"
        " VALUES (pg_backend_pid(), clock_timestamp() + %s) RETURNING token)"
        " SELECT set_config('news.lease', token::text, false) FROM drawn",
        [LEASE],
    )
    connection.commit()


def keep(connection: Connection) -> None:
    """Renew this session's lease, and release the rows of dead sessions. Commits."""
    hold(connection)
    release_dead(connection)


def ensure(connection: Connection) -> None:
    """Renew the lease before a claim if that is overdue: this process may have been frozen."""
    if time.monotonic() - _kept.get(connection, -LEASE.total_seconds()) > 2 * KEEP_SECONDS:
        keep(connection)


def _renewed(connection: Connection) -> bool:
    renewed = connection.execute(
        "UPDATE news.leases SET alive_until = clock_timestamp() + %s"
        " WHERE token = news.lease() AND pid = pg_backend_pid()",
        [LEASE],
    ).rowcount
    connection.commit()
    return renewed == 1


def release_dead(connection: Connection) -> int:
    """Release the rows of sessions that have died or gone silent. Return the number of rows. Commits.

    Rows that a frozen session has locked are skipped. The server ends its transaction, so a later call releases them.
    """
    released = 0
    # Entries before feeds, as everywhere: see docs/decisions.md on the order of locks. Hosts are locked before entries,
    # so they need a transaction of their own.
    for tables in (("entries", "feeds", "backfills"), ("hosts",)):
        for table in tables:
            # The table names are constants of this function.
            key = "host" if table == "hosts" else "id"
            released += connection.execute(
                f"""
                UPDATE news.{table} SET lease_holder = NULL WHERE {key} IN (
                    SELECT {key} FROM news.{table} AS row WHERE lease_holder IS NOT NULL
                    AND NOT {_ALIVE.format(of="row.lease_holder")} ORDER BY {key} FOR UPDATE OF row SKIP LOCKED)
                """
            ).rowcount
        connection.commit()
    connection.execute(
        "DELETE FROM news.leases WHERE token IN (SELECT token FROM news.leases"
        " WHERE alive_until < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED)"
    )
    connection.commit()
    return released
