"""The parent process of an Airflow component. It ends all of the component's processes when told to, when the component
ends, and when the program that started the watchdog is gone for any reason.

    python -m ingest.airflow.standalone.watchdog --grace 12 -- airflow scheduler

Its standard input is a pipe that the other program holds open and never writes to. The kernel closes it when that
program ends, even by SIGKILL. SIGTERM means: end now. Everything the component starts stays below this process, because
orphans become its children (PR_SET_CHILD_SUBREAPER), even those in their own session. So no process is missed.

To end a component, the watchdog sends it SIGTERM once. Airflow's tasks are separate process groups below it, which
treat SIGTERM as the end of their time budget (see `ingest.airflow.tasks`). They get the signal repeatedly, because a
task that has not begun yet loses it. A task without a handler would be killed by it, so the watchdog waits for one.
"""

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType

from ingest.airflow.standalone import processes
from ingest.airflow.standalone.processes import Process

__all__ = ["Watchdog", "main"]

NUDGE_SECONDS = 0.5
# How long to wait for the parent of a task that has ended to report it.
REPORT_SECONDS = 1.0


def main() -> None:
    """Start a command, and exit with its exit code once none of its processes is left."""
    parser = argparse.ArgumentParser(prog="watchdog")
    parser.add_argument("--grace", type=float, required=True, help="seconds from SIGTERM to SIGKILL")
    parser.add_argument("--linger", type=float, default=0.0, help="seconds to go on after the other program is gone")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    sys.exit(Watchdog(options.command, options.grace, options.linger).run())


class Watchdog:
    """Runs a command in its own session, and ends it together with all its descendants."""

    def __init__(self, command: list[str], grace: float, linger: float) -> None:
        self._command = command
        self._grace = grace
        self._linger = linger
        self._told = False
        self._code: int | None = None
        self._wake, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)
        # Without a handler, the wakeup pipe would not be told about children that end.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> int:
        """Return the command's exit code, as a shell would report it, when all its processes have ended."""
        processes.adopt_orphans()
        own_pid = os.getpid()
        self._component = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: processes.die_with_parent(own_pid),  # noqa: PLW1509 - there are no threads here
        )
        self._watch()
        self._end()
        code = self._code or 0
        return code if code >= 0 else 128 - code

    def _tell(self, _number: int, _frame: FrameType | None) -> None:
        self._told = True

    def _watch(self) -> None:
        """Return when it is time to end: told to, the other program is gone, or the component has ended."""
        watched = [self._wake, sys.stdin.fileno()]
        ends_at: float | None = None
        while not self._told and self._code is None:
            if ends_at is not None and time.monotonic() >= ends_at:
                return
            ready = self._pause(watched, None if ends_at is None else ends_at - time.monotonic())
            if sys.stdin.fileno() in ready:
                watched.remove(sys.stdin.fileno())
                ends_at = time.monotonic() + self._linger

    def _end(self) -> None:
        deadline = time.monotonic() + self._grace
        if self._code is None:
            os.kill(self._component.pid, signal.SIGTERM)
        # Only if caught twice in a row: a newly forked task has its parent's handlers, then none for a while.
        caught: set[int] = set()
        quiet_since = time.monotonic()
        # Check twice: a process forked during the first check may be missed.
        while left := self._family() or self._family():
            now = time.monotonic()
            tasks = [process for process in left if process.leads_group and process.pid != self._component.pid]
            if tasks or self._code is None:
                quiet_since = now
            if now >= deadline or now - quiet_since > REPORT_SECONDS:
                self._kill(left)
                continue
            catching = {process.pid for process in tasks if processes.catches(process.pid, signal.SIGTERM)}
            for process in tasks:
                if process.pid in caught & catching:
                    processes.send(process, signal.SIGTERM)
            caught = catching
            self._pause([self._wake], NUDGE_SECONDS)
        self._reap()

    def _family(self) -> list[Process]:
        return processes.family([os.getpid()])

    def _kill(self, left: list[Process]) -> None:
        for process in left:
            processes.send(process, signal.SIGKILL)
        self._pause([self._wake], processes.LOOK_SECONDS)

    def _pause(self, watched: list[int], seconds: float | None) -> list[int]:
        """Wait for a signal or another event. Returns the descriptors that can be read."""
        ready = select.select(watched, [], [], None if seconds is None else max(seconds, 0.0))[0]
        if self._wake in ready:
            os.read(self._wake, 4096)
        self._reap()
        return ready

    def _reap(self) -> None:
        """Reap children that have ended, including adopted ones."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._component.pid:
                self._code = self._component.returncode = os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
