"""A PostgreSQL of the fault tests' own, which can be stopped, crashed, and have its disk filled."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql

from db.embedded import ROLE, SERVER_SETTINGS, EmbeddedServer
from db.engine import upgrade
from db.errors import DatabaseUnavailable
from ingest.store import leases

__all__ = ["Cluster", "Disk", "children", "command_line", "running_cluster"]

DISK_MB = 500
TEMPLATE = "template_faults"
# Commits that do not wait for the disk stay in memory for seconds, not for moments: a crash undoes more of them.
CONFIGURATION = "wal_writer_delay = 5s\nwal_writer_flush_after = 100MB\ncheckpoint_timeout = 1h\n"
START_SECONDS, STOP_SECONDS = 30, 3
# Of a file that is there for no other purpose than to take up room.
PIECE_BYTES = 4096


class Disk:
    """A small disk, in memory, that can be filled; without the right to mount one, a directory that cannot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        mounting = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        # Why it cannot be filled; None when it can.
        self.refusal = mounting.stderr.strip() or "mount failed" if mounting.returncode else None
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._ballast.open("ab") as file:
            size = file.tell()
            while True:
                free = os.statvfs(self.folder)
                room = max(free.f_bavail * free.f_frsize, PIECE_BYTES)
                try:
                    os.posix_fallocate(file.fileno(), size, room)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    if room == PIECE_BYTES:
                        return
                size = os.fstat(file.fileno()).st_size

    @property
    def is_full(self) -> bool:
        """Whether it was filled and not cleared."""
        return self._ballast.exists()

    def clear(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Take the disk away with all that is on it."""
        self.clear()
        if self.refusal is None:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


class Cluster(EmbeddedServer):
    """A server whose data lie on `disk`, with a log that leaves room on it."""

    settings: ClassVar[dict[str, str]] = SERVER_SETTINGS | {"max_wal_size": "96MB", "min_wal_size": "32MB"}

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.folder)
        self.disk = disk
        self._guarded = False

    def _initialise(self) -> None:
        fresh = not (self.cluster / "PG_VERSION").exists()
        super()._initialise()
        if fresh:
            with (self.cluster / "postgresql.conf").open("a") as file:
                file.write(CONFIGURATION)

    def _start_guard(self) -> None:
        # One is enough to stop the server when the tests are killed.
        if not self._guarded:
            super()._start_guard()
            self._guarded = True

    def make_template(self) -> None:
        """Make the database of which `fresh` makes copies."""
        self.ensure_database(TEMPLATE)
        upgrade(self.url(TEMPLATE))

    def fresh(self, name: str) -> str:
        """Make the database `name` anew, with the schema and empty, and return its URL."""
        with self._superuser() as connection:
            self.drop(name)
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE), sql.Identifier(ROLE)
                )
            )
        return self.url(name)

    def superuser(self, name: str) -> psycopg.Connection:
        """Return a connection to a database that may do everything."""
        return psycopg.connect(self.url(name, "postgres"))

    def drop(self, name: str) -> None:
        """Remove the database `name` if it is there."""
        with self._superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def halt(self, mode: str) -> None:
        """Stop the server: `fast`, in order, or `immediate`, which is a crash."""
        # It may be down already, for another fault, or be started again while this waits for its end.
        with contextlib.suppress(DatabaseUnavailable):
            self._run("pg_ctl", "stop", "-D", str(self.cluster), "-m", mode, "-w", "-t", str(STOP_SECONDS))

    def revive(self) -> None:
        """Start the server if it does not run; returns when it takes connections, or at once if its disk is full."""
        if self.disk.is_full:
            return
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ensure_running()
                return
            except (DatabaseUnavailable, psycopg.OperationalError):
                # Crash recovery, or a process that is still on its way out.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def postmaster(self) -> int | None:
        """Return the process id of the server, None when it does not run."""
        try:
            return int((self.cluster / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return None

    def backends(self, database: str) -> list[int]:
        """Return the process ids of the sessions in a database."""
        postmaster = self.postmaster()
        if postmaster is None:
            return []
        return sorted(pid for pid in children(postmaster) if f" {database} [local]" in command_line(pid))

    def kill_postmaster(self) -> None:
        """Kill the server process; the others notice and end."""
        pid = self.postmaster()
        if pid is not None and "postgres" in command_line(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def expire_leases(self, database: str) -> int:
        """Let the time of all leases in a database run out, and release what they hold; returns how many there were."""
        with contextlib.suppress(psycopg.OperationalError), self.superuser(database) as connection:
            expired = connection.execute("UPDATE news.leases SET alive_until = clock_timestamp()").rowcount
            connection.commit()
            leases.release_dead(connection)
            return expired
        return 0

    def lose_power(self) -> bool:
        """Go on with a copy of the data as they stand on the disk at one moment; returns whether there was a server."""
        postmaster = self.postmaster()
        if postmaster is None or "postgres" not in command_line(postmaster):
            return False
        pids = [postmaster, *children(postmaster)]
        # Beside the disk, which may be full.
        with tempfile.TemporaryDirectory(prefix="faults-power-") as beside:
            try:
                for pid in pids:
                    _signal(pid, signal.SIGSTOP)
                subprocess.run(["cp", "--archive", str(self.cluster), beside], check=True)
            finally:
                for pid in pids:
                    _signal(pid, signal.SIGKILL)
            while any(command_line(pid) for pid in pids):
                time.sleep(0.01)
            shutil.rmtree(self.cluster)
            subprocess.run(["cp", "--archive", f"{beside}/{self.cluster.name}", str(self.cluster)], check=True)
        return True

    def cut(self, database: str, which: int | None) -> int:
        """Terminate one session of a database, or with None all of them; returns how many."""
        with contextlib.suppress(psycopg.OperationalError), self._superuser(connect_timeout=2) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name = 'ingest' ORDER BY pid",
                [database],
            ).fetchall()
            pids = [row[0] for row in rows]
            if which is not None and pids:
                pids = [pids[which % len(pids)]]
            for pid in pids:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
            return len(pids)
        return 0


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Yield a server with a template, under a folder of its own."""
    disk = Disk(folder)
    try:
        cluster = Cluster(disk)
        cluster.acquire()
        try:
            cluster.make_template()
            yield cluster
        finally:
            disk.clear()
            cluster.release()
            cluster.halt("immediate")
    finally:
        disk.close()


def children(parent: int) -> list[int]:
    """Return the process ids of the children of a process (proc(5), stat: the fourth field)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # The second field, the name, is in parentheses and may hold anything.
            with contextlib.suppress(OSError, IndexError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(entry.name))
    return sorted(found)


def command_line(pid: int) -> str:
    """Return the command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
