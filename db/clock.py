"""The time of the database server, which all machines of a pipeline share: no clock of a client decides anything.

A process asks for it with each connection it opens, and counts on from there by a clock that nobody sets.
"""

import time
from datetime import UTC, datetime, timedelta

__all__ = ["agree", "local_now", "utc_now"]

# Goes on while the machine sleeps, where the system has such a clock (clock_gettime(2)).
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

# The server's time at a reading of that clock; None before the first connection.
_agreed: tuple[datetime, float] | None = None


def local_now() -> datetime:
    """Return what this machine takes for the time, aware, in UTC."""
    return datetime.now(UTC)


def agree(server_time: datetime) -> None:
    """Go by the server's time from now on. One process works with one server."""
    global _agreed  # noqa: PLW0603 - there is one time
    _agreed = (server_time, time.clock_gettime(_CLOCK))


def utc_now() -> datetime:
    """Return the present time, aware, in UTC: the database server's, before the first connection this machine's."""
    if _agreed is None:
        return local_now()
    at, reading = _agreed
    return at + timedelta(seconds=time.clock_gettime(_CLOCK) - reading)
