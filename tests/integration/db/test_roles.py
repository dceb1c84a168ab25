"""What the roles may do, and what they may not, whatever they try."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event

import psycopg
import pytest

from db import Connection, Database, DatabaseUnavailable
from db.embedded import EmbeddedServer
from db.engine import upgrade
from db.logins import Role, add_login
from db.schema import HEAD
from ingest.config.settings import Settings
from ingest.store import retention
from ingest.topics.topics import TopicSet
from tests.conftest import NOW, READER, WRITER, Clock, Run, Serve, configure
from tests.integration.db.revisions import make_revision
from tests.runs import run_once

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


# What a login may do to itself, and by that only to itself.
ATTEMPTS += [
    "ALTER ROLE news_reader SET statement_timeout = 0",
    "ALTER ROLE news_reader PASSWORD 'x'",
    "ALTER ROLE news_reader LOGIN",
    "ALTER ROLE news_reader RENAME TO mine",
    "ALTER ROLE news_pipeline PASSWORD 'x'",
    "GRANT news_reader TO news_pipeline WITH ADMIN OPTION",
    "SET ROLE news_reader",
    "SELECT FROM news.locks WHERE name = 'stories' FOR UPDATE",
    "SELECT FROM news.leases FOR UPDATE",
    "LOCK TABLE news.locks IN ACCESS SHARE MODE",
    "LOCK TABLE news.entries IN SHARE MODE",
    "UPDATE news.leases SET alive_until = 'infinity'",
    "SELECT news.end_overdue_readers('0', '0')",
    "ALTER DATABASE postgres SET statement_timeout = 1",
    "SELECT pg_reload_conf()",
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
    assert len(ATTEMPTS) >= 60
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


def test_nobody_logs_in_as_a_group(server: EmbeddedServer, database: Database) -> None:
    for group in ("news_reader", "news_writer"):
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            psycopg.connect(database.url.replace("//news@", f"//{group}@")).close()


def test_logins_are_made_and_given_new_passwords(server: EmbeddedServer, database: Database, run: Run) -> None:
    """As often as one likes; the verifier in the catalogue is that of the password that was printed."""
    verifiers = []
    for _ in range(2):
        made = run("db", "add-login", "salma", "--role", "reader")
        assert (made.returncode, made.stderr) == (0, "")
        said, password = made.stdout.splitlines()
        assert said == "salma may log in as a reader"
        assert len(password) > 40
        with psycopg.connect(server.url("postgres", "postgres")) as superuser:
            verifiers.append(superuser.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'salma'").fetchone())
    assert all(row is not None and row[0].startswith("SCRAM-SHA-256$") for row in verifiers)
    assert verifiers[0] != verifiers[1]
    with psycopg.connect(database.url.replace("//news@", "//salma@")) as reader:
        assert reader.execute("SELECT count(*) FROM articles_flat").fetchone() == (0,)
    # From a reader to a writer: the rights of the one go.
    assert run("db", "add-login", "salma", "--role", "writer", "--no-password").returncode == 0
    with psycopg.connect(database.url.replace("//news@", "//salma@")) as writer:
        writer.execute("UPDATE news.feeds SET enabled = false")
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as superuser:
        superuser.execute("DROP OWNED BY salma; DROP ROLE salma")


@pytest.mark.parametrize("name", ["news", "postgres", "news_reader", "pg_monitor"])
def test_what_is_no_login_stays_as_it_is(database: Database, run: Run, name: str) -> None:
    refused = run("db", "add-login", name, "--role", "reader")
    assert refused.returncode == 1
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_password_comes_from_a_variable_that_is_there(database: Database, run: Run) -> None:
    missing = run("db", "add-login", "salma", "--role", "reader", "--password-env", "SALMAS")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "SALMAS is not set" in missing.stderr


def test_readers_who_take_too_long_are_ended(connection: Connection, reader: Connection, database: Database) -> None:
    """Whatever they tell their session: a statement is cancelled, an idle transaction ends with its session."""
    reader.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(reader.execute, "SELECT pg_sleep(60)")
        while connection.execute("SELECT news.end_overdue_readers('0.1 s', '1 hour')").fetchone() != (1,):
            connection.rollback()
        with pytest.raises(psycopg.errors.QueryCanceled):
            running.result(20)
    reader.execute("BEGIN; SELECT count(*) FROM news.articles")
    while connection.execute("SELECT news.end_overdue_readers('1 hour', '0.1 s')").fetchone() != (1,):
        connection.rollback()
    with pytest.raises(psycopg.OperationalError):
        reader.execute("SELECT 1")


def test_the_pipeline_ends_no_session_of_its_own(connection: Connection, database: Database) -> None:
    with psycopg.connect(database.url.replace("//news@", f"//{WRITER}@")) as writer, database.connect() as owner:
        writer.execute("SELECT 1")
        owner.execute("SELECT 1")
        assert connection.execute("SELECT news.end_overdue_readers('0', '0')").fetchone() == (0,)
        assert writer.execute("SELECT 1").fetchone() == owner.execute("SELECT 1").fetchone() == (1,)


def test_the_schema_is_upgraded_beside_those_who_read(
    server: EmbeddedServer, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for tables in short tries, so that nobody waits behind it for long."""
    monkeypatch.setattr("db.upgrade.PAUSE_SECONDS", 0.1)
    monkeypatch.setattr("db.upgrade.LOCK_SECONDS", 0.2)
    make_revision(empty_database.url, "0016")
    with empty_database.connect() as owner:
        add_login(owner, READER, Role.READER, None)
        owner.execute("GRANT USAGE ON SCHEMA news TO news_reader")
        owner.execute("GRANT SELECT ON news.entries, news.alerts TO news_reader")
    url = empty_database.url.replace("//news@", f"//{READER}@")
    stop = Event()
    slowest = 0.0

    def read() -> None:
        nonlocal slowest
        with psycopg.connect(url, autocommit=True) as reader:
            while not stop.is_set():
                began = time.monotonic()
                reader.execute("SELECT count(*) FROM news.entries, news.alerts")
                slowest = max(slowest, time.monotonic() - began)

    with ThreadPoolExecutor(4) as pool, psycopg.connect(url) as idle:
        reading = [pool.submit(read) for _ in range(3)]
        # Nobody gets past this one.
        idle.execute("SELECT count(*) FROM news.alerts")
        upgrading = pool.submit(upgrade, empty_database.url)
        with pytest.raises(TimeoutError):
            upgrading.result(1)
        idle.rollback()
        assert upgrading.result(60) == ("0016", HEAD)
        stop.set()
        for task in reading:
            task.result(20)


def test_an_upgrade_that_cannot_get_a_table_says_who_has_it(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.upgrade.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("db.upgrade.LOCK_SECONDS", 0.1)
    monkeypatch.setattr("db.upgrade.TRIES", 2)
    make_revision(empty_database.url, "0016")
    with empty_database.connect() as idle:
        idle.execute("SELECT count(*) FROM news.alerts")
        with pytest.raises(DatabaseUnavailable, match=rf"process {idle.info.backend_pid} of news, ingest"):
            upgrade(empty_database.url)
