"""Whether a busy machine, killed workers and a poisonous page do more to healthy pages than delay them.

`python -m bench.busy` serves a newsroom and starts `ingest run --once` beside busy loops. It kills a random worker
process every two seconds for two minutes, and one page kills any worker that handles it. It prints how the entries
ended.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from rich.console import Console

from db.embedded import EmbeddedServer
from db.engine import upgrade
from ingest.runtime.clock import utc_now
from tests.conftest import free_port
from tests.faults import poison
from tests.faults.cluster import children, command_line
from tests.newsroom import Newsroom, serve

ROOT = Path(__file__).parent.parent
KILL_EVERY_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--loops", type=int, default=10, help="busy loops beside the pipeline")
    parser.add_argument("--kill-seconds", type=float, default=120.0, help="for how long workers are killed")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which it is told to end")
    options = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="busy-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        world = Newsroom.build(seed=1, feeds=10, entries=options.pages, now=utc_now(), port=free_port())
        (folder / "feeds.yaml").write_text(world.feeds_yaml(), encoding="utf-8")
        poisonous = world.on_topic()[0]
        (folder / "poison").write_text(poisonous.path)
        (folder / "clock").write_text("0")
        server = EmbeddedServer(folder / "data")
        server.acquire()
        try:
            upgrade(server.url())
            with serve(world):
                run(server, folder, options, console)
            report(server, poisonous.path, console)
        finally:
            server.release()


def run(server: EmbeddedServer, folder: Path, options: argparse.Namespace, console: Console) -> None:
    """Run the pipeline to completion while disturbing it."""
    environment = os.environ | {
        "NEWS_DATABASE_URL": server.url(), "NEWS_FEEDS": str(folder / "feeds.yaml"),
        "NEWS_TOPICS": str(ROOT / "topics.yaml"), "NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0",
        "NEWS_EXTRACT_PROCESSES": "2", "FAULTS_CLOCK": str(folder / "clock"), poison.FLAG: str(folder / "poison"),
    }  # fmt: skip
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(options.loops)]
    began, killed, moments = time.monotonic(), 0, random.Random(1)
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.program", "run", "--once"],
        env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while program.poll() is None and time.monotonic() - began < options.limit:
            time.sleep(KILL_EVERY_SECONDS)
            workers = [
                pid
                for child in children(program.pid) if "forkserver" in command_line(child)
                for pid in children(child)
            ]  # fmt: skip
            if workers and time.monotonic() - began < options.kill_seconds:
                with suppress(ProcessLookupError):
                    os.kill(moments.choice(workers), signal.SIGKILL)
                    killed += 1
        load = os.getloadavg()[0]
        took = time.monotonic() - began
        if program.poll() is None:
            program.terminate()
        said, _ = program.communicate(timeout=60)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    console.print(said.strip(), highlight=False, markup=False)
    console.print(f"{took:.0f} s, {killed} workers killed, {options.loops} busy loops, load {load:.0f} at the end")


def report(server: EmbeddedServer, poisonous: str, console: Console) -> None:
    """Print how the healthy pages and the poisonous page ended."""
    with psycopg.connect(server.url()) as connection:
        rows = connection.execute(
            "SELECT canonical_url LIKE '%%' || %s, status, coalesce(reason, ''), count(*) FROM news.entries"
            " GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC",
            [poisonous],
        ).fetchall()
        deaths = connection.execute("SELECT count(*) FROM news.worker_deaths").fetchone()
        failing = connection.execute("SELECT count(*) FROM news.feeds WHERE failures > 0").fetchone()
    for is_poisonous, status, reason, count in rows:
        console.print(f"{'poisonous' if is_poisonous else 'healthy':10}{count:6,} {status} {reason}", highlight=False)
    lost = sum(count for is_poisonous, status, _, count in rows if not is_poisonous and status in ("dead", "rejected"))
    console.print(f"healthy pages dead or rejected: {lost}; feeds failing: {failing and failing[0]}; "
                  f"deaths of workers for which no page was to blame: {deaths and deaths[0]}")  # fmt: skip


if __name__ == "__main__":
    main()
