"""Keeps component logs from growing forever. The DAG `maintain_database` deletes those of tasks."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["rotate"]

# Each component keeps this much, plus as much again in `NAME.log.1`: some days of a quiet pipeline.
COMPONENT_LOG_BYTES = 20_000_000


def rotate(log_file: Path, most_bytes: int = COMPONENT_LOG_BYTES) -> None:
    """Move the log of a running component to `NAME.log.1` if it is larger than `most_bytes`.

    The component opened the file for appending, so it goes on writing at the new beginning. Lines that it writes
    between the copy and the truncation are lost: a few at most.
    """
    with suppress(FileNotFoundError):
        if log_file.stat().st_size > most_bytes:
            shutil.copyfile(log_file, log_file.with_name(f"{log_file.name}.1"))
            os.truncate(log_file, 0)
