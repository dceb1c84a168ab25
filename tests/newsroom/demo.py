"""`make demo`: the pipeline at work on a simulated web, for somebody without a network.

Starts a newsroom whose outlets publish something new every few seconds, follows it for a while, and prints what
landed. Everything happens on loopback and in a temporary directory, which is kept for looking around.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.conftest import free_port

INGEST = str(Path(sys.executable).with_name("ingest"))
ROOT = Path(__file__).parent.parent.parent

QUERY = """\
SELECT to_char(published_at, 'YYYY-MM-DD HH24:MI') AS published, outlet, language, left(title, 60) AS title,
       (SELECT count(*) FROM news.sightings s WHERE s.article_id = a.id) AS seen
FROM news.articles a
ORDER BY published_at DESC
LIMIT 10"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the pipeline against a simulated web.")
    parser.add_argument("--seconds", type=float, default=25, help="how long to follow it")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="news-demo-"))
    environment = os.environ | {
        "NEWS_DATA_DIR": str(folder / "data"),
        "NEWS_FEEDS": str(folder / "feeds.yaml"),
        "NEWS_TOPICS": str(ROOT / "topics.yaml"),
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_HOST_DELAY": "0.5",
    }
    environment.pop("NEWS_DATABASE_URL", None)
    with ExitStack() as stack:
        newsroom = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.newsroom", "--port", str(free_port()), "--write-feeds",
                 str(folder / "feeds.yaml"), "--live", "2", "--poll-every", "2s"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            )
        )  # fmt: skip
        assert newsroom.stdin is not None
        assert newsroom.stdout is not None
        stack.callback(newsroom.stdin.close)
        if newsroom.stdout.readline() != "ready\n":
            sys.exit("the newsroom did not start")
        print(f"A simulated web of 8 feeds is up; following it for {options.seconds:g} seconds.\n", flush=True)
        follower = subprocess.Popen([INGEST, "run", "--follow"], env=environment)
        with suppress(KeyboardInterrupt):
            time.sleep(options.seconds)
        follower.send_signal(signal.SIGTERM)
        if follower.wait(60) != 0:
            sys.exit("the pipeline failed")
    print(flush=True)
    subprocess.run([INGEST, "status"], env=environment, check=True)
    url = subprocess.run([INGEST, "db", "url"], env=environment, check=True, capture_output=True, text=True).stdout
    _print_articles(url.strip())
    print(f"\nThe query was:\n\n{QUERY};\n\nLook around for yourself (it stays up for ten minutes):\n")
    print(f'    psql "{url.strip()}"\n')
    print(f"Everything lies in {folder}")


def _print_articles(url: str) -> None:
    import psycopg
    from rich.console import Console
    from rich.table import Table

    with psycopg.connect(url) as connection:
        cursor = connection.execute(QUERY)
        table = Table(title="The ten newest articles", title_justify="left", box=None)
        for column in cursor.description or ():
            table.add_column(column.name)
        for row in cursor:
            table.add_row(*(str(value) for value in row))
    print()
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    main()
