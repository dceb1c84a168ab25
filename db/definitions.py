"""Functions and views, which hold no data: `db/sql` says what they are today, and each upgrade ends with them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg

from db.dropping import Dropping

__all__ = ["FILES", "RIGHTS", "Definition", "apply", "are_applied", "read_definitions"]

# In this order: what a function or a view uses comes before it.
FILES = ("fold", "search", "leases", "moves", "notify", "partitions", "readers", "views")
# Applied at every upgrade, whatever the database has.
RIGHTS = "roles"

_CREATE = re.compile(r"^(?=CREATE OR REPLACE )", re.MULTILINE)
_VIEW = re.compile(r"CREATE OR REPLACE VIEW (news\.\w+) AS\b")
_FUNCTION = re.compile(r"^COMMENT ON FUNCTION (news\.\w+\([^)]*\)) IS\b", re.MULTILINE)
# Kept where it goes into dumps with what it tells of.
_MARK = "The revision of the tables of this schema. Functions and views: sha256:{}."


@dataclass(frozen=True)
class Definition:
    """A function, named with its arguments' types, or a view; `statements` create or replace it and comment on it."""

    kind: Literal["FUNCTION", "VIEW"]
    name: str
    statements: str


def read_definitions(folder: Path) -> list[Definition]:
    """Return the definitions in the files of `folder`, in the order in which they can be made.

    Raises ValueError for a function without a comment, which is where its arguments' types are read.
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
    """Return whether these are the definitions that were last applied to the database."""
    row = connection.execute("SELECT obj_description(to_regclass('news.alembic_version'), 'pg_class')").fetchone()
    return row == (_mark(definitions),)


def apply(connection: psycopg.Connection[Any], definitions: list[Definition], dropping: Dropping) -> None:
    """Make the functions and views of a database what `definitions` say, in the caller's transaction.

    Each is replaced in place, so that what others have built on it stays. What cannot be, such as a view that gets
    another column in the middle, is dropped with our views that use it, and made again; raises SchemaMismatch where
    something of others uses it too.
    """
    functions = [each for each in definitions if each.kind == "FUNCTION"]
    for definition in functions:
        _replace(connection, definition, dropping)
    # Before the views: those that used such a function are made again.
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
    """Drop functions that are called like ours but take other arguments: what ours were before."""
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
