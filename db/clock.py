"""The database server's time, shared by all machines of a pipeline, so that no client's clock decides anything.

A process reads it whenever it opens a connection, and counts on from there with a clock that nobody can set.
"""

import time
from datetime import UTC, datetime, timedelta

__all__ = ["agree", "local_now", "utc_now"]

# Continues while the machine sleeps, if the system has such a clock (clock_gettime(2)).
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

# The server's time at a reading of that clock; None before the first connection.
_agreed: tuple[datetime, float] | None = None


def local_now() -> datetime:
    """Return this machine's time, aware, in UTC."""
    return datetime.now(UTC)


def agree(server_time: datetime) -> None:
    """Use the server's time from now on. One process works with one server."""
    global _agreed  # noqa: PLW0603 - there is one time
    _agreed = (server_time, time.clock_gettime(_CLOCK))


def utc_now() -> datetime:
    """Return the current time, aware, in UTC: the database server's or, before the first connection, this machine's."""
    if _agreed is None:
        return local_now()
    at, reading = _agreed
    return at + timedelta(seconds=time.clock_gettime(_CLOCK) - reading)
