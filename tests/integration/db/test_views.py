"""The views for analysts: what they say is right, complete in its comments, and open to news_reader."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from db import Connection
from docs.generate import cookbook
from ingest.topics.topics import TopicSet
from tests.collected import Collect, Collected
from tests.conftest import READER

# Of a newsroom without revisions, agencies and troubles nothing is to be seen there.
MAY_BE_EMPTY = {
    "What publishers changed after the fact", "What agencies provide", "Feeds that need attention",
    "Why items came to nothing", "Articles of a day, each story once",
}  # fmt: skip


@pytest.fixture
def collected(collect: Collect, topics: TopicSet) -> Collected:
    """What the pipeline has made of a newsroom."""
    return collect(topics, feeds=6, entries=120)


@pytest.fixture
def filled(collected: Collected) -> Iterator[Connection]:
    with collected.database.connect() as opened:
        yield opened


def test_every_view_and_column_has_a_comment(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT c.relname, a.attname FROM pg_class c LEFT JOIN LATERAL ("
        "   SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 UNION ALL SELECT NULL, 0) a"
        " ON true WHERE c.relnamespace = 'news'::regnamespace AND c.relkind = 'v'"
        " AND col_description(c.oid, a.attnum) IS NULL AND (a.attnum > 0 OR obj_description(c.oid) IS NULL)"
    ).fetchall()
    assert rows == []


def test_the_cookbook_works_for_readers(filled: Connection, collected: Collected) -> None:
    # The queries name days of October 2026; what the newsroom published is moved there.
    filled.execute(
        "UPDATE news.articles SET landed_at = timestamptz '2026-10-31 13:00', published_at = published_at"
        " - (SELECT max(published_at) FROM news.articles) + timestamptz '2026-10-31 12:00'"
    )
    filled.execute("UPDATE news.entries SET discovered_at = timestamptz '2026-10-31 13:00'")
    filled.execute("UPDATE news.documents SET published_at = published_at - interval '1 day'")
    filled.commit()
    recipes = cookbook()
    assert len(recipes) >= 15
    empty = set()
    with psycopg.connect(collected.database.url.replace("//news@", f"//{READER}@")) as reader:
        for name, query in recipes.items():
            if not reader.execute(query.encode()).fetchall():
                empty.add(name)
    assert empty <= MAY_BE_EMPTY


def test_views_agree_with_the_tables(filled: Connection) -> None:
    def one(query: str) -> object:
        row = filled.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    articles = one("SELECT count(*) FROM news.articles")
    assert articles
    assert one("SELECT count(*) FROM news.articles_flat") == articles
    stories = one("SELECT count(*) FROM news.stories")
    assert one("SELECT count(*) FROM news.articles_flat WHERE first_of_story") == one(
        "SELECT count(*) FROM news.stories"
    )
    assert one("SELECT count(*) FROM news.articles_flat WHERE topic IS NULL OR topics[1] <> topic") == 0
    assert one("SELECT sum(articles) FROM news.coverage_daily") == articles
    sightings = one("SELECT count(*) FROM news.sightings")
    assert one("SELECT count(*) FROM news.article_places") == sightings
    assert one("SELECT count(*) FROM news.article_places WHERE original") == articles
    assert one("SELECT count(*) FROM news.story_timeline") == sightings
    assert one("SELECT sum(places) FROM news.story_outlets") == sightings
    assert one("SELECT sum(places) FROM news.story_overview") == sightings
    assert one("SELECT count(*) FROM news.story_timeline WHERE relation = 'first'") == stories


def test_who_was_first_and_how_long_others_took(connection: Connection) -> None:
    connection.execute(
        "WITH f AS (INSERT INTO news.feeds (slug, url, host, outlet, country, poll_every, created_at, next_poll_at)"
        "   SELECT o, o, o, o, 'IQ', '1 hour', now(), now() FROM unnest('{early,late}'::text[]) o RETURNING id, slug),"
        " e AS (INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status,"
        "   published_at) SELECT id, slug, slug, slug, slug, now(), 'landed', timestamptz '2026-10-01 10:00'"
        "   + CASE slug WHEN 'late' THEN interval '90 min' ELSE interval '0' END FROM f RETURNING id, feed_id, url,"
        "   published_at),"
        " s AS (INSERT INTO news.stories (id, first_article_id) OVERRIDING SYSTEM VALUE VALUES (1, 1)),"
        " a AS (INSERT INTO news.articles (id, content_hash, entry_id, story_id, url, outlet, text, word_count,"
        "   landed_at, published_at, published_from) OVERRIDING SYSTEM VALUE SELECT 1, repeat('a', 64), id, 1, url,"
        "   'early', 'x', 1, now(), published_at, 'feed' FROM e WHERE url = 'early')"
        " INSERT INTO news.sightings (article_id, entry_id, feed_id, url, seen_at, content_hash)"
        " SELECT 1, id, feed_id, url, now(), repeat('a', 64) FROM e"
    )
    rows = connection.execute("SELECT outlet, delay, was_first FROM news.story_outlets ORDER BY delay").fetchall()
    assert rows == [("early", timedelta(0), True), ("late", timedelta(minutes=90), False)]
    relations = connection.execute("SELECT relation FROM news.story_timeline ORDER BY delay").fetchall()
    assert relations == [("first",), ("same_words",)]


def test_changes_show_what_was_said_before_and_after(connection: Connection) -> None:
    connection.execute(
        "WITH f AS (INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
        "   VALUES ('f', 'f', 'f', 'F', '1 hour', now(), now()) RETURNING id),"
        " e AS (INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status)"
        "   SELECT id, 'e', 'u', 'u', 'h', now(), 'landed' FROM f RETURNING id),"
        " s AS (INSERT INTO news.stories (id, first_article_id) OVERRIDING SYSTEM VALUE VALUES (1, 1)),"
        " a AS (INSERT INTO news.articles (id, content_hash, entry_id, story_id, url, outlet, title, text, word_count,"
        "   landed_at) OVERRIDING SYSTEM VALUE SELECT 1, repeat('c', 64), id, 1, 'u', 'F', 'third', 'c c c', 3, now()"
        "   FROM e)"
        " INSERT INTO news.article_revisions (article_id, content_hash, title, text, word_count, seen_from, seen_until)"
        " VALUES (1, repeat('a', 64), 'first', 'a', 1, now() - interval '3 h', now() - interval '2 h'),"
        "   (1, repeat('b', 64), 'second', 'b b', 2, now() - interval '2 h', now() - interval '1 h')"
    )
    rows = connection.execute(
        "SELECT title_before, title_after, words_before, words_after, text_after FROM news.article_changes"
        " ORDER BY changed_at"
    ).fetchall()
    assert rows == [("first", "second", 1, 2, "b b"), ("second", "third", 2, 3, "c c c")]
