"""Airflow writes a log per attempt of a task, and deletes none. This does."""

import logging
import os
import stat
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ingest.config.settings import load_settings
from ingest.runtime.clock import spell, utc_now

__all__ = ["delete_old", "delete_old_logs"]

log = logging.getLogger(__name__)

# A directory that has been empty for so long is not one that a task has just made for its log.
SETTLED = timedelta(hours=1)


def delete_old_logs() -> int:
    """Delete logs older than NEWS_KEEP_LOGS_DAYS from the folder that Airflow writes them to; returns how many."""
    from airflow.sdk.configuration import conf

    kept = timedelta(days=load_settings().keep_logs_days)
    folder = Path(conf.get("logging", "base_log_folder"))
    deleted = delete_old(folder, utc_now(), kept)
    log.info("%d logs older than %s deleted from %s", deleted, spell(kept), folder)
    return deleted


def delete_old(folder: Path, now: datetime, kept: timedelta) -> int:
    """Delete logs below `folder` that nothing was written to for `kept`, and directories that are empty.

    Files in `folder` itself stay: with `make run`, they are those of Airflow's components, which go on being written.
    Links are neither followed nor deleted. What somebody else deletes at the same time is none of the count.
    """
    oldest, settled = (now - kept).timestamp(), (now - SETTLED).timestamp()
    deleted = 0
    for name, directories, files in os.walk(folder, topdown=False):
        place = Path(name)
        if place == folder:
            continue
        for path in (place / file for file in files if ".log" in file):
            with suppress(FileNotFoundError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_mtime < oldest:
                    path.unlink()
                    deleted += 1
        if not directories and not files and place.stat().st_mtime < settled:
            # One that is not empty any more stays.
            with suppress(OSError):
                place.rmdir()
    return deleted
