"""The lifetime of the server: from its first user to its last, in whatever processes they are."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from db.embedded.cluster import Cluster
from db.embedded.locks import locked, open_lock

STOP_SECONDS = 60
SUCCESSION_SECONDS = 3


class EmbeddedServer(Cluster):
    """The PostgreSQL server under one data directory. `acquire` it, use `url`, `release` it."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self._keep_file = self.home / "keep_until"
        self._users_lock: int | None = None

    def acquire(self) -> None:
        """Start the server if it is not running, and hold it until `release` or the end of the process.

        Raises DatabaseUnavailable, with the end of the server's log, if it does not start.
        """
        if self._users_lock is not None:
            return
        self._prepare_home()
        lock = open_lock(self.home / "users.lock")
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            self.ensure_running()
        except BaseException:
            os.close(lock)
            raise
        self._users_lock = lock

    def ensure_running(self) -> None:
        """Start the server if it is not running, because it may have crashed since it was acquired."""
        with locked(self.home / "start.lock"):
            self._initialise()
            if not self.is_running():
                self._start()
                self._start_guard()
            self._ensure_role()

    def release(self) -> None:
        """Release the server, and stop it if nobody else needs it."""
        if self._users_lock is None:
            return
        os.close(self._users_lock)
        self._users_lock = None
        self.stop_if_unused(wait=False)

    def keep_for(self, seconds: float) -> None:
        """Keep the server running for `seconds` even if nobody holds it, because its URL was handed out."""
        until = time.time() + seconds
        self._keep_file.touch(mode=0o600)
        os.utime(self._keep_file, (until, until))

    def stop_if_unused(self, *, wait: bool) -> bool:
        """Stop the server unless somebody uses it. Returns False if it was left running.

        With `wait`, first wait until no process holds the server.
        """
        lock = open_lock(self.home / "users.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Either another user has the lock, and this returns at once, or the guard has it and is stopping the
            # server.
            fcntl.flock(lock, fcntl.LOCK_SH)
            return False
        else:
            if not self.is_running():
                return True
            if self._in_demand():
                return False
            self._run("pg_ctl", "stop", "-D", str(self.cluster), "-m", "fast", "-w", "-t", str(STOP_SECONDS))
            return True
        finally:
            os.close(lock)

    def guard(self) -> None:
        """Wait until nobody uses the server, stop it and return. The body of the guard process.

        Each start of the server starts a guard. If there is one already, this returns almost at once.
        """
        lock = open_lock(self.home / "guard.lock")
        deadline = time.monotonic() + SUCCESSION_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # A guard that has just stopped the server exits in a moment.
                if time.monotonic() > deadline:
                    return
                time.sleep(0.1)
        while not self.stop_if_unused(wait=True):
            time.sleep(1)

    def _start_guard(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "db.embedded", str(self.home.parent)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            check=True,
        )

    def _in_demand(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            if self._keep_file.stat().st_mtime > time.time():
                return True
        with self._superuser() as connection:
            for _ in range(10):
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                ).fetchone()
                if row == (0,):
                    return False
                # A session that was just closed is still listed for a moment.
                time.sleep(0.05)
        return True
