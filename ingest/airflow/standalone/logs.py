"""Keeps logs from growing for ever: those of components are cut, those of tasks are deleted when they are old.

Airflow itself deletes no log files; its official image has a program for it, which deletes by age and reads the same
variable.
"""

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ingest.errors import ConfigError

__all__ = ["RETENTION", "groom_for_ever", "groom_once", "retention_days", "rotate"]

log = logging.getLogger("run")

# The name that Airflow's official image uses, and its default.
RETENTION = "AIRFLOW__LOG_RETENTION_DAYS"
DEFAULT_DAYS = 15
DAY_SECONDS = 86400.0
EVERY_SECONDS = 3600.0
# Of each component there are this much and as much again in `NAME.log.1`: some days of a quiet pipeline.
COMPONENT_LOG_BYTES = 20_000_000


def retention_days() -> int:
    """Return the number of days for which logs of tasks are kept. Raises ConfigError when that is no number."""
    text = os.environ.get(RETENTION, "") or str(DEFAULT_DAYS)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ConfigError(f"{RETENTION}: expected a number of days, 1 or more (it is {text!r})")
    return int(text)


def rotate(log_file: Path, most_bytes: int = COMPONENT_LOG_BYTES) -> None:
    """Move what is in the log of a running component to `NAME.log.1`, if it is that much.

    The component goes on writing where the file now begins, as it opened it for appending. What it writes between copy
    and cut is lost: some lines, at most.
    """
    with suppress(FileNotFoundError):
        if log_file.stat().st_size > most_bytes:
            shutil.copyfile(log_file, log_file.with_name(f"{log_file.name}.1"))
            os.truncate(log_file, 0)


def groom_once(logs: Path, days: int) -> int:
    """Delete the tasks' and DAGs' logs that were not written to for so long, and empty folders. Returns how many files.

    The files directly in `logs` are those of components.
    """
    oldest = time.time() - days * DAY_SECONDS
    deleted = 0
    for folder in _folders(logs):
        deleted += _groom(folder, oldest)
    return deleted


def groom_for_ever(logs: Path, days: int, stop: threading.Event) -> None:
    """Do so every hour until told to stop. The body of a thread: many small files take their time."""
    while True:
        deleted = groom_once(logs, days)
        if deleted:
            log.info("%d logs of tasks from more than %d days ago deleted", deleted, days)
        if stop.wait(EVERY_SECONDS):
            return


def _folders(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from [part for part in folder.iterdir() if part.is_dir() and not part.is_symlink()]


def _groom(folder: Path, oldest: float) -> int:
    deleted = sum(_groom(part, oldest) for part in _folders(folder))
    with suppress(OSError):
        for path in list(folder.iterdir()):
            # Of a link it is the link's own age, and the link that goes.
            if not path.is_dir() or path.is_symlink():
                deleted += _delete(path, oldest)
        # A folder that was just made is about to be written to.
        if folder.stat().st_mtime < oldest or deleted:
            folder.rmdir()
    return deleted


def _delete(path: Path, oldest: float) -> int:
    with suppress(OSError):
        if path.lstat().st_mtime < oldest:
            path.unlink()
            return 1
    return 0
