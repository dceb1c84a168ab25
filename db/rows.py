"""Queries that return exactly one row, as `SELECT count(*)` does."""

from typing import Any, LiteralString

import psycopg
from psycopg.rows import TupleRow

__all__ = ["only_row", "only_value"]


def only_row(
    connection: psycopg.Connection[Any], query: LiteralString, parameters: list[Any] | dict[str, Any] | None = None
) -> TupleRow:
    """Return the single row of a query. Raises LookupError if there is none or more than one."""
    rows = connection.execute(query, parameters).fetchmany(2)
    if len(rows) != 1:
        raise LookupError(f"a query that returns one row returned {'none' if not rows else 'more'}")
    row: TupleRow = rows[0]
    return row


def only_value(
    connection: psycopg.Connection[Any], query: LiteralString, parameters: list[Any] | dict[str, Any] | None = None
) -> Any:
    """Return the first column of the single row of a query. Raises LookupError if there is none or more than one."""
    return only_row(connection, query, parameters)[0]
