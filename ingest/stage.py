"""What the stages have in common: how each is called, and how it works on the ledger.

A stage is a function `(connection, settings, now, ...) -> counts`. Inside, it is a `Stage`: it claims what is due,
works on it, and saves each result together with the new status in one transaction. What all of them must do for that
(hold a lease, say that they are at work, count, end in order) is done here.
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

# Called after each commit with an outcome (a field of the stage's counts) and how many there were.
OnOutcome = Callable[[str, int], None]


def ignore(outcome: str, count: int) -> None:
    """For callers who only want the result."""


class Stage:
    """A stage at work. `tally` holds how many of each outcome there were."""

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
        """Say that this session is alive, and let go of what dead ones hold. Commits."""
        retry_deadlocks(self.connection, partial(leases.keep, self.connection))

    def ensure_lease(self) -> None:
        """Keep the lease, unless that was done just now. To be called before each claim."""
        retry_deadlocks(self.connection, partial(leases.ensure, self.connection))

    def count(self, outcome: str, count: int = 1) -> None:
        """Count an outcome, once it is committed."""
        self.tally[outcome] += count
        self._on_outcome(outcome, count)

    def beat(self) -> None:
        """Say that something got done. Commits."""
        self._heartbeat.note(self.now())


class RollingStage(Stage, ABC, Generic[Job, Result]):
    """A stage that waits for something else, a server or a worker process: many jobs are in hand at once.

    `claim`, `save` and `give_back` are called in a thread, one at a time, under the lock `database`; they may block.
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
        """Do a job. Whatever is foreign (a server, a page) may fail in any way, and makes a result all the same."""

    @abstractmethod
    def save(self, results: list[Result]) -> None:
        """Store results with what follows from them, commit, and count them."""

    @abstractmethod
    def give_back(self, jobs: list[Job]) -> None:
        """Let others have jobs that were claimed and not done. Commits."""

    def opened(self) -> AbstractAsyncContextManager[object]:
        """Return the context in which jobs are performed: a web client, say."""
        return nullcontext()

    def run(self, running: int, stopping: Callable[[], bool], leaving: Callable[[], bool], *, ahead: int = 0) -> None:
        """Work until nothing is due, or until `stopping`; when `leaving`, give back what is not done soon.

        As many jobs run at once as `running` says; `ahead` more are claimed, so that none waits for the next claim.
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
