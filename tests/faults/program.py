"""`ingest` on a machine where things go wrong.

The file that FAULTS_CLOCK names says by how many seconds its clock is wrong; while the one of FAULTS_POISON is there,
some pages kill the workers they are in.
"""

import faulthandler
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db import clock

__all__ = ["main"]


def main() -> None:
    """Run the command line as `ingest` does. SIGUSR1 makes it write down where its threads are."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    shift = Path(os.environ["FAULTS_CLOCK"])

    true_time = time.time

    def shifted_now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(shift.read_text()))

    clock.local_now = shifted_now
    time.time = lambda: true_time() + float(shift.read_text())
    from ingest.cli import main as ingest
    from tests.faults import poison

    poison.install()
    ingest()


if __name__ == "__main__":
    main()
