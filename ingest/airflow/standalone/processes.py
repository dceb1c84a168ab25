"""Finds running processes in /proc (proc(5)), and ends them without hitting any others.

A process is identified by its id and its start time: ids are reused, but not both together.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Process",
    "adopt_orphans",
    "catches",
    "die_with_parent",
    "end",
    "family",
    "living",
    "send",
    "still_running",
]

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# The processes of the embedded server. It has users besides this run, and a guard that ends it after the last of them.
DATABASE_PROGRAMS = ("postgres", "pg_ctl")
DATABASE_GUARD = ["-m", "db.embedded"]
LOOK_SECONDS = 0.05
KILL_SECONDS = 10.0


@dataclass(frozen=True)
class Process:
    """A process. `started` is in clock ticks since boot."""

    pid: int
    started: int
    parent: int
    group: int

    @property
    def leads_group(self) -> bool:
        return self.group == self.pid


def living() -> dict[int, Process]:
    """Return all processes by id, except zombies."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        process = _read(int(directory.name))
        if process is not None:
            found[process.pid] = process
    return found


def family(ancestors: Iterable[int]) -> list[Process]:
    """Return the descendants of `ancestors`, except the embedded database and its descendants."""
    children: dict[int, list[Process]] = {}
    for process in living().values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = list(ancestors)
    while waiting:
        for child in children.get(waiting.pop(), []):
            if not _is_database(child.pid):
                found.append(child)
                waiting.append(child.pid)
    return found


def catches(pid: int, number: signal.Signals) -> bool:
    """Return whether the process has a handler for the signal. Without one, the signal would end it."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal to this process, but not to another one that has its id by now."""
    with suppress(OSError):
        descriptor = os.pidfd_open(process.pid)
        try:
            # The descriptor is bound to the process that has the id now, so the one checked here gets the signal.
            now = _read(process.pid)
            if now is not None and now.started == process.started:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def end(found: Iterable[Process], seconds: float = KILL_SECONDS) -> None:
    """Kill these processes and their descendants, and wait at most `seconds` until they are gone."""
    marked = set(found)
    deadline = time.monotonic() + seconds
    while (left := still_running(marked)) and time.monotonic() < deadline:
        # Find the descendants before killing anything: a process that has lost its parent is nobody's descendant.
        marked |= set(family([process.pid for process in left]))
        for process in marked:
            send(process, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)


def still_running(found: Iterable[Process]) -> list[Process]:
    """Return the processes in `found` that are still running."""
    known = {(process.pid, process.started) for process in found}
    return [process for process in living().values() if (process.pid, process.started) in known]


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, however deep it is, even in its own session."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """In a new child of `parent`: die when the parent dies. Children of this process are not affected."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def _read(pid: int) -> Process | None:
    try:
        # The name before the last bracket may contain anything, including brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # From field 3 on: state, parent, process group. Field 22 is the start time.
    if fields[0] in "ZX":
        return None
    return Process(pid, int(fields[19]), int(fields[1]), int(fields[2]))


def _is_database(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    # Sessions of the server are named `postgres: user database ...`.
    program = Path(words[0].partition(":")[0]).name
    return program in DATABASE_PROGRAMS or words[1:3] == DATABASE_GUARD
