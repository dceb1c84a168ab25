"""The schema version: does the database have the one that this program needs?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from db.definitions import are_applied, read_definitions
from db.errors import SchemaMismatch

__all__ = ["HEAD", "SOURCES", "SQL", "Sources", "check_schema", "schema_revision"]


@dataclass(frozen=True)
class Sources:
    """The folders from which a schema is built: migrations, and the current functions, views and rights."""

    migrations: Path
    sql: Path

    @property
    def revisions(self) -> list[str]:
        """The revisions in order. They are numbered files: 0001_name.py, 0002_name.py, ..."""
        return sorted(path.name[:4] for path in (self.migrations / "versions").glob("[0-9]*_*.py"))


SQL = Path(__file__).parent / "sql"
SOURCES = Sources(Path(__file__).parent / "migrations", SQL)
REVISIONS = SOURCES.revisions
HEAD = REVISIONS[-1]


def schema_revision(connection: psycopg.Connection[Any]) -> str | None:
    """Return the revision of the schema in the database, or None if there is no schema `news` at all.

    Raises SchemaMismatch if there is a schema `news` that is not the pipeline's.
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
    """Raise SchemaMismatch, with advice, unless the database's schema is the one that this program needs."""
    present = schema_revision(connection)
    if present == HEAD and are_applied(connection, read_definitions(SQL)):
        return
    if present == HEAD:
        raise SchemaMismatch(
            "the functions and views of this database are those of another version of this program: "
            "run `ingest db upgrade`"
        )
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
