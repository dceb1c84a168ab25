"""Works through jobs with bounded concurrency, and saves results as they finish.

This is the common shape of stages that wait for something else (a server, a worker process): claim jobs, run them
concurrently, save each result soon after it is ready instead of a whole batch late, and claim more when there is room.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Claimed", "work_through"]

Job = TypeVar("Job")
Result = TypeVar("Result")

# Results that finish within this time are saved in one transaction. A commit waits for the disk, so one per result
# would limit a stage to a few hundred per second. The delay to an article is not noticeable.
GATHER_SECONDS = 0.05
# While jobs are running, check for more to claim this often.
CLAIM_SECONDS = 0.25
# When the process is told to exit, running jobs get this long to finish. Then they are given back.
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Claimed(Generic[Job]):
    """Claimed jobs. If there are none, `wait` is the number of seconds until some can be claimed, if known."""

    jobs: list[Job]
    wait: float | None = None


async def work_through(
    claim: Callable[[int], Claimed[Job]],
    perform: Callable[[Job], Awaitable[Result]],
    save: Callable[[list[Result]], None],
    *,
    concurrency: int,
    ahead: int = 0,
    give_back: Callable[[list[Job]], None] = lambda _: None,
    keep: Callable[[], None] = lambda: None,
    keep_seconds: float = 20.0,
    stopping: Callable[[], bool] = lambda: False,
    leaving: Callable[[], bool] = lambda: False,
    database: asyncio.Lock | None = None,
) -> None:
    """Claim, perform and save until nothing can be claimed and nothing is running, or until `stopping`.

    `claim(limit)` returns at most `limit` jobs. `concurrency` of them run at once, and `ahead` more may wait here, so
    that no slot waits for the database. `keep` is called every `keep_seconds` to renew the session's lease. `claim`,
    `save`, `give_back` and `keep` may block: they run in a thread, one call at a time, under the lock `database`, which
    `perform` can share.

    When `stopping` becomes true, running jobs are finished and saved, and waiting jobs are given back. When the process
    must exit (`leaving`), jobs that do not finish within STOP_SECONDS are given back too. An exception in any of the
    five callables cancels the running jobs and ends the work.
    """
    work = _Work(
        claim, perform, save, keep, keep_seconds, concurrency, ahead, stopping, leaving, database or asyncio.Lock()
    )
    try:
        await work.through()
        if work.waiting:
            async with work.database:
                await asyncio.to_thread(give_back, list(work.waiting))
    finally:
        for task in work.running:
            task.cancel()
        await asyncio.gather(*work.running, return_exceptions=True)


class _Work(Generic[Job, Result]):
    def __init__(
        self,
        claim: Callable[[int], Claimed[Job]],
        perform: Callable[[Job], Awaitable[Result]],
        save: Callable[[list[Result]], None],
        keep: Callable[[], None],
        keep_seconds: float,
        concurrency: int,
        ahead: int,
        stopping: Callable[[], bool],
        leaving: Callable[[], bool],
        database: asyncio.Lock,
    ) -> None:
        self._claim, self._perform, self._save, self._keep = claim, perform, save, keep
        self._keep_seconds = keep_seconds
        self._concurrency = concurrency
        self._room = concurrency + ahead
        # Each claim costs a query, so wait until several can be claimed at once.
        self._refill = max(self._room * 2 // 3, 1)
        self._told_to_stop, self._leaving = stopping, leaving
        self._over = False
        # When running jobs are given up, once the process is told to exit.
        self._stops_at: float | None = None
        self.database = database
        self.waiting: deque[Job] = deque()
        self.running: dict[asyncio.Task[Result], Job] = {}
        self._ended: list[asyncio.Task[Result]] = []
        # A job ended, there is room for more, or everything is saved.
        self._changed = asyncio.Event()
        self._to_save = asyncio.Event()

    def _stopping(self) -> bool:
        return self._told_to_stop() or self._leaving()

    async def through(self) -> None:
        helpers = [asyncio.ensure_future(self._save_for_ever()), asyncio.ensure_future(self._keep_for_ever())]
        claiming = asyncio.ensure_future(self._claim_to_the_end())
        try:
            await asyncio.wait({*helpers, claiming}, return_when=asyncio.FIRST_COMPLETED)
            for helper in helpers:
                if helper.done():
                    await helper
            await claiming
        finally:
            self._over = True
            for task in (*helpers, claiming):
                task.cancel()
            await asyncio.gather(*helpers, claiming, return_exceptions=True)

    async def _claim_to_the_end(self) -> None:
        """Claim whenever there is room. Return when nothing can be claimed and every job is done and saved."""
        while not self._over:
            exhausted, wait = False, None
            if not self._stopping() and len(self.running) + len(self.waiting) <= self._refill:
                async with self.database:
                    claimed = await asyncio.to_thread(self._claim, self._room - len(self.running) - len(self.waiting))
                self.waiting.extend(claimed.jobs)
                self._start()
                exhausted, wait = not claimed.jobs, claimed.wait
            if self._leaving():
                self._give_up()
            busy = bool(self.running or self._ended)
            if not busy and (self._stopping() or (exhausted and wait is None)):
                return
            if exhausted:
                # A time in the past means that another session holds the claim.
                soon = not busy and wait is not None and wait > 0
                await asyncio.sleep(min(max(wait or 0, 0.05), CLAIM_SECONDS) if soon else CLAIM_SECONDS)
            else:
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLAIM_SECONDS):
                        await self._changed.wait()

    def _start(self) -> None:
        while self.waiting and len(self.running) < self._concurrency and not (self._over or self._stopping()):
            job = self.waiting.popleft()
            task = asyncio.ensure_future(self._perform(job))
            self.running[task] = job
            task.add_done_callback(self._end)

    def _give_up(self) -> None:
        """Cancel running jobs when their time is up."""
        self._stops_at = self._stops_at or asyncio.get_running_loop().time() + STOP_SECONDS
        if asyncio.get_running_loop().time() >= self._stops_at:
            for task in self.running:
                task.cancel()

    def _end(self, task: "asyncio.Task[Result]") -> None:
        job = self.running.pop(task)
        if task.cancelled():
            self.waiting.append(job)
            return
        self._ended.append(task)
        self._to_save.set()
        self._start()
        if len(self.running) + len(self.waiting) <= self._refill:
            self._changed.set()

    async def _keep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._keep_seconds)
            async with self.database:
                await asyncio.to_thread(self._keep)

    async def _save_for_ever(self) -> None:
        while True:
            await self._to_save.wait()
            if self.running:
                await asyncio.sleep(GATHER_SECONDS)
            self._to_save.clear()
            ended = list(self._ended)
            results = [task.result() for task in ended]
            async with self.database:
                await asyncio.to_thread(self._save, results)
            # Not earlier: unsaved results still count as in flight.
            del self._ended[: len(ended)]
            if not self._ended:
                self._changed.set()
