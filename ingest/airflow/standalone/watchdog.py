"""The parent of a component of Airflow, which ends all of it: when told to, when the component ends, and when the
program that started it is gone, however it went.

    python -m ingest.airflow.standalone.watchdog --grace 12 -- airflow scheduler

Its standard input is a pipe that the other program holds open and never writes to: the kernel closes it when that
program ends, also by SIGKILL. SIGTERM means: end now. Whatever the component starts stays below this process, as
orphans are given to it (PR_SET_CHILD_SUBREAPER), also those with a session of their own; so nothing is missed.

A component that is ended gets SIGTERM, once. Airflow's tasks are process groups of their own below it; they take
SIGTERM as the end of their time budget (see `ingest.airflow.tasks`), and get it again and again, as it is lost on a
task that has not begun yet. One that has no handler for it yet would be ended by it, and is waited for.
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
# A task that has ended is reported by its parent, which is waited for so long.
REPORT_SECONDS = 1.0


def main() -> None:
    """Start a command, and end with its exit code once nothing is left of it."""
    parser = argparse.ArgumentParser(prog="watchdog")
    parser.add_argument("--grace", type=float, required=True, help="seconds from SIGTERM to SIGKILL")
    parser.add_argument("--linger", type=float, default=0.0, help="seconds to go on after the other program is gone")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    sys.exit(Watchdog(options.command, options.grace, options.linger).run())


class Watchdog:
    """Runs a command as a session of its own, and ends it with all that descends from it."""

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
        # A handler, so that the wake-up pipe hears of children that end.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> int:
        """Return the command's exit code, as a shell would give it, when all of it has ended."""
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
        """Return when it is time to end: told to, nobody there any more, or the component has ended."""
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
        # Caught twice in a row: a task that was just forked has its parent's handlers, and then none for a while.
        caught: set[int] = set()
        quiet_since = time.monotonic()
        # Looked at twice: what is forked while one looks may be missed once.
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
        """Wait for a signal or another event. Returns what can be read."""
        ready = select.select(watched, [], [], None if seconds is None else max(seconds, 0.0))[0]
        if self._wake in ready:
            os.read(self._wake, 4096)
        self._reap()
        return ready

    def _reap(self) -> None:
        """Take notice of children that have ended, adopted ones too."""
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
