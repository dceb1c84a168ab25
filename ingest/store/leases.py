"""Leases: rows a session works on are its own until it commits, gives them back, dies, or says nothing for LEASE.

A session draws a token (`hold`), which its claims write into `lease_holder`, and says now and then that it is alive
(`keep`), by the server's clock. Rows of a token whose session has ended are free as soon as somebody looks, those of
one that says nothing (a frozen process, a lost machine) after LEASE. Whoever has lost a row cannot commit what it made
of it: all writes ask for `lease_holder = news.lease()`.

What a claim has not reached yet stays as due as it was: leases change nothing but `lease_holder`.
"""

import time
from datetime import timedelta
from weakref import WeakKeyDictionary

from db import Connection

__all__ = ["KEEP_SECONDS", "LEASE", "ensure", "hold", "keep", "release_dead"]

# Long enough for a server that is busy or fails over, short enough for a host whose worker is lost to wait for.
LEASE = timedelta(minutes=2)
KEEP_SECONDS = 20.0

# When sessions last said that they are alive, by this process's clock.
_kept: "WeakKeyDictionary[Connection, float]" = WeakKeyDictionary()

# Whether the token `of` belongs to a session that lives. Its process id may be another's by now, which the time tells.
_ALIVE = """EXISTS (
    SELECT FROM news.leases l WHERE l.token = {of} AND l.alive_until > clock_timestamp()
    AND EXISTS (SELECT FROM pg_stat_get_activity(l.pid)))"""


def hold(connection: Connection) -> None:
    """Get a lease for this session, or renew it, so that it can claim rows. Commits."""
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
    """Renew the lease of this session, and release the rows of dead ones. Commits."""
    hold(connection)
    release_dead(connection)


def ensure(connection: Connection) -> None:
    """Renew the lease before a claim, unless that was done lately. This process may have been frozen."""
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
    """Let others have what sessions that have died, or say nothing, had claimed. Returns the number of rows. Commits.

    Rows that a frozen session has locked are passed over: the server ends its transaction, and they come next time.
    """
    released = 0
    # Entries before feeds, as everywhere: see docs/decisions.md on the order of locks. Hosts are locked before entries,
    # and so not together with them.
    for tables in (("entries", "feeds", "backfills"), ("hosts",)):
        for table in tables:
            # The tables are constants of this function.
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
