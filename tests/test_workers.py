"""Extraction of pages made to hang, crash or exhaust a worker."""

import asyncio
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pebble import ProcessPool

from db import Connection
from ingest import documents, ledger, pages
from ingest.document import Document, Hint
from ingest.extract import extract
from ingest.feeds import import_feed
from ingest.ledger import NewEntry
from ingest.pages import StoredPage
from ingest.settings import Settings
from ingest.workers import WorkerDied, WorkerPool, WorkerTimeout
from tests.conftest import NOW, ROOT, Clock

GOOD = (
    "<html><body><article>"
    + "<p>A sentence of an article that goes on for a while.</p>" * 20
    + "</article></body></html>"
)


def hostile_extract(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Stands in for the work of a worker process: obeys what the page says."""
    text = pages.decompress(body)
    if b"spin in python" in text:
        while True:
            pass
    if b"spin in C" in text:
        re.match(r"(a+)+$", "a" * 60 + "b")
    if b"die" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"exhaust" in text:
        bytearray(10**11)
    if b"raise" in text:
        raise KeyError("a library's surprise")
    return Document("title", None, None, None, "en", "text of the article", "test")


def store(connection: Connection, bodies: list[str]) -> None:
    feed = import_feed(connection, NOW)
    for number, body in enumerate(bodies):
        url = f"http://a.example/{number}"
        entry = NewEntry(url, url, url, "a.example", None, None, None, None, None, status="fetched")
        (entry_id,) = ledger.record(connection, feed, [entry], NOW)
        page = StoredPage(entry_id, NOW, url, 200, "text/html", None, None, pages.compress(body.encode()), len(body))
        pages.save(connection, [page])
    connection.commit()


def test_a_hostile_page_ends_with_a_reason_and_the_others_are_extracted(
    connection: Connection, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.extract.extract_page", hostile_extract)
    hostile = ["spin in python", "spin in C", "die", "exhaust", "raise"]
    store(connection, [*hostile, *["good"] * 30])
    quick = settings.model_copy(update={"extract_timeout": 1.0})
    started = time.monotonic()
    counts = extract(connection, quick, clock)
    assert time.monotonic() - started < 60
    rows: dict[str, str] = dict(
        connection.execute("SELECT url, status || ': ' || coalesce(reason, '') FROM news.entries").fetchall()
    )
    ends = [rows.pop(f"http://a.example/{number}") for number in range(len(hostile))]
    assert ends[0] == "rejected: extraction took longer than 1 s"
    assert ends[1] == "rejected: extraction took longer than 1 s"
    assert ends[2].startswith("dead: extraction failed: the worker process died")
    assert ends[3].startswith("rejected: extraction failed: MemoryError")
    assert ends[4].startswith("rejected: extraction failed: KeyError")
    assert set(rows.values()) == {"extracted: "}
    assert counts.extracted == 30


def test_a_real_page_goes_through_a_worker(connection: Connection, settings: Settings, clock: Clock) -> None:
    store(connection, [GOOD, "<html><body><p>Please wait</p></body></html>"])
    counts = extract(connection, settings, clock)
    assert (counts.extracted, counts.rejected) == (1, 1)
    ids = [row[0] for row in connection.execute("SELECT id FROM news.entries ORDER BY id").fetchall()]
    (document,) = documents.load(connection, ids)
    assert document.text.count("A sentence of an article") == 20
    assert document.language == "en"


def spin() -> None:
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


def test_the_pool_survives_its_workers() -> None:
    with WorkerPool(1, 0.5, preload=("json",)) as pool:
        asyncio.run(exercise(pool))


async def wait_for_the_start(pool: WorkerPool, started: "Future[None]") -> list[int]:
    waiting = [asyncio.create_task(pool.run(answer)) for _ in range(50)]
    await asyncio.sleep(0)
    # Files are read and names are looked up in the loop's few threads.
    assert await asyncio.wait_for(asyncio.to_thread(answer), 10) == 42
    waiting.pop().cancel()
    started.set_result(None)
    return await asyncio.gather(*waiting)


def test_tasks_that_wait_for_the_start_keep_nothing_else_waiting() -> None:
    with WorkerPool(1, 20, preload=()) as pool:
        pool._started.result()
        started = pool._started = Future()
        assert asyncio.run(wait_for_the_start(pool, started)) == [42] * 49


def test_a_pool_can_be_left_at_once() -> None:
    with WorkerPool(1, 20, preload=("json",)) as pool:
        pass
    assert not pool._pool.active


# Each worker is still importing what it needs as the pool is left, and is stopped only after it has gone on.
LEFT_WHILE_IT_STARTS = """
import time
from pebble.pool import process
from ingest.workers import WorkerPool

stop = process.stop_process
process.stop_process = lambda worker: (time.sleep(2), stop(worker))
with WorkerPool(1, 20, preload=()):
    pass
"""


def test_a_pool_that_is_left_while_its_workers_start_says_nothing() -> None:
    run = subprocess.run([sys.executable, "-c", LEFT_WHILE_IT_STARTS], capture_output=True, text=True, cwd=ROOT)
    assert (run.returncode, run.stderr) == (0, "")


def worker_pids(pool: WorkerPool) -> list[int]:
    return list(pool._pool._pool_manager.worker_manager.workers)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_task_that_a_broken_pool_has_forgotten_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with WorkerPool(1, 20, preload=()) as pool:
        assert asyncio.run(pool.run(answer)) == 42
        (worker,) = worker_pids(pool)
        monkeypatch.setattr(pool._pool, "schedule", lambda *_: Future())
        pool._pool.stop()  # type: ignore[no-untyped-call]
        with pytest.raises(WorkerDied, match="whole pool"):
            asyncio.run(pool.run(answer))
        assert asyncio.run(pool.run(answer)) == 42
        assert worker_pids(pool) != [worker]
        # Nobody would use it any more.
        deadline = time.monotonic() + 10
        while not has_ended(worker) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert has_ended(worker)


def test_a_pool_that_cannot_be_started_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the process that starts the workers is killed while it starts one."""
    fails = iter([True, True, False])

    def schedule(self: ProcessPool, *args: Any, **kwargs: Any) -> Any:
        if next(fails, False):
            raise BrokenProcessPool
        return original(self, *args, **kwargs)

    original = ProcessPool.schedule
    monkeypatch.setattr(ProcessPool, "schedule", schedule)
    with WorkerPool(1, 20, preload=()) as pool:
        with pytest.raises(WorkerDied, match="whole pool"):
            asyncio.run(pool.run(answer))
        assert asyncio.run(pool.run(answer)) == 42


def test_killed_workers_leave_nobody_waiting() -> None:
    """Whatever a worker was about when it was killed: taking a task, at work, handing in the result."""

    async def insist() -> int:
        while True:
            with suppress(WorkerDied):
                return await pool.run(len, bytes(100_000))

    async def kill(moments: random.Random) -> None:
        while True:
            await asyncio.sleep(moments.uniform(0.05, 0.3))
            for worker in worker_pids(pool)[:1]:
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


def test_a_clock_that_is_set_ahead_is_no_fault_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = 0

    async def jump() -> None:
        nonlocal ahead
        running = asyncio.ensure_future(pool.run(time.sleep, 5))
        await asyncio.sleep(1)
        ahead = 3600
        await running

    clock = SimpleNamespace(time=lambda: time.time() + ahead, sleep=time.sleep)
    monkeypatch.setattr("pebble.pool.process.time", clock)
    with WorkerPool(1, 20, preload=()) as pool:
        assert asyncio.run(pool.run(answer)) == 42
        with pytest.raises(WorkerDied):
            asyncio.run(jump())
        assert asyncio.run(pool.run(answer)) == 42


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


def test_a_page_that_retention_removed_ends_in_the_ledger(
    connection: Connection, settings: Settings, clock: Clock
) -> None:
    store(connection, [GOOD])
    connection.execute("DELETE FROM news.pages")
    connection.commit()
    clock.now += timedelta(days=1)
    extract(connection, settings, clock)
    assert connection.execute("SELECT status, reason FROM news.entries").fetchall() == [
        ("rejected", "its page is no longer stored")
    ]


def test_the_stored_body_is_compressed(connection: Connection) -> None:
    store(connection, [GOOD])
    stored, size = connection.execute("SELECT length(body), body_bytes FROM news.pages").fetchone() or (0, 0)
    assert size == len(GOOD)
    assert stored < size / 5


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
