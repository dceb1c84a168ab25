"""Feeds that others have collected to break parsers. All are polled, and none may raise or hang.

Serves the files of the archives in NEWS_TEST_SHARED/eval/feeds over loopback, each with the Content-Type it declares,
polls them with a limit of five seconds for parsing, and prints what the polls recorded. Then parses seeded random
mutations of them in worker processes, and prints the results. Before that, it polls a few large and hostile feeds made
here, and prints the processor time of each.
"""

import argparse
import asyncio
import ipaddress
import os
import random
import re
import sys
import tarfile
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aiohttp import web
from rich.console import Console
from rich.table import Table

from db import Connection
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest.config.feeds_file import FeedConfig
from ingest.config.settings import Settings
from ingest.parsing.model import NotAFeed
from ingest.parsing.parse import parse_feed
from ingest.polling.poll import poll
from ingest.runtime.clock import utc_now
from ingest.runtime.workers import WorkerDied, WorkerPool, WorkerTimeout
from ingest.store import feeds
from ingest.topics.topics import TopicSet
from tests.conftest import free_port
from tests.newsroom import vocabulary

PARSE_SECONDS = 5.0
SHARED = Path(os.environ.get("NEWS_TEST_SHARED", Path(__file__).parents[2] / "shared"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutations", type=int, default=20_000)
    options = parser.parse_args()
    console = Console(width=110)
    console.print(costs())
    files = corpus()
    if not files:
        sys.exit(f"no archives in {SHARED / 'eval' / 'feeds'}: set NEWS_TEST_SHARED")
    console.print(f"{len(files)} files polled: {polled(files)}")
    outcome, longest = asyncio.run(mutated(files, options.mutations))
    console.print(f"{options.mutations} mutations parsed: {dict(outcome)}, the longest took {longest:.2f} s")


def hostile() -> dict[str, bytes]:
    """Feeds that are large or designed to be slow."""
    rng = random.Random(5)
    sentences = [sentence for name in ("ar", "en") for sentence in vocabulary.ON_TOPIC[name]]
    items = "".join(
        f"<item><title>{rng.choice(sentences)}</title><link>https://a.example/{n}?id={n}&amp;utm_source=rss</link>"
        f"<guid isPermaLink='false'>a-{n}</guid><pubDate>Sun, 01 Nov 2026 10:00:00 +0300</pubDate>"
        f"<category>x</category><dc:creator>Ahmad</dc:creator><description><![CDATA[<p>"
        f"{' '.join(rng.choice(sentences) for _ in range(8))}</p>]]></description></item>"
        for n in range(2500)
    )
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    item = "<item><title>x</title><link>https://a.example/1</link>{}</item>"
    return {
        "2,500 items": feed(items),
        "an author of 32 kB": feed(item.format(f"<author>{'a' * 32_000}</author>")),
        "an author of 32 kB in parts": feed(item.format(f"<author>{('a' * 499 + '<x/>') * 64}</author>")),
        "billion laughs": f'<!DOCTYPE rss [<!ENTITY l0 "lol">{laughs}]>'.encode()
        + feed(item.format("<description>&l9;</description>")),
        "deep nesting": feed(item.format("<a>" * 100_000)),
        "unclosed CDATA 200,000 times": feed("<description><![CDATA[" * 200_000),
    }


def feed(items: str) -> bytes:
    head = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>x</title>'
    return f"{head}{items}</channel></rss>".encode()


def costs() -> Table:
    """Poll each of the hostile feeds and return the costs."""
    table = Table(title="Processor time of one poll", title_justify="left")
    for column in ("feed", "MB", "parsing, s", "the rest, s", "outcome"):
        table.add_column(column, justify="left" if column in ("feed", "outcome") else "right")
    from bench.feeds import parse_time as task

    with WorkerPool(1, PARSE_SECONDS, ("ingest.parsing.parse",)) as pool:
        for name, body in hostile().items():
            try:
                parsing = f"{asyncio.run(pool.run(task, body, utc_now())):.2f}"
            except (WorkerTimeout, WorkerDied) as problem:
                parsing = str(problem)
            rest, outcome = polled_alone(body)
            table.add_row(name, f"{len(body) / 1e6:.1f}", parsing, f"{rest:.2f}", outcome)
    return table


def parse_time(body: bytes, now: object) -> float:
    """In a worker: return the processor time of parsing, in seconds."""
    started = time.process_time()
    with suppress(NotAFeed):
        parse_feed(body, "http://127.0.0.1/", "application/xml", now)  # type: ignore[arg-type]
    return time.process_time() - started


def polled_alone(body: bytes) -> tuple[float, str]:
    """Poll one feed. Return this process's processor time, which includes serving the feed, and what was recorded."""
    port = free_port()
    stop = serve([("application/xml", body)], port)
    with database() as connection:
        feeds.sync(
            connection,
            [FeedConfig.model_validate({"url": f"http://{host(0)}:{port}/0", "poll_every": "1h"})],
            utc_now(),
        )
        started = time.process_time()
        poll(connection, settings(), utc_now, TopicSet({}))
        seconds = time.process_time() - started
        row = connection.execute("SELECT outcome, new_entries, coalesce(error, '') FROM news.feed_polls").fetchone()
    stop()
    assert row is not None
    return seconds, f"{row[0]}, {row[1]:,} new {row[2].partition(': ')[2][:40]}"


def settings() -> Settings:
    return Settings(allow_networks=(ipaddress.ip_network("127.0.0.0/8"),), host_delay=0, extract_timeout=PARSE_SECONDS)


@contextmanager
def database() -> Iterator[Connection]:
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedServer(Path(name))
        server.acquire()
        upgrade(server.url())
        with connect(server.url()) as connection:
            yield connection
        server.release()


def corpus() -> list[tuple[str, bytes]]:
    """Return the archives' documents with the Content-Type each declares, or a generic one."""
    found = []
    for archive in sorted((SHARED / "eval" / "feeds").glob("*.tar.gz")):
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                file = tar.extractfile(member)
                if file is None or not member.name.endswith((".xml", ".rss", ".atom", ".xsl", ".dtd")):
                    continue
                body = file.read()
                declared = re.search(rb"(?im)^\s*Header:\s*Content-type:\s*(.+?)\s*$", body[:2000])
                kind = declared[1].decode("latin-1") if declared else "application/xml"
                found.append((kind if kind.isprintable() else "application/xml", body))
    return found


def polled(files: list[tuple[str, bytes]]) -> str:
    """Poll every file as a feed. Return outcomes, kinds of failure and the time."""
    port = free_port()
    stop = serve(files, port)
    with database() as connection:
        configured = [
            FeedConfig.model_validate({"url": f"http://{host(n)}:{port}/{n}", "id": f"f{n}", "poll_every": "1h"})
            for n in range(len(files))
        ]
        feeds.sync(connection, configured, utc_now())
        started = time.monotonic()
        poll(connection, settings(), utc_now, TopicSet({}))
        seconds = time.monotonic() - started
        outcomes = connection.execute("SELECT outcome, count(*) FROM news.feed_polls GROUP BY 1 ORDER BY 1").fetchall()
        kinds = connection.execute(
            "SELECT failure, left(regexp_replace(last_error, '^[^ ]+ ', ''), 60), count(*) FROM news.feeds"
            " WHERE failure IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 8"
        ).fetchall()
        recorded = connection.execute("SELECT count(DISTINCT feed_id) FROM news.feed_polls").fetchone()
    stop()
    return f"{dict(outcomes)} in {seconds:.1f} s, {recorded[0] if recorded else 0} recorded; failures {kinds}"


def host(number: int) -> str:
    """The loopback address that serves a file, because a host accepts only a few requests at a time."""
    return f"127.0.1.{number % 100 + 1}"


def serve(files: list[tuple[str, bytes]], port: int) -> Callable[[], None]:
    """Serve the files by number from a thread. Return a function that stops it."""
    loop = asyncio.new_event_loop()

    async def answer(request: web.Request) -> web.Response:
        kind, body = files[int(request.match_info["number"])]
        return web.Response(body=body, headers={"Content-Type": kind})

    application = web.Application()
    application.router.add_get("/{number}", answer)
    runner = web.AppRunner(application, access_log=None)
    loop.run_until_complete(runner.setup())
    for address in {host(number) for number in range(len(files))}:
        loop.run_until_complete(web.TCPSite(runner, address, port, backlog=1024).start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)

    return stop


async def mutated(files: list[tuple[str, bytes]], count: int) -> tuple[Counter[str], float]:
    """Parse random mutations. Return the outcomes and the longest time, in seconds."""
    rng = random.Random(7)
    outcome: Counter[str] = Counter()
    longest = 0.0
    now = utc_now()
    bodies = [body for _, body in files if len(body) < 100_000]
    # Imported by module name, because workers do not know the main module, which this may be.
    from bench.feeds import timed_parse as task

    with WorkerPool(os.cpu_count() or 1, PARSE_SECONDS, ("ingest.parsing.parse",)) as pool:
        limit = asyncio.Semaphore(64)

        async def one(body: bytes) -> None:
            nonlocal longest
            async with limit:
                try:
                    parsed, seconds = await pool.run(task, body, now)
                    longest = max(longest, seconds)
                    outcome["feed" if parsed else "not a feed"] += 1
                except WorkerTimeout:
                    outcome["over 5 s"] += 1
                except WorkerDied:
                    outcome["worker died"] += 1
                except Exception as error:  # noqa: BLE001 - the very thing that is counted
                    outcome[f"raised {type(error).__name__}"] += 1

        await asyncio.gather(*(one(mutate(rng.choice(bodies), rng)) for _ in range(count)))
    return outcome, longest


def timed_parse(body: bytes, now: object) -> tuple[bool, float]:
    """In a worker: return whether the document is a feed, and how long it took to find out, in seconds."""
    started = time.perf_counter()
    try:
        parse_feed(body, "http://127.0.0.1/", "application/xml", now)  # type: ignore[arg-type]
    except NotAFeed:
        return False, time.perf_counter() - started
    return True, time.perf_counter() - started


def mutate(body: bytes, rng: random.Random) -> bytes:
    """Return the document with a few random changes: bytes flipped, parts cut, doubled or moved."""
    changed = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        if not changed:
            break
        at = rng.randrange(len(changed))
        size = min(rng.choice((1, 3, 20, 200)), len(changed) - at)
        match rng.randrange(5):
            case 0:
                changed[at] = rng.randrange(256)
            case 1:
                del changed[at : at + size]
            case 2:
                changed[at:at] = changed[at : at + size]
            case 3:
                changed[at:at] = rng.choice((b"\0", b"&", b"<![CDATA[", b"]]>", b"<!--", b"\xff\xfe", b"&#0;", b"<a>"))
            case _:
                part = bytes(changed[at : at + size])
                del changed[at : at + size]
                place = rng.randrange(len(changed) + 1)
                changed[place:place] = part
    return bytes(changed)


if __name__ == "__main__":
    main()
