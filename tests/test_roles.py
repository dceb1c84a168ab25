"""What the roles may do, and what they may not, whatever they try."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from db import Connection, Database
from db.embedded import EmbeddedServer
from ingest import retention
from ingest.settings import Settings
from ingest.topics import TopicSet
from tests.conftest import NOW, READER, WRITER, Clock, Run, Serve, configure
from tests.test_pipeline import run_once

# Each after SET default_transaction_read_only = off, which every role may say.
ATTEMPTS = [
    "INSERT INTO news.articles (content_hash) VALUES ('x')",
    "UPDATE news.articles SET text = ''",
    "DELETE FROM news.articles",
    "TRUNCATE news.articles",
    "DELETE FROM news.entries",
    "UPDATE news.feeds SET url = 'http://evil.example/'",
    "DELETE FROM news.articles_flat",
    "INSERT INTO news.alerts (feed_id) VALUES (1)",
    "SELECT * FROM news.articles FOR UPDATE",
    "SELECT body FROM news.pages",
    "SELECT secret FROM news.websub_subscriptions",
    "SELECT * FROM news.alembic_version",
    "CREATE TABLE news.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "CREATE TEMPORARY TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE VIEW news.mine AS SELECT 1",
    "CREATE FUNCTION news.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION news.fold(input text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    "DROP TABLE news.articles",
    "DROP VIEW news.articles_flat",
    "ALTER TABLE news.articles ADD COLUMN x int",
    "ALTER ROLE news_reader SUPERUSER",
    "ALTER ROLE news PASSWORD 'x'",
    "CREATE ROLE mine",
    "GRANT news_writer TO news_reader",
    "SET ROLE news",
    "SET ROLE news_writer",
    "SET SESSION AUTHORIZATION postgres",
    "COPY news.articles TO PROGRAM 'cat'",
    "COPY news.articles TO '/tmp/articles'",
    "COPY (SELECT 1) TO '/tmp/one'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_create(0)",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT news.ensure_partitions(now(), 100)",
    "SELECT news.drop_partition('pages_p202601')",
    "SELECT news.settle_search()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'news'",
    "SELECT nextval('news.articles_id_seq')",
    "CREATE EXTENSION dblink",
    "ALTER SYSTEM SET log_statement = 'all'",
    "CREATE DATABASE mine",
    "COMMENT ON TABLE news.articles IS 'x'",
    "LOCK TABLE news.articles IN ACCESS EXCLUSIVE MODE",
    "REFRESH MATERIALIZED VIEW news.articles_flat",
    "CREATE PUBLICATION mine FOR ALL TABLES",
]


@pytest.fixture
def reader(server: EmbeddedServer, database: Database) -> Iterator[Connection]:
    url = database.url.replace("postgresql://news@", f"postgresql://{READER}@")
    with psycopg.connect(url, autocommit=True) as opened:
        opened.execute("SET default_transaction_read_only = off")
        yield opened


def test_readers_cannot(connection: Connection, reader: Connection) -> None:
    done, mistaken = [], []
    connection.execute("SELECT 1")
    for attempt in ATTEMPTS:
        try:
            reader.execute(attempt)
            done.append(attempt)
        except psycopg.errors.SyntaxError:
            mistaken.append(attempt)
        except psycopg.Error:
            pass
    assert not done
    assert not mistaken
    # PostgreSQL only warns, and leaves the table alone.
    notices: list[str] = []
    reader.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    reader.execute("VACUUM news.articles")
    assert "permission denied" in notices[0]


@pytest.mark.parametrize("name", ["postgres", "template1", "news"])
def test_readers_cannot_enter_other_databases(server: EmbeddedServer, name: str) -> None:
    if name == "news":
        server.ensure_database("other")
        name = "other"
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server.url(name, READER)).close()


def test_readers_are_limited_in_time(server: EmbeddedServer, database: Database) -> None:
    with psycopg.connect(database.url.replace("//news@", f"//{READER}@")) as reader:
        assert reader.execute("SHOW statement_timeout").fetchone() == ("1min",)
        assert reader.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        assert reader.execute("SELECT count(*) FROM articles_flat").fetchone() == (0,)


def test_the_pipeline_works_as_a_role_that_owns_nothing(
    server: EmbeddedServer, database: Database, newsroom: Serve, settings: Settings, topics: TopicSet, run: Run,
    tmp_path: Path,
) -> None:  # fmt: skip
    url = database.url.replace("postgresql://news@", f"postgresql://{WRITER}@")
    room = newsroom(feeds=2, entries=12)
    writer = Database(url)
    with writer.connect() as connection:
        owned = connection.execute(
            "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o'"
            " AND refobjid IN ('news_writer'::regrole, 'news_pipeline'::regrole)"
        ).fetchone()
        assert owned == (0,)
        configure(connection, room.world, tmp_path)
    run_once(writer, settings, topics, Clock())
    with database.connect() as owner:
        # Nothing waits for its place in the index for search.
        assert owner.execute("SELECT gin_clean_pending_list('news.articles_search_idx')").fetchone() == (0,)
    with writer.connect() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM news.articles").fetchone() == (True,)
        # What it stores goes into partitions it makes, and out with those it drops.
        assert retention.prepare_months(connection, NOW + timedelta(days=400)) > 0
        counts = retention.delete_old(connection, settings, NOW + timedelta(days=800))
        assert counts.dropped > 0
        retention.analyze(connection)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE news.articles")
    assert run("status", NEWS_DATABASE_URL=url).returncode == 0


def test_only_whole_months_are_dropped(connection: Connection) -> None:
    for name in ("articles", "pages", "pages_default", "pages_p202601; DROP TABLE news.articles"):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute("SELECT news.drop_partition(%s)", [name])
        connection.rollback()
