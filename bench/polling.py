"""Polling feeds without news, compared with a bare client that sends the same requests.

Feeds that answer 304 are most of a poller's work. Measures one cycle of `poll` over N feeds, each on its own host and
in the state after an earlier poll. For comparison, an aiohttp loop requests the same addresses with the same
conditional headers and the same concurrency, in alternating runs. The server is a separate process that does as little
as possible. Then repeats the cycle with more and fewer feeds, to show how time, processor time and memory grow.
"""

import argparse
import asyncio
import gc
import ipaddress
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from db import Connection
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest.config.settings import Settings
from ingest.polling.decisions import ACCEPT
from ingest.polling.poll import poll
from ingest.runtime.clock import utc_now
from ingest.topics.topics import TopicSet
from tests.conftest import free_port

ROOT = Path(__file__).parent.parent
HOSTS = 10_000
ETAG = '"unchanged"'


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 50_000])
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--cycle", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    if options.cycle:
        cycle(options.url, options.cycle)
        return
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as name:
        database = EmbeddedServer(Path(name))
        database.acquire()
        upgrade(database.url())
        port = free_port()
        with subprocess.Popen(
            [sys.executable, "-m", "bench.polling", "--serve", str(port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server:
            assert server.stdout is not None
            server.stdout.readline()
            try:
                beside(console, database.url(), port, options.feeds, options.rounds)
                growth(console, database.url(), port, options.sizes)
            finally:
                server.terminate()
        database.release()


def beside(console: Console, url: str, port: int, feeds: int, rounds: int) -> None:
    table = Table(title=f"{feeds:,} feeds that answer 304, one cycle", title_justify="left")
    for column in ("round", "poll, feeds/s", "bare aiohttp, requests/s", "ratio"):
        table.add_column(column, justify="right")
    ratios = []
    with connect(url) as connection:
        prepare(connection, port, feeds)
        for number in range(rounds):
            ours = polled(url, connection, feeds)[0]
            bare = asyncio.run(requested(port, feeds))
            ratios.append(bare / ours)
            table.add_row(str(number + 1), f"{feeds / ours:,.0f}", f"{feeds / bare:,.0f}", f"{ratios[-1]:.2f}")
    table.add_section()
    table.add_row("median", "", "", f"{statistics.median(ratios):.2f}")
    console.print(table)
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors ({platform.machine()}), Python "
        f"{platform.python_version()}; ratios from {min(ratios):.2f} to {max(ratios):.2f}\n",
        highlight=False,
    )


def growth(console: Console, url: str, port: int, sizes: list[int]) -> None:
    table = Table(title="The same cycle for more and fewer feeds", title_justify="left")
    for column in ("feeds", "hosts", "seconds", "processor, s", "ms per feed", "memory, MB"):
        table.add_column(column, justify="right")
    with connect(url) as connection:
        for feeds in sizes:
            prepare(connection, port, feeds)
            seconds, processor, megabytes = polled(url, connection, feeds)
            table.add_row(
                f"{feeds:,}", f"{min(feeds, HOSTS):,}", f"{seconds:.1f}", f"{processor:.1f}",
                f"{processor / feeds * 1000:.2f}", f"{megabytes:.0f}",
            )  # fmt: skip
    console.print(table)


def address(number: int, port: int) -> tuple[str, str]:
    """Host and address of a feed. On loopback, each host has its own address."""
    place = number % HOSTS
    host = f"127.{1 + place // 62500}.{place // 250 % 250}.{place % 250 + 1}:{port}"
    return host, f"http://{host}/{number}"


def prepare(connection: Connection, port: int, feeds: int) -> None:
    """Create the feeds in the state they have after a day of polls."""
    connection.execute("TRUNCATE news.feeds, news.hosts CASCADE")
    now = utc_now()
    places = [address(number, port) for number in range(feeds)]
    connection.execute(
        "INSERT INTO news.hosts (host, next_request_at) SELECT DISTINCT host, now() FROM unnest(%s::text[]) AS host",
        [[host for host, _ in places]],
    )
    connection.execute(
        """
        INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at, health, etag,
                                last_polled_at, last_success_at, last_full_at, body_hash)
        SELECT url, url, host, host, interval '10 minutes', now(), now(), 'ok', %s, %s, %s, %s, '\\x00'
        FROM unnest(%s::text[], %s::text[]) AS place(host, url)
        """,
        [ETAG, now - timedelta(minutes=10), now - timedelta(minutes=10), now, *map(list, zip(*places, strict=True))],
    )
    connection.commit()
    connection.autocommit = True
    connection.execute("ANALYZE news.feeds, news.hosts")
    connection.autocommit = False


def polled(url: str, connection: Connection, feeds: int) -> tuple[float, float, float]:
    """Poll all feeds once, in a separate process. Return seconds, processor seconds, peak memory in MB."""
    connection.execute("UPDATE news.feeds SET next_poll_at = now(), last_full_at = now()")
    connection.execute("UPDATE news.hosts SET next_request_at = now()")
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM news.feeds, news.hosts")
    connection.autocommit = False
    result = subprocess.run(
        [sys.executable, "-m", "bench.polling", "--cycle", str(feeds), "--url", url],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    seconds, processor, megabytes = map(float, result.stdout.split())
    return seconds, processor, megabytes


def cycle(url: str, feeds: int) -> None:
    """In a separate process: one cycle, without the start of the interpreter."""
    # Hosts with one feed have the default spacing. With several feeds per host, spacing would make the cycle wait.
    settings = Settings(allow_networks=(ipaddress.ip_network("127.0.0.0/8"),), host_delay=5 if feeds <= HOSTS else 0)
    # As the commands do.
    gc.freeze()
    gc.set_threshold(20_000)
    with connect(url) as connection:
        started, processor = time.monotonic(), time.process_time()
        counts = poll(connection, settings, utc_now, TopicSet({}))
        seconds, processor = time.monotonic() - started, time.process_time() - processor
    if counts.not_modified != feeds:
        sys.exit(f"not what was expected: {counts}")
    print(seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


async def requested(port: int, feeds: int) -> float:
    """Send the same requests with aiohttp alone. Return seconds."""
    settings = Settings()
    headers = {"Accept": ACCEPT, "If-None-Match": ETAG, "User-Agent": settings.user_agent}
    limit = asyncio.Semaphore(settings.poll_concurrency)

    async def one(client: aiohttp.ClientSession, url: str) -> None:
        async with limit, client.get(url, headers=headers) as answer:
            await answer.read()
            assert answer.status == 304

    started = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        await asyncio.gather(*(one(client, address(number, port)[1]) for number in range(feeds)))
    return time.monotonic() - started


class _Unchanged(asyncio.Protocol):
    """Answers every request with 304."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            # Close the connection, as most servers soon do: the next poll is minutes away.
            self._transport.write(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\nETag: %b\r\n\r\n" % ETAG.encode())
            self._transport.close()


async def serve(port: int) -> None:
    """Serve on every loopback address of the feeds, until the process ends."""
    loop = asyncio.get_running_loop()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    servers = [
        await loop.create_server(_Unchanged, address(number, port)[0].partition(":")[0], port, backlog=64)
        for number in range(HOSTS)
    ]
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    main()
