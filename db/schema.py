"""The version of the schema: is the database's the one this program works with, and how to get there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from db.errors import SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["check_schema", "schema_revision", "upgrade_schema"]

MIGRATIONS = Path(__file__).parent / "migrations"
SQL = Path(__file__).parent / "sql"
# Revisions are numbered files: 0001_name.py, 0002_name.py, ...
REVISIONS = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
HEAD = REVISIONS[-1] if REVISIONS else "0000"
# Arbitrary, the same in every process: keeps two upgrades from running at once.
UPGRADE_LOCK = 0x6E657773

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
    tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'news'").fetchone()
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
    newer than the program.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [UPGRADE_LOCK])
        before = schema_revision(connection)
        if before is not None and before not in REVISIONS:
            check_schema(connection)
        if before != HEAD:
            from alembic import command

            with _alembic(url) as config:
                command.upgrade(config, "head")
        # Each time: a role may have been made, or its rights lost, since the revision that first did this.
        connection.execute((SQL / "roles.sql").read_text(encoding="utf-8"))
        return before, HEAD


@contextmanager
def _alembic(url: str) -> "Iterator[Config]":
    from alembic.config import Config
    from sqlalchemy import create_engine, pool
    from sqlalchemy import text as sql
    from sqlalchemy.exc import DBAPIError

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(sql("CREATE SCHEMA IF NOT EXISTS news"))
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            yield config
    except DBAPIError as error:
        # The caller knows psycopg's errors, not SQLAlchemy's wrapping of them.
        raise (error.orig or error) from error
