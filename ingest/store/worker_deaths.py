"""The table `worker_deaths`: worker processes that died when no page was to blame."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from db import Connection

__all__ = ["delete_older", "note", "since"]


def note(connection: Connection, said: Sequence[str], now: datetime) -> None:
    """Record deaths, by how they came. Commits."""
    if said:
        connection.execute(
            "INSERT INTO news.worker_deaths (died_at, said) SELECT %s, said FROM unnest(%s::text[]) AS said",
            [now, list(said)],
        )
        connection.commit()


def since(connection: Connection, moment: datetime) -> list[tuple[datetime, str]]:
    """Return the deaths since then, (when, how), the last one first."""
    return connection.execute(
        "SELECT died_at, said FROM news.worker_deaths WHERE died_at > %s ORDER BY died_at DESC, id DESC", [moment]
    ).fetchall()


def delete_older(connection: Connection, now: datetime, keep: timedelta) -> None:
    """Delete those that are older. Commits."""
    connection.execute("DELETE FROM news.worker_deaths WHERE died_at < %s", [now - keep])
    connection.commit()
