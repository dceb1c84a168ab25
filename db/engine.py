"""Connections to the news database, wherever it is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from db import clock, schema
from db.embedded import EmbeddedServer
from db.errors import DatabaseUnavailable, SchemaMismatch
from db.rows import only_row
from db.upgrade import upgrade_schema

__all__ = [
    "SESSION_LOST",
    "Connection",
    "Database",
    "connect",
    "open_database",
    "retry_deadlocks",
    "upgrade",
    "without_password",
]

Connection = psycopg.Connection[tuple[Any, ...]]
# Errors that mean a session is lost or cannot be opened. Work continues with another session.
SESSION_LOST = (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout, DatabaseUnavailable)
T = TypeVar("T")

# A silent peer is probed after 30 s, and given up 30 s later (PostgreSQL manual, 32.1.2 and 20.3.2).
CLIENT_KEEPALIVES = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
SERVER_KEEPALIVES = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}
FROZEN_SECONDS = 60
DEADLOCK_ATTEMPTS = 5
# This version added casefold() and the collation pg_unicode_fast, which news.fold needs.
MINIMUM_SERVER_VERSION = 180000


@dataclass(frozen=True)
class Database:
    """A reachable news database. `server` is set if it is the embedded one."""

    url: str
    server: EmbeddedServer | None = None

    def connect(self, *, repeatable: bool = False) -> Connection:
        """Return a new connection in UTC. Raises DatabaseUnavailable if that fails.

        With `repeatable`, commits do not wait for the disk: a server crash undoes the last half second, in whole
        transactions from the end. Use it for work that the ledger will then show as not done. In addition, the server
        ends the session if it is idle in a transaction for a minute.
        """
        try:
            connection = connect(self.url)
        except DatabaseUnavailable:
            if self.server is None:
                raise
            # The embedded server is ours to restart after a crash.
            self.server.ensure_running()
            connection = connect(self.url)
        if repeatable:
            # A session frozen in a transaction must not keep its locks from others.
            connection.execute(
                f"SET synchronous_commit = off; SET idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'"
            )
            connection.commit()
        return connection


@contextmanager
def open_database(url: str | None, data_dir: Path, *, check: bool = True) -> Iterator[Database]:
    """Yield the database at `url` or, without one, the embedded database under `data_dir`, started if needed.

    With `check`, an empty database gets its schema, and a schema that is too old or too new raises SchemaMismatch.
    Raises DatabaseUnavailable if the server cannot be reached, with advice in the message.
    """
    server = None
    if url is None:
        server = EmbeddedServer(data_dir)
        server.acquire()
        url = server.url()
    try:
        with connect(url) as connection, _explained_privileges(url):
            if connection.info.server_version < MINIMUM_SERVER_VERSION:
                raise DatabaseUnavailable(
                    f"{without_password(url)} is PostgreSQL {connection.info.server_version // 10000}; "
                    "the pipeline needs PostgreSQL 18 or newer"
                )
            fresh = check and schema.schema_revision(connection) is None
        if fresh:
            upgrade(url)
        if check:
            with connect(url) as connection, _explained_privileges(url):
                schema.check_schema(connection)
        yield Database(url, server)
    finally:
        if server is not None:
            server.release()


@contextmanager
def _explained_privileges(url: str) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnavailable(
            f"the role of {without_password(url)} may not use the news schema ({_said(error)}). "
            "Use the role that owns the database, or let its owner grant the rights"
        ) from error


def upgrade(url: str) -> tuple[str | None, str]:
    """Upgrade the schema at `url` to the newest revision. Returns the revisions before and after."""
    try:
        return upgrade_schema(url)
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaMismatch(
            f"the role of {without_password(url)} may not create the news schema ({_said(error)}). "
            "Make it the owner of the database, or run `ingest db upgrade` as its owner"
        ) from error
    except psycopg.OperationalError as error:
        raise _unavailable(url, error) from None


def retry_deadlocks(connection: Connection, work: Callable[[], T]) -> T:
    """Return the result of `work`. If PostgreSQL aborts it because of a deadlock, roll back and run it again.

    `work` must be a whole transaction that can be repeated. The order of locks in docs/decisions.md makes deadlocks
    rare, not impossible.
    """
    for _ in range(DEADLOCK_ATTEMPTS - 1):
        try:
            return work()
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            connection.rollback()
    return work()


# Secret parameters, and parameters with escaped names, which libpq accepts too.
_SECRET_PARAMETER = re.compile(r"[?&][^=&]*(?:password|secret|_key|%)[^=&]*=", re.IGNORECASE)
_HOST = r"(?:[^:@/?#\[\],]*|\[[^\]@/]*\])(?::\d*)?"
_HOSTS = re.compile(rf"(?:[^:@/?#]*@)?{_HOST}(?:,{_HOST})*(?:[/?].*)?", re.DOTALL)


def without_password(url: str) -> str:
    """Return the libpq URL with its password, and anything that may be part of it, replaced by ***.

    This does not use a URL parser, because passwords contain @, #, ?, / and & even though they should be
    percent-encoded. If the end of the password is unclear, more is hidden than necessary.
    """
    scheme, separator, rest = url.partition("://")
    shown, hidden = _parted(rest)
    return scheme + separator + shown if hidden else url


def _parted(rest: str) -> tuple[str, str]:
    """Split a URL after its scheme into the part that may be shown and the secret part, which may be empty."""
    parameter = _SECRET_PARAMETER.search(rest)
    before, after = (rest[: parameter.end()], rest[parameter.end() :]) if parameter else (rest, "")
    user, colon, behind = before.partition(":")
    if colon and "@" in after:
        # A password that looks like a parameter, or a parameter with an address in it.
        return f"{user}:***", behind + after
    password, at, server = behind.rpartition("@")
    if at:
        return f"{user}:***@{server}" + ("***" if parameter else ""), password + after
    if colon and not _HOSTS.fullmatch(before):
        return f"{user}:***", behind + after
    return before + ("***" if parameter else ""), after


def connect(url: str) -> Connection:
    """Return a new connection in UTC to the database at a libpq URL. Raises DatabaseUnavailable with advice."""
    try:
        connection = psycopg.connect(url, application_name="ingest", **connection_parameters(url))
        # With keepalives, both ends notice when the other machine is gone. The same query reads the server's time.
        row = only_row(
            connection,
            "SELECT clock_timestamp(), set_config('TimeZone', 'UTC', false), "
            + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SERVER_KEEPALIVES.items()),
        )
        connection.commit()
        clock.agree(row[0])
        return connection
    # Do not show these errors: libpq's messages repeat parts of the URL, which may be the password.
    except psycopg.ProgrammingError:
        raise DatabaseUnavailable(
            f"NEWS_DATABASE_URL cannot be read. It looks like postgresql://user:password@host:5432/news; {_ESCAPE}"
        ) from None
    except psycopg.OperationalError as error:
        raise _unavailable(url, error) from None


def connection_parameters(url: str) -> dict[str, Any]:
    """Return libpq parameters to add to a URL: timeouts that detect a lost server. The URL's own values win.

    Raises psycopg.ProgrammingError if the URL cannot be parsed.
    """
    given = conninfo_to_dict(url)
    return {name: value for name, value in CLIENT_KEEPALIVES.items() if name not in given}


_ESCAPE = "in user and password, characters such as % @ : / ? # must be percent-encoded"
_FULL = (
    "all connections that the server has for such roles are in use: run fewer workers, or raise max_connections on it"
)
# Messages of the server or libpq (in English, apart from lc_messages), and advice for each.
_ADVICE = (
    ("password authentication failed", "check user and password in NEWS_DATABASE_URL, or in ~/.pgpass"),
    ("no password supplied", "put the password into NEWS_DATABASE_URL or into ~/.pgpass"),
    ("no pg_hba.conf entry", "the server does not admit this user from here: see its pg_hba.conf"),
    ("is not permitted to log in", "it is a group: make a login that is its member with `ingest db add-login`"),
    ("does not exist", "create it on the server, or correct NEWS_DATABASE_URL"),
    ("too many clients", _FULL),
    # The remaining slots are for superusers and for members of pg_use_reserved_connections.
    ("remaining connection slots are reserved", _FULL),
    ("too many connections for role", "run fewer workers, or raise the role's limit: ALTER ROLE ... CONNECTION LIMIT"),
    (
        "too many connections for database",
        "run fewer workers, or raise the database's limit: ALTER DATABASE ... CONNECTION LIMIT",
    ),
    ("the database system is", "the server is starting or stopping: try again in a moment"),
    ("connection refused", "start the server, or correct host and port in NEWS_DATABASE_URL"),
    ("no such file", "start the server, or correct the socket directory in NEWS_DATABASE_URL"),
    ("timeout", "is the server reachable from here? check host, port and firewall"),
    ("resolve", "check the host name in NEWS_DATABASE_URL"),
    ("name or service not known", "check the host name in NEWS_DATABASE_URL"),
)


def _unavailable(url: str, error: psycopg.Error) -> DatabaseUnavailable:
    _, hidden = _parted(url.partition("://")[2])
    if "@" in hidden or "/" in hidden:
        # libpq takes these characters for the end of a password and the rest for the host or a port, and quotes it.
        return DatabaseUnavailable(
            f"no connection to {without_password(url)}. What to do: check NEWS_DATABASE_URL; {_ESCAPE}"
        )
    said = _said(error)
    advice = next((advice for sign, advice in _ADVICE if sign in str(error).lower()), "check NEWS_DATABASE_URL")
    return DatabaseUnavailable(f"no connection to {without_password(url)}: {said}. What to do: {advice}")


def _said(error: psycopg.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return re.sub(r"^.*?(FATAL|ERROR):\s*", "", lines[0]) if lines else type(error).__name__
