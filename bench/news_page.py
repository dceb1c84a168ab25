"""The news page on a large database: the server time of the page in Airflow's API server.

Fills a database with entries (a third of them articles), generated in SQL with plausible sizes. Loads and renders the
page several times, each time on a new connection: once for the newest articles, once for a search. The ratio is to the
same page with a hundredth of the entries, in the same run.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from db.logins import Role, add_login
from ingest.runtime.clock import utc_now

FEEDS = 100
ROUNDS = 11

FILL = """
INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at, health, last_success_at,
                        last_new_at)
SELECT 'feed' || n, 'http://feed' || n || '.example/rss', 'feed' || n || '.example', 'Outlet ' || n, '10 minutes',
       now() - interval '200 days', now(), 'ok', now(), now()
FROM generate_series(1, %(feeds)s) n;

INSERT INTO news.feed_polls (feed_id, polled_at, outcome, status, entries, new_entries, bytes, took_ms)
SELECT f.id, now() - n * interval '20 minutes', CASE WHEN n %% 3 = 0 THEN 'new' ELSE 'not_modified' END, 200, 20, 1,
       0, 50
FROM news.feeds f, generate_series(1, 2000) n;

INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, title, summary, published_at, discovered_at,
                          status, reason, next_attempt_at)
SELECT (SELECT min(id) FROM news.feeds) + n %% %(feeds)s, 'item ' || n, url, url, 'feed.example', 'Title of item ' || n,
       repeat('summary of the item ', 15), seen - interval '10 minutes', seen, status,
       CASE WHEN status IN ('landed', 'discovered') THEN NULL ELSE 'no topic' END,
       CASE WHEN status = 'discovered' THEN now() END
FROM (SELECT n, now() - (%(entries)s - n) * (interval '180 days' / %(entries)s) AS seen,
             'http://feed.example/news/' || n AS url,
             CASE WHEN n %% 3 = 0 THEN 'landed' WHEN n %% 100 = 1 THEN 'rejected' WHEN n %% 7 = 1 THEN 'duplicate'
                  WHEN n %% 1000 = 2 THEN 'discovered' ELSE 'off_topic' END AS status
      FROM generate_series(1, %(entries)s) n) AS made;

WITH story AS (INSERT INTO news.stories (first_article_id) VALUES (1) RETURNING id)
INSERT INTO news.articles (content_hash, entry_id, url, outlet, title, published_at, published_from, language, text,
                           word_count, landed_at, story_id)
SELECT encode(sha256(e.identity::bytea), 'hex'), e.id, e.url, f.outlet,
       (ARRAY['انسحاب القوات الأمريكية من العراق', 'US troops leave Iraq', 'مستشارين'])[1 + e.id %% 3] || ' ' || e.id,
       e.published_at, 'feed', 'ar', repeat('نص المقال كاملا ', 150), 450, e.discovered_at + interval '20 seconds',
       story.id
FROM story, news.entries e JOIN news.feeds f ON f.id = e.feed_id WHERE e.status = 'landed';
"""

READER = "news_analyst"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedServer(Path(name))
        server.acquire()
        try:
            rows = [
                measure(server, f"news_{entries}", entries) for entries in (options.entries // 100, options.entries)
            ]
        finally:
            server.release()
    table = Table(box=None)
    for column in ("entries", "articles", "newest, ms", "search, ms", "largest, ms"):
        table.add_column(column, justify="right")
    for entries, articles, newest, search, largest in rows:
        table.add_row(f"{entries:,}", f"{articles:,}", f"{newest:.0f}", f"{search:.0f}", f"{largest:.0f}")
    Console().print(table)
    Console().print(f"ratio, newest: {rows[1][2] / rows[0][2]:.1f}")


def measure(server: EmbeddedServer, database: str, entries: int) -> tuple[int, int, float, float, float]:
    """Return entries, articles, median times of the page without and with a search, and the longest, in ms."""
    server.ensure_database(database)
    upgrade(server.url(database))
    with psycopg.connect(server.url(database)) as owner:
        add_login(owner, READER, Role.READER, None)
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        for statement in FILL.split(";\n\n"):
            connection.execute(statement.rstrip().rstrip(";"), {"feeds": FEEDS, "entries": entries})
        connection.execute("VACUUM ANALYZE")
        articles = connection.execute("SELECT count(*) FROM news.articles").fetchone()
    assert articles is not None
    plain = [page(server.url(database, READER), "") for _ in range(ROUNDS)]
    search = [page(server.url(database, READER), "القوات الامريكية") for _ in range(ROUNDS)]
    return entries, articles[0], statistics.median(plain), statistics.median(search), max(plain[1:] + search[1:])


def page(url: str, query: str) -> float:
    """Load the page's data and return the time it took, in ms."""
    from ingest.airflow.news_page import overview

    started = time.perf_counter()
    with connect(url) as connection:
        overview.load(connection, utc_now(), query)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
