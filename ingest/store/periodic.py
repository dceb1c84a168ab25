"""The table `periodic_work`: periodic tasks, each done by one of many workers."""

import time
from datetime import datetime, timedelta

from db import Connection

__all__ = ["Heartbeat", "done_at", "last", "take_turn"]

# A stage that is at work says so this often.
BEAT_EVERY = timedelta(seconds=20)


def take_turn(connection: Connection, task: str, now: datetime, every: timedelta) -> bool:
    """Return whether it is this session's turn to do a task: nobody has done it for that long. Commits."""
    claimed = connection.execute(
        "INSERT INTO news.periodic_work AS known (task, done_at) VALUES (%(task)s, %(now)s)"
        " ON CONFLICT (task) DO UPDATE SET done_at = excluded.done_at"
        # Ahead of us is a clock that was wrong.
        " WHERE known.done_at <= %(before)s OR known.done_at > %(now)s",
        {"task": task, "now": now, "before": now - every},
    ).rowcount
    connection.commit()
    return claimed == 1


def last(connection: Connection, task: str) -> datetime | None:
    """Return when a task was last claimed, None when it never was."""
    row = connection.execute("SELECT done_at FROM news.periodic_work WHERE task = %s", [task]).fetchone()
    return row[0] if row is not None else None


def done_at(connection: Connection, stage: str) -> datetime | None:
    """Return when a stage last said that it had done something, None when it never has."""
    return last(connection, _task(stage))


class Heartbeat:
    """Says now and then that a stage gets something done: what is due and not done is noticed by that."""

    def __init__(self, connection: Connection, stage: str) -> None:
        self._connection = connection
        self._stage = stage
        self._said_at: float | None = None

    def note(self, now: datetime) -> None:
        """Say so, unless it was said just now. Commits."""
        reading = time.monotonic()
        if self._said_at is None or reading - self._said_at >= BEAT_EVERY.total_seconds():
            self._said_at = reading
            take_turn(self._connection, _task(self._stage), now, BEAT_EVERY)


def _task(stage: str) -> str:
    return f"{stage}: something was done"
