"""Worker processes that hang, crash or are killed."""

import asyncio
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ingest.config.settings import Settings
from ingest.extraction.extract import extraction_pool
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from tests.conftest import ROOT
from tests.waiting import until_async


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What kills its worker is tried again at once."""
    monkeypatch.setattr("ingest.runtime.workers.ALONE_AFTER", (0.0, 0.0, 0.0))


def spin(begun: Path | None = None) -> None:
    if begun is not None:
        begun.touch()
    while True:
        pass


def die(code: int) -> None:
    os._exit(code)


def answer() -> int:
    return 42


async def exercise(pool: WorkerPool) -> None:
    with pytest.raises(WorkerTimeout, match=r"0\.5 s"):
        await pool.run(spin)
    with pytest.raises(WorkerDied, match="exit code 3"):
        await pool.run(die, 3)
    assert await pool.run(answer) == 42


@pytest.mark.usefixtures("no_pauses")
def test_the_pool_survives_its_workers() -> None:
    with WorkerPool(1, 0.5, preload=("json",)) as pool:
        asyncio.run(exercise(pool))


def test_the_error_of_a_task_is_the_callers() -> None:
    async def fail(pool: WorkerPool) -> None:
        with pytest.raises(KeyError, match="x"):
            await pool.run(surprise)
        with pytest.raises(RuntimeError, match="<lambda>"):
            await pool.run(unpicklable)
        with pytest.raises(Exception, match="<lambda>"):
            await pool.run(len, (lambda: 0,))
        assert await pool.run(answer) == 42

    with WorkerPool(1, 20, preload=()) as pool:
        asyncio.run(fail(pool))


def surprise() -> None:
    raise KeyError("x")


def unpicklable() -> object:
    return lambda: 0


def test_tasks_and_answers_may_be_larger_than_a_pipe() -> None:
    async def exchange(pool: WorkerPool) -> None:
        sizes = await asyncio.gather(*(pool.run(bytes.__add__, bytes(1_000_000), b"x") for _ in range(8)))
        assert [len(each) for each in sizes] == [1_000_001] * 8

    with WorkerPool(2, 20, preload=()) as pool:
        asyncio.run(asyncio.wait_for(exchange(pool), 60))


def test_a_pool_that_is_left_while_its_workers_start_says_nothing() -> None:
    program = (
        "from ingest.runtime.workers import WorkerPool\n"
        "with WorkerPool(2, 20, preload=('ingest.extraction.article',)):\n    pass"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_pool_that_is_left_ends_workers_that_are_busy(tmp_path: Path) -> None:
    async def leave() -> list[int]:
        with WorkerPool(1, 60, preload=()) as pool:
            assert await pool.run(answer) == 42
            pids = pool.pids
            spinning = asyncio.ensure_future(pool.run(spin, tmp_path / "begun"))
            await until_async((tmp_path / "begun").exists)
        assert spinning.cancelled() or not spinning.done()
        spinning.cancel()
        return pids

    (pid,) = asyncio.run(leave())
    assert not Path(f"/proc/{pid}").exists()


def test_tasks_that_wait_when_a_pool_is_left_are_cancelled(tmp_path: Path) -> None:
    async def leave() -> None:
        with WorkerPool(1, 60, preload=()) as pool:
            assert await pool.run(answer) == 42
            waiting = [asyncio.ensure_future(pool.run(spin, tmp_path / "begun")) for _ in range(3)]
            await until_async((tmp_path / "begun").exists)
        ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 30)
        # The one at work was killed with its worker, and cannot be tried again.
        assert sorted(type(each).__name__ for each in ended) == ["CancelledError", "CancelledError", "RuntimeError"]

    asyncio.run(leave())


def test_a_task_that_nobody_waits_for_frees_its_worker(tmp_path: Path) -> None:
    async def give_up(pool: WorkerPool) -> None:
        spinning = asyncio.ensure_future(pool.run(spin, tmp_path / "begun"))
        await until_async((tmp_path / "begun").exists)
        spinning.cancel()
        assert await pool.run(answer) == 42

    with WorkerPool(1, 60, preload=()) as pool:
        asyncio.run(asyncio.wait_for(give_up(pool), 30))


def die_unless(path: Path, times: int) -> int:
    """Kill the worker, but not for ever: each death leaves a line."""
    with path.open("a") as file:
        file.write("x")
    if path.stat().st_size <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return 42


@pytest.mark.usefixtures("no_pauses")
def test_a_task_is_not_to_blame_for_a_death_that_does_not_come_back(tmp_path: Path) -> None:
    with WorkerPool(1, 20, preload=()) as pool:
        assert asyncio.run(pool.run(die_unless, tmp_path / "deaths", 2)) == 42
        assert pool.take_deaths() == ["the worker process died (SIGKILL)"] * 2
        assert pool.take_deaths() == []


@pytest.mark.usefixtures("no_pauses")
def test_what_waits_behind_a_death_is_not_touched_by_it(tmp_path: Path) -> None:
    """It was sent to the worker, which had not begun it."""

    async def both(pool: WorkerPool) -> None:
        deadly = asyncio.ensure_future(pool.run(die, 3))
        assert await asyncio.gather(*(pool.run(answer) for _ in range(20))) == [42] * 20
        with pytest.raises(WorkerDied, match="exit code 3"):
            await deadly

    with WorkerPool(1, 20, preload=()) as pool:
        asyncio.run(both(pool))
        assert pool.take_deaths() == []


@pytest.mark.usefixtures("no_pauses")
def test_a_frozen_worker_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.runtime.worker.FROZEN_SECONDS", 0.5)

    async def freeze(pool: WorkerPool) -> None:
        assert await pool.run(answer) == 42
        os.kill(pool.pids[0], signal.SIGSTOP)
        assert await pool.run(answer) == 42

    with WorkerPool(1, 20, preload=()) as pool:
        asyncio.run(freeze(pool))
        # On a busy machine, a healthy one may look frozen too.
        assert set(pool.take_deaths()) == {"the worker process died (used no processor time for 0.5 s)"}


def test_waiting_for_a_processor_is_no_fault_of_the_task() -> None:
    """A limit of processor time says nothing about a task that sleeps, or whose worker is stopped for a while."""

    async def wait(pool: WorkerPool) -> None:
        assert await pool.run(answer) == 42
        sleeping = asyncio.ensure_future(pool.run(time.sleep, 1.0))
        os.kill(pool.pids[0], signal.SIGSTOP)
        # For longer than the limit.
        await asyncio.sleep(0.5)
        os.kill(pool.pids[0], signal.SIGCONT)
        await sleeping

    with WorkerPool(1, 0.2, preload=()) as pool:
        asyncio.run(wait(pool))


def test_workers_outlive_a_signal_to_their_group() -> None:
    """Whoever ends a group of processes means the program, which has something in hand."""

    async def signalled(pool: WorkerPool) -> None:
        assert await pool.run(answer) == 42
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(pool.pids[0], number)
        assert await pool.run(answer) == 42

    with WorkerPool(1, 20, preload=()) as pool:
        asyncio.run(signalled(pool))
        assert pool.take_deaths() == []


@pytest.mark.usefixtures("no_pauses")
def test_killed_workers_leave_nobody_waiting() -> None:
    """Whatever a worker was about when it was killed: taking a task, at work, handing in the result."""

    async def insist() -> int:
        while True:
            with suppress(WorkerDied):
                return await pool.run(len, bytes(100_000))

    async def kill(moments: random.Random) -> None:
        while True:
            await asyncio.sleep(moments.uniform(0.05, 0.3))
            for worker in pool.pids[:1]:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)

    async def work() -> None:
        killing = asyncio.ensure_future(kill(random.Random(1)))
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            assert await asyncio.gather(*(insist() for _ in range(50))) == [100_000] * 50
        killing.cancel()

    with WorkerPool(2, 20, preload=()) as pool:
        asyncio.run(asyncio.wait_for(work(), 60))


def fork_server() -> int:
    """Return the process id of the parent: of the process that starts workers."""
    return os.getppid()


@pytest.mark.usefixtures("no_pauses")
def test_a_fork_server_that_was_killed_is_started_again() -> None:
    async def insist(pool: WorkerPool) -> None:
        os.kill(await pool.run(fork_server), signal.SIGKILL)
        assert await asyncio.gather(*(pool.run(answer) for _ in range(20))) == [42] * 20

    # The next server imports what other tests need.
    with extraction_pool(Settings(extract_processes=2)) as pool:
        asyncio.run(asyncio.wait_for(insist(pool), 200))


_kept: list[bytearray] = []


def keep(megabytes: int) -> int:
    """Stands in for a library that keeps what it has seen; returns the process it works in."""
    _kept.append(bytearray(os.urandom(1000) * 1000 * megabytes))
    return os.getpid()


def test_a_worker_that_keeps_too_much_is_replaced() -> None:
    async def pids() -> list[int]:
        return [await pool.run(keep, megabytes) for megabytes in (1, 1, 400, 1)]

    with WorkerPool(1, 60, preload=()) as pool:
        first, second, large, after = asyncio.run(pids())
    assert first == second == large != after


def _in_daemon(answers: "multiprocessing.Queue[str]") -> None:
    async def use() -> str:
        with WorkerPool(1, 20, ()) as pool:
            return await pool.run(str, 42)

    answers.put(asyncio.run(use()))


def test_a_daemonic_process_may_have_workers() -> None:
    """As Celery's workers are, in which Airflow runs its tasks."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_in_daemon, args=[answers], daemon=True)
    process.start()
    assert answers.get(timeout=30) == "42"
    process.join(20)
