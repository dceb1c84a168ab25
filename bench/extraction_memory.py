"""Memory of extraction's worker processes over many pages.

Reads the pages in NEWS_TEST_SHARED/eval/pages over and over, in the same processes and with the same limits as the
stage `extract`, and shows the largest resident memory of a process after each tenth of the pages. Memory that processes
share, such as imports, counts for each of them.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle, islice

from rich.console import Console
from rich.table import Table

from bench.extraction import SHARED, Page, pages
from ingest.extraction.worker import extract_page
from ingest.model.document import Hint, NotAnArticle
from ingest.runtime.compression import compress
from ingest.runtime.worker import resident_bytes
from ingest.runtime.workers import WorkerPool


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    found = pages()
    if not found:
        sys.exit(f"no pages in {SHARED / 'eval' / 'pages'}: set NEWS_TEST_SHARED")
    table = Table(title="Memory of worker processes")
    for column in ("pages", "largest, MB", "mean, MB", "processes so far", "pages/s"):
        table.add_column(column, justify="right")
    for row in asyncio.run(measure(found, options.pages, options.processes)):
        table.add_row(*row)
    Console(width=100).print(table)


async def measure(found: Sequence[Page], total: int, processes: int) -> list[list[str]]:
    # Imported by name, because workers do not know the module that runs as the main program.
    from bench.extraction_memory import extracted

    bodies = [(compress(page.body), page.url) for page in found]
    rows, seen = [], set[int]()
    with WorkerPool(processes, 60, preload=("ingest.extraction.worker",)) as pool:
        waiting: Iterator[tuple[bytes, str]] = islice(cycle(bodies), total)
        taken: list[tuple[int, int]] = []

        async def work() -> None:
            for body, url in waiting:
                taken.append(await pool.run(extracted, body, url))

        step, started = total // 10, time.perf_counter()
        working = asyncio.gather(*(work() for _ in range(processes * 2)))
        done = 0
        while done < total:
            await asyncio.wait([working], timeout=0.2)
            if working.done():
                await working
            if len(taken) < step and not working.done():
                continue
            done += len(taken)
            sizes = [size / 1e6 for _, size in taken]
            seen.update(pid for pid, _ in taken)
            rows.append([
                f"{done:,}", f"{max(sizes):.0f}", f"{sum(sizes) / len(sizes):.0f}", str(len(seen)),
                f"{len(taken) / (time.perf_counter() - started):.0f}",
            ])  # fmt: skip
            taken.clear()
            started = time.perf_counter()
    return rows


def extracted(body: bytes, url: str) -> tuple[int, int]:
    """Extract a page in a worker. Return the worker's process id and its memory afterwards."""
    with suppress(NotAnArticle):
        extract_page(body, url, None, Hint(datetime.now(UTC)))
    return os.getpid(), resident_bytes()


if __name__ == "__main__":
    main()
