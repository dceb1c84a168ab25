"""Fixtures: a real PostgreSQL for the whole session, a fresh database for each test, a newsroom to collect from."""

import ipaddress
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, ClassVar

import hypothesis
import psycopg
import pytest
from psycopg import sql

from db import Connection, Database
from db.embedded import ROLE, SERVER_SETTINGS, EmbeddedServer
from db.engine import upgrade
from db.logins import Role, add_login
from ingest.config.feeds_file import load_feeds
from ingest.config.settings import Settings
from ingest.config.yaml_file import load_config
from ingest.store import feeds
from ingest.store.words import load_lexicon
from ingest.text.arabic import read_lexicon
from ingest.topics.topics import TopicSet, TopicsFile, load_topics
from tests.fork_program import ForkedProgram
from tests.newsroom import Newsroom, RunningNewsroom, serve
from tests.rules_only import RULES_ONLY

ROOT = Path(__file__).parent.parent
TEMPLATE = "template_news"
# Logins of the server, members of the groups news_reader and news_writer.
READER, WRITER = "news_analyst", "news_pipeline"

# Reference data that is not part of the project. Tests that need it say so where it is missing.
SHARED = Path(os.environ.get("NEWS_TEST_SHARED", ROOT.parent / "shared"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """What tests/faults can be told."""
    group = parser.getgroup("faults", "runs of the pipeline under random faults")
    group.addoption("--fault-runs", type=int, help="how many (default: 20, or 1 with --fault-seed)")
    group.addoption("--fault-seed", type=int, help="the seed of the first")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`-n logical`: a process for each processor. `-n auto`: one more, as half of the time, tests wait for servers."""
    processors = len(os.sched_getaffinity(0))
    return processors if config.option.numprocesses == "logical" else processors + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """`--dist loadgroup` is ours."""
    from tests.scheduling import OneByOne

    return OneByOne(config, log) if config.getvalue("dist") == "loadgroup" else None


# A busy machine is no fault of a test: what takes long is measured by benches.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

# The longest first and the shortest last, so that the processes end at about the same time.
TIERS = ("browser", "faults", "airflow", "integration", "unit")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its tier, the folder it is in, and put them into the order in which they are begun."""
    tiers = {item: item.path.relative_to(ROOT / "tests").parts[0] for item in items}
    for item, tier in tiers.items():
        item.add_marker(tier)
    items.sort(key=lambda item: (TIERS.index(tiers[item]), item.get_closest_marker("slow") is None))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's shell reaches a test."""
    for name in list(os.environ):
        if name.startswith("NEWS_"):
            monkeypatch.delenv(name)


class HastyServer(EmbeddedServer):
    """A server that waits for no disk: nobody misses its databases when the machine goes down."""

    settings: ClassVar[dict[str, str]] = SERVER_SETTINGS | {
        "fsync": "off",
        "full_page_writes": "off",
        # Each database that is dropped is looked for in all of them.
        "shared_buffers": "128MB",
    }


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A PostgreSQL server, with a template database that has the schema."""
    embedded = HastyServer(tmp_path_factory.mktemp("server"))
    embedded.acquire()
    embedded.ensure_database(TEMPLATE)
    upgrade(embedded.url(TEMPLATE))
    with psycopg.connect(embedded.url(TEMPLATE)) as owner:
        load_lexicon(owner, read_lexicon())
        add_login(owner, READER, Role.READER, None)
        add_login(owner, WRITER, Role.WRITER, None)
    yield embedded
    embedded.release()


_numbers = count()


@contextmanager
def new_database(server: EmbeddedServer, template: str = TEMPLATE) -> Iterator[Database]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(ROLE)
            )
        )
        connection.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    yield Database(server.url(name))
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Database]:
    """A fresh database with the schema."""
    with new_database(server) as fresh:
        yield fresh


@pytest.fixture
def empty_database(server: EmbeddedServer) -> Iterator[Database]:
    """A fresh database without the schema."""
    with new_database(server, "template0") as fresh:
        yield fresh


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect() as opened:
        yield opened


NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def newsroom_settings(folder: Path) -> Settings:
    """Settings under which the newsroom may be asked, without pauses."""
    return Settings(
        data_dir=folder / "data",
        allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
        host_delay=0,
        request_timeout=10,
        extract_processes=2,
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return newsroom_settings(tmp_path)


@pytest.fixture(scope="session")
def topics() -> TopicSet:
    """The topics the project comes with."""
    return load_topics(RULES_ONLY)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> TopicSet:
    """A topic that takes every article."""
    path = tmp_path_factory.mktemp("topics") / "everything.yaml"
    path.write_text("{topics: {everything: {match: all}}}")
    file, _ = load_config(path, TopicsFile, "topics")
    return TopicSet(file.topics)


_port_numbers = count(os.getpid())


def free_port() -> int:
    """A port that nothing listens on, and that no other process of these tests is given.

    Below those that the system gives to connections (ip_local_port_range): a listener may want it at any address.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw20").removeprefix("gw")) % 22
    for number in islice(_port_numbers, 1000):
        port = 10_000 + worker * 1000 + number % 1000
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


Serve = Callable[..., RunningNewsroom]


@pytest.fixture
def newsroom() -> Iterator[Serve]:
    """Serves newsrooms: call it with what `Newsroom.build` takes."""
    running = []

    def build(**options: object) -> RunningNewsroom:
        world = Newsroom.build(**({"now": NOW, "port": free_port()} | options))  # type: ignore[arg-type]
        context = serve(world)
        running.append(context)
        return context.__enter__()

    yield build
    for context in running:
        context.__exit__(None, None, None)


def configure(connection: Connection, world: Newsroom, folder: Path, now: datetime = NOW) -> Path:
    """Put the newsroom's feeds into the database, by way of a feeds.yaml, and return its path."""
    path = folder / "feeds.yaml"
    path.write_text(world.feeds_yaml(), encoding="utf-8")
    feeds.sync(connection, load_feeds(path), now)
    return path


def chromium() -> str:
    """Return the path of the system's browser; skips the test where there is none, but in CI."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        assert not os.environ.get("CI"), "chromium is missing: .ci/run installs it"
        pytest.skip("needs chromium")
    return found


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Run = Callable[..., "subprocess.CompletedProcess[str]"]

INGEST = str(Path(sys.executable).with_name("ingest"))


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedProgram]:
    with ForkedProgram(tmp_path_factory.mktemp("program")) as started:
        yield started


@pytest.fixture
def run(database: Database, program: ForkedProgram, tmp_path: Path) -> Run:
    """Runs `ingest` with the test's database, the project's topics and whatever else is given."""

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWS_")}
        environment |= {"NEWS_DATABASE_URL": database.url, "NEWS_TOPICS": str(RULES_ONLY)} | variables
        return program.run(arguments, environment, tmp_path, 100)

    return call
