from pathlib import Path

import psycopg
import pytest

from db import Database, DatabaseUnavailable, SchemaMismatch, open_database, without_password
from db.embedded import EmbeddedServer
from db.engine import upgrade


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:p#w@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@w/x?y@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p%w@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@/d?host=%2Ftmp&password=secret&x=1", "postgresql://u@/d?host=%2Ftmp&password=***&x=1"),
        ("postgresql://h:5432/d", "postgresql://h:5432/d"),
        ("postgresql:///d", "postgresql:///d"),
    ],
)
def test_without_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize("password", ["p%w", "p#w", "p/w?", "p@w"])
def test_no_message_shows_the_password(password: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable) as error:
        open_database(f"postgresql://u:{password}@127.0.0.1:9/d", tmp_path).__enter__()
    assert password not in str(error.value)


@pytest.fixture
def stranger(server: EmbeddedServer, database: Database) -> str:
    """The URL of a role without rights."""
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS stranger")
        connection.execute("CREATE ROLE stranger LOGIN")
    return database.url.replace("//news@", "//stranger@")


def test_a_role_without_rights_is_told_so(stranger: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="may not use the news schema"):
        open_database(stranger, tmp_path).__enter__()


def test_a_role_that_may_not_create_the_schema_is_told_so(
    server: EmbeddedServer, empty_database: Database, stranger: str
) -> None:
    url = empty_database.url.replace("//news@", "//stranger@")
    with pytest.raises(SchemaMismatch, match="may not create the news schema"):
        upgrade(url)
