"""What landing costs in a small and in a large database, and what an article takes on disk.

Fills a database with articles (made words, in texts of about the usual length, one in ten a copy of another), then
measures how long it takes to land a thousand more, with 10,000 and with 1,000,000 there, in one run, and searches.
"""

import argparse
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from db import Connection
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest import documents, ledger, retention
from ingest.document import Document
from ingest.feeds import import_feed
from ingest.folding import content_identity, fold
from ingest.land import land
from ingest.ledger import NewEntry
from ingest.settings import Settings
from ingest.similarity import Comparable
from ingest.topics import Topic, TopicSet

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
EVERYTHING = TopicSet({"everything": Topic.model_validate({"match": "all"})})
WORDS = 160
QUERIES = (
    "انسحاب القوات",
    '"القوات الأمريكية"',
    "مستشارين",
    "withdrawal troops",
    "كلمة77 OR كلمة4321",
    "كلمة9 -كلمة11",
)
RARE, FREQUENT = 20_000, 600
LANDED_FROM = 100_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--more", type=int, default=1000, help="articles to land at each size")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    console = Console(width=110)
    table = Table(title="Landing", title_justify="left")
    for column in (
        "articles",
        f"landing {options.more:,}, s",
        "times the first",
        "search, ms (median)",
        "kB per article",
    ):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedServer(Path(name))
        server.acquire()
        try:
            upgrade(server.url())
            with connect(server.url()) as connection:
                feed = import_feed(connection, NOW)
                present, first = 0, 0.0
                numbers = iter(range(10**9))
                for size in options.sizes:
                    fill(connection, feed, present, size)
                    present = size
                    retention.analyze(connection)
                    times = [measured(connection, feed, numbers, options.more) for _ in range(options.rounds)]
                    seconds = statistics.median(times)
                    first = first or seconds
                    table.add_row(
                        f"{size:,}", f"{seconds:.2f}", f"{seconds / first:.2f}", f"{searched(connection):.0f}",
                        f"{per_article(connection):.1f}",
                    )  # fmt: skip
        finally:
            server.release()
    console.print(table)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}")


def text(number: int) -> str:
    """A text of its own; words come as often as in language: few very often, many rarely."""
    rng = random.Random(number - number % 2 if number % 10 == 1 else number)
    words = [f"كلمة{rng.randrange(FREQUENT) if rng.random() < 0.5 else rng.randrange(RARE)}" for _ in range(WORDS)]
    # One in a hundred is about what is searched for.
    if number % 100 == 0:
        words[20:20] = ["انسحاب", "القوات", "الأمريكية", "من", "العراق", "withdrawal", "of", "troops", "والمستشارين"]
    if number % 10 == 1:
        words[100:] = words[100:130]
    return " ".join(words)


def fill(connection: Connection, feed: int, present: int, size: int) -> None:
    """Put articles in place by COPY, as landing would have left them."""
    connection.execute("SET synchronous_commit = off")
    started = time.monotonic()
    for start in range(present, size, 20_000):
        numbers = range(start + 1, min(start + 20_000, size) + 1)
        bodies = {number: text(number) for number in numbers}
        _copy(connection, "entries (id, feed_id, identity, url, canonical_url, host, discovered_at, status)", (
            (n, feed, f"f{n}", f"http://a.example/{n}", f"http://a.example/{n}", "a.example", NOW, "landed")
            for n in numbers
        ))  # fmt: skip
        _copy(connection, "stories (id, first_article_id)", ((n, n) for n in numbers))
        _copy(
            connection,
            "articles (id, content_hash, entry_id, story_id, url, outlet, title, published_at, published_from,"
            " language, text, word_count, landed_at)", (
            (n, content_identity(f"{n} {bodies[n]}").content_hash, n, n, f"http://a.example/{n}", f"Outlet {n % 50}",
             f"عنوان {n % 997}", NOW - timedelta(minutes=n), "feed", "ar", bodies[n], WORDS, NOW) for n in numbers
        ))  # fmt: skip
        _copy(connection, "article_signatures (article_id, bands)", (
            (n, Comparable(None, fold(bodies[n])).bands) for n in numbers
        ))  # fmt: skip
        _copy(connection, "sightings (article_id, entry_id, feed_id, url, content_hash, seen_at)", (
            (n, n, feed, f"http://a.example/{n}", content_identity(f"{n} {bodies[n]}").content_hash, NOW)
            for n in numbers
        ))  # fmt: skip
        connection.commit()
        if sys.stderr.isatty() or start % 200_000 == 0:
            print(f"{numbers[-1]:,} articles in {time.monotonic() - started:.0f} s", file=sys.stderr)
    # What is landed has numbers of its own.
    for table in ("entries", "stories", "articles"):
        connection.execute(
            "SELECT setval(seq, greatest(nextval(seq), %s)) FROM pg_get_serial_sequence(%s, 'id') AS seq",
            [LANDED_FROM, f"news.{table}"],
        )
    connection.commit()


def _copy(connection: Connection, into: str, rows: Iterator[tuple[object, ...]]) -> None:
    with connection.cursor().copy(f"COPY news.{into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def measured(connection: Connection, feed: int, numbers: Iterator[int], more: int) -> float:
    """Return the seconds it takes to land so many documents, a tenth of them copies."""
    for _ in range(more):
        number = LANDED_FROM + next(numbers)
        url = f"http://b.example/{number}"
        entry = NewEntry(url, url, url, "b.example", "عنوان", None, None, None, None, status="extracted")
        (entry_id,) = ledger.record(connection, feed, [entry], NOW)
        documents.save(connection, [(entry_id, Document("عنوان", None, NOW, "feed", "ar", text(number), "test"))], NOW)
    connection.commit()
    started = time.monotonic()
    counts = land(connection, Settings(), lambda: NOW, EVERYTHING)
    assert counts.landed == more, counts
    return time.monotonic() - started


def searched(connection: Connection) -> float:
    """Return the median time of a search, in milliseconds."""
    times = []
    for _ in range(3):
        for query in QUERIES:
            started = time.monotonic()
            connection.execute("SELECT * FROM news.search(%s)", [query]).fetchall()
            times.append((time.monotonic() - started) * 1000)
    connection.rollback()
    return statistics.median(times)


def per_article(connection: Connection) -> float:
    """Return the disk space of articles and all that is kept of them, in kB each."""
    row = connection.execute(
        "SELECT sum(pg_total_relation_size(oid)) / (SELECT count(*) FROM news.articles) / 1000 FROM pg_class"
        " WHERE relnamespace = 'news'::regnamespace AND relkind = 'r' AND relname IN ('articles', 'stories',"
        " 'article_signatures', 'article_links', 'sightings', 'article_topics')"
    ).fetchone()
    connection.rollback()
    assert row is not None
    return float(row[0])


if __name__ == "__main__":
    main()
