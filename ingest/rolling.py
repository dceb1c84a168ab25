"""Works through jobs as they come, a bounded number at a time, and saves results as they finish.

The shape shared by the stages that wait for something else (a server, a worker process): claim some jobs, work on
them side by side, save each result soon after it is there and never a whole batch late, claim more when there is room.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from ingest.hosts import LONGEST_WAIT

__all__ = ["Claimed", "seconds_until", "work_through"]

Job = TypeVar("Job")
Result = TypeVar("Result")

# Results that finish within this time are saved in one transaction: a commit waits for the disk, so one for each
# result would limit a stage to a few hundred per second; an article is not noticeably later for it.
GATHER_SECONDS = 0.05
# While jobs are running, look this often for more to claim.
CLAIM_SECONDS = 0.25


@dataclass(frozen=True)
class Claimed(Generic[Job]):
    """Claimed jobs; with none, `wait` is the number of seconds after which some will be claimable, if known."""

    jobs: list[Job]
    wait: float | None = None


def seconds_until(free: datetime | None, now: datetime) -> float | None:
    """Return the seconds until a host is free, None when nothing waits for one, or for longer than LONGEST_WAIT."""
    return (free - now).total_seconds() if free is not None and free - now <= LONGEST_WAIT else None


async def work_through(
    claim: Callable[[int], Claimed[Job]],
    perform: Callable[[Job], Awaitable[Result]],
    save: Callable[[list[Result]], None],
    *,
    concurrency: int,
    stopping: Callable[[], bool] = lambda: False,
    database: asyncio.Lock | None = None,
) -> None:
    """Claim, perform and save until nothing is claimable and nothing is running, or until `stopping`.

    `claim(limit)` returns at most `limit` jobs. `claim` and `save` may block: they run in a thread, one call at a
    time, under the lock `database`, which `perform` can share. What is running when `stopping` becomes true is
    finished and saved. An exception of any of the three ends the work after the running jobs were cancelled.
    """
    running: set[asyncio.Task[Result]] = set()
    # Each claim costs a query: wait until a few can be claimed at once.
    refill = max(concurrency * 2 // 3, 1)
    database = database or asyncio.Lock()
    loop = asyncio.get_running_loop()
    try:
        next_claim = loop.time()
        exhausted = False
        while True:
            wait: float | None = None
            if not stopping() and len(running) < concurrency and loop.time() >= next_claim:
                async with database:
                    claimed = await asyncio.to_thread(claim, concurrency - len(running))
                running.update(asyncio.ensure_future(perform(job)) for job in claimed.jobs)
                exhausted = not claimed.jobs
                wait = claimed.wait
                next_claim = loop.time() + (CLAIM_SECONDS if exhausted else 0)
            if not running:
                if stopping() or (exhausted and wait is None):
                    return
                await asyncio.sleep(min(max(wait or 0, 0.05), CLAIM_SECONDS))
                next_claim = loop.time()
                continue
            room = len(running) < concurrency and not stopping()
            timeout = max(next_claim - loop.time(), 0.01) if room else CLAIM_SECONDS
            done, _ = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                continue
            if len(done) < len(running):
                await asyncio.sleep(GATHER_SECONDS)
                done = {task for task in running if task.done()}
            running -= done
            results = [task.result() for task in done]
            async with database:
                await asyncio.to_thread(save, results)
            if len(running) <= refill:
                next_claim = loop.time()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
