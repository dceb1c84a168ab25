"""Work that rolls: what is claimed is done and saved, what is not begun is given back."""

import asyncio
import gc
from collections.abc import Callable, Iterator

import pytest

from ingest.runtime.rolling import Claimed, work_through


@pytest.fixture(autouse=True)
def _no_task_is_left() -> Iterator[None]:
    """Tasks that failed are collected here: what they log then must not come in the middle of another test."""
    yield
    gc.collect()


def claims(total: int, log: list[int] | None = None) -> Callable[[int], Claimed[int]]:
    rest = list(range(total))

    def claim(limit: int) -> Claimed[int]:
        taken, rest[:] = rest[:limit], rest[limit:]
        if log is not None:
            log.append(len(taken))
        return Claimed(taken)

    return claim


@pytest.mark.parametrize(("concurrency", "ahead"), [(1, 0), (3, 0), (3, 10), (200, 0)])
def test_everything_is_done_once_and_saved(concurrency: int, ahead: int) -> None:
    running = most = 0
    saved: list[int] = []

    async def perform(job: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return job

    asyncio.run(work_through(claims(100), perform, saved.extend, concurrency=concurrency, ahead=ahead))
    assert sorted(saved) == list(range(100))
    assert most <= concurrency


def test_no_more_is_claimed_than_there_is_room_for() -> None:
    sizes: list[int] = []

    async def perform(job: int) -> int:
        await asyncio.sleep(0.01)
        return job

    asyncio.run(work_through(claims(100, sizes), perform, lambda _: None, concurrency=5, ahead=10))
    assert max(sizes) <= 15


def test_when_it_stops_what_runs_is_saved_and_what_waits_given_back() -> None:
    stopped = False
    saved: list[int] = []
    returned: list[int] = []

    async def perform(job: int) -> int:
        nonlocal stopped
        await asyncio.sleep(0.01)
        stopped = True
        return job

    asyncio.run(
        work_through(
            claims(100), perform, saved.extend,
            concurrency=4, ahead=20, give_back=returned.extend, stopping=lambda: stopped,
        )
    )  # fmt: skip
    assert sorted(saved) == [0, 1, 2, 3]
    assert sorted(returned) == list(range(4, 24))


def test_what_does_not_end_when_the_process_must_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.runtime.rolling.STOP_SECONDS", 0.1)
    saved: list[int] = []
    returned: list[int] = []
    told = False

    async def perform(job: int) -> int:
        nonlocal told
        told = True
        await asyncio.sleep(3600 if job == 0 else 0)
        return job

    asyncio.run(
        work_through(
            claims(10), perform, saved.extend, concurrency=2, ahead=1, give_back=returned.extend, leaving=lambda: told
        )
    )
    assert (saved, sorted(returned)) == ([1], [0, 2])


def test_it_says_that_it_is_alive_while_work_goes_on() -> None:
    kept = asyncio.Event()

    async def perform(job: int) -> int:
        await kept.wait()
        return job

    async def work() -> None:
        loop = asyncio.get_running_loop()

        def keep() -> None:
            loop.call_soon_threadsafe(kept.set)

        await work_through(claims(1), perform, lambda _: None, concurrency=1, keep=keep, keep_seconds=0.01)

    asyncio.run(asyncio.wait_for(work(), 30))


def test_it_waits_for_what_will_be_claimable() -> None:
    answers = [Claimed([1]), Claimed[int]([], wait=0.01), Claimed[int]([], wait=0.01), Claimed([2]), Claimed[int]([])]
    saved: list[int] = []

    async def perform(job: int) -> int:
        return job

    asyncio.run(work_through(lambda _: answers.pop(0), perform, saved.extend, concurrency=1))
    assert saved == [1, 2]


@pytest.mark.parametrize("fails", ["claim", "perform", "save"])
def test_an_error_ends_the_work_and_is_raised(fails: str) -> None:
    cancelled = []

    def claim(limit: int) -> Claimed[int]:
        if fails == "claim":
            raise ValueError(fails)
        return Claimed(list(range(limit)))

    async def perform(job: int) -> int:
        if job == 0:
            if fails == "perform":
                raise ValueError(fails)
            return job
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(job)
            raise
        return job

    def save(_: list[int]) -> None:
        if fails == "save":
            raise ValueError(fails)

    with pytest.raises(ValueError, match=fails):
        asyncio.run(work_through(claim, perform, save, concurrency=3))
    # What took the place of the job that ended was cancelled with the others.
    assert set(cancelled) <= {0, 1, 2}
    assert len(cancelled) == {"claim": 0}.get(fails, len(cancelled))
