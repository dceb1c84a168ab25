"""Keeps the logs of components from growing for ever. Those of tasks are deleted by the DAG `maintain_database`."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["rotate"]

# Of each component there are this much and as much again in `NAME.log.1`: some days of a quiet pipeline.
COMPONENT_LOG_BYTES = 20_000_000


def rotate(log_file: Path, most_bytes: int = COMPONENT_LOG_BYTES) -> None:
    """Move what is in the log of a running component to `NAME.log.1`, if it is that much.

    The component goes on writing where the file now begins, as it opened it for appending. What it writes between copy
    and cut is lost: some lines, at most.
    """
    with suppress(FileNotFoundError):
        if log_file.stat().st_size > most_bytes:
            shutil.copyfile(log_file, log_file.with_name(f"{log_file.name}.1"))
            os.truncate(log_file, 0)
