"""Runs migrations, each in a savepoint of the caller's transaction."""

from collections.abc import Callable
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def migrate(
    connection: Connection, folder: Path, make_way: Callable[[BaseException | None], bool], target: str = "head"
) -> None:
    """Migrate the tables from their current revision to `target`, using the migrations in `folder`.

    A migration that fails is run again as long as `make_way`, which gets the driver's error, removes something that was
    in its way.
    """
    scripts = ScriptDirectory(str(folder))
    context = MigrationContext.configure(connection, opts={"version_table_schema": "news"})
    pending = list(scripts.iterate_revisions(target, context.get_current_revision()))
    with Operations.context(context):
        for script in reversed(pending):
            while not _run(connection, script, make_way):
                pass
            context.stamp(scripts, script.revision)


def _run(connection: Connection, script: Script, make_way: Callable[[BaseException | None], bool]) -> bool:
    """Run a migration. Return False if it has to run again."""
    try:
        with connection.begin_nested():
            script.module.upgrade()
    except DBAPIError as error:
        if make_way(error.orig):
            return False
        raise
    return True
