"""The commands for the database."""

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from db import open_database
from db.engine import upgrade
from db.logins import Role, add_login, draw_password
from ingest.cli.shared import counting, opened_database, output
from ingest.config.errors import ConfigError
from ingest.config.settings import load_settings
from ingest.runtime.clock import utc_now
from ingest.store import stories, words
from ingest.text.arabic import read_lexicon

# A printed URL must stay valid long enough to type a command with it.
URL_VALID_SECONDS = 600


class Member(StrEnum):
    """The kinds of login."""

    READER = "reader"
    WRITER = "writer"


# Logins of the embedded server that `ingest db url --role` returns.
LOGINS = {Role.READER: "news_analyst", Role.WRITER: "news_pipeline"}

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.command("upgrade")
def db_upgrade() -> None:
    """Create the schema, or upgrade it to the version of this program."""
    settings = load_settings()
    with open_database(settings.database_url, settings.data_dir, check=False) as database:
        before, after = upgrade(database.url)
        with database.connect() as connection:
            words.load_lexicon(connection, read_lexicon())
            with counting("analysing the words of articles", words.to_bring_over(connection)) as say:
                analysed = words.bring_over(connection, say)
            unsigned = stories.count_unsigned(connection)
            with counting("comparing articles", unsigned) as say:
                linked = stories.catch_up(connection, utc_now(), say)
    output.print(f"schema at revision {after}" + ("" if before == after else f" (was {before or 'empty'})"))
    if analysed:
        output.print(f"{analysed:,} existing articles analysed for search")
    if linked:
        output.print(f"{linked:,} existing articles compared with each other for copies")


@app.command("add-login")
def db_add_login(
    name: Annotated[str, typer.Argument(help="Name of the login, such as that of a person or a program.")],
    role: Annotated[
        Member, typer.Option("--role", help="reader: may read what analysts use; writer: runs the pipeline.")
    ],
    password_env: Annotated[
        str | None,
        typer.Option("--password-env", metavar="VARIABLE", help="Take the password from this environment variable."),
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Set none: for logins that the server authenticates in another way.")
    ] = False,
) -> None:
    """Create a login for a person or a program, or give an existing one a new password.

    Without --password-env, a password is generated and printed once. Run this as the owner of the database.
    """
    settings = load_settings()
    password, drawn = _password(password_env, no_password)
    with opened_database(settings) as database, database.connect() as connection:
        add_login(connection, name, Role(f"news_{role}"), password)
    output.print(f"{name} may log in as a {role}")
    if drawn:
        # On a line of its own, so that programs can read it.
        sys.stdout.write(f"{password}\n")


def _password(variable: str | None, none: bool) -> tuple[str | None, bool]:
    """Return the password to set, and whether it was generated here."""
    if none and variable is not None:
        raise ConfigError("say either --password-env or --no-password")
    if none:
        return None, False
    if variable is None:
        return draw_password(), True
    password = os.environ.get(variable)
    if not password:
        raise ConfigError(f"the environment variable {variable} is not set")
    return password, False


@app.command("url")
def db_url(
    role: Annotated[
        Role | None, typer.Option("--role", help="As a login with the rights of this group, on the embedded server.")
    ] = None,
) -> None:
    """Print the database's URL, for psql and other programs."""
    from db.embedded import EmbeddedServer

    settings = load_settings()
    if role is not None and settings.database_url is not None:
        raise ConfigError(
            "--role is for the embedded server; with NEWS_DATABASE_URL, `ingest db add-login NAME --role reader` makes "
            "a login, whose name and password go into the URL"
        )
    with opened_database(settings) as database:
        if settings.database_url is None:
            EmbeddedServer(settings.data_dir).keep_for(URL_VALID_SECONDS)
        url = database.url
        if role is not None:
            assert database.server is not None
            with database.connect() as connection:
                # This server authenticates by operating system user, not by password.
                add_login(connection, LOGINS[role], role, None)
            url = database.server.url(user=LOGINS[role])
        # Not through Rich: the URL is for programs.
        sys.stdout.write(url + "\n")
