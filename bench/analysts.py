"""How long the documented analyst queries take on a large corpus, as news_reader.

`python -m bench.corpus --data-dir DIR` creates the corpus. `python -m bench.analysts --data-dir DIR` runs each query of
docs/cookbook.sql three times and shows the median.
"""

import argparse
import platform
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from db.embedded import EmbeddedServer
from db.engine import upgrade
from db.logins import Role, add_login
from docs.generate import cookbook

READER = "news_analyst"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args()
    console = Console(width=120)
    table = Table(title="Queries of docs/analysts.md", title_justify="left")
    for column in ("query", "rows", "seconds (median of 3)", "slowest"):
        table.add_column(column, justify="left" if column == "query" else "right")
    server = EmbeddedServer(options.data_dir)
    server.acquire()
    try:
        upgrade(server.url())
        with psycopg.connect(server.url()) as owner:
            add_login(owner, READER, Role.READER, None)
        with psycopg.connect(server.url(user=READER), autocommit=True) as reader:
            row = reader.execute("SELECT count(*) FROM news.articles").fetchone()
            assert row is not None
            for name, query in cookbook().items():
                times = []
                for _ in range(3):
                    started = time.monotonic()
                    rows = reader.execute(query.encode()).fetchall()
                    times.append(time.monotonic() - started)
                table.add_row(name, str(len(rows)), f"{statistics.median(times):.2f}", f"{max(times):.2f}")
    finally:
        server.release()
    console.print(table)
    console.print(f"{row[0]:,} articles; {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}", highlight=False)


if __name__ == "__main__":
    main()
