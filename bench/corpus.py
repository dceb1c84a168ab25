"""Generates a large corpus of articles, in the state a pipeline would leave it, for benches that need a million.

`python -m bench.corpus --data-dir DIR` fills the embedded database under DIR and leaves it there; the benches that take
`--data-dir` use it. Word frequencies are those of natural language (few words are very frequent, many are rare). One
article in ten is a copy of another, and the ledger has twice as many entries that ended otherwise.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from db import Connection
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest.store import retention
from ingest.text.folding import content_identity
from ingest.text.similarity import Comparable

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
WORDS = 160
RARE, FREQUENT = 20_000, 600
OUTLETS = 60
COUNTRIES = ("IQ", "IQ", "IQ", "SA", "LB", "GB", "US", "QA", "EG", "JO")
POLLS_PER_DAY, POLL_DAYS = 144, 30
CHUNK = 5_000
# Numbers from here on are for what is landed or written later.
LATER_FROM = 100_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=1_000_000)
    options = parser.parse_args()
    server = EmbeddedServer(options.data_dir)
    server.acquire()
    try:
        upgrade(server.url())
        fill(server.url(), options.articles)
    finally:
        server.release()


def text(number: int) -> str:
    """A unique folded text. The second of every ten copies the first, with a different ending."""
    rng = random.Random(number - 1 if number % 10 == 1 else number)
    words = [f"كلمه{rng.randrange(FREQUENT) if rng.random() < 0.5 else rng.randrange(RARE)}" for _ in range(WORDS)]
    # One text in a hundred is about the search term.
    if number % 100 == 0:
        words[20:20] = ["انسحاب", "القوات", "الامريكيه", "من", "العراق", "withdrawal", "of", "troops", "والمستشارين"]
    if number % 10 == 1:
        words[130:] = words[100:120]
    return " ".join(words)


def fill(url: str, size: int) -> None:
    """Fill the database at `url` up to `size` articles. Text indexes are created last, which is five times faster."""
    started = time.monotonic()
    with connect(url) as connection:
        feeds = _feeds(connection)
        row = connection.execute("SELECT count(*) FROM news.articles WHERE id < %s", [LATER_FROM]).fetchone()
        assert row is not None
        present: int = row[0]
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'news' AND indexdef LIKE '%USING gin%'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX news.{name}")  # a name of ours
        connection.commit()
        starts = range(present, size, CHUNK)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            for done in pool.map(partial(_fill_chunk, url, feeds, size), starts):
                if done % 100_000 == 0:
                    print(f"{done:,} articles in {time.monotonic() - started:.0f} s", file=sys.stderr)
        connection.execute("SET maintenance_work_mem = '1GB'")
        for name, definition in indexes:
            connection.execute(definition)
            connection.commit()
            print(f"{name} made after {time.monotonic() - started:.0f} s", file=sys.stderr)
        for table in ("entries", "stories", "articles"):
            connection.execute(
                "SELECT setval(seq, greatest(nextval(seq), %s)) FROM pg_get_serial_sequence(%s, 'id') AS seq",
                [LATER_FROM, f"news.{table}"],
            )
        connection.commit()
        retention.analyze(connection)
        connection.autocommit = True
        # Index-only scans need what autovacuum would have done by now.
        connection.execute("VACUUM news.articles, news.entries, news.stories, news.sightings")


def _feeds(connection: Connection) -> list[int]:
    connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, language, country, poll_every, created_at, next_poll_at,"
        " last_polled_at, last_success_at, last_new_at, health)"
        " SELECT 'outlet-' || n, 'http://outlet' || n || '.example/feed', 'outlet' || n || '.example', 'Outlet ' || n,"
        " CASE WHEN n %% 10 < 7 THEN 'ar' ELSE 'en' END, (%(countries)s::text[])[1 + n %% 10], '10 minutes',"
        " %(now)s::timestamptz - interval '2 years', %(now)s, %(now)s, %(now)s, %(now)s, 'ok'"
        " FROM generate_series(1, %(outlets)s) AS n ON CONFLICT DO NOTHING",
        {"now": NOW, "outlets": OUTLETS, "countries": list(COUNTRIES)},
    )
    connection.execute(
        "INSERT INTO news.feed_polls (feed_id, polled_at, outcome, status, entries, new_entries, took_ms)"
        " SELECT f.id, %(now)s::timestamptz - n * interval '1 day' / %(daily)s,"
        " CASE WHEN n %% 7 = 0 THEN 'new' ELSE 'not_modified' END, CASE WHEN n %% 7 = 0 THEN 200 ELSE 304 END,"
        " CASE WHEN n %% 7 = 0 THEN 30 ELSE 0 END, CASE WHEN n %% 7 = 0 THEN 2 ELSE 0 END, 200"
        " FROM news.feeds f, generate_series(1, %(days)s * %(daily)s) AS n"
        " WHERE f.slug LIKE 'outlet-%%' AND NOT EXISTS (SELECT FROM news.feed_polls p WHERE p.feed_id = f.id)",
        {"now": NOW, "daily": POLLS_PER_DAY, "days": POLL_DAYS},
    )
    rows = connection.execute("SELECT id FROM news.feeds WHERE slug LIKE 'outlet-%' ORDER BY id").fetchall()
    connection.commit()
    return [row[0] for row in rows]


def _fill_chunk(url: str, feeds: list[int], size: int, start: int) -> int:
    numbers = range(start + 1, min(start + CHUNK, size) + 1)
    bodies = {n: text(n) for n in numbers}
    hashes = {n: content_identity(f"{n} {bodies[n]}").content_hash for n in numbers}
    # A copy, whose number ends in 1, belongs to the article before it, if both are in the same chunk.
    copies = {n: n - 1 for n in numbers if n % 10 == 1 and n - 1 in bodies}
    feed = {n: feeds[n % len(feeds)] for n in numbers}
    published = {n: NOW - timedelta(minutes=n) for n in numbers}
    with connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        _copy(connection, "entries (id, feed_id, identity, url, canonical_url, host, title, published_at,"
              " discovered_at, status)", (
            (n, feed[n], f"f{n}", _url(n), _url(n), f"outlet{n % OUTLETS}.example", f"عنوان {n % 997}", published[n],
             published[n] + timedelta(minutes=5), "landed") for n in numbers
        ))  # fmt: skip
        _copy(connection, "entries (id, feed_id, identity, url, canonical_url, host, discovered_at, status, reason)", (
            (LATER_FROM // 2 + n * 2 + more, feed[n], f"o{n}-{more}", f"{_url(n)}/{more}", f"{_url(n)}/{more}",
             f"outlet{n % OUTLETS}.example", published[n], *_ended(n + more)) for n in numbers for more in (0, 1)
        ))  # fmt: skip
        _copy(connection, "stories (id, first_article_id, size, created_at)", (
            (n, n, 2 if n + 1 in copies else 1, published[n]) for n in numbers if n not in copies
        ))  # fmt: skip
        _copy(
            connection,
            "articles (id, content_hash, entry_id, story_id, url, outlet, title, published_at, published_from,"
            " language, text, word_count, landed_at)", (
            (n, hashes[n], n, copies.get(n, n), _url(n), f"Outlet {n % OUTLETS + 1}", f"عنوان {n % 997}", published[n],
             "feed", "ar" if n % 10 < 7 else "en", bodies[n], WORDS, published[n] + timedelta(minutes=6))
            for n in numbers
        ))  # fmt: skip
        _copy(connection, "article_signatures (article_id, bands)", (
            (n, Comparable(None, bodies[n]).bands) for n in numbers
        ))  # fmt: skip
        _copy(connection, "article_links (article_id, other_id, relation, similarity, containment)", (
            (first, n, "syndicated", 0.6, 0.8) for n, first in copies.items()
        ))  # fmt: skip
        _copy(connection, "sightings (article_id, entry_id, feed_id, url, content_hash, seen_at)", (
            (n, n, feed[n], _url(n), hashes[n], published[n] + timedelta(minutes=6)) for n in numbers
        ))  # fmt: skip
        _copy(connection, "article_topics (article_id, topic, score, matched)", (
            (n, "iraq-withdrawal", 3 + n % 5, "{}") for n in numbers
        ))  # fmt: skip
        connection.commit()
    return numbers[-1]


def _url(number: int) -> str:
    return f"http://outlet{number % OUTLETS}.example/{number}"


def _ended(number: int) -> tuple[str, str]:
    if number % 10 == 0:
        return "rejected", "no article text found"
    return "off_topic", "no topic"


def _copy(connection: Connection, into: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor().copy(f"COPY news.{into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


if __name__ == "__main__":
    main()
