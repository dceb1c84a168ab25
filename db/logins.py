"""Logins: members of the groups to which the schema grants rights. Each person and program has a login."""

import secrets
from enum import StrEnum
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from db.errors import DatabaseError

__all__ = ["Role", "add_login", "draw_password"]


class Role(StrEnum):
    """The groups to which the schema grants rights."""

    READER = "news_reader"
    WRITER = "news_writer"


# Default settings for readers' sessions. A session may change them, but news.end_overdue_readers ends overlong ones.
READER_SETTINGS: dict[LiteralString, LiteralString] = {
    "default_transaction_read_only": "on",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "5min",
    "search_path": "news, pg_catalog",
}
READER_CONNECTIONS, WRITER_CONNECTIONS = 20, 100


def draw_password() -> str:
    """Return a password of 32 random bytes that needs no escaping in a URL."""
    return secrets.token_urlsafe(32)


def add_login(connection: psycopg.Connection[Any], name: str, role: Role, password: str | None) -> None:
    """Make the login `name` a member of `role`, or update an existing one. Commits.

    Without a password, nobody can log in with one over a network. The password never reaches the server or its log,
    which only see the verifier (SCRAM-SHA-256). Raises DatabaseError if the database's owner may not create logins, or
    if `name` is something else.
    """
    if name in (*Role, "postgres") or name.startswith("pg_"):
        raise DatabaseError(f"{name!r} is taken: choose the name of a person or a program")
    login, group = sql.Identifier(name), sql.Identifier(role)
    try:
        known = connection.execute(
            "SELECT pg_has_role(rolname, 'news_reader', 'MEMBER') OR pg_has_role(rolname, 'news_writer', 'MEMBER'),"
            " rolsuper OR rolname = current_user"
            " OR oid = (SELECT datdba FROM pg_database WHERE datname = current_database())"
            " FROM pg_roles WHERE rolname = %s",
            [name],
        ).fetchone()
        if known is not None and (known[1] or not known[0]):
            raise DatabaseError(f"there is a role {name!r} already, and it is not a login for the news")
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
        limit = READER_CONNECTIONS if role == Role.READER else WRITER_CONNECTIONS
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {}").format(login, sql.Literal(limit)))
        other = sql.Identifier(Role.WRITER if role == Role.READER else Role.READER)
        connection.execute(sql.SQL("REVOKE {} FROM {}").format(other, login))
        # A writer may switch to the reader role, for the news page.
        options = sql.SQL("INHERIT TRUE, SET FALSE" if role == Role.READER else "INHERIT TRUE, SET TRUE")
        connection.execute(sql.SQL("GRANT {} TO {} WITH {}").format(group, login, options))
        connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(login))
        if role == Role.READER:
            for setting, value in READER_SETTINGS.items():
                # The path is a list of names, not one name.
                connection.execute(
                    sql.SQL("ALTER ROLE {} SET {} = " + (value if setting == "search_path" else f"'{value}'")).format(
                        login, sql.Identifier(setting)
                    )
                )
        # Allows the owner's function to end this login's statements.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT TRUE, SET FALSE").format(login))
        if password is not None:
            verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(login, sql.Literal(verifier)))
        connection.commit()
    except psycopg.errors.InsufficientPrivilege as error:
        connection.rollback()
        said = (error.diag.message_primary or "insufficient privilege").rstrip(".")
        raise DatabaseError(
            f"the owner of the database may not make logins ({said}). Give it CREATEROLE, or make the login as an "
            "administrator: see docs/operators.md"
        ) from error
