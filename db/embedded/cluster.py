"""A cluster, in PostgreSQL's sense: its data directory, server, role and databases."""

import os
import pwd
import secrets
import shlex
import shutil
import tempfile
import time
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from db.embedded.owner import server_owner
from db.embedded.passage import let_through
from db.embedded.programs import programs, run
from db.embedded.settings import SERVER_SETTINGS
from db.errors import DatabaseUnavailable

SUPERUSER = "postgres"
ROLE = "news"
# The longest Unix socket path the kernel accepts (sun_path in unix(7)), without the terminating zero.
SOCKET_PATH_MAX_BYTES = 107
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_TOKEN_FILE = "news_socket_token"  # noqa: S105 - a file name
# Recovery after a crash replays up to max_wal_size of log, which takes tens of seconds on a slow disk.
START_SECONDS = 120
CRASH_SECONDS = 15

LARGE_OBJECT_FUNCTIONS = (
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lo_truncate(integer, integer)",
    "lo_truncate64(integer, bigint)",
    "lo_unlink(oid)",
    "lowrite(integer, bytea)",
)


class Cluster:
    """The cluster in `postgres` under one data directory. Other classes decide when to start and stop it."""

    settings: ClassVar[dict[str, str]] = SERVER_SETTINGS

    def __init__(self, data_dir: Path) -> None:
        self.home = data_dir.absolute() / "postgres"
        self.cluster = self.home / "cluster"
        self.log_file = self.home / "server.log"
        self._owner = server_owner()

    def url(self, database: str = ROLE, user: str = ROLE) -> str:
        """Return a libpq URL (PostgreSQL manual, 32.1.1.2) of a database of this server."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.socket_dir), safe='')}"

    @property
    def socket_dir(self) -> Path:
        """The directory of the socket: the server's home, or the temporary directory if that path is too long.

        Each cluster has a random name of its own. A server whose files were deleted removes its socket when it notices,
        and must not remove its successor's.
        """
        token = (self.cluster / SOCKET_TOKEN_FILE).read_text()
        usual = self.home / f"run-{token}"
        if len(os.fsencode(usual / SOCKET_NAME)) <= SOCKET_PATH_MAX_BYTES:
            return usual
        return Path(tempfile.gettempdir()) / f"news-postgres-{token}"

    def is_running(self) -> bool:
        """Return whether the server accepts connections."""
        try:
            self._superuser(connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def ensure_database(self, name: str) -> None:
        """Create the database `name`, owned by the role `news`, if it does not exist."""
        with self._superuser() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(ROLE))
                )
                connection.execute(
                    sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
                )

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
            for path in (self.home, programs()):
                let_through(path, self._owner.pw_uid)

    def _make_private(self, directory: Path) -> None:
        if directory.stat().st_uid != self._owner.pw_uid:
            os.chown(directory, self._owner.pw_uid, self._owner.pw_gid)
        directory.chmod(0o700)

    def _initialise(self) -> None:
        if (self.cluster / "PG_VERSION").exists():
            return
        # Created under another name and renamed, so that a cluster is either complete or missing.
        fresh = self.home / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._run(
            "initdb",
            "-D",
            str(fresh),
            "-U",
            SUPERUSER,
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth-local=peer",
            "--auth-host=reject",
        )
        client = pwd.getpwuid(os.geteuid()).pw_name
        (fresh / "pg_hba.conf").write_text("local all all peer map=owner\n")
        (fresh / "pg_ident.conf").write_text(f'owner "{client}" all\n')
        (fresh / SOCKET_TOKEN_FILE).write_text(secrets.token_hex(8))
        fresh.rename(self.cluster)

    def _start(self) -> None:
        # If a directory of this name is not ours, somebody else has put it there.
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
                    "pg_ctl",
                    "start",
                    "-D",
                    str(self.cluster),
                    "-l",
                    str(self.log_file),
                    "-w",
                    "-t",
                    str(START_SECONDS),
                    "-o",
                    options,
                )
            except DatabaseUnavailable as error:
                # It was running, but accepted no connections while it recovered from a session's crash.
                if self.is_running():
                    return
                # The remains of a killed server take a moment to disappear: its process, its shared memory.
                signs = ("another server might be running", "postmaster.pid", "shared memory block")
                passing = any(sign in str(error) for sign in signs)
                if not passing or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _ensure_role(self) -> None:
        with self._superuser() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
                self._close_to_the_public()
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(ROLE)))
        self.ensure_database(ROLE)

    def _close_to_the_public(self) -> None:
        """Revoke rights that PostgreSQL grants to every role: connect to all databases, write large objects."""
        with psycopg.connect(self.url("template1", SUPERUSER), autocommit=True) as connection:
            # New databases are copies of this one.
            for function in LARGE_OBJECT_FUNCTIONS:
                connection.execute(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")
            connection.execute("REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC")

    def _superuser(self, connect_timeout: int = 30) -> psycopg.Connection:
        return psycopg.connect(self.url("postgres", SUPERUSER), autocommit=True, connect_timeout=connect_timeout)

    def _run(self, program: str, *arguments: str) -> None:
        code, said = run(self._owner, program, *arguments)
        if code == 0:
            return
        if self.log_file.exists():
            said += "\n" + "\n".join(self.log_file.read_text(errors="replace").splitlines()[-5:])
        raise DatabaseUnavailable(
            f"the embedded PostgreSQL under {self.home} failed at `{program}`:\n{said}\nIts log: {self.log_file}"
        )
