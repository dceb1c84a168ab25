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
# What says that a session is over, or none is to be had: work goes on with another one.
SESSION_LOST = (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout, DatabaseUnavailable)
T = TypeVar("T")

# A peer that says nothing is asked after 30 s, and given up 30 s later (PostgreSQL manual, 32.1.2 and 20.3.2).
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
# casefold() and the collation pg_unicode_fast, which news.fold needs, came with this version.
MINIMUM_SERVER_VERSION = 180000


@dataclass(frozen=True)
class Database:
    """A reachable news database; `server` is the embedded one, if it is."""

    url: str
    server: EmbeddedServer | None = None

    def connect(self, *, repeatable: bool = False) -> Connection:
        """Return a new connection in UTC; raises DatabaseUnavailable when there is none to be had.

        With `repeatable`, commits do not wait for the disk: after a crash of the server the last half second is
        undone, whole transactions from the end. Right for work that the ledger will then see as not done. And the
        server ends the session when it does nothing in a transaction for a minute.
        """
        try:
            connection = connect(self.url)
        except DatabaseUnavailable:
            if self.server is None:
                raise
            # It is ours to start again when it crashed.
            self.server.ensure_running()
            connection = connect(self.url)
        if repeatable:
            # A session that is frozen in a transaction must not keep its locks from the others.
            connection.execute(
                f"SET synchronous_commit = off; SET idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'"
            )
            connection.commit()
        return connection


@contextmanager
def open_database(url: str | None, data_dir: Path, *, check: bool = True) -> Iterator[Database]:
    """Yield the database at `url`, or without one the embedded database under `data_dir`, started when needed.

    With `check`, an empty database gets its schema; one whose schema is too old or too new raises SchemaMismatch.
    Raises DatabaseUnavailable when the server cannot be reached, with what to do in the message.
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
    """Bring the schema at `url` to the newest revision; returns the revisions before and after."""
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
    """Return what `work` returns; when a deadlock made PostgreSQL roll it back, roll back the rest and do it again.

    `work` must be a whole transaction that can be repeated. The order of locks in docs/decisions.md makes deadlocks
    rare, not impossible.
    """
    for _ in range(DEADLOCK_ATTEMPTS - 1):
        try:
            return work()
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            connection.rollback()
    return work()


# Parameters that are secret, and those whose names are escaped, which libpq reads all the same.
_SECRET_PARAMETER = re.compile(r"[?&][^=&]*(?:password|secret|_key|%)[^=&]*=", re.IGNORECASE)
_HOST = r"(?:[^:@/?#\[\],]*|\[[^\]@/]*\])(?::\d*)?"
_HOSTS = re.compile(rf"(?:[^:@/?#]*@)?{_HOST}(?:,{_HOST})*(?:[/?].*)?", re.DOTALL)


def without_password(url: str) -> str:
    """Return the libpq URL with its password, and whatever may be part of it, replaced by ***.

    Not by a URL parser: passwords hold @, #, ?, / and & though they should be percent-encoded. Where it cannot be told
    where they end, more is left out than needed.
    """
    scheme, separator, rest = url.partition("://")
    shown, hidden = _parted(rest)
    return scheme + separator + shown if hidden else url


def _parted(rest: str) -> tuple[str, str]:
    """What may be shown of a URL behind its scheme, and what may not; that is empty where nothing is secret."""
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
    """Return a new connection in UTC to the database at a libpq URL; raises DatabaseUnavailable with what to do."""
    try:
        connection = psycopg.connect(url, application_name="ingest", **connection_parameters(url))
        # Both ends notice when the other machine is gone; the server's time is asked for with the same question.
        row = only_row(
            connection,
            "SELECT clock_timestamp(), set_config('TimeZone', 'UTC', false), "
            + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SERVER_KEEPALIVES.items()),
        )
        connection.commit()
        clock.agree(row[0])
        return connection
    # Not from the errors: what libpq says repeats parts of the URL, which may be the password.
    except psycopg.ProgrammingError:
        raise DatabaseUnavailable(
            f"NEWS_DATABASE_URL cannot be read. It looks like postgresql://user:password@host:5432/news; {_ESCAPE}"
        ) from None
    except psycopg.OperationalError as error:
        raise _unavailable(url, error) from None


def connection_parameters(url: str) -> dict[str, Any]:
    """Return what libpq is told beside a URL: time limits, so that a lost server is noticed. What the URL says wins.

    Raises psycopg.ProgrammingError when the URL cannot be read.
    """
    given = conninfo_to_dict(url)
    return {name: value for name, value in CLIENT_KEEPALIVES.items() if name not in given}


_ESCAPE = "in user and password, characters such as % @ : / ? # must be percent-encoded"
_FULL = (
    "all connections that the server has for such roles are in use: run fewer workers, or raise max_connections on it"
)
# What the server or libpq says (in English, lc_messages aside), and what to do about it.
_ADVICE = (
    ("password authentication failed", "check user and password in NEWS_DATABASE_URL, or in ~/.pgpass"),
    ("no password supplied", "put the password into NEWS_DATABASE_URL or into ~/.pgpass"),
    ("no pg_hba.conf entry", "the server does not admit this user from here: see its pg_hba.conf"),
    ("is not permitted to log in", "it is a group: make a login that is its member with `ingest db add-login`"),
    ("does not exist", "create it on the server, or correct NEWS_DATABASE_URL"),
    ("too many clients", _FULL),
    # What is left is for superusers, and for members of pg_use_reserved_connections.
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
        # At these libpq ends a password, takes what follows for the host or a port, and says so.
        return DatabaseUnavailable(
            f"no connection to {without_password(url)}. What to do: check NEWS_DATABASE_URL; {_ESCAPE}"
        )
    said = _said(error)
    advice = next((advice for sign, advice in _ADVICE if sign in str(error).lower()), "check NEWS_DATABASE_URL")
    return DatabaseUnavailable(f"no connection to {without_password(url)}: {said}. What to do: {advice}")


def _said(error: psycopg.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return re.sub(r"^.*?(FATAL|ERROR):\s*", "", lines[0]) if lines else type(error).__name__
