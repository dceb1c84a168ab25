"""Worker processes for work on hostile input: each task has a limit of processor time, and may kill its process.

Each worker has a pipe of its own, and a thread here that feeds it. Workers share no lock and no queue, so what happens
to one is nothing to the others: it may be killed or frozen at any moment.

A task is blamed only for what it does alone. Its processor time is its own. The death of a worker may be anybody's
doing (the system was out of memory, somebody sent a signal), so the task is tried again, with
pauses, in processes that do nothing else; only a task that kills each of these after it has begun is to blame. A busy
machine makes tasks late, and nothing else.
"""

import asyncio
import ctypes
import gc
import os
import pickle
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from ingest.runtime.fork_server import Context, WorkerProcess

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
# How often a task is tried alone before it is to blame, and the pauses before: what kills healthy workers may pass.
ALONE_AFTER = (0.2, 1.0, 4.0)
# And how often at all, where processes die before they begin with it.
MOST_TRIES = 30
# A worker that uses no processor time for this long is frozen, and replaced. A busy machine gives each process some.
FROZEN_SECONDS = 300.0
# How often it is seen whether somebody still waits for a task.
LOOK_SECONDS = 0.2
# The main process and the database feed the workers, and should not queue behind them for a processor. Not more than
# this: programs that are not nice would take nearly all of it.
NICENESS = 5


class WorkerTimeout(Exception):
    """The task used more processor time than allowed; its worker was killed."""


class WorkerDied(Exception):
    """The task's worker process died. `exit_code` is negative for a signal, None for one that was frozen.

    `begun` is False for one that died alone, before it came to its task.
    """

    def __init__(self, exit_code: int | None, *, begun: bool = True) -> None:
        how = f"exit code {exit_code}"
        if exit_code is None:
            how = f"used no processor time for {FROZEN_SECONDS:g} s"
        elif exit_code < 0:
            how = _signal_name(-exit_code)
        super().__init__(f"the worker process died ({how})")
        self.exit_code = exit_code
        self.begun = begun


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@dataclass(eq=False)
class _Task:
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
    seconds: float
    alone: bool = False
    future: "Future[Any]" = field(default_factory=Future)
    # Nobody waits for the result any more.
    abandoned: threading.Event = field(default_factory=threading.Event)


class WorkerPool:
    """A number of worker processes that import `preload` once, from the beginning on. Use it as a context manager."""

    def __init__(self, processes: int, cpu_seconds: float, preload: tuple[str, ...]) -> None:
        self.processes = processes
        self._cpu_seconds = cpu_seconds
        self._context = Context(preload)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._deaths: deque[str] = deque(maxlen=1000)
        self._seats = [_Seat(self._context, self._tasks, self._closed) for _ in range(processes)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closed.set()
        for _ in self._seats:
            self._tasks.put(None)
        for seat in self._seats:
            seat.join()
        # What nobody has begun.
        with suppress(queue.Empty):
            while True:
                if (task := self._tasks.get_nowait()) is not None:
                    task.future.cancel()

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that there are now."""
        return [pid for seat in self._seats if (pid := seat.pid) is not None]

    def take_deaths(self) -> list[str]:
        """Return how workers died for which no task was to blame, since the last call."""
        taken = []
        with suppress(IndexError):
            while True:
                taken.append(self._deaths.popleft())
        return taken

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` in a worker and return its result.

        Raises what the function raises; WorkerTimeout when it used too much processor time; WorkerDied when it killed
        its worker each time that it was tried alone.
        """
        return await self.run_within(self._cpu_seconds, function, *args, **kwargs)

    async def run_within(self, seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, with a limit of processor time of its own, which the pool's still bounds."""
        call, limit = (function, args, kwargs), min(seconds, self._cpu_seconds)
        try:
            return await self._done(_Task(call, limit))  # type: ignore[no-any-return]
        except WorkerDied as death:
            died = [death]
        charged = 0
        while charged < len(ALONE_AFTER) and len(died) < MOST_TRIES:
            await asyncio.sleep(ALONE_AFTER[charged])
            try:
                result = await self._done(_Task(call, limit, alone=True))
            except WorkerDied as death:
                died.append(death)
                charged += death.begun
            else:
                self._deaths.extend(map(str, died))
                return result  # type: ignore[no-any-return]
        raise died[-1]

    async def _done(self, task: _Task) -> Any:
        if self._closed.is_set():
            raise RuntimeError("the pool is closed")
        self._tasks.put(task)
        try:
            return await asyncio.wrap_future(task.future)
        except asyncio.CancelledError:
            task.abandoned.set()
            raise


class _Seat:
    """A place for one worker at a time, with the thread that feeds it. Fills it again when its worker is gone.

    A worker has one task at a time. One that is sent ahead could fill the pipe while an answer fills it the other way,
    and both sides would wait for ever.
    """

    def __init__(self, context: Context, tasks: "queue.SimpleQueue[_Task | None]", closed: threading.Event) -> None:
        self._context = context
        self._tasks = tasks
        self._closed = closed
        self._worker: _Worker | None = None
        self._thread = threading.Thread(target=self._serve, name="worker", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None when there is none."""
        worker = self._worker
        return worker.process.pid if worker is not None else None

    def join(self) -> None:
        """Wait until the worker has ended, which it does when the pool is closed, whatever it is doing."""
        self._thread.join()

    def _serve(self) -> None:
        try:
            # Before there is anything to do: its imports take a second.
            self._hire()
            while (task := self._tasks.get()) is not None:
                if self._closed.is_set() or task.abandoned.is_set():
                    task.future.cancel()
                elif task.future.set_running_or_notify_cancel():
                    try:
                        self._do(task)
                    except BaseException as error:
                        # Somebody waits for it, whatever becomes of this thread.
                        task.future.set_exception(error)
                        raise
        finally:
            self._dismiss()

    def _do(self, task: _Task) -> None:
        """Let the worker do a task, and wait for its answer or its end."""
        if task.alone:
            self._dismiss()
        worker = self._worker or self._hire()
        try:
            if worker is not None:
                worker.pipe.send((*task.call, task.seconds, task.alone))
        except OSError:
            # It has died meanwhile, which is found out when its answer is awaited.
            pass
        except Exception as error:  # noqa: BLE001 - what cannot be pickled is the caller's mistake
            task.future.set_exception(error)
            return
        answer = worker.answer(lambda: task.abandoned.is_set() or self._closed.is_set()) if worker else None
        if answer is None:
            task.future.set_exception(_failure(worker.death() if worker else WorkerDied(255, begun=False), task))
        elif answer.error is not None:
            task.future.set_exception(answer.error)
        else:
            task.future.set_result(answer.value)
        if answer is None or answer.last or task.alone:
            self._dismiss()

    def _hire(self) -> "_Worker | None":
        """Start a worker. None where that fails, as when the fork server was killed just now."""
        with suppress(OSError, EOFError):
            self._worker = _Worker(self._context)
        return self._worker

    def _dismiss(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None


def _failure(died: WorkerDied, task: _Task) -> Exception:
    if died.exit_code == -signal.SIGPROF:
        return WorkerTimeout(f"used more than {task.seconds:g} s of processor time")
    return died


@dataclass(frozen=True)
class _Begun:
    """What a worker sends before it begins with a task that it does alone."""


@dataclass(frozen=True)
class _Answer:
    """What a worker sends back; `last` when it ends with that."""

    value: Any = None
    error: BaseException | None = None
    last: bool = False


class _Worker:
    """A worker process and our end of its pipe."""

    def __init__(self, context: Context) -> None:
        self.pipe, theirs = context.Pipe()
        try:
            self.process: WorkerProcess = context.Process(target=_work, args=[theirs], daemon=True)
            self.process.start()
        except BaseException:
            self.pipe.close()
            raise
        finally:
            theirs.close()
        self._frozen = self._begun = False

    def answer(self, given_up: Callable[[], bool]) -> _Answer | None:
        """Return the next answer; None when the worker has died or is frozen, or the task was given up."""
        used, since = _processor_time(self.process.pid), time.monotonic()
        while not given_up():
            if wait([self.pipe, self.process.sentinel], timeout=LOOK_SECONDS):
                try:
                    # It may have answered and ended.
                    answer = self.pipe.recv() if self.pipe.poll() else None
                    if not isinstance(answer, _Begun):
                        return answer
                    self._begun = True
                except (EOFError, OSError):
                    return None
                except Exception as error:  # noqa: BLE001 - an answer that cannot be unpickled
                    return _Answer(error=RuntimeError(f"{type(error).__name__}: {error}"), last=True)
            if time.monotonic() - since >= FROZEN_SECONDS:
                before, used, since = used, _processor_time(self.process.pid), time.monotonic()
                if used == before:
                    self._frozen = True
                    return None
        return None

    def death(self) -> WorkerDied:
        """Return how the worker died; it is killed where it lives."""
        self.process.join(1)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        return WorkerDied(None if self._frozen else self.process.exitcode, begun=self._begun)

    def end(self) -> None:
        """End it at once."""
        self.pipe.close()
        self.process.kill()
        self.process.join()
        self.process.close()


def _processor_time(pid: int | None) -> int:
    """Return the processor time of a process in clock ticks (proc(5), stat, fields 14 and 15); the time elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    except OSError:
        return time.monotonic_ns()


def resident_bytes() -> int:
    """Return the memory that this process has in use, 0 where the system does not tell (proc(5), statm)."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


# -- in the worker


def _work(pipe: "Connection[Any, Any]") -> None:
    """Do tasks until there are no more, or this process has had its share."""
    _prepare()
    for number in range(1, TASKS_PER_WORKER + 1):
        try:
            task = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        answer = _outcome(pipe, task)
        last = number == TASKS_PER_WORKER or resident_bytes() >= KEPT_MEMORY_BYTES
        try:
            pipe.send(replace(answer, last=last))
        except OSError:
            return
        except Exception as error:  # noqa: BLE001 - a result or error that cannot be pickled
            pipe.send(_Answer(error=RuntimeError(f"{type(error).__name__}: {error}"), last=last))
        if last:
            return


def _outcome(pipe: "Connection[Any, Any]", task: bytes) -> _Answer:
    try:
        function, args, kwargs, seconds, alone = pickle.loads(task)  # noqa: S301 - from the parent
        if alone:
            pipe.send(_Begun())
        # The signal ends this process wherever it is, in C code too (setitimer(2)).
        signal.setitimer(signal.ITIMER_PROF, seconds)
        return _Answer(value=function(*args, **kwargs))
    except Exception as error:  # noqa: BLE001 - the caller's to handle
        return _Answer(error=error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _prepare() -> None:
    """End with the parent and with nobody else, get no more memory than is right, and do not search it often."""
    # What was loaded before the fork stays; trees of pages are freed by reference counts.
    gc.freeze()
    gc.set_threshold(50_000)
    os.nice(NICENESS)
    # Whoever ends a group of processes means the program, which knows what its workers have in hand.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG of prctl(2). The parent is the fork server, which ends with the main process.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        # A page that crashes a library leaves no file behind.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
