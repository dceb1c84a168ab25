"""Upgrades from each earlier revision, and migrations that stay as they were released."""

from pathlib import Path

import pytest

from db import Database
from db.definitions import read_definitions
from db.embedded import EmbeddedServer
from db.engine import upgrade
from db.migrations.release import add, changed, missing
from db.models import Base
from db.schema import HEAD, REVISIONS, SOURCES, SQL
from tests.conftest import new_database
from tests.integration.db.revisions import ROWS, Rows, all_rows, dump, insert_rows, make_revision

VIEWS = [each.name for each in read_definitions(SQL) if each.kind == "VIEW"]
# Made by the upgrade itself.
NO_ROWS = {"locks", "analysis"}


@pytest.fixture(scope="module")
def fresh(server: EmbeddedServer) -> str:
    """The schema of a database that never had an earlier one."""
    with new_database(server, "template0") as database:
        upgrade(database.url)
        return dump(database.url)


def expected(before: Rows, revision: str) -> Rows:
    """What the migrations after `revision` mean to leave of rows."""
    if revision < "0016":
        # Of another kind since; `ingest db upgrade` works them out again.
        before |= {"article_signatures": []}
    if revision < "0017":
        # Process ids, which are no tokens.
        released = {
            table: [row | {"lease_holder": None} if row.get("lease_holder") else row for row in before[table]]
            for table in ("feeds", "hosts", "entries")
        }
        before |= released
    return before


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_upgrade_makes_what_a_fresh_database_has_and_keeps_the_rows(
    empty_database: Database, fresh: str, revision: str
) -> None:
    make_revision(empty_database.url, revision)
    with empty_database.connect() as connection:
        insert_rows(connection)
        connection.commit()
        before = all_rows(connection)
        connection.commit()
    assert all(before.values())

    assert upgrade(empty_database.url) == (revision, HEAD)

    assert dump(empty_database.url) == fresh
    with empty_database.connect() as connection:
        after = all_rows(connection)
        for table, rows in expected(before, revision).items():
            # What has been added since has its default.
            kept = [{name: row[name] for name in rows[0]} for row in after[table]] if rows else after[table]
            assert kept == rows, table
        empty = {view for view in VIEWS if not connection.execute(f"SELECT * FROM {view}".encode()).fetchall()}
        found = connection.execute("SELECT article_id FROM news.search('withdrawals') ORDER BY 1").fetchall()
    assert empty == ({"news.article_changes"} if revision < "0004" else set()) | (
        {"news.alerts_open"} if revision < "0011" else set()
    )
    assert found == [(1,), (2,)]


def test_every_table_has_rows_to_upgrade() -> None:
    assert {name.removeprefix("news.") for name in Base.metadata.tables} - dict(ROWS).keys() == NO_ROWS


class TestReleased:
    def test_no_released_migration_has_changed(self) -> None:
        assert changed(SOURCES.migrations) == [], (
            "a migration that was released must not change: databases that have run it would differ from those that "
            "will. Undo the change and write a new migration (docs/migrations.md)"
        )

    def test_every_migration_is_listed(self) -> None:
        assert missing(SOURCES.migrations) == [], (
            "run `python -m db.migrations.release` before a migration is merged: from then on it must not change"
        )

    def test_no_migration_reads_what_changes(self) -> None:
        for path in (SOURCES.migrations / "versions").glob("*.py"):
            source = path.read_text(encoding="utf-8")
            assert "import db" not in source, path
            assert "from db" not in source, path
            assert "parents" not in source, path

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "versions" / "sql").mkdir(parents=True)
        (tmp_path / "versions" / "0001_first.py").write_text("a = 1\n")
        (tmp_path / "versions" / "sql" / "0001_first.sql").write_text("SELECT 1;\n")
        return tmp_path

    def test_a_change_is_found_in_either_file(self, folder: Path) -> None:
        assert missing(folder) == ["0001_first.py", "sql/0001_first.sql"]
        add(folder)
        assert (missing(folder), changed(folder)) == ([], [])
        (folder / "versions" / "0001_first.py").write_text("a = 2\n")
        (folder / "versions" / "sql" / "0001_first.sql").unlink()
        assert changed(folder) == ["0001_first.py", "sql/0001_first.sql"]

    def test_what_is_listed_is_not_listed_again(self, folder: Path) -> None:
        add(folder)
        (folder / "versions" / "0001_first.py").write_text("a = 2\n")
        (folder / "versions" / "0002_second.py").write_text("b = 1\n")
        assert add(folder) == ["0002_second.py"]
        assert changed(folder) == ["0001_first.py"]
