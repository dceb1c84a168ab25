"""What a feed poll, a page and an article cost: processor time, statements, bytes in the database.

Runs the stages one by one against a newsroom in its own process. Feeds are polled with everything new, then with
nothing new; pages are fetched, extracted and landed. Processor time is that of the stage's process and its workers, and
of the server. docs/scaling.md extrapolates the results.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar, Self

import psycopg
from rich.console import Console
from rich.table import Table

from bench.throughput import ROOT
from db import Connection
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest.config.feeds_file import load_feeds
from ingest.config.settings import Settings
from ingest.extraction.extract import extract
from ingest.fetching.fetch import fetch
from ingest.landing.land import land
from ingest.polling.poll import poll
from ingest.runtime.clock import utc_now
from ingest.store import feeds
from ingest.topics.topics import load_topics
from tests.conftest import free_port

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """The cost of one unit of a stage, in milliseconds, statements and bytes."""

    what: str
    units: int
    python_ms: float
    server_ms: float
    statements: float
    stored: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--entries", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = EmbeddedServer(folder)
        server.acquire()
        upgrade(server.url())
        with subprocess.Popen(
            [
                sys.executable, "-m", "tests.newsroom", "--feeds", str(options.feeds),
                "--entries", str(options.entries), "--port", str(free_port()),
                "--write-feeds", str(folder / "feeds.yaml"), "--warm",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        ) as newsroom:  # fmt: skip
            assert newsroom.stdin is not None
            assert newsroom.stdout is not None
            newsroom.stdout.readline()
            costs = measured(server, folder)
            newsroom.stdin.close()
        server.release()
    table = Table(title="Cost of each", title_justify="left")
    for column in ("unit", "units", "Python, ms", "PostgreSQL, ms", "statements", "bytes stored"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for cost in costs:
        table.add_row(
            cost.what, f"{cost.units:,}", f"{cost.python_ms:.2f}", f"{cost.server_ms:.2f}", f"{cost.statements:.2f}",
            f"{cost.stored:,.0f}",
        )  # fmt: skip
    console = Console(width=110)
    console.print(table)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}")


def measured(server: EmbeddedServer, folder: Path) -> list[Cost]:
    """Run the stages and return the cost per unit of each."""
    settings = Settings(
        data_dir=folder, allow_networks=(ip_network("127.0.0.0/8"),), host_delay=0, feeds=folder / "feeds.yaml"
    )
    topics = load_topics(ROOT / "topics.yaml")
    with connect(server.url()) as connection:
        configured = load_feeds(settings.feeds)
        feeds.sync(connection, configured, utc_now())
        connection.commit()

        def later() -> datetime:
            return utc_now() + timedelta(hours=3)

        stages: list[tuple[str, Callable[[], Any], Callable[[Any], int]]] = [
            ("feed with news", lambda: poll(connection, settings, utc_now, topics), lambda counts: counts.polled),
            ("feed without (304)", lambda: poll(connection, settings, later, topics), lambda counts: counts.polled),
            ("page fetched", lambda: fetch(connection, settings, later), lambda counts: counts.fetched),
            ("page extracted", lambda: extract(connection, settings, later), lambda counts: counts.extracted),
            (
                "document landed",
                lambda: land(connection, settings, later, topics),
                lambda counts: counts.landed + counts.duplicate + counts.off_topic,
            ),
        ]
        return [cost_of(server, connection, what, work, units) for what, work, units in stages]


class Counting(psycopg.Cursor[Any]):
    """Counts statements sent to the server. One statement for many rows counts once."""

    statements: ClassVar[int] = 0

    def execute(self, *arguments: Any, **more: Any) -> Self:
        Counting.statements += 1
        return super().execute(*arguments, **more)

    def executemany(self, *arguments: Any, **more: Any) -> None:
        Counting.statements += 1
        super().executemany(*arguments, **more)


def cost_of(
    server: EmbeddedServer, connection: Connection, what: str, work: Callable[[], Any], units: Callable[[Any], int]
) -> Cost:
    """Run a stage and return its cost per unit."""
    Counting.statements = 0
    connection.cursor_factory = Counting
    before = _python(), _server(server), _stored(connection)
    done = units(counts := work())
    statements = Counting.statements
    if not done:
        sys.exit(f"{what}: nothing was done: {counts}")
    after = _python(), _server(server), _stored(connection)
    python, of_server, stored = (later - earlier for earlier, later in zip(before, after, strict=True))
    return Cost(what, done, python * 1000 / done, of_server * 1000 / done, statements / done, stored / done)


def _python() -> float:
    """Processor seconds of this process and of all workers it has had."""
    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    # Workers are children of the fork server, which adds up those that have ended.
    return total + sum(
        sum(map(int, fields[11:15])) / TICKS
        for fields, command in _processes()
        if int(fields[1]) == os.getpid() and b"forkserver" in command
    )


def _processes() -> Iterator[tuple[list[str], bytes]]:
    """For each process, the fields after the name in /proc/PID/stat (proc_pid_stat(5)), and the command line."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                yield (path / "stat").read_text().rpartition(")")[2].split(), (path / "cmdline").read_bytes()


def _server(server: EmbeddedServer) -> float:
    """Processor seconds of the server's processes, including those that have ended."""
    postmaster = int((server.cluster / "postmaster.pid").read_text().splitlines()[0])
    own = (Path("/proc") / str(postmaster) / "stat").read_text().rpartition(")")[2].split()
    # The server's own time and that of its ended children, then that of its live children.
    return (
        sum(map(int, own[11:15]))
        + sum(sum(map(int, fields[11:13])) for fields, _ in _processes() if int(fields[1]) == postmaster)
    ) / TICKS


def _stored(connection: Connection) -> int:
    connection.rollback()
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    connection.rollback()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
