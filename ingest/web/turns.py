"""Turns at hosts, for requests that no claim has spaced: redirects and robots.txt."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from db import Connection
from ingest.config.settings import Settings
from ingest.model.outcomes import FailureKind
from ingest.store import hosts
from ingest.text.urls import host_of
from ingest.web.client import RequestFailed

__all__ = ["Turns"]

T = TypeVar("T")

# How often to check a host to which another session has a request in flight.
LOOK_SECONDS = 0.25


class Turns:
    """Takes turns for the requests of one stage. `database` is the lock that guards the connection."""

    def __init__(
        self, connection: Connection, database: asyncio.Lock, settings: Settings, now: Callable[[], datetime]
    ) -> None:
        self._connection = connection
        self._database = database
        self._delay = settings.min_host_delay
        self._now = now

    def now(self) -> datetime:
        """Return the time by the stage's clock."""
        return self._now()

    async def take(self, host: str, *, hold: bool = False) -> None:
        """Wait until a request may be sent to `host`. Raises RequestFailed if the wait would be too long.

        With `hold`, this session has the host to itself until it lets go; see `hosts.reserve`.
        """
        gives_up = time.monotonic() + hosts.LONGEST_WAIT.total_seconds()

        def reserve() -> tuple[hosts.Turn, datetime, float]:
            now, asked = self._now(), time.monotonic()
            return hosts.reserve(self._connection, host, self._delay, now, hold=hold), now, asked

        while True:
            turn, now, asked = await self.query(reserve)
            if turn.at is not None or not turn.in_hand or time.monotonic() >= gives_up:
                break
            await asyncio.sleep(LOOK_SECONDS)
        if turn.at is None:
            raise RequestFailed(FailureKind.BUSY, f"{host}: asked not to be asked for now")
        # Relative to the time of asking: if the clock was set back since then, it says nothing about the wait.
        wait = (turn.at - now).total_seconds() - (time.monotonic() - asked)
        if wait > 0:
            await asyncio.sleep(wait)

    async def ended(self, host: str) -> None:
        """Start the pause before the next request to `host`, because the last one was answered just now."""
        now = self._now()
        await self.query(lambda: hosts.space(self._connection, [(host, now)], self._delay))

    async def before_redirect(self, before: str, url: str) -> None:
        """Take a turn at the host of `url` before following a redirect to it from `before`."""
        await self.ended(host_of(before))
        await self.take(host_of(url))

    async def query(self, query: Callable[[], T]) -> T:
        """Run a query in a thread, with exclusive use of the connection, and return its result."""
        async with self._database:
            return await asyncio.to_thread(query)
