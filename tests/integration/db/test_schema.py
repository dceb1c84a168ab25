import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from db import Connection, Database, SchemaMismatch, open_database
from db.clock import utc_now
from db.engine import upgrade
from db.models import Base
from db.schema import HEAD, schema_revision

PARTITION_NAME = re.compile(r"_(p\d{6}|default)$")


def is_described(name: str | None, kind: str, _parents: Any) -> bool:
    """Return whether an object of the database is one the models describe; partitions and Alembic's table are not."""
    if kind == "schema":
        return name == "news"
    return not (kind == "table" and name is not None and (PARTITION_NAME.search(name) or name == "alembic_version"))


def test_models_describe_the_migrated_schema(database: Database) -> None:
    # Otherwise `news`, the role's own schema, counts as the default one and is compared without its name.
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database.url, options="-csearch_path=public")
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_name": is_described, "compare_server_default": True}
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_every_table_and_column_is_described(connection: Connection) -> None:
    silent = connection.execute(
        """
        SELECT c.relname, a.attname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'news'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
          AND c.relname <> 'alembic_version' AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT relname, NULL FROM pg_class
        WHERE relnamespace = 'news'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
          AND relname <> 'alembic_version' AND obj_description(oid) IS NULL
        """
    ).fetchall()
    assert silent == []


FEED = (
    "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
    " VALUES ('f', 'http://x/', 'x', 'X', '10 minutes', now(), now())"
)
ENTRY = (
    "INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status, reason,"
    " next_attempt_at) VALUES (1, {identity}, 'http://x/1', 'http://x/1', 'x', now(), {status}, {reason}, {due})"
)


@pytest.mark.parametrize(
    ("status", "reason", "due"),
    [
        ("'vanished'", "NULL", "NULL"),
        ("'discovered'", "NULL", "NULL"),
        ("'landed'", "NULL", "now()"),
        ("'dead'", "NULL", "NULL"),
        ("'rejected'", "NULL", "NULL"),
        ("'off_topic'", "NULL", "NULL"),
    ],
)
def test_impossible_states_are_refused(connection: Connection, status: str, reason: str, due: str) -> None:
    connection.execute(FEED)
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(ENTRY.format(identity="'a'", status=status, reason=reason, due=due))


def test_an_item_has_one_entry_per_feed(connection: Connection) -> None:
    connection.execute(FEED)
    insert = ENTRY.format(identity="'a'", status="'landed'", reason="NULL", due="NULL")
    connection.execute(insert)
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(insert)


def test_partitions_are_made_ahead_and_only_once(connection: Connection) -> None:
    december = f"{utc_now().year}-12-15"
    made = connection.execute("SELECT news.ensure_partitions(%s::date, 3)", [december]).fetchone()
    again = connection.execute("SELECT news.ensure_partitions(%s::date, 3)", [december]).fetchone()
    names = connection.execute(
        "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'pages\\_p2%' ORDER BY 1"
    ).fetchall()
    assert (made, again) == ((6,), (0,))
    year = utc_now().year
    assert [name for (name,) in names] == [f"pages_p{year}12", f"pages_p{year + 1}01", f"pages_p{year + 1}02"]


@pytest.mark.parametrize("call", ["now(), 25", "now(), 0", "now() + interval '3 years', 1", "'infinity', 1"])
def test_partitions_are_not_made_without_bound(connection: Connection, call: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        connection.execute(f"SELECT news.ensure_partitions({call})")


def test_autovacuum_does_not_wait_for_a_fifth_of_a_large_ledger(connection: Connection) -> None:
    row = connection.execute("SELECT reloptions FROM pg_class WHERE oid = 'news.entries'::regclass").fetchone()
    assert row is not None
    options = dict(option.split("=") for option in row[0])
    of_millions = int(options["autovacuum_vacuum_threshold"]) + 3_000_000 * float(
        options["autovacuum_vacuum_scale_factor"]
    )
    assert of_millions < 50_000
    assert options["vacuum_index_cleanup"] == "on"


class TestRevision:
    def test_an_empty_database_gets_its_schema_at_first_use(self, empty_database: Database, tmp_path: Path) -> None:
        with open_database(empty_database.url, tmp_path) as database, database.connect() as connection:
            assert schema_revision(connection) == HEAD

    def test_upgrading_twice_changes_nothing(self, empty_database: Database) -> None:
        assert upgrade(empty_database.url) == (None, HEAD)
        assert upgrade(empty_database.url) == (HEAD, HEAD)

    def test_of_several_upgrades_at_once_one_works(self, empty_database: Database) -> None:
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(upgrade, [empty_database.url] * 4))
        assert sorted(before or "" for before, _ in results) == ["", HEAD, HEAD, HEAD]

    def test_a_newer_schema_is_refused(self, database: Database, tmp_path: Path) -> None:
        with database.connect() as connection:
            connection.execute("UPDATE news.alembic_version SET version_num = '9999'")
        for use in (lambda: open_database(database.url, tmp_path).__enter__(), lambda: upgrade(database.url)):
            with pytest.raises(SchemaMismatch, match=r"9999.*newer version. Upgrade the program"):
                use()

    def test_an_older_schema_asks_for_an_upgrade(
        self, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("db.schema.HEAD", "0999")
        with pytest.raises(SchemaMismatch, match=r"works with 0999: run `ingest db upgrade`"):
            open_database(database.url, tmp_path).__enter__()

    def test_views_of_another_version_ask_for_an_upgrade(self, database: Database, tmp_path: Path) -> None:
        with database.connect() as connection:
            connection.execute("COMMENT ON TABLE news.alembic_version IS 'Functions and views: sha256:00.'")
        with pytest.raises(SchemaMismatch, match=r"another version.*run `ingest db upgrade`"):
            open_database(database.url, tmp_path).__enter__()
        assert upgrade(database.url) == (HEAD, HEAD)
        with open_database(database.url, tmp_path):
            pass

    def test_a_schema_of_somebody_else_is_left_alone(self, empty_database: Database, tmp_path: Path) -> None:
        with empty_database.connect() as connection:
            connection.execute("CREATE SCHEMA news")
            connection.execute("CREATE TABLE news.papers (id int)")
        with pytest.raises(SchemaMismatch, match="not made by this program"):
            open_database(empty_database.url, tmp_path).__enter__()
