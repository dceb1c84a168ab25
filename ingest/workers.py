"""Worker processes for work on hostile input: each task has a time limit, and may take its process down with it."""

import asyncio
import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import process
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import RLock
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from pebble import CONSTS, ProcessExpired, ProcessPool

__all__ = ["WorkerDied", "WorkerPool", "WorkerTimeout", "resident_bytes"]

P = ParamSpec("P")
T = TypeVar("T")

# Address space of a worker: a page of 15 MB makes a tree of a few hundred; beyond this it is an attack.
MEMORY_LIMIT_BYTES = 3_000_000_000
# A worker is replaced after this many tasks, or when it has kept more than this of what they took (its imports, shared
# with its neighbours, are 130 MB of it): lxml and its users leak a little, and large pages leave holes behind.
TASKS_PER_WORKER = 2000
KEPT_MEMORY_BYTES = 300_000_000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# A worker that spins in C code does not hear SIGTERM; it is killed this much later, and other workers wait meanwhile.
CONSTS.term_timeout = 0.1
# A worker that is killed while it takes a task leaves the queue locked; after this time the others give up on it, and
# the pool is made anew. To take a task takes milliseconds.
CONSTS.channel_lock_timeout = 5
# How often Pebble looks for time-outs and dead workers; also what each of its threads takes to end.
CONSTS.sleep_unit = 0.03
# How often a task that is waited for looks whether its pool is still there.
LOOK_SECONDS = 1.0


class WorkerTimeout(Exception):
    """The task took longer than allowed; its worker was killed."""


class WorkerDied(Exception):
    """The task's worker process died. `exit_code` is negative for a signal."""

    def __init__(self, exit_code: int | None) -> None:
        how = f"exit code {exit_code}"
        if exit_code is None:
            how = "with its whole pool"
        elif exit_code < 0:
            how = signal.Signals(-exit_code).name
        super().__init__(f"the worker process died ({how})")
        self.exit_code = exit_code


class _TaskLimit(int):
    """A number of tasks that is also reached when the process has grown too large.

    Pebble's workers ask between tasks whether their count is less than the limit, and end where it is not; a subclass
    on the right of a comparison answers for itself (Python's data model, 3.3.1).
    """

    def __gt__(self, done: int) -> bool:
        return int(self) > done and resident_bytes() < KEPT_MEMORY_BYTES


def resident_bytes() -> int:
    """Return the memory that this process has in use, 0 where the system does not tell (proc(5), statm)."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


class _BareProgram(process.BaseProcess):
    """A parent without a past, as `multiprocessing` makes one when it is imported, and then deletes the class."""

    def __init__(self) -> None:
        self._identity = ()
        self._name = "MainProcess"
        self._parent_pid = None
        self._popen = None
        self._closed = False
        self._config = {"authkey": process.AuthenticationString(os.urandom(32)), "semprefix": "/mp"}  # type: ignore[attr-defined]


_starting = threading.RLock()


@contextmanager
def _plain_parent() -> Iterator[None]:
    """Start processes as if from a bare program, whatever this one is.

    They need nothing of its main module, and Airflow's takes seconds to import. In a Celery worker, the parent is
    daemonic, which may have no children (ours end with it by themselves), and has a key that cannot be handed over.
    """
    with _starting:
        main, current = sys.modules["__main__"], process._current_process  # type: ignore[attr-defined]
        sys.modules["__main__"] = ModuleType("__main__")
        process._current_process = _BareProgram()  # type: ignore[attr-defined]
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            process._current_process = current  # type: ignore[attr-defined]


class _Process(ForkServerProcess):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with _plain_parent():
            super().__init__(*args, **kwargs)

    def start(self) -> None:
        with _plain_parent():
            super().start()


class _Context(ForkServerContext):
    Process = _Process

    def __init__(self) -> None:
        super().__init__()
        # Pebble lets go of its locks before it stops the workers, and one that still starts would complain that
        # the system has none of that name.
        self._locks: list[RLock] = []

    def RLock(self) -> RLock:  # noqa: N802
        lock = super().RLock()
        self._locks.append(lock)
        return lock


class WorkerPool:
    """A number of worker processes that import `preload` once, from the beginning on. Use it as a context manager."""

    def __init__(self, processes: int, timeout: float, preload: tuple[str, ...]) -> None:
        self.processes = processes
        self._timeout = timeout
        self._context = _Context()
        self._context.set_forkserver_preload(list(preload))
        self._replacing = threading.Lock()
        self._pool = self._new_pool()
        # Pebble starts its processes with the first task, which takes as long as their imports.
        self._started: Future[None] = Future()
        threading.Thread(target=self._start, name="start of workers", daemon=True).start()

    def _start(self) -> None:
        try:
            # Where that fails, the first page finds out.
            with suppress(Exception):
                self._pool.schedule(_do_nothing)
        finally:
            self._started.set_result(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._started.result()
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` in a worker and return its result.

        Raises what the function raises, WorkerTimeout, or WorkerDied.
        """
        return await self.run_within(self._timeout, function, *args, **kwargs)

    async def run_within(self, seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, with a time limit of its own, which the pool's still bounds."""
        if not self._started.done():
            # Without a thread for each that waits: the loop has few, and others need them.
            await asyncio.shield(asyncio.wrap_future(self._started))
        pool, limit = self._pool, min(seconds, self._timeout)
        started = time.monotonic()
        try:
            return await _outcome(pool, asyncio.wrap_future(pool.schedule(function, args, kwargs, limit)))
        except TimeoutError:
            # Pebble goes by the time of day, and a clock that was set ahead is no fault of the task.
            if time.monotonic() - started < limit:
                raise WorkerDied(-signal.SIGKILL) from None
            raise WorkerTimeout(f"took longer than {limit:g} s") from None
        except ProcessExpired as error:
            raise WorkerDied(error.exitcode) from None
        except BrokenProcessPool as error:
            # Pebble gives up the whole pool when a worker dies while it holds the queue.
            self._replace(pool)
            raise WorkerDied(None) from error
        except RuntimeError as error:
            # The task's own, or Pebble's, as it has given up the pool already.
            if pool.active:
                raise
            self._replace(pool)
            raise WorkerDied(None) from error

    def _replace(self, broken: ProcessPool) -> None:
        with self._replacing:
            if self._pool is broken:
                self._pool = self._new_pool()
                # Its processes would wait for tasks for as long as this one lives.
                threading.Thread(target=_end, args=[broken], name="broken pool", daemon=True).start()

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self.processes,
            max_tasks=_TaskLimit(TASKS_PER_WORKER),
            initializer=_prepare_worker,
            context=self._context,
        )


async def _outcome(pool: ProcessPool, task: "asyncio.Future[T]") -> T:
    """Return the result of a task, or raise what it raised; BrokenProcessPool when its pool has forgotten it."""
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
            # Tasks that are on their way to the workers when Pebble gives a pool up are never ended.
            if not pool.active and not task.done():
                raise BrokenProcessPool("the pool was given up")
        return task.result()
    finally:
        task.cancel()


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _do_nothing() -> None:
    """A task that does nothing."""


def _prepare_worker() -> None:
    """In the worker: end with the parent, get no more memory than is right, and do not search it for cycles often."""
    # What was loaded before the fork stays; trees of pages are freed by reference counts.
    gc.freeze()
    gc.set_threshold(50_000)
    # The main process and the database feed the workers: they must not queue behind them for a processor.
    os.nice(10)
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG of prctl(2). The parent is the fork server, which ends with the main process.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    except (ImportError, ValueError, OSError):
        pass
