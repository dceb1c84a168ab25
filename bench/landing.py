"""The cost of landing in a small and in a large database, disk space per article, and search times.

`python -m bench.corpus --data-dir DIR` creates the large one. `python -m bench.landing --data-dir DIR` creates a small
one and alternates between both, measuring searches and how long it takes to land a thousand more documents, a tenth of
them copies.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.corpus import LATER_FROM, NOW, fill, text
from db import Connection
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest.config.settings import Settings
from ingest.landing.land import land
from ingest.model.document import Document
from ingest.model.status import Status
from ingest.store import articles, documents, ledger
from ingest.store.feeds import import_feed
from ingest.store.ledger import NewEntry
from ingest.topics.topics import Topic, TopicSet

EVERYTHING = TopicSet({"everything": Topic.model_validate({"match": "all"})})
TITLE_WORDS = 8
# Rounds that do not count, because the large database has just started and must be read from disk. A round touches a
# seventh of the index of bands.
WARM_UP = 6
QUERIES = (
    "انسحاب القوات",
    '"القوات الأمريكية"',
    "مستشارين",
    "withdrawal troops",
    "كلمة77 OR كلمة4321",
    "كلمة9 -كلمة11",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True, help="where the large corpus is")
    parser.add_argument("--small", type=int, default=10_000, help="articles of the small one")
    parser.add_argument("--more", type=int, default=1000, help="articles to land at each size")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    console = Console(width=110)
    table = Table(title="Landing", title_justify="left")
    for column in (
        "articles",
        f"landing {options.more:,}, s",
        "times the first",
        "settling, s",
        "search, ms (median)",
        "kB per article",
    ):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as name:
        servers = [EmbeddedServer(Path(name)), EmbeddedServer(options.data_dir)]
        try:
            for server in servers:
                server.acquire()
                upgrade(server.url())
            fill(servers[0].url(), options.small)
            for server in servers:
                with connect(server.url()) as connection:
                    connection.autocommit = True
                    # What autovacuum would have done, which must not run during the measurement.
                    connection.execute("VACUUM news.entries, news.articles, news.stories")
            # Other numbers than in earlier runs, because articles that landed then are still there.
            numbers = count(LATER_FROM + int(time.time()) * 1000)
            times: list[list[tuple[float, float]]] = [[], []]
            # Long-lived sessions, as in a pipeline.
            with ExitStack() as stack:
                sessions = [stack.enter_context(connect(server.url())) for server in servers]
                for _ in range(WARM_UP + options.rounds):
                    for place, session in enumerate(sessions):
                        times[place].append(measured(session, numbers, options.more))
            small = statistics.median(landing for landing, _ in times[0][WARM_UP:])
            for place, server in enumerate(servers):
                with connect(server.url()) as connection:
                    seconds, settling = (
                        statistics.median(column) for column in zip(*times[place][WARM_UP:], strict=True)
                    )
                    table.add_row(
                        f"{count_articles(connection):,}", f"{seconds:.2f}", f"{seconds / small:.2f}",
                        f"{settling:.2f}", f"{searched(connection):.0f}", f"{per_article(connection):.1f}",
                    )  # fmt: skip
        finally:
            for server in servers:
                server.release()
    console.print(table)
    console.print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}")


def measured(connection: Connection, numbers: Iterator[int], more: int) -> tuple[float, float]:
    """Return the seconds to land so many documents, a tenth of them copies, and then to settle the search index."""
    feed = import_feed(connection, NOW)
    for _ in range(more):
        number = next(numbers)
        url, body = f"http://b.example/{number}", text(number)
        # A title made of the text's own words, because articles with equal titles are compared word for word.
        title = " ".join(body.split()[:TITLE_WORDS])
        entry = NewEntry(url, url, url, "b.example", title, None, None, None, None, status=Status.EXTRACTED)
        (entry_id,) = ledger.record(connection, feed, [entry], NOW)
        documents.save(connection, [(entry_id, Document(title, None, NOW, "feed", "ar", body, "test"))], NOW)
    connection.commit()
    started = time.monotonic()
    counts = land(connection, Settings(), lambda: NOW, EVERYTHING)
    landed = time.monotonic()
    assert counts.landed == more, counts
    articles.settle_search(connection)
    return landed - started, time.monotonic() - landed


def count_articles(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM news.articles").fetchone()
    connection.rollback()
    assert row is not None
    return int(row[0])


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
    """Return the disk space of articles and of everything stored with them, in kB each."""
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
