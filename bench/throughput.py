"""The whole pipeline from feed to `articles`, compared with extraction alone.

Measures articles per second of `ingest run --once` against a newsroom, with a topic that matches everything. For
comparison, plain `trafilatura.bare_extraction` runs over the same pages in the same number of processes, in alternating
runs (A B A B ...). Both times include starting processes. The pipeline's also includes polling, fetching, storing and
landing. The newsroom runs on the same machine in its own process, and its cost is part of the pipeline's time.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from db.embedded import EmbeddedServer
from db.engine import upgrade
from tests.conftest import free_port
from tests.newsroom.render import render_page
from tests.newsroom.world import Newsroom

ROOT = Path(__file__).parent.parent
INGEST = str(Path(sys.executable).with_name("ingest"))
PROCESSES = os.cpu_count() or 1
FEEDS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    # Repeats in second feeds are entries, not pages, so a tenth more entries give the desired number of pages.
    entries = options.pages * 10 // 9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "topics.yaml").write_text("{topics: {everything: {match: all}}}")
        rows = []
        before = extraction_alone(entries)
        for _ in range(options.rounds):
            pages, seconds, peak_mb = pipeline(folder, entries)
            after = extraction_alone(entries)
            # The speed of the machine may vary over time.
            plain = (before + after) / 2
            rows.append((pages / seconds, pages / plain, plain / seconds, peak_mb, pages))
            before = after
    report(rows)


def pipeline(folder: Path, entries: int) -> tuple[int, float, float]:
    """Run the pipeline once on a fresh database. Return (articles seen, seconds, peak memory of its main process)."""
    data = Path(tempfile.mkdtemp(dir=folder))
    server = EmbeddedServer(data)
    server.acquire()
    upgrade(server.url())
    environment = os.environ | {
        "NEWS_DATABASE_URL": server.url(),
        "NEWS_FEEDS": str(data / "feeds.yaml"),
        "NEWS_TOPICS": str(folder / "topics.yaml"),
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0",
    }
    with subprocess.Popen(
        [
            sys.executable, "-m", "tests.newsroom", "--feeds", str(FEEDS), "--entries", str(entries),
            "--port", str(free_port()), "--write-feeds", str(data / "feeds.yaml"), "--warm",
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as newsroom:  # fmt: skip
        assert newsroom.stdin is not None
        assert newsroom.stdout is not None
        newsroom.stdout.readline()
        started = time.monotonic()
        process = subprocess.Popen([INGEST, "run", "--once"], env=environment, stdout=subprocess.DEVNULL)
        peak = watch_memory(process)
        if process.wait() != 0:
            sys.exit("the pipeline failed")
        seconds = time.monotonic() - started
        newsroom.stdin.close()
    with_articles = _count(server)
    server.release()
    return with_articles, seconds, peak()


def watch_memory(process: "subprocess.Popen[Any]") -> Callable[[], float]:
    """Sample the peak resident memory of a process while it runs. Return a function that gives it in MB."""
    highest = [0.0]

    def sample() -> None:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            try:
                line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
            except (OSError, StopIteration):
                return
            highest[0] = max(highest[0], int(line.split()[1]) / 1000)
            time.sleep(0.05)

    thread = threading.Thread(target=sample)
    thread.start()

    def peak() -> float:
        thread.join()
        return highest[0]

    return peak


def _count(server: EmbeddedServer) -> int:
    import psycopg

    with psycopg.connect(server.url()) as connection:
        row = connection.execute(
            "SELECT count(DISTINCT e.canonical_url) FROM news.sightings s JOIN news.entries e ON e.id = s.entry_id"
        ).fetchone()
    assert row is not None
    return int(row[0])


def extraction_alone(entries: int) -> float:
    """Return the seconds that trafilatura alone takes for the same pages, in the same number of processes."""
    world = Newsroom.build(feeds=FEEDS, entries=entries, now=datetime.now(UTC))
    pages = [render_page(world, item)[1] for item in world.items.values()]
    started = time.monotonic()
    with ProcessPoolExecutor(PROCESSES) as pool:
        found = sum(pool.map(_extract, pages, chunksize=20))
    if found != len(pages):
        sys.exit(f"trafilatura found only {found} articles in {len(pages)} pages")
    return time.monotonic() - started


def _extract(page: bytes) -> bool:
    from trafilatura import bare_extraction

    return bare_extraction(page) is not None


def report(rows: list[tuple[float, float, float, float, int]]) -> None:
    table = Table(title="From feed to articles, beside extraction alone", title_justify="left")
    for column in ("round", "pages", "pipeline, articles/s", "extraction alone, pages/s", "ratio", "main process, MB"):
        table.add_column(column, justify="right")
    for number, (pipeline_rate, plain_rate, ratio, memory, pages) in enumerate(rows, 1):
        table.add_row(
            str(number), f"{pages:,}", f"{pipeline_rate:.0f}", f"{plain_rate:.0f}", f"{ratio:.2f}", f"{memory:.0f}"
        )
    ratios = [row[2] for row in rows]
    table.add_section()
    table.add_row("median", "", "", "", f"{statistics.median(ratios):.2f}", f"{max(row[3] for row in rows):.0f}")
    console = Console(width=110)
    console.print(table)
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {PROCESSES} processors ({platform.machine()}), Python "
        f"{platform.python_version()}; ratios from {min(ratios):.2f} to {max(ratios):.2f}",
        highlight=False,
    )


if __name__ == "__main__":
    main()
