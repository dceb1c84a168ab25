"""Exports of a large corpus: seconds, memory, size, and whether polars reads back the contents of the database.

`python -m bench.corpus --data-dir DIR` creates the corpus. `python -m bench.export --data-dir DIR` exports it in each
format.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from bench.throughput import INGEST, watch_memory
from db.embedded import EmbeddedServer
from db.engine import connect
from ingest.exchange.export import COLUMNS
from ingest.store import articles

FORMATS = ("parquet", "jsonl", "csv", "txt")
AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    options = parser.parse_args()
    console = Console(width=110)
    table = Table(title="Exports", title_justify="left")
    for column in ("format", "articles", "seconds", "articles/s", "memory, MB", "size, MB"):
        table.add_column(column, justify="left" if column == "format" else "right")
    with tempfile.TemporaryDirectory() as name:
        for kind in options.formats:
            folder = Path(name) / kind
            started = time.monotonic()
            process = subprocess.Popen(
                [INGEST, "export", str(folder), "--format", kind],
                env=os.environ | {"NEWS_DATA_DIR": str(options.data_dir)}, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            peak = watch_memory(process)
            said, _ = process.communicate()
            seconds = time.monotonic() - started
            if process.returncode != 0:
                sys.exit(f"the export as {kind} failed")
            count = int(said.split()[0])
            size = sum(path.stat().st_size for path in folder.iterdir())
            table.add_row(
                kind, f"{count:,}", f"{seconds:.1f}", f"{count / seconds:,.0f}", f"{peak():.0f}", f"{size / 1e6:,.0f}"
            )
            if kind == "parquet":
                same = compared(options.data_dir, folder / "articles.parquet")
    console.print(table)
    if "parquet" in options.formats:
        console.print(f"polars reads the same table: {'yes' if same else 'NO'}")
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}")


def compared(data_dir: Path, path: Path) -> bool:
    """Return whether a Parquet file, read by polars, has all rows and columns of the database."""
    server = EmbeddedServer(data_dir)
    server.acquire()
    try:
        with connect(server.url()) as connection, articles.streamed(connection, COLUMNS) as rows:
            for frame in pl.scan_parquet(path).collect_batches(chunk_size=AT_ONCE, maintain_order=True):
                for row in frame.iter_rows(named=True):
                    if row != next(rows, None):
                        return False
            return not list(islice(rows, 1))
    finally:
        server.release()


if __name__ == "__main__":
    main()
