"""The unit tier has no database and no server: a test that asks for one fails, and is told where it belongs."""

from typing import Any, NoReturn

import psycopg
import pytest

from db.embedded import EmbeddedServer

REFUSAL = "a unit test touches no database and no server: move it to tests/integration"


def refuse(*_: Any, **__: Any) -> NoReturn:
    pytest.fail(REFUSAL)


@pytest.fixture(scope="session")
def server() -> NoReturn:
    """In place of the server that the fixtures `database`, `connection` and `run` start from."""
    refuse()


@pytest.fixture
def newsroom() -> NoReturn:
    """In place of the simulated web."""
    refuse()


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test calls, it gets no connection, and starts no server."""
    monkeypatch.setattr(psycopg, "connect", refuse)
    for connection in (psycopg.Connection, psycopg.AsyncConnection):
        monkeypatch.setattr(connection, "connect", refuse)
    monkeypatch.setattr(EmbeddedServer, "acquire", refuse)
    monkeypatch.setattr(EmbeddedServer, "ensure_running", refuse)
