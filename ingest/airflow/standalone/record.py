"""A file that lists a run's processes, so that the next run can end them if this run and its watchdogs are killed."""

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ingest.airflow.standalone import processes
from ingest.airflow.standalone.processes import Process

__all__ = ["Record"]

# Watchdogs whose run was killed end their components by themselves and in order: see `components`.
ORDERLY_SECONDS = 15.0


class Record:
    """The processes of a run, stored in `path` by id and start time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: frozenset[tuple[int, int]] = frozenset()

    def keep(self, running: list[Process]) -> None:
        """Record what is running now, unless the file says so already."""
        known = frozenset((process.pid, process.started) for process in running)
        if known == self._known:
            return
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({"boot": _boot(), "processes": sorted(known)}))
        fresh.rename(self._path)
        self._known = known

    def left(self) -> list[Process]:
        """Return the recorded processes that are still running, and their descendants."""
        written: set[tuple[int, int]] = set()
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(self._path.read_text())
            # Process ids and start times are only valid within one boot.
            if content["boot"] == _boot():
                written = {(pid, started) for pid, started in content["processes"]}
        if not written:
            return []
        running = [process for process in processes.living().values() if (process.pid, process.started) in written]
        return list(set(running) | set(processes.family([process.pid for process in running])))

    def end_left(self, seconds: float = ORDERLY_SECONDS) -> None:
        """Wait until nothing is left. Kill whatever is still running after `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := self.left()) and time.monotonic() < deadline:
            time.sleep(processes.LOOK_SECONDS)
        processes.end(left)

    def end_strays(self, running: Iterable[Process]) -> None:
        """Kill recorded processes that are no longer among `running`: their watchdog was killed."""
        present = set(running)
        processes.end(process for process in self.left() if process not in present)


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
