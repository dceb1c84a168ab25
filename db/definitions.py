"""Functions and views, which hold no data. `db/sql` has their current definitions, applied at the end of an upgrade."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg

from db.dropping import Dropping

__all__ = ["FILES", "RIGHTS", "Definition", "apply", "are_applied", "read_definitions"]

# In dependency order: a function or view comes after those it uses.
FILES = ("fold", "words", "search", "leases", "moves", "notify", "partitions", "readers", "views")
# Applied at every upgrade, whatever the state of the database.
RIGHTS = "roles"

_CREATE = re.compile(r"^(?=CREATE OR REPLACE )", re.MULTILINE)
_VIEW = re.compile(r"CREATE OR REPLACE VIEW (news\.\w+) AS\b")
_FUNCTION = re.compile(r"^COMMENT ON FUNCTION (news\.\w+\([^)]*\)) IS\b", re.MULTILINE)
# Stored as a comment that goes into dumps together with the schema it describes.
_MARK = "The revision of the tables of this schema. Functions and views: sha256:{}."


@dataclass(frozen=True)
class Definition:
    """A function, named with its argument types, or a view. `statements` create or replace it and comment on it."""

    kind: Literal["FUNCTION", "VIEW"]
    name: str
    statements: str


def read_definitions(folder: Path) -> list[Definition]:
    """Return the definitions in the files of `folder`, in dependency order.

    Raises ValueError for a function without a comment, because the argument types are read from there.
    """
    found = []
    for name in FILES:
        _, *parts = _CREATE.split((folder / f"{name}.sql").read_text(encoding="utf-8"))
        found += [_definition(part) for part in parts]
    return found


def _definition(statements: str) -> Definition:
    if view := _VIEW.match(statements):
        return Definition("VIEW", view[1], statements)
    if function := _FUNCTION.search(statements):
        return Definition("FUNCTION", function[1], statements)
    raise ValueError(f"neither a view nor a function with a comment: {statements.splitlines()[0]}")


def are_applied(connection: psycopg.Connection[Any], definitions: Iterable[Definition]) -> bool:
    """Return whether these definitions were the last ones applied to the database."""
    row = connection.execute("SELECT obj_description(to_regclass('news.alembic_version'), 'pg_class')").fetchone()
    return row == (_mark(definitions),)


def apply(connection: psycopg.Connection[Any], definitions: list[Definition], dropping: Dropping) -> None:
    """Update the functions and views of a database to match `definitions`, in the caller's transaction.

    Each is replaced in place, so that objects built on it stay. If that is impossible, because a view gets another
    column in the middle, for example, it is dropped with our views that use it, and recreated. Raises SchemaMismatch if
    objects of others use it too.
    """
    functions = [each for each in definitions if each.kind == "FUNCTION"]
    for definition in functions:
        _replace(connection, definition, dropping)
    # Before the views, because those that used such a function are recreated.
    _drop_overloads(connection, [each.name for each in functions], dropping)
    for definition in definitions:
        if definition.kind == "VIEW":
            _replace(connection, definition, dropping)
    connection.execute(f"COMMENT ON TABLE news.alembic_version IS '{_mark(definitions)}'".encode())


def _replace(connection: psycopg.Connection[Any], definition: Definition, dropping: Dropping) -> None:
    try:
        with connection.transaction():
            connection.execute(definition.statements.encode())
    except (psycopg.errors.InvalidTableDefinition, psycopg.errors.InvalidFunctionDefinition):
        dropping.drop(definition.kind, definition.name)
        connection.execute(definition.statements.encode())


def _drop_overloads(connection: psycopg.Connection[Any], functions: list[str], dropping: Dropping) -> None:
    """Drop former versions of our functions: those with the same name and other arguments."""
    rows = connection.execute(
        "SELECT format('news.%%I(%%s)', proname, oidvectortypes(proargtypes)) FROM pg_proc"
        " WHERE pronamespace = 'news'::regnamespace AND 'news.' || proname = ANY (%s)"
        " AND oid <> ALL (%s::regprocedure[])",
        [[name.partition("(")[0] for name in functions], functions],
    ).fetchall()
    for (name,) in rows:
        dropping.drop("FUNCTION", name)


def _mark(definitions: Iterable[Definition]) -> str:
    return _MARK.format(hashlib.sha256("".join(each.statements for each in definitions).encode()).hexdigest())
