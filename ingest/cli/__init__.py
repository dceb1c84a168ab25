"""The command `ingest`."""

import gc
import logging
import sys
from typing import Annotated

import psycopg
import typer

from db import DatabaseError
from ingest.cli import again, database, feeds, files, labels, stages, status, topics
from ingest.cli.shared import errors, log_at
from ingest.config.errors import ConfigError, IngestError
from ingest.text.arabic import LexiconError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Collect news about a topic from feeds into PostgreSQL.",
)
app.add_typer(stages.app)
app.add_typer(files.app)
app.add_typer(status.app)
app.add_typer(again.app)
app.add_typer(topics.search_app)
app.add_typer(feeds.app, name="feeds")
topics.app.add_typer(labels.app)
app.add_typer(topics.app, name="topics")
app.add_typer(database.app, name="db")


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every feed, page and article.")] = False,
) -> None:
    # Imported modules stay alive, and the millions of short-lived objects form no cycles, so collect rarely.
    gc.freeze()
    gc.set_threshold(20_000)
    log_at(logging.INFO if verbose else logging.WARNING)


def main() -> None:
    """Run the command line; exits with 0 (done), 1 (failed) or 2 (wrong usage or configuration)."""
    try:
        _check_arguments(sys.argv[1:])
        app()
    except (ConfigError, LexiconError) as error:
        _fail(error, 2)
    except (IngestError, DatabaseError) as error:
        _fail(error, 1)
    except psycopg.OperationalError as error:
        first = (str(error).splitlines() or ["connection lost"])[0]
        _fail(f"lost the database: {first}. No work is lost; run the command again when it is back", 1)
    except psycopg.errors.InsufficientPrivilege as error:
        _fail(f"the database role may not do this: {str(error).splitlines()[0]}", 1)
    except KeyboardInterrupt:
        _fail("interrupted", 130)


def _check_arguments(arguments: list[str]) -> None:
    """Raise ConfigError for an argument that is not valid text: no database, file or answer could hold it."""
    for number, argument in enumerate(arguments, 1):
        # Bytes that are not UTF-8 arrive as lone surrogates (PEP 383).
        if not argument.isascii() and argument.encode(errors="ignore").decode() != argument:
            raise ConfigError(f"argument {number} is not text in UTF-8: {argument}")


def _fail(error: object, code: int) -> None:
    errors.print(f"error: {error}", style="red")
    sys.exit(code)
