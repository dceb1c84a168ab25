"""The commands for the database."""

import sys

import typer

from db import open_database
from db.engine import upgrade
from ingest import stories
from ingest.cli.shared import opened_database, output
from ingest.clock import utc_now
from ingest.settings import load_settings

# A URL that was printed must work for somebody who then types a command with it.
URL_VALID_SECONDS = 600

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.command("upgrade")
def db_upgrade() -> None:
    """Create the schema, or bring it to the version of this program."""
    settings = load_settings()
    with open_database(settings.database_url, settings.data_dir, check=False) as database:
        before, after = upgrade(database.url)
        with database.connect() as connection:
            linked = stories.catch_up(connection, utc_now())
    output.print(f"schema at revision {after}" + ("" if before == after else f" (was {before or 'empty'})"))
    if linked:
        output.print(f"{linked:,} articles that were there compared with each other for copies")


@app.command("url")
def db_url() -> None:
    """Print the database's URL, for psql and other programs."""
    from db.embedded import EmbeddedServer

    settings = load_settings()
    with opened_database(settings) as database:
        if settings.database_url is None:
            EmbeddedServer(settings.data_dir).keep_for(URL_VALID_SECONDS)
        # Not through Rich: the URL is for programs.
        sys.stdout.write(database.url + "\n")
