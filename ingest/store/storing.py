"""Store a batch, although PostgreSQL may refuse one of its items."""

from collections.abc import Callable
from typing import TypeVar

import psycopg

from db import Connection, retry_deadlocks

__all__ = ["UNSTORABLE", "store_or_refuse"]

T = TypeVar("T")

# Not the database's trouble but the item's: it has characters, sizes or values that no column takes.
UNSTORABLE = (UnicodeError, psycopg.DataError, psycopg.errors.ProgramLimitExceeded)


def store_or_refuse(
    connection: Connection,
    items: list[T],
    store: Callable[[list[T]], None],
    refuse: Callable[[T, str], None],
) -> None:
    """Store `items` in one transaction; where one of them cannot be stored, refuse that one and store the others.

    `store` and `refuse(item, why)` commit what they do.
    """
    try:
        retry_deadlocks(connection, lambda: store(items))
    except UNSTORABLE as error:
        connection.rollback()
        if len(items) == 1:
            refuse(items[0], f"cannot be stored: {type(error).__name__}")
            return
        for item in items:
            store_or_refuse(connection, [item], store, refuse)
