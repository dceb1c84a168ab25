"""Deletes old task logs. Airflow writes one log per task attempt and never deletes any."""

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

# A task may have just created an empty directory for its log. After this long, none will write to it.
SETTLED = timedelta(hours=1)


def delete_old_logs() -> int:
    """Delete logs older than NEWS_KEEP_LOGS_DAYS from Airflow's log folder. Returns how many were deleted."""
    from airflow.sdk.configuration import conf

    kept = timedelta(days=load_settings().keep_logs_days)
    folder = Path(conf.get("logging", "base_log_folder"))
    deleted = delete_old(folder, utc_now(), kept)
    log.info("%d logs older than %s deleted from %s", deleted, spell(kept), folder)
    return deleted


def delete_old(folder: Path, now: datetime, kept: timedelta) -> int:
    """Delete logs below `folder` that have not been written to for `kept`, and empty directories. Returns the count.

    Files in `folder` itself stay: with `make run`, Airflow's components are still writing to them. Links are neither
    followed nor deleted. Files that another process deletes at the same time are not counted.
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
            # rmdir fails if the directory is no longer empty; it then stays.
            with suppress(OSError):
                place.rmdir()
    return deleted
