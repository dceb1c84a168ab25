"""Politeness of a running pipeline: a score table, from the servers' own log.

Four worker processes poll and fetch from fifty hosts. Some hosts disallow paths in robots.txt, ask for a longer delay,
answer 429 or 503 with Retry-After, respond slowly, or redirect. Feeds are polled every few seconds, so there is always
something to request.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.table import Table

from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest.config.feeds_file import load_feeds
from ingest.runtime.clock import utc_now
from ingest.store import feeds
from tests.conftest import free_port
from tests.newsroom import Faults, Newsroom, serve
from tests.newsroom.server import Request

ROOT = Path(__file__).parent.parent
DELAY = 0.5
CRAWL_DELAY = 2
RETRY_AFTER = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.seconds)
        return
    with tempfile.TemporaryDirectory() as name:
        report(measure(Path(name), options.hosts, options.workers, options.seconds), options)


def measure(folder: Path, hosts: int, workers: int, seconds: float) -> tuple[Newsroom, list[Request]]:
    """Run the workers against a newsroom, and return it with its log."""
    # Every fifth feed is the second feed of its outlet.
    world = Newsroom.build(feeds=hosts * 5 // 4, entries=hosts * 10, now=utc_now(), port=free_port())
    (folder / "feeds.yaml").write_text(world.feeds_yaml(poll_every="3s"), encoding="utf-8")
    database = EmbeddedServer(folder)
    database.acquire()
    upgrade(database.url())
    with serve(world) as room:
        for number, outlet in enumerate(world.outlets):
            place, news = outlet.host, ("/news/",)
            match number % 10:
                case 1 | 2:
                    room.robots[place] = f"User-agent: *\nDisallow: {forbidden(world)}\n"
                case 3:
                    room.robots[place] = f"User-agent: *\nCrawl-delay: {CRAWL_DELAY}\n"
                case 4:
                    room.faults[place] = Faults(status=429, retry_after=str(RETRY_AFTER), times=2)
                case 5:
                    room.faults[place] = Faults(status=503, retry_after=str(RETRY_AFTER), paths=news, times=2)
                case 6:
                    room.faults[place] = Faults(slow_seconds=DELAY * 2)
                case 7:
                    room.faults[place] = Faults(redirect_to=f"{outlet.base}/elsewhere", paths=news, times=3)
        with connect(database.url()) as connection:
            feeds.sync(connection, load_feeds(folder / "feeds.yaml"), utc_now())
        environment = os.environ | {"NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": str(DELAY)}
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.politeness", "--work", database.url(), "--seconds", str(seconds)],
                cwd=ROOT, env=environment, stderr=subprocess.DEVNULL,
            )
            for _ in range(workers)
        ]  # fmt: skip
        if any(process.wait() for process in running):
            sys.exit("a worker failed")
        log = list(room.log)
    database.release()
    return world, log


def forbidden(world: Newsroom) -> str:
    """A path that contains some of the items of each outlet."""
    months = sorted({f"/news/{item.published_at:%Y/%m}/" for item in world.items.values()})
    return months[0] + "1"


def work(url: str, seconds: float) -> None:
    """In a worker process: poll and fetch what is due until the time is up."""
    from ingest.config.settings import load_settings
    from ingest.fetching.fetch import fetch
    from ingest.polling.poll import poll
    from ingest.topics.topics import TopicSet

    settings, ends = load_settings(), time.monotonic() + seconds
    with connect(url) as connection:
        while time.monotonic() < ends:
            poll(connection, settings, utc_now, TopicSet({}), stopping=lambda: time.monotonic() >= ends)
            fetch(connection, settings, utc_now, stopping=lambda: time.monotonic() >= ends)
            time.sleep(0.1)


def report(measured: tuple[Newsroom, list[Request]], options: argparse.Namespace) -> None:
    world, log = measured
    by_host: dict[str, list[Request]] = defaultdict(list)
    for request in sorted(log, key=lambda request: request.at):
        by_host[request.host].append(request)
    rules = {outlet.host: number % 10 for number, outlet in enumerate(world.outlets)}
    gaps = {host: [later.at - earlier.at for earlier, later in pairwise(seen)] for host, seen in by_host.items()}
    slow = [host for host, kind in rules.items() if kind == 3]
    table = Table(title="What servers saw", title_justify="left")
    for column in ("rule", "looked at", "broken", "closest call"):
        table.add_column(column, justify="left" if column == "rule" else "right")

    def row(rule: str, looked_at: int, broken: int, closest: str) -> None:
        table.add_row(rule, f"{looked_at:,}", f"{broken:,}", closest)

    others = [gap for host, found in gaps.items() if host not in slow for gap in found]
    spaced = [gap for host in slow for gap in after_robots(by_host[host])]
    row(f"requests to a host {DELAY:g} s apart", len(others), below(others, DELAY), f"{min(others):.3f} s")
    row(f"Crawl-delay of {CRAWL_DELAY} s", len(spaced), below(spaced, CRAWL_DELAY), f"{min(spaced):.3f} s")
    strict = [host for host, kind in rules.items() if kind in (1, 2)]
    asked = [request for host in strict for request in by_host[host]]
    row(
        "paths that robots.txt forbids", len(asked),
        sum(request.path.startswith(forbidden(world)) for request in asked), "",
    )  # fmt: skip
    robots = [sum(request.path == "/robots.txt" for request in seen) for seen in by_host.values()]
    row("robots.txt once a day", len(robots), sum(count > 1 for count in robots), f"{max(robots)} times")
    polls = [request for seen in by_host.values() for request in seen if request.path.endswith(".xml")]
    again = [
        request
        for seen in by_host.values()
        for path in {request.path for request in seen if request.path.endswith(".xml")}
        for request in [request for request in seen if request.path == path and request.status in (200, 304)][1:]
    ]
    row("unchanged feeds asked conditionally", len(again), sum(not request.conditional for request in again), "")
    waits = list(after_refusals(by_host.values()))
    row("Retry-After", len(waits), below(waits, RETRY_AFTER), f"{min(waits):.3f} s" if waits else "")
    agents = {request.user_agent for request in log}
    row("one User-Agent", len(log), len(agents) - 1, "")
    Console(width=110).print(table)
    Console(width=110).print(
        f"{datetime.now(UTC):%Y-%m-%d}: {len(log):,} requests, {len(polls):,} of them polls, to {len(by_host)} hosts "
        f"by {options.workers} worker processes in {options.seconds:g} s; {os.cpu_count()} processors "
        f"({platform.machine()}), Python {platform.python_version()}",
        highlight=False,
    )


def after_robots(seen: list[Request]) -> Iterable[float]:
    """Intervals between requests from the request for robots.txt on, which gives the required delay."""
    first = next((place for place, request in enumerate(seen) if request.path == "/robots.txt"), len(seen))
    return [later.at - earlier.at for earlier, later in pairwise(seen[first:])]


def after_refusals(hosts: Iterable[list[Request]]) -> Iterable[float]:
    """Time from each response with Retry-After to the next request to that host."""
    for seen in hosts:
        for earlier, later in pairwise(seen):
            if earlier.status in (429, 503):
                yield later.at - earlier.at


def below(values: Iterable[float], least: float) -> int:
    return sum(value < least for value in values)


if __name__ == "__main__":
    main()
