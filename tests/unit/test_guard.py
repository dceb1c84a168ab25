"""The unit tier has no database, whichever way a test may go for one."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from db import open_database
from db.embedded import EmbeddedServer
from db.engine import connect
from tests.unit.conftest import REFUSAL

URL = "postgresql://news@127.0.0.1:9/news"


@pytest.mark.parametrize(
    "reach",
    [
        lambda _: psycopg.connect(URL),
        lambda _: psycopg.Connection.connect(URL),
        lambda _: asyncio.run(psycopg.AsyncConnection.connect(URL)),
        lambda _: connect(URL),
        lambda folder: EmbeddedServer(folder).acquire(),
        lambda folder: open_database(None, folder).__enter__(),
    ],
    ids=["psycopg", "Connection", "AsyncConnection", "db", "server", "open_database"],
)
def test_no_call_reaches_a_database(reach: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=REFUSAL):
        reach(tmp_path)


@pytest.mark.parametrize("name", ["server", "database", "empty_database", "connection", "run", "newsroom"])
def test_no_fixture_does(name: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(pytest.fail.Exception, match=REFUSAL):
        request.getfixturevalue(name)
