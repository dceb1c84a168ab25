"""What a run of the pipeline left in the database, and what the newsroom knows should be there."""

import atexit
from functools import cache

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.extraction.extract import extraction_pool
from ingest.pipeline import Pipeline
from ingest.runtime.workers import WorkerPool
from ingest.text.urls import canonical_url
from ingest.topics.topics import TopicSet
from tests.conftest import Clock
from tests.newsroom import Newsroom

Landed = set[tuple[str, str, str]]


def landed(connection: Connection) -> Landed:
    """(content_hash, outlet, url) of every place where an article was seen."""
    rows = connection.execute(
        """
        SELECT a.content_hash, f.outlet, e.canonical_url
        FROM news.sightings s JOIN news.articles a ON a.id = s.article_id
        JOIN news.entries e ON e.id = s.entry_id JOIN news.feeds f ON f.id = s.feed_id
        """
    ).fetchall()
    connection.commit()
    return set(rows)


def true_places(world: Newsroom) -> Landed:
    return {(item.content_hash, item.outlet.name, canonical_url(item.url)) for item in world.on_topic()}


def curated(connection: Connection) -> set[tuple[object, ...]]:
    """All that analysts read, but for numbers and times of processing."""
    rows = connection.execute(
        """
        SELECT a.content_hash, a.url, a.outlet, a.title, a.author, a.published_at, a.published_from, a.language, a.text,
               a.word_count, (SELECT array_agg(t.topic ORDER BY t.topic) FROM news.article_topics t
                              WHERE t.article_id = a.id)::text,
               (SELECT array_agg(s.url || ' ' || f.slug ORDER BY s.url, f.slug) FROM news.sightings s
                JOIN news.feeds f ON f.id = s.feed_id WHERE s.article_id = a.id)::text
        FROM news.articles a
        """
    ).fetchall()
    connection.commit()
    return set(rows)


def outcomes(connection: Connection) -> set[tuple[object, ...]]:
    """What became of every entry."""
    rows = connection.execute(
        "SELECT f.slug, e.identity, e.status, e.lease_holder FROM news.entries e JOIN news.feeds f ON f.id = e.feed_id"
    ).fetchall()
    connection.commit()
    return set(rows)


@cache
def workers() -> WorkerPool:
    """The worker processes of all runs in this process: each pool of its own takes a second to start.

    All later pools come from the same fork server, which has imported what extraction needs then.
    """
    pool = extraction_pool(Settings(extract_processes=2))
    atexit.register(pool.__exit__, None, None, None)
    return pool


def run_once(database: Database, settings: Settings, topics: TopicSet, clock: Clock) -> Pipeline:
    """Run the pipeline until nothing is due."""
    # Settings for workers need workers of their own.
    usual = settings.extract_timeout == Settings().extract_timeout
    if usual:
        # Of another test.
        workers().take_deaths()
    pipeline = Pipeline(database, settings, topics, clock, workers() if usual else None)
    pipeline.once()
    return pipeline
