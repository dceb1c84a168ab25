"""A worker process: our end of its pipe, and the code that runs at its end."""

import ctypes
import gc
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from ingest.runtime.fork_server import Context, WorkerProcess

__all__ = ["Worker", "WorkerAnswer", "WorkerDied", "resident_bytes"]

# Address space of a worker. The tree of a 15 MB page takes a few hundred MB; more than this is an attack.
MEMORY_LIMIT_BYTES = 3_000_000_000
# A worker is replaced after this many tasks, or if it has kept more memory than this (which includes 130 MB of imports
# that it shares with the others): lxml and its users leak a little, and large pages fragment the heap.
TASKS_PER_WORKER = 2000
KEPT_MEMORY_BYTES = 300_000_000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# A worker that uses no processor time for this long is frozen and gets replaced. A busy machine gives each some.
FROZEN_SECONDS = 300.0
# How often to check whether anyone still waits for a task.
LOOK_SECONDS = 0.2
# The main process and the database feed the workers and should not queue behind them for a processor. A higher value
# would lose nearly all processor time to programs at normal priority.
NICENESS = 5


class WorkerDied(Exception):
    """The task's worker process died. `exit_code` is negative for a signal, None for a frozen process.

    `begun` is False if it died alone, before it started the task.
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


@dataclass(frozen=True)
class Begun:
    """Sent by a worker before it starts a task that it runs alone."""


@dataclass(frozen=True)
class WorkerAnswer:
    """A worker's answer. `last` is true if the worker exits after it."""

    value: Any = None
    error: BaseException | None = None
    last: bool = False


class Worker:
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

    def answer(self, given_up: Callable[[], bool]) -> WorkerAnswer | None:
        """Return the next answer, or None if the worker has died or is frozen, or the task was given up."""
        used, since = _processor_time(self.process.pid), time.monotonic()
        while not given_up():
            if wait([self.pipe, self.process.sentinel], timeout=LOOK_SECONDS):
                try:
                    # It may have answered before it exited.
                    answer = self.pipe.recv() if self.pipe.poll() else None
                    if not isinstance(answer, Begun):
                        return answer
                    self._begun = True
                except (EOFError, OSError):
                    return None
                except Exception as error:  # noqa: BLE001 - an answer that cannot be unpickled
                    return WorkerAnswer(error=RuntimeError(f"{type(error).__name__}: {error}"), last=True)
            if time.monotonic() - since >= FROZEN_SECONDS:
                before, used, since = used, _processor_time(self.process.pid), time.monotonic()
                if used == before:
                    self._frozen = True
                    return None
        return None

    def death(self) -> WorkerDied:
        """Return how the worker died. If it is still alive, it is killed."""
        self.process.join(1)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        return WorkerDied(None if self._frozen else self.process.exitcode, begun=self._begun)

    def end(self) -> None:
        """Kill the worker."""
        self.pipe.close()
        self.process.kill()
        self.process.join()
        self.process.close()


def _processor_time(pid: int | None) -> int:
    """Return a process's processor time in clock ticks (proc(5), stat, fields 14 and 15). Elsewhere, the clock."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    except OSError:
        return time.monotonic_ns()


def resident_bytes() -> int:
    """Return the resident memory of this process, or 0 if the system does not tell (proc(5), statm)."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


# -- in the worker


def _work(pipe: "Connection[Any, Any]") -> None:
    """Run tasks until there are no more, or until this process must be replaced."""
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
            pipe.send(WorkerAnswer(error=RuntimeError(f"{type(error).__name__}: {error}"), last=last))
        if last:
            return


def _outcome(pipe: "Connection[Any, Any]", task: bytes) -> WorkerAnswer:
    try:
        function, args, kwargs, seconds, alone = pickle.loads(task)  # noqa: S301 - from the parent
        if alone:
            pipe.send(Begun())
        # The signal ends this process anywhere, even in C code (setitimer(2)).
        signal.setitimer(signal.ITIMER_PROF, seconds)
        return WorkerAnswer(value=function(*args, **kwargs))
    except Exception as error:  # noqa: BLE001 - the caller's to handle
        return WorkerAnswer(error=error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _prepare() -> None:
    """Set up a worker: exit with the parent only, limit memory, and collect garbage rarely."""
    # What was loaded before the fork stays. Page trees are freed by reference counts.
    gc.freeze()
    gc.set_threshold(50_000)
    os.nice(NICENESS)
    # A signal to the process group is for the main program, which knows what its workers are doing.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG of prctl(2). The parent is the fork server, which ends with the main process.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        # If a page crashes a library, no core file is left behind.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
