"""Functions and views: each upgrade makes them what db/sql says, and leaves alone what others built on them."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from db import Connection, Database, DatabaseUnavailable, SchemaMismatch
from db.definitions import FILES, RIGHTS, read_definitions
from db.embedded import EmbeddedServer
from db.engine import upgrade
from db.schema import HEAD, SOURCES, SQL, Sources
from db.upgrade import upgrade_schema
from tests.conftest import READER
from tests.integration.db.revisions import insert_rows

NEXT = f"{int(HEAD) + 1:04}"
MIGRATION = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None
def upgrade() -> None:
    op.execute({statement!r})
"""


@pytest.fixture
def later(tmp_path: Path) -> Sources:
    """The sources of a later version: a copy that a test may change."""
    shutil.copytree(SOURCES.migrations, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(SQL, tmp_path / "sql")
    return Sources(tmp_path / "migrations", tmp_path / "sql")


def rewrite(sources: Sources, name: str, old: str, new: str) -> None:
    path = sources.sql / f"{name}.sql"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def migration(sources: Sources, statement: str) -> None:
    path = sources.migrations / "versions" / f"{NEXT}_later.py"
    path.write_text(MIGRATION.format(revision=NEXT, before=HEAD, statement=statement))


def another_column(sources: Sources) -> None:
    """Change a view in a way that CREATE OR REPLACE refuses, with two others that are made of it."""
    rewrite(sources, "views", "g.entry_id = a.entry_id AS original", "d.page_url, g.entry_id = a.entry_id AS original")


def columns(connection: Connection, view: str) -> list[str]:
    found = connection.execute(f"SELECT * FROM {view} LIMIT 0".encode()).description
    return [column.name for column in found or []]


@pytest.fixture
def superuser(server: EmbeddedServer, database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.url.replace("//news@", "//postgres@"), autocommit=True) as opened:
        yield opened


@pytest.fixture
def analytics(superuser: psycopg.Connection) -> Callable[[str], None]:
    """Makes the view `analytics.mine`, which belongs to somebody else."""

    def make(query: str) -> None:
        superuser.execute("CREATE SCHEMA analytics")
        superuser.execute(f"CREATE VIEW analytics.mine AS {query}".encode())

    return make


def test_a_fresh_database_has_a_view_with_another_column(empty_database: Database, later: Sources) -> None:
    another_column(later)
    assert upgrade_schema(empty_database.url, later) == (None, HEAD)
    with empty_database.connect() as connection:
        assert columns(connection, "news.article_places")[9:11] == ["page_url", "original"]


def test_a_view_is_changed_without_a_migration(database: Database, later: Sources) -> None:
    with database.connect() as connection:
        insert_rows(connection)
    another_column(later)
    assert upgrade_schema(database.url, later) == (HEAD, HEAD)
    with database.connect() as connection:
        assert "page_url" in columns(connection, "news.article_places")
        # Made of it, and with it.
        assert connection.execute("SELECT count(*) FROM news.story_timeline").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM news.story_outlets").fetchone() == (1,)
    # And back, as by an earlier version of the program.
    assert upgrade(database.url) == (HEAD, HEAD)
    with database.connect() as connection:
        assert "page_url" not in columns(connection, "news.article_places")


def test_what_is_up_to_date_is_not_made_again(database: Database) -> None:
    """Readers would wait for it, and it would wait for them."""
    made = "SELECT oid, xmin::text FROM {} WHERE oid > 16384 ORDER BY oid"
    with database.connect() as connection:
        queries = [made.format(catalogue).encode() for catalogue in ("pg_rewrite", "pg_proc")]
        before = [connection.execute(query).fetchall() for query in queries]
        connection.commit()
        with database.connect() as reader:
            reader.execute("SELECT count(*) FROM news.articles_flat")
            upgrade(database.url)
        # Rights are given each time, so some functions' rows are written.
        after = [connection.execute(query).fetchall() for query in queries]
        assert after[0] == before[0]
        assert len(set(before[1]) - set(after[1])) <= 4


def test_who_could_read_a_view_can_read_it_when_it_is_made_again(
    database: Database, superuser: psycopg.Connection, later: Sources
) -> None:
    """By the group, and by what the owner granted to others."""
    superuser.execute("DROP ROLE IF EXISTS dashboard")
    superuser.execute("CREATE ROLE dashboard")
    with database.connect() as owner:
        owner.execute("GRANT SELECT ON news.story_outlets TO dashboard WITH GRANT OPTION")
        owner.execute("GRANT SELECT (outlet, unchanged) ON news.article_places TO dashboard")
    another_column(later)
    rewrite(later, "views", ", g.content_hash = a.content_hash AS unchanged", "")
    rewrite(later, "views", "COMMENT ON COLUMN news.article_places.unchanged", "-- ")
    upgrade_schema(database.url, later)
    asked = superuser.execute(
        "SELECT has_table_privilege('dashboard', 'news.story_outlets', 'SELECT WITH GRANT OPTION'),"
        " has_column_privilege('dashboard', 'news.article_places', 'outlet', 'SELECT'),"
        " has_column_privilege('dashboard', 'news.article_places', 'page_url', 'SELECT')"
    ).fetchone()
    assert asked == (True, True, False)
    with psycopg.connect(database.url.replace("//news@", f"//{READER}@")) as reader:
        assert "page_url" in columns(reader, "news.article_places")
    superuser.execute("DROP OWNED BY dashboard; DROP ROLE dashboard")


class TestViewsOfOthers:
    def test_they_stay_where_a_view_only_grows(
        self, database: Database, analytics: Callable[[str], None], later: Sources
    ) -> None:
        analytics("SELECT outlet FROM news.article_places")
        rewrite(later, "views", " AS unchanged\n", " AS unchanged, d.page_url\n")
        upgrade_schema(database.url, later)
        with database.connect() as connection:
            assert columns(connection, "news.article_places")[-1] == "page_url"

    def test_they_are_named_where_they_are_in_the_way(
        self, database: Database, superuser: psycopg.Connection, analytics: Callable[[str], None], later: Sources
    ) -> None:
        analytics("SELECT outlet FROM news.story_outlets")
        another_column(later)
        with pytest.raises(SchemaMismatch, match=r"view analytics\.mine depends on view news\.story_outlets.*drop it"):
            upgrade_schema(database.url, later)
        # Nothing is half changed, and the advice works.
        assert superuser.execute("SELECT count(*) FROM analytics.mine").fetchone() == (0,)
        with database.connect() as connection:
            assert "page_url" not in columns(connection, "news.article_places")
        superuser.execute("DROP VIEW analytics.mine")
        upgrade_schema(database.url, later)

    @pytest.mark.parametrize(
        "query", ["SELECT failure FROM news.feed_overview", "SELECT failure FROM news.feeds"], ids=["view", "table"]
    )
    def test_so_are_those_in_the_way_of_a_migration(
        self, database: Database, analytics: Callable[[str], None], later: Sources, query: str
    ) -> None:
        analytics(query)
        migration(later, "ALTER TABLE news.feeds ALTER COLUMN failure TYPE varchar(20)")
        with pytest.raises(SchemaMismatch, match=r"view analytics\.mine depends on .*drop it"):
            upgrade_schema(database.url, later)
        with database.connect() as connection:
            assert connection.execute("SELECT version_num FROM news.alembic_version").fetchone() == (HEAD,)


class TestMigrationsOfColumns:
    """Ours are out of the way while a migration runs, whichever the database has."""

    @pytest.mark.parametrize("start", ["database", "empty_database"])
    def test_a_column_in_views_gets_another_type(
        self, start: str, later: Sources, request: pytest.FixtureRequest
    ) -> None:
        database: Database = request.getfixturevalue(start)
        migration(later, "ALTER TABLE news.feeds ALTER COLUMN slug TYPE varchar(200)")
        assert upgrade_schema(database.url, later)[1] == NEXT
        with database.connect() as connection:
            found = connection.execute("SELECT pg_typeof(feed)::text FROM news.articles_flat").description
            assert found is not None
            connection.execute("SELECT * FROM news.story_outlets")

    def test_a_column_leaves_table_and_view(self, database: Database, later: Sources) -> None:
        migration(later, "ALTER TABLE news.feeds DROP COLUMN failure")
        rewrite(later, "views", " f.failure,", "")
        rewrite(later, "views", "COMMENT ON COLUMN news.feed_overview.failure IS 'Kind of the last failure.';", "")
        upgrade_schema(database.url, later)
        with database.connect() as connection:
            assert "failure" not in columns(connection, "news.feed_overview")

    def test_an_error_that_no_view_causes_is_passed_on(self, database: Database, later: Sources) -> None:
        migration(later, "ALTER TABLE news.feeds DROP COLUMN nonsense")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            upgrade_schema(database.url, later)


class TestFunctions:
    def test_one_with_another_argument_takes_the_place_of_the_former(self, database: Database, later: Sources) -> None:
        rewrite(later, "search", "page integer DEFAULT 1\n", "page integer DEFAULT 1, other text DEFAULT NULL\n")
        rewrite(
            later, "search", "news.search(text, text, timestamptz, timestamptz, text[], integer, integer)",
            "news.search(text, text, timestamptz, timestamptz, text[], integer, integer, text)",
        )  # fmt: skip
        upgrade_schema(database.url, later)
        with database.connect() as connection:
            # With two of this name the call would be ambiguous.
            connection.execute("SELECT * FROM news.search('Iraq')")

    def test_one_that_returns_something_else_is_made_again(self, database: Database, later: Sources) -> None:
        rewrite(later, "search", "settle_search() RETURNS void", "settle_search() RETURNS bigint")
        upgrade_schema(database.url, later)
        with psycopg.connect(database.url.replace("//news@", "//news_pipeline@")) as writer:
            assert writer.execute("SELECT news.settle_search()").fetchone() == (0,)

    def test_a_view_of_others_that_uses_one_is_named(
        self, database: Database, analytics: Callable[[str], None], later: Sources
    ) -> None:
        analytics("SELECT news.unify('x') AS unified")
        rewrite(later, "fold", "news.unify(spelled text)", "news.unify(letters text)")
        rewrite(later, "fold", "RETURN translate(spelled, 'أإآٱىیةک'", "RETURN translate(letters, 'أإآٱىیةک'")
        with pytest.raises(SchemaMismatch, match=r"view analytics\.mine depends on function"):
            upgrade_schema(database.url, later)


def test_a_view_that_is_read_for_long_is_waited_for_and_its_reader_named(
    database: Database, later: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PAUSE_SECONDS", 0.0), ("LOCK_SECONDS", 0.1), ("TRIES", 2)):
        monkeypatch.setattr(f"db.upgrade.{name}", value)
    another_column(later)
    with database.connect() as idle:
        idle.execute("SELECT count(*) FROM news.article_places")
        with pytest.raises(DatabaseUnavailable, match=rf"process {idle.info.backend_pid} of news"):
            upgrade_schema(database.url, later)
    upgrade_schema(database.url, later)


class TestFiles:
    def test_each_is_applied(self) -> None:
        assert {path.stem for path in SQL.glob("*.sql")} == {*FILES, RIGHTS}

    def test_the_schema_has_the_functions_and_views_they_define_and_no_others(self, connection: Connection) -> None:
        """What is taken out of a file is dropped by a migration."""
        definitions = read_definitions(SQL)
        functions = connection.execute(
            "SELECT oid::regprocedure::oid FROM pg_proc AS f WHERE pronamespace = 'news'::regnamespace"
            # Without those of pg_trgm.
            " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = f.oid AND deptype = 'e')"
        ).fetchall()
        named = [each.name for each in definitions if each.kind == "FUNCTION"]
        ours = connection.execute("SELECT unnest(%s::regprocedure[])::oid", [named]).fetchall()
        assert sorted(functions) == sorted(ours)
        views = connection.execute("SELECT 'news.' || viewname FROM pg_views WHERE schemaname = 'news'").fetchall()
        assert {view for (view,) in views} == {each.name for each in definitions if each.kind == "VIEW"}

    def test_a_function_without_a_comment_is_refused(self, later: Sources) -> None:
        rewrite(later, "leases", "COMMENT ON FUNCTION news.lease()", "-- ")
        with pytest.raises(ValueError, match=r"news\.lease"):
            read_definitions(later.sql)
