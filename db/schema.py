"""The version of the schema: is the database's the one this program works with, and how to get there."""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from db.errors import DatabaseUnavailable, SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

__all__ = ["check_schema", "schema_revision", "upgrade_schema"]

MIGRATIONS = Path(__file__).parent / "migrations"
SQL = Path(__file__).parent / "sql"
# Revisions are numbered files: 0001_name.py, 0002_name.py, ...
REVISIONS = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
HEAD = REVISIONS[-1] if REVISIONS else "0000"
# An upgrade waits this long for a table that somebody reads, as everybody else then waits behind it; and tries again.
LOCK_SECONDS, TRIES, PAUSE_SECONDS = 2, 60, 3.0

PARTITION_NAME = re.compile(r"_(p\d{6}|default)$")


def is_described(name: str | None, kind: str, _parents: Any) -> bool:
    """Return whether an object of the database is one the models describe; partitions and Alembic's table are not."""
    if kind == "schema":
        return name == "news"
    return not (kind == "table" and name is not None and (PARTITION_NAME.search(name) or name == "alembic_version"))


def schema_revision(connection: psycopg.Connection[Any]) -> str | None:
    """Return the revision of the schema in the database, None when there is no schema `news` at all.

    Raises SchemaMismatch when there is a schema `news` that is not the pipeline's.
    """
    known = connection.execute(
        "SELECT to_regnamespace('news') IS NOT NULL, to_regclass('news.alembic_version') IS NOT NULL"
    ).fetchone()
    assert known is not None
    schema, versioned = known
    if not schema:
        return None
    if versioned:
        row = connection.execute("SELECT version_num FROM news.alembic_version").fetchone()
        if row is not None:
            return str(row[0])
    tables = connection.execute(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'news' AND tablename <> 'locks'"
    ).fetchone()
    if tables == (0,):
        return None
    raise SchemaMismatch(
        "this database has a schema `news` without a version: it was not made by this program, or its table "
        "news.alembic_version was lost. Use another database, or restore that table"
    )


def check_schema(connection: psycopg.Connection[Any]) -> None:
    """Raise SchemaMismatch, saying what to do, unless the database's schema is the one this program works with."""
    present = schema_revision(connection)
    if present == HEAD:
        return
    if present is None:
        raise SchemaMismatch("this database has no news schema yet: run `ingest db upgrade`")
    if present in REVISIONS:
        raise SchemaMismatch(
            f"the schema of this database is at revision {present}, this program works with {HEAD}: "
            "run `ingest db upgrade`"
        )
    raise SchemaMismatch(
        f"the schema of this database is at revision {present}, which this program (revision {HEAD}) does not know: "
        "it was made by a newer version. Upgrade the program"
    )


def upgrade_schema(url: str) -> tuple[str | None, str]:
    """Bring the schema of the database at `url` to HEAD. Returns the revisions before and after.

    Several processes may call this at once: one works, the others wait. Raises SchemaMismatch when the schema is
    newer than the program, DatabaseUnavailable when somebody kept a table from being changed through all tries.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        before = schema_revision(connection)
        if before is not None and before not in REVISIONS:
            check_schema(connection)
        _make_locks(connection)
        with connection.transaction():
            connection.execute("SELECT FROM news.locks WHERE name = 'upgrade' FOR UPDATE")
            # Another upgrade may have been at work meanwhile.
            before = schema_revision(connection)
            if before != HEAD:
                _migrate(url, connection)
        # Each time: a role may have been made, or its rights lost, since the revision that first did this.
        connection.execute((SQL / "roles.sql").read_text(encoding="utf-8"))
        return before, HEAD


def _make_locks(connection: psycopg.Connection[Any]) -> None:
    """Make the row that one upgrade at a time locks. A row, as everybody may take advisory locks."""
    for _ in range(10):
        try:
            if connection.execute("SELECT to_regclass('news.locks')").fetchone() == (None,):
                connection.execute("CREATE SCHEMA IF NOT EXISTS news")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS news.locks (name text CONSTRAINT locks_pkey PRIMARY KEY)"
                )
            connection.execute("INSERT INTO news.locks (name) VALUES ('upgrade') ON CONFLICT DO NOTHING")
        except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateSchema, psycopg.errors.DuplicateTable):
            # Another upgrade makes it in the same moment.
            time.sleep(0.1)
        else:
            return


def _migrate(url: str, connection: psycopg.Connection[Any]) -> None:
    """Run the migrations, all in one transaction, as often as it takes to get the locks they need."""
    from alembic import command

    for number in range(1, TRIES + 1):
        try:
            with _alembic(url) as config:
                command.upgrade(config, "head")
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            holders = _holders(connection)
            if number == TRIES:
                raise DatabaseUnavailable(
                    f"the schema could not be upgraded in {TRIES} tries: others keep its tables ({holders}). End those "
                    "sessions, or try again when they are done"
                ) from None
            log.warning("the tables of the news are in use (%s); trying again", holders)
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _holders(connection: psycopg.Connection[Any]) -> str:
    """Who has held locks on tables of the schema for longest, in words."""
    rows = connection.execute(
        "SELECT DISTINCT a.pid, a.usename, coalesce(a.application_name, ''), a.xact_start"
        " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = 'news'::regnamespace"
        " WHERE l.locktype = 'relation' AND l.pid <> pg_backend_pid() ORDER BY a.xact_start NULLS LAST LIMIT 3"
    ).fetchall()
    said = [f"process {pid} of {user}{f', {name}' if name else ''}" for pid, user, name, _ in rows]
    return "; ".join(said) or "they are gone by now"


@contextmanager
def _alembic(url: str) -> "Iterator[Config]":
    from alembic.config import Config
    from sqlalchemy import create_engine, pool
    from sqlalchemy.exc import DBAPIError

    def connect() -> psycopg.Connection:
        return psycopg.connect(url, options=f"-c lock_timeout={LOCK_SECONDS}s")

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            yield config
    except DBAPIError as error:
        # The caller knows psycopg's errors, not SQLAlchemy's wrapping of them.
        raise (error.orig or error) from error
