"""The commands for the database."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from db import open_database
from db.engine import upgrade
from ingest import stories
from ingest.cli.shared import counting, opened_database, output
from ingest.clock import utc_now
from ingest.errors import ConfigError
from ingest.settings import load_settings

# A URL that was printed must work for somebody who then types a command with it.
URL_VALID_SECONDS = 600


class Role(StrEnum):
    """The roles that the schema gives rights to."""

    READER = "news_reader"
    WRITER = "news_writer"


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


@app.command("url")
def db_url(
    role: Annotated[
        Role | None, typer.Option("--role", help="Log in as this role of the embedded server instead of the owner.")
    ] = None,
) -> None:
    """Print the database's URL, for psql and other programs."""
    from db.embedded import EmbeddedServer

    settings = load_settings()
    if role is not None and settings.database_url is not None:
        raise ConfigError(
            f"--role is for the embedded server; with NEWS_DATABASE_URL, put {role} and its password into the URL"
        )
    with opened_database(settings) as database:
        if settings.database_url is None:
            EmbeddedServer(settings.data_dir).keep_for(URL_VALID_SECONDS)
        url = database.url
        if role is not None:
            assert database.server is not None
            url = database.server.url(user=role)
        # Not through Rich: the URL is for programs.
        sys.stdout.write(url + "\n")
