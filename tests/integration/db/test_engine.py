"""Connections: what is said when there is none, without the password."""

import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from db import Database, DatabaseUnavailable, SchemaMismatch, open_database, without_password
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade


@pytest.mark.parametrize("password", ["p%w", "p#w", "p/w?", "p@w"])
def test_no_message_shows_the_password(password: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable) as error:
        open_database(f"postgresql://u:{password}@127.0.0.1:9/d", tmp_path).__enter__()
    assert password not in str(error.value)


# Nothing else in a message looks like these.
PASSWORDS = st.text(st.sampled_from("QZ7%@:/?#&=[]+ ;é'\"\\"), min_size=4, max_size=20)
FORMS = [
    "postgresql://u:{}@127.0.0.1:9/d", "postgres://u@127.0.0.1:9/d?password={}", "postgresql://u@corp:{}@h.invalid/d",
    "postgresql://u:{}@[::1]:9/d?sslmode=disable", "postgresql://127.0.0.1:9/d?user=u&password={}&sslmode=disable",
]  # fmt: skip


def shows(message: str, password: str, form: str) -> list[str]:
    """The parts of a password that a message shows, but for those that stand in the URL or the advice anyway."""
    around = form + " password@host:5432/news; % @ : / ? # "
    parts = {password[at : at + 4] for at in range(len(password) - 3)}
    return [part for part in parts if part in message and part not in around]


@given(password=PASSWORDS, form=st.sampled_from(FORMS))
@example(password="pa@ss@w0rd", form=FORMS[2])
def test_no_part_of_a_password_is_shown(password: str, form: str) -> None:
    assert shows(without_password(form.format(password)), password, form) == []


# Few, as some are names that are looked up.
@settings(deadline=None, max_examples=25)
@given(password=PASSWORDS, form=st.sampled_from(FORMS))
@example(password="pa@ssw0rd", form=FORMS[0])
@example(password="pa/ssw0rd", form=FORMS[0])
@example(password="p&ssw0rd", form=FORMS[4])
def test_nor_by_what_libpq_says(password: str, form: str) -> None:
    with pytest.raises(DatabaseUnavailable) as error:
        connect(form.format(password))
    # As it is printed when nobody catches it.
    assert shows("".join(traceback.format_exception(error.value)), password, form) == []


def test_a_password_that_only_looks_odd_hides_no_reason() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"refused.*start the server"):
        connect("postgresql://u:p#w%25?x@127.0.0.1:9/d")


class TestAdvice:
    """What PostgreSQL says when there are no connections left, and what is said to that."""

    @pytest.fixture
    def owner(self, server: EmbeddedServer) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
            yield connection

    def advice(self, url: str) -> str:
        with pytest.raises(DatabaseUnavailable) as error:
            connect(url).close()
        return str(error.value)

    def test_the_limit_of_a_role(self, owner: psycopg.Connection[Any], stranger: str) -> None:
        owner.execute("ALTER ROLE stranger CONNECTION LIMIT 0")
        said = self.advice(stranger)
        assert "too many connections for role" in said
        assert "ALTER ROLE" in said

    def test_the_limit_of_a_database(self, owner: psycopg.Connection[Any], stranger: str, database: Database) -> None:
        name = sql.Identifier(database.url.partition("?")[0].rpartition("/")[2])
        owner.execute(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 0").format(name))
        said = self.advice(stranger)
        assert "too many connections for database" in said
        assert "ALTER DATABASE" in said

    def test_the_limit_of_the_server(self, server: EmbeddedServer, database: Database) -> None:
        with ExitStack() as held:
            said = ""
            while not said:
                try:
                    held.enter_context(connect(database.url))
                except DatabaseUnavailable as error:
                    said = str(error)
            assert "remaining connection slots are reserved" in said
            assert "max_connections" in said
            said = ""
            while not said:
                try:
                    held.enter_context(connect(server.url("postgres", "postgres")))
                except DatabaseUnavailable as error:
                    said = str(error)
            assert "too many clients" in said
            assert "max_connections" in said


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
