"""The trigger that starts ingestion when the ledger has work, whatever put it there.

It listens on the PostgreSQL channel `news_entries`, where the database itself announces inserted entries, and keeps
track of when the next retry is due. Its events are only hints: a run takes whatever is due.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

if TYPE_CHECKING:
    import psycopg

    from db import Database

__all__ = ["LedgerTrigger", "entries_announced"]

log = logging.getLogger(__name__)

CHANNEL = "news_entries"
# A poll stores one feed after another: announcements within this time make one event.
GATHER_SECONDS = 0.2
# A run that has just started also takes what arrives during this time. One more event covers the rest.
QUIET_SECONDS = 3.0
# How often to check the ledger without an announcement. This also finds connections that died silently.
LOOK_SECONDS = 30.0
ANSWER_SECONDS = 10.0
LONGEST_RECONNECT_SECONDS = 30.0


class LedgerTrigger(BaseEventTrigger):
    """Yields an event when entries are added to the ledger or are due again. Runs until it is cancelled."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path of this class and its arguments. There are none, so Airflow's database holds no secret."""
        return "ingest.airflow.triggers.LedgerTrigger", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield events forever. While the database is down, wait for it to come back."""
        wait = 1.0
        while True:
            try:
                async with contextlib.aclosing(self._events()) as events:
                    async for event in events:
                        wait = 1.0
                        yield TriggerEvent(event)  # type: ignore[no-untyped-call]
            except Exception as error:  # noqa: BLE001 - Airflow does not restart a trigger that ends
                said = (str(error).splitlines() or [type(error).__name__])[0]
                log.warning("not listening for new entries, next try in %g s: %s", wait, said)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_RECONNECT_SECONDS)

    async def _events(self) -> AsyncGenerator[dict[str, Any]]:
        import psycopg

        from ingest.config.settings import load_settings

        settings = load_settings()
        async with _database(await _url(settings), settings.data_dir) as database:
            connection = await psycopg.AsyncConnection.connect(
                database.url, autocommit=True, connect_timeout=10, application_name="ingest trigger"
            )
            async with connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                waiting, due_at = await asyncio.to_thread(_look, database)
                # From here on, no announcement is missed.
                log.info("listening for new entries")
                if waiting:
                    yield {"reason": "entries were waiting"}
                while True:
                    entries = await _heard(connection, _seconds_until(due_at))
                    if entries:
                        yield {"reason": "new entries", "entries": entries}
                        await asyncio.sleep(QUIET_SECONDS)
                    elif _seconds_until(due_at) <= 0:
                        # The same run can then take whatever comes due in the next few seconds.
                        await asyncio.sleep(QUIET_SECONDS)
                        yield {"reason": "entries are due again"}
                    # Find a silently dead connection here, instead of hours later when TCP gives up on it.
                    await asyncio.wait_for(connection.execute("SELECT 1"), ANSWER_SECONDS)
                    _, due_at = await asyncio.to_thread(_look, database)


@contextlib.asynccontextmanager
async def _database(url: str | None, data_dir: Any) -> "AsyncGenerator[Database]":
    from db import open_database

    context = open_database(url, data_dir)
    database = await asyncio.to_thread(context.__enter__)
    try:
        yield database
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


async def _url(settings: Any) -> str | None:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    from ingest.airflow.connection import CONNECTION_ID, connection_url

    try:
        return connection_url(await BaseHook.aget_connection(CONNECTION_ID))
    except AirflowNotFoundException:
        return settings.database_url  # type: ignore[no-any-return]


async def _heard(connection: "psycopg.AsyncConnection[Any]", seconds: float) -> int:
    """Wait at most `seconds` for announcements, and return the number of entries announced."""
    entries = 0
    async for notify in connection.notifies(timeout=max(min(seconds, LOOK_SECONDS), 0.01), stop_after=1):
        entries += entries_announced(notify.payload)
    if entries:
        async for notify in connection.notifies(timeout=GATHER_SECONDS):
            entries += entries_announced(notify.payload)
    return entries


def entries_announced(payload: str) -> int:
    """Return how many entries an announcement mentions, or 1 if it cannot be read: anybody may send one."""
    try:
        return max(int(json.loads(payload)["entries"]), 1)
    except (ValueError, TypeError, KeyError):
        return 1


def _look(database: "Database") -> tuple[bool, Any]:
    """Return whether anything is due now, and when the next entry will be."""
    from ingest.runtime.clock import utc_now
    from ingest.store import ledger
    from ingest.store.hosts import LONGEST_WAIT

    now = utc_now()
    with database.connect() as connection:
        return (
            ledger.anything_due(connection, now, LONGEST_WAIT),
            ledger.next_due_at(connection, now, LONGEST_WAIT),
        )


def _seconds_until(due_at: Any) -> float:
    from ingest.runtime.clock import utc_now

    return float("inf") if due_at is None else (due_at - utc_now()).total_seconds()
