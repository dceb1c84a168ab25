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
from ingest.store import stories

# A URL that was printed must work for somebody who then types a command with it.
URL_VALID_SECONDS = 600


class Member(StrEnum):
    """What a login may be."""

    READER = "reader"
    WRITER = "writer"


# Logins of the embedded server, for whoever asks for a URL.
LOGINS = {Role.READER: "news_analyst", Role.WRITER: "news_pipeline"}

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.command("upgrade")
def db_upgrade() -> None:
    """Create the schema, or bring it to the version of this program."""
    settings = load_settings()
    with open_database(settings.database_url, settings.data_dir, check=False) as database:
        before, after = upgrade(database.url)
        with database.connect() as connection:
            unsigned = stories.count_unsigned(connection)
            with counting("comparing articles", unsigned) as say:
                linked = stories.catch_up(connection, utc_now(), say)
    output.print(f"schema at revision {after}" + ("" if before == after else f" (was {before or 'empty'})"))
    if linked:
        output.print(f"{linked:,} articles that were there compared with each other for copies")


@app.command("add-login")
def db_add_login(
    name: Annotated[str, typer.Argument(help="Name of the login, such as that of a person or a program.")],
    role: Annotated[
        Member, typer.Option("--role", help="reader: may read what analysts use; writer: works the pipeline.")
    ],
    password_env: Annotated[
        str | None,
        typer.Option("--password-env", metavar="VARIABLE", help="Take the password from this environment variable."),
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Set none: for logins that the server knows in another way.")
    ] = False,
) -> None:
    """Make a login for a person or a program, or give one that is there a new password.

    Without --password-env, a password is drawn and printed, once. To be run as the owner of the database.
    """
    settings = load_settings()
    password, drawn = _password(password_env, no_password)
    with opened_database(settings) as database, database.connect() as connection:
        add_login(connection, name, Role(f"news_{role}"), password)
    output.print(f"{name} may log in as a {role}")
    if drawn:
        # For programs too, and on a line of its own.
        sys.stdout.write(f"{password}\n")


def _password(variable: str | None, none: bool) -> tuple[str | None, bool]:
    """Return the password to set, and whether it was drawn here."""
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
                # Whoever may connect to this server is known by its user of the system, not by a password.
                add_login(connection, LOGINS[role], role, None)
            url = database.server.url(user=LOGINS[role])
        # Not through Rich: the URL is for programs.
        sys.stdout.write(url + "\n")
