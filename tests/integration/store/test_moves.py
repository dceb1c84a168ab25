"""The moves of entries: the table, and the guard in the database."""

from datetime import datetime
from itertools import product

import psycopg
import pytest

from db import Connection
from ingest.model.status import FINAL, IN_FLIGHT, MOVES, WITHOUT_ARTICLE, Status
from ingest.store import feeds, ledger
from tests.conftest import NOW
from tests.integration.rows import entry


def put(connection: Connection, status: Status) -> int:
    (number,) = ledger.record(connection, feeds.import_feed(connection, NOW), [entry(1, "a.example")], NOW)
    connection.execute("ALTER TABLE news.entries DISABLE TRIGGER entries_moves")
    move(connection, number, status)
    connection.execute("ALTER TABLE news.entries ENABLE TRIGGER entries_moves")
    return number


def move(connection: Connection, number: int, status: Status) -> None:
    due: datetime | None = NOW if status in IN_FLIGHT else None
    connection.execute(
        "UPDATE news.entries SET status = %s, next_attempt_at = %s, reason = %s WHERE id = %s",
        [status, due, "why" if status in WITHOUT_ARTICLE else None, number],
    )


def test_each_status_has_moves_and_the_first_three_are_in_flight() -> None:
    assert set(MOVES) == set(Status) == {*IN_FLIGHT, *FINAL}
    assert not set(IN_FLIGHT) & set(FINAL)


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)))
def test_the_database_allows_the_moves_of_the_table_and_no_others(
    connection: Connection, before: Status, after: Status
) -> None:
    number = put(connection, before)
    if after is before or after in MOVES[before]:
        move(connection, number, after)
        assert connection.execute("SELECT status FROM news.entries").fetchone() == (after,)
    else:
        with pytest.raises(psycopg.errors.CheckViolation, match=f"entry {number} may not go from {before} to {after}"):
            move(connection, number, after)
    connection.rollback()
