"""`ingest` with a clock that goes wrong: the file that FAULTS_CLOCK names says by how many seconds, at any time."""

import faulthandler
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest import clock

__all__ = ["main"]


def main() -> None:
    """Run the command line as `ingest` does. SIGUSR1 makes it write down where its threads are."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    shift = Path(os.environ["FAULTS_CLOCK"])

    true_time = time.time

    def shifted_now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(shift.read_text()))

    # Before the modules are imported that take the function by its name.
    clock.utc_now = shifted_now
    time.time = lambda: true_time() + float(shift.read_text())
    from ingest.cli import main as ingest

    ingest()


if __name__ == "__main__":
    main()
