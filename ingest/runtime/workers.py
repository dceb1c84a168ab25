"""Worker processes for hostile input. Each task has a limit of processor time and may kill its process.

Each worker has its own pipe, and a thread here that feeds it. Workers share no lock and no queue, so one can be
killed or frozen at any moment without affecting the others.

A task is blamed only for what it does alone. Its processor time is its own. But a worker may die for other reasons
(the system ran out of memory, somebody sent a signal). So the task is retried, with pauses, in processes that run
nothing else, and is blamed only if it kills each of them after it has begun. A busy machine makes tasks late, and
nothing else.
"""

import asyncio
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from ingest.runtime.fork_server import Context
from ingest.runtime.worker import Worker, WorkerDied

__all__ = ["WorkerDied", "WorkerPool", "WorkerTimeout"]

P = ParamSpec("P")
T = TypeVar("T")
# The pauses before each try alone. Whatever kills healthy workers may pass in the meantime.
ALONE_AFTER = (0.2, 1.0, 4.0)
# The limit on tries overall, for processes that die before they begin the task.
MOST_TRIES = 30


class WorkerTimeout(Exception):
    """The task exceeded its limit of processor time, and its worker was killed."""


@dataclass(eq=False)
class _Task:
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
    seconds: float
    alone: bool = False
    future: "Future[Any]" = field(default_factory=Future)
    # Nobody waits for the result any more.
    abandoned: threading.Event = field(default_factory=threading.Event)


class WorkerPool:
    """A pool of worker processes that import `preload` once, at the start. Use it as a context manager."""

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
        # Tasks that nobody has begun.
        with suppress(queue.Empty):
            while True:
                if (task := self._tasks.get_nowait()) is not None:
                    task.future.cancel()

    @property
    def pids(self) -> list[int]:
        """The process ids of the current workers."""
        return [pid for seat in self._seats if (pid := seat.pid) is not None]

    def take_deaths(self) -> list[str]:
        """Return how workers died since the last call, if no task was to blame."""
        taken = []
        with suppress(IndexError):
            while True:
                taken.append(self._deaths.popleft())
        return taken

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` in a worker and return its result.

        Raises what the function raises; WorkerTimeout if it used too much processor time; WorkerDied if it killed its
        worker every time it was tried alone.
        """
        return await self.run_within(self._cpu_seconds, function, *args, **kwargs)

    async def run_within(self, seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, with its own limit of processor time. The pool's limit still applies."""
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
    """A slot for one worker at a time, with the thread that feeds it. Replaces the worker when it is gone.

    A worker has one task at a time. With a second one queued, a task and an answer could fill the pipe in both
    directions, and both sides would wait forever.
    """

    def __init__(self, context: Context, tasks: "queue.SimpleQueue[_Task | None]", closed: threading.Event) -> None:
        self._context = context
        self._tasks = tasks
        self._closed = closed
        self._worker: Worker | None = None
        self._thread = threading.Thread(target=self._serve, name="worker", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None if there is none."""
        worker = self._worker
        return worker.process.pid if worker is not None else None

    def join(self) -> None:
        """Wait until the worker has exited. When the pool is closed, it exits whatever it is doing."""
        self._thread.join()

    def _serve(self) -> None:
        try:
            # Start it before there is work, because its imports take a second.
            self._hire()
            while (task := self._tasks.get()) is not None:
                if self._closed.is_set() or task.abandoned.is_set():
                    task.future.cancel()
                elif task.future.set_running_or_notify_cancel():
                    try:
                        self._do(task)
                    except BaseException as error:
                        # Somebody is waiting for the task, whatever happens to this thread.
                        task.future.set_exception(error)
                        raise
        finally:
            self._dismiss()

    def _do(self, task: _Task) -> None:
        """Have the worker run a task, and wait for its answer or its death."""
        if task.alone:
            self._dismiss()
        worker = self._worker or self._hire()
        try:
            if worker is not None:
                worker.pipe.send((*task.call, task.seconds, task.alone))
        except OSError:
            # It has died in the meantime, which shows when its answer is awaited.
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

    def _hire(self) -> "Worker | None":
        """Start a worker. None if that fails, because the fork server was just killed, for example."""
        with suppress(OSError, EOFError):
            self._worker = Worker(self._context)
        return self._worker

    def _dismiss(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None


def _failure(died: WorkerDied, task: _Task) -> Exception:
    if died.exit_code == -signal.SIGPROF:
        return WorkerTimeout(f"used more than {task.seconds:g} s of processor time")
    return died
