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
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from db import Connection
from ingest.config.settings import Settings
from ingest.extraction.extract import extract
from ingest.model.document import Document, Hint
from ingest.model.status import Status
from ingest.runtime.compression import compress, decompress
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.store import documents, ledger, pages
from ingest.store.feeds import import_feed
from ingest.store.ledger import NewEntry
from ingest.store.pages import StoredPage
from tests.conftest import NOW, ROOT, Clock

GOOD = (
    "<html><body><article>"
    + "<p>A sentence of an article that goes on for a while.</p>" * 20
    + "</article></body></html>"
)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What kills its worker is tried again at once."""
    monkeypatch.setattr("ingest.runtime.workers.ALONE_AFTER", (0.0, 0.0, 0.0))


def hostile_extract(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Stands in for the work of a worker process: obeys what the page says."""
    text = decompress(body)
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
        entry = NewEntry(url, url, url, "a.example", None, None, None, None, None, status=Status.FETCHED)
        (entry_id,) = ledger.record(connection, feed, [entry], NOW)
        page = StoredPage(entry_id, NOW, url, 200, "text/html", None, None, compress(body.encode()), len(body))
        pages.save(connection, [page])
    connection.commit()


@pytest.mark.usefixtures("no_pauses")
def test_a_hostile_page_ends_with_a_reason_and_the_others_are_extracted(
    connection: Connection, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.extraction.extract.extract_page", hostile_extract)
    hostile = ["spin in python", "spin in C", "die", "exhaust", "raise"]
    store(connection, [*hostile, *["good"] * 30])
    quick = settings.model_copy(update={"extract_timeout": 1.0})
    counts = extract(connection, quick, clock)
    rows: dict[str, str] = dict(
        connection.execute("SELECT url, status || ': ' || coalesce(reason, '') FROM news.entries").fetchall()
    )
    ends = [rows.pop(f"http://a.example/{number}") for number in range(len(hostile))]
    assert ends[0] == "rejected: extraction used more than 1 s of processor time"
    assert ends[1] == "rejected: extraction used more than 1 s of processor time"
    assert ends[2] == "dead: extraction failed: the worker process died (SIGKILL), also with the page alone in it"
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


@pytest.mark.usefixtures("no_pauses")
def test_the_pool_survives_its_workers() -> None:
    with WorkerPool(1, 0.5, preload=("json",)) as pool:
        asyncio.run(exercise(pool))


def test_the_error_of_a_task_is_the_callers() -> None:
    async def fail(pool: WorkerPool) -> None:
        with pytest.raises(KeyError, match="x"):
            await pool.run(surprise)
        with pytest.raises(RuntimeError, match="pickle"):
            await pool.run(unpicklable)
        with pytest.raises(Exception, match="pickle"):
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


def test_a_pool_that_is_left_ends_workers_that_are_busy() -> None:
    async def leave() -> list[int]:
        with WorkerPool(1, 60, preload=()) as pool:
            assert await pool.run(answer) == 42
            pids = pool.pids
            spinning = asyncio.ensure_future(pool.run(spin))
            await asyncio.sleep(0.1)
        assert spinning.cancelled() or not spinning.done()
        spinning.cancel()
        return pids

    (pid,) = asyncio.run(leave())
    assert not Path(f"/proc/{pid}").exists()


def test_tasks_that_wait_when_a_pool_is_left_are_cancelled() -> None:
    async def leave() -> None:
        with WorkerPool(1, 60, preload=()) as pool:
            assert await pool.run(answer) == 42
            waiting = [asyncio.ensure_future(pool.run(spin)) for _ in range(3)]
            await asyncio.sleep(0.1)
        ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 30)
        # The one at work was killed with its worker, and cannot be tried again.
        assert sorted(type(each).__name__ for each in ended) == ["CancelledError", "CancelledError", "RuntimeError"]

    asyncio.run(leave())


def test_a_task_that_nobody_waits_for_frees_its_worker() -> None:
    async def give_up(pool: WorkerPool) -> None:
        spinning = asyncio.ensure_future(pool.run(spin))
        await asyncio.sleep(0.1)
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
    monkeypatch.setattr("ingest.runtime.worker.FROZEN_SECONDS", 0.3)

    async def freeze(pool: WorkerPool) -> None:
        assert await pool.run(answer) == 42
        os.kill(pool.pids[0], signal.SIGSTOP)
        assert await pool.run(answer) == 42

    with WorkerPool(1, 20, preload=()) as pool:
        asyncio.run(freeze(pool))
        assert pool.take_deaths() == ["the worker process died (used no processor time for 0.3 s)"]


def test_waiting_for_a_processor_is_no_fault_of_the_task() -> None:
    """A limit of processor time says nothing about a task that sleeps, or whose worker is stopped for a while."""

    async def wait(pool: WorkerPool) -> None:
        assert await pool.run(answer) == 42
        sleeping = asyncio.ensure_future(pool.run(time.sleep, 1.0))
        os.kill(pool.pids[0], signal.SIGSTOP)
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

    with WorkerPool(2, 20, preload=()) as pool:
        asyncio.run(asyncio.wait_for(insist(pool), 60))


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
