"""Upgrades a schema to the newest revision, with the current functions, views and rights."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from db import definitions
from db.dropping import IN_USE, Dropping, in_use
from db.errors import DatabaseUnavailable
from db.schema import SOURCES, Sources, check_schema, schema_revision

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger(__name__)

__all__ = ["transaction", "upgrade_schema"]

# An upgrade waits this long for a table that is being read, because everyone else queues behind it, and then retries.
LOCK_SECONDS, TRIES, PAUSE_SECONDS = 2, 60, 3.0


def upgrade_schema(url: str, sources: Sources = SOURCES) -> tuple[str | None, str]:
    """Upgrade the schema of the database at `url` to the newest revision. Returns the revisions before and after.

    Several processes may call this at once: one works, the others wait. Either everything is changed or nothing. Raises
    SchemaMismatch if the schema is newer than the program, or if objects of others use what must be changed, and
    DatabaseUnavailable if a table stayed locked through all tries.
    """
    revisions = sources.revisions
    wanted = definitions.read_definitions(sources.sql)
    rights = (sources.sql / f"{definitions.RIGHTS}.sql").read_text(encoding="utf-8").encode()
    with psycopg.connect(url, autocommit=True) as connection:
        before = schema_revision(connection)
        if before is not None and before not in revisions:
            check_schema(connection)
        _make_locks(connection)
        with connection.transaction():
            connection.execute("SELECT FROM news.locks WHERE name = 'upgrade' FOR UPDATE")
            # Another process may have upgraded it in the meantime.
            before = schema_revision(connection)
            if before != revisions[-1] or not definitions.are_applied(connection, wanted):
                _change(url, connection, sources, wanted, rights)
            else:
                # Every time: a role may have been created, or may have lost its rights, since the last upgrade.
                connection.execute(rights)
        return before, revisions[-1]


# Another upgrade creates the schema, the table or its row type at the same moment. IF NOT EXISTS does not prevent this.
_MADE_MEANWHILE = (
    psycopg.errors.UniqueViolation, psycopg.errors.DuplicateSchema, psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateObject,
)  # fmt: skip


def _make_locks(connection: psycopg.Connection[Any]) -> None:
    """Create the row that upgrades lock. It is a row because any role may take advisory locks."""
    for _ in range(10):
        try:
            if connection.execute("SELECT to_regclass('news.locks')").fetchone() == (None,):
                connection.execute("CREATE SCHEMA IF NOT EXISTS news")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS news.locks (name text CONSTRAINT locks_pkey PRIMARY KEY)"
                )
            connection.execute("INSERT INTO news.locks (name) VALUES ('upgrade') ON CONFLICT DO NOTHING")
        except _MADE_MEANWHILE:
            time.sleep(0.1)
        else:
            return


def _change(
    url: str,
    watching: psycopg.Connection[Any],
    sources: Sources,
    wanted: list[definitions.Definition],
    rights: bytes,
) -> None:
    """Make all necessary changes in one transaction, and retry until it gets the locks."""
    from db.migrations.steps import migrate

    for number in range(1, TRIES + 1):
        try:
            with transaction(url) as (connection, driver):
                dropping = Dropping(driver, [each.name for each in wanted if each.kind == "VIEW"])
                migrate(connection, sources.migrations, dropping.make_way)
                definitions.apply(driver, wanted, dropping)
                dropping.give_back()
                # In the same transaction, so that users never lose access to a recreated view.
                driver.execute(rights)
        except IN_USE as error:
            if error.diag.message_detail is None:
                raise
            raise in_use(error) from error
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            holders = _holders(watching)
            if number == TRIES:
                raise DatabaseUnavailable(
                    f"the schema could not be upgraded in {TRIES} tries: others lock its tables ({holders}). End those "
                    "sessions, or try again when they are done"
                ) from None
            log.warning("the tables of the news are in use (%s); trying again", holders)
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _holders(connection: psycopg.Connection[Any]) -> str:
    """Describe who has held locks on tables of the schema the longest."""
    rows = connection.execute(
        "SELECT DISTINCT a.pid, a.usename, coalesce(a.application_name, ''), a.xact_start"
        " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = 'news'::regnamespace"
        " WHERE l.locktype = 'relation' AND l.pid <> pg_backend_pid() ORDER BY a.xact_start NULLS LAST LIMIT 3"
    ).fetchall()
    said = [f"process {pid} of {user}{f', {name}' if name else ''}" for pid, user, name, _ in rows]
    return "; ".join(said) or "they are gone by now"


@contextmanager
def transaction(url: str) -> Iterator[tuple["Connection", psycopg.Connection[Any]]]:
    """Yield one connection as SQLAlchemy and as psycopg objects, in a transaction with a short lock timeout.

    Raises psycopg's errors, not SQLAlchemy's wrappers.
    """
    from sqlalchemy import create_engine, pool
    from sqlalchemy.exc import DBAPIError

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            # Names do not depend on the settings of the role or database, and messages include schemas.
            driver.execute(
                f"SET LOCAL lock_timeout = '{int(LOCK_SECONDS * 1000)}ms'; SET LOCAL search_path = pg_catalog".encode()
            )
            yield connection, driver
    except DBAPIError as error:
        raise (error.orig or error) from error
