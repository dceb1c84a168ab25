"""The common base of the stages: how they are called, and how they work on the ledger.

A stage is a function `(connection, settings, now, ...) -> counts`. Inside, it is a `Stage`: it claims what is due,
works on it, and saves each result together with the new status in one transaction. This module does what all stages
need for that: hold a lease, send heartbeats, count outcomes, stop in order.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from functools import partial
from typing import ClassVar, Generic, TypeVar

from db import Connection, retry_deadlocks
from ingest.config.settings import Settings
from ingest.runtime import loops
from ingest.runtime.rolling import Claimed, work_through
from ingest.store import leases
from ingest.store.periodic import Heartbeat

__all__ = ["OnOutcome", "RollingStage", "Stage", "ignore"]

Job = TypeVar("Job")
Result = TypeVar("Result")

# Called after each commit with an outcome (a field of the stage's counts) and its number.
OnOutcome = Callable[[str, int], None]


def ignore(outcome: str, count: int) -> None:
    """Do nothing, for callers who only want the final counts."""


class Stage:
    """A running stage. `tally` counts each outcome."""

    name: ClassVar[str]

    def __init__(
        self, connection: Connection, settings: Settings, now: Callable[[], datetime], on_outcome: OnOutcome
    ) -> None:
        self.connection = connection
        self.settings = settings
        self.now = now
        self.tally: Counter[str] = Counter()
        self._on_outcome = on_outcome
        self._heartbeat = Heartbeat(connection, self.name)

    def keep_lease(self) -> None:
        """Renew this session's lease, and release what dead sessions hold. Commits."""
        retry_deadlocks(self.connection, partial(leases.keep, self.connection))

    def ensure_lease(self) -> None:
        """Renew the lease, unless that was done just now. Call this before each claim."""
        retry_deadlocks(self.connection, partial(leases.ensure, self.connection))

    def count(self, outcome: str, count: int = 1) -> None:
        """Count an outcome. Call this after the commit."""
        self.tally[outcome] += count
        self._on_outcome(outcome, count)

    def beat(self) -> None:
        """Record that work was done. Commits."""
        self._heartbeat.note(self.now())


class RollingStage(Stage, ABC, Generic[Job, Result]):
    """A stage that waits for servers or worker processes, and so works on many jobs at once.

    `claim`, `save` and `give_back` are called in a thread, one at a time, under the lock `database`. They may block.
    """

    def __init__(
        self, connection: Connection, settings: Settings, now: Callable[[], datetime], on_outcome: OnOutcome
    ) -> None:
        super().__init__(connection, settings, now, on_outcome)
        self.database = asyncio.Lock()

    @abstractmethod
    def claim(self, limit: int) -> Claimed[Job]:
        """Claim at most `limit` jobs. Need not commit."""

    @abstractmethod
    async def perform(self, job: Job) -> Result:
        """Do a job. A server or a page may fail in any way; that must become a result, too."""

    @abstractmethod
    def save(self, results: list[Result]) -> None:
        """Store results and their consequences, commit, and count them."""

    @abstractmethod
    def give_back(self, jobs: list[Job]) -> None:
        """Release jobs that were claimed but not done, so that other sessions can take them. Commits."""

    def opened(self) -> AbstractAsyncContextManager[object]:
        """Return the context in which jobs are performed, such as a web client."""
        return nullcontext()

    def run(self, running: int, stopping: Callable[[], bool], leaving: Callable[[], bool], *, ahead: int = 0) -> None:
        """Work until nothing is due, or until `stopping`. When `leaving`, give back jobs that are not done soon.

        `running` jobs run at once. `ahead` more are claimed, so that no worker waits for the next claim.
        """
        self.keep_lease()
        try:
            loops.run(self._through(running, ahead, stopping, leaving))
        finally:
            self.connection.rollback()

    async def _through(
        self, running: int, ahead: int, stopping: Callable[[], bool], leaving: Callable[[], bool]
    ) -> None:
        async with self.opened():
            await work_through(
                self._claim,
                self.perform,
                self._save,
                concurrency=running,
                ahead=ahead,
                give_back=self.give_back,
                keep=self.keep_lease,
                keep_seconds=leases.KEEP_SECONDS,
                stopping=stopping,
                leaving=leaving,
                database=self.database,
            )

    def _claim(self, limit: int) -> Claimed[Job]:
        self.ensure_lease()
        claimed = self.claim(limit)
        self.connection.commit()
        return claimed

    def _save(self, results: list[Result]) -> None:
        self.save(results)
        self.beat()
