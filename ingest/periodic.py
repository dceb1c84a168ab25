"""The table `periodic_work`: what is to be done now and then, by one of many workers."""

from datetime import datetime, timedelta

from db import Connection

__all__ = ["claim"]


def claim(connection: Connection, task: str, now: datetime, every: timedelta) -> bool:
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
