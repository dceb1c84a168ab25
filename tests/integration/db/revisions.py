"""Databases as earlier revisions made them, with rows in every table, and what is compared of two schemas."""

import hashlib
import itertools
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from db.embedded import programs
from db.migrations.steps import migrate
from db.schema import SOURCES
from db.upgrade import transaction


def make_revision(url: str, revision: str) -> None:
    """Give an empty database the tables of `revision`, by the frozen migrations, and nothing of today."""
    with transaction(url) as (connection, driver):
        driver.execute("CREATE SCHEMA news")
        migrate(connection, SOURCES.migrations, lambda _error: False, revision)


def dump(url: str) -> str:
    """Return all that pg_dump says about a schema, down to comments, rights and the order of columns.

    But for the order of the rights of one object, which is that in which they were given, and means nothing.
    """
    written = subprocess.run(
        [programs() / "pg_dump", "--schema-only", url], check=True, capture_output=True, text=True
    ).stdout
    # Each dump has a key of its own in these (psql --restrict).
    lines = [line for line in written.splitlines() if not re.match(r"\\(un)?restrict ", line)]
    parts = itertools.groupby(lines, lambda line: line.startswith("GRANT "))
    return "\n".join(line for grants, part in parts for line in (sorted(part) if grants else part))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


THEN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
_AT = THEN.isoformat()
_TEXTS = {1: "The withdrawal of forces from Iraq began.", 2: "The withdrawal of forces from Iraq began today."}
_FEED = {
    "id": 1, "slug": "one", "url": "http://one.example/rss", "host": "one.example", "outlet": "One", "language": "en",
    "country": "IQ", "poll_every": "10 minutes", "created_at": _AT, "next_poll_at": _AT, "lease_holder": 77,
    "health": "failing", "failures": 2, "last_error": "no answer", "etag": '"x"', "body_hash": "\\x00ff",
    "poll_within": "02:00:00", "skip_hours": [1, 2], "failure": "timeout", "moved_polls": 3,
    "hub": "http://hub.example/", "topic": "http://one.example/rss", "pushed_until": _AT,
}  # fmt: skip


def _entry(number: int, **columns: object) -> dict[str, object]:
    url = f"http://one.example/{number}"
    return {
        "id": number, "feed_id": 1, "identity": url, "url": url, "canonical_url": url, "host": "one.example",
        "title": f"Forces {number}", "published_at": _AT, "discovered_at": _AT,
    } | columns  # fmt: skip


def _article(number: int) -> dict[str, object]:
    return {
        "id": number, "content_hash": _hash(_TEXTS[number]), "entry_id": number, "story_id": 1, "outlet": "One",
        "url": f"http://one.example/{number}", "title": f"Forces {number}", "published_at": _AT,
        "published_from": "feed", "language": "en", "text": _TEXTS[number], "word_count": 7, "landed_at": _AT,
        "agency": "Reuters",
    }  # fmt: skip


# In all columns of today. At an earlier revision those that it had are written.
ROWS: list[tuple[str, dict[str, object]]] = [
    ("feeds", _FEED),
    ("hosts", {"host": "one.example", "next_request_at": _AT, "crawl_delay": "7 s", "robots": "", "lease_holder": 77}),
    ("feed_polls", {"id": 1, "feed_id": 1, "polled_at": _AT, "outcome": "new", "status": 200, "entries": 4,
                    "new_entries": 4, "bytes": 9000, "took_ms": 12, "pushed": True}),
    ("feed_polls", {"id": 2, "feed_id": 1, "polled_at": _AT, "outcome": "failed", "took_ms": 12, "error": "no answer",
                    "failure": "timeout"}),
    ("entries", _entry(1, status="landed", rechecks=1, recheck_at=_AT)),
    ("entries", _entry(2, status="landed", published_note="no zone")),
    ("entries", _entry(3, status="fetched", next_attempt_at=_AT, lease_holder=77, attempts=1, priority=2)),
    ("entries", _entry(4, status="off_topic", reason="mention", topic_score=0.5)),
    ("pages", {"entry_id": 1, "fetched_at": _AT, "final_url": "http://one.example/1", "http_status": 200,
               "content_type": "text/html", "body": "\\x28b52ffd", "body_bytes": 4}),
    ("documents", {"entry_id": 1, "extracted_at": _AT, "title": "Forces 1", "published_at": _AT,
                   "published_from": "feed", "language": "en", "text": _TEXTS[1], "extractor": "trafilatura 2",
                   "stated_at": _AT, "published_note": "jsonld: future", "agency": "Reuters",
                   "page_url": "http://one.example/1"}),
    ("stories", {"id": 1, "first_article_id": 1, "size": 2}),
    ("articles", _article(1)),
    ("articles", _article(2)),
    ("sightings", {"id": 1, "article_id": 1, "entry_id": 1, "feed_id": 1, "url": "http://one.example/1", "seen_at": _AT,
                   "content_hash": _hash(_TEXTS[1])}),
    ("sightings", {"id": 2, "article_id": 2, "entry_id": 2, "feed_id": 1, "url": "http://one.example/2", "seen_at": _AT,
                   "content_hash": _hash(_TEXTS[2])}),
    ("article_topics", {"article_id": 1, "topic": "withdrawal", "score": 2.5, "matched": {"forces": ["forces"]}}),
    ("article_revisions", {"id": 1, "article_id": 1, "content_hash": _hash("before"), "title": "Before",
                           "text": "before", "word_count": 1, "seen_from": _AT, "seen_until": _AT,
                           "cause": "extraction"}),
    ("article_signatures", {"article_id": 1, "bands": [1, 2, 3]}),
    ("article_links", {"article_id": 1, "other_id": 2, "relation": "syndicated", "similarity": 0.75,
                       "containment": 0.875}),
    ("story_merges", {"story_id": 9, "into_id": 1, "merged_at": _AT}),
    ("websub_subscriptions", {"feed_id": 1, "hub": "http://hub.example/", "topic": "http://one.example/rss",
                              "token": "t", "secret": "s", "status": "active", "requested_at": _AT,
                              "next_request_at": _AT}),
    ("backfills", {"id": 1, "feed_id": 1, "since": "2024-01-01", "until": "2024-02-01", "started_at": _AT,
                   "lease_holder": 77}),
    ("backfill_parts", {"id": 1, "backfill_id": 1, "url": "http://one.example/sitemap.xml", "status": "done",
                        "next_attempt_at": _AT, "items": 3, "new_entries": 2}),
    ("alerts", {"id": 1, "feed_id": 1, "kind": "failing", "started_at": _AT, "noticed_at": _AT, "said": "One is silent",
                "evidence": {"polls": 2}}),
    ("periodic_work", {"task": "maintenance", "done_at": _AT}),
    ("leases", {"token": 77, "pid": 4711, "alive_until": _AT}),
    ("configurations", {"file": "feeds", "content": "feeds: []", "content_hash": _hash("feeds: []"),
                        "understood_at": _AT}),
    ("worker_deaths", {"id": 1, "died_at": _AT, "said": "killed"}),
    ("topic_labels", {"id": 1, "topic": "iraq-withdrawal", "entry_id": 1, "url": "http://one.example/a",
                      "event": "story 1", "language": "ar", "title": "Title", "text": "Text.", "label": "about",
                      "labelled_by": "curator", "labelled_at": _AT}),
    ("lexicon", {"key": "قوات", "spelling": "قوات", "kind": "n", "lemma": "قوة", "wider": "", "cost": 971}),
    ("words", {"word": "قوات", "lemmas": ["قوة"]}),
]  # fmt: skip

Rows = dict[str, list[dict[str, Any]]]


def insert_rows(connection: psycopg.Connection[Any]) -> None:
    """Write the rows into those tables and columns that the database has."""
    for table, row in ROWS:
        found = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('news.' || %s) AND attnum > 0"
            " AND NOT attisdropped",
            [table],
        ).fetchall()
        columns = ", ".join(name for (name,) in found if name in row)
        if columns:
            connection.execute(
                f"INSERT INTO news.{table} ({columns}) OVERRIDING SYSTEM VALUE"
                f" SELECT {columns} FROM jsonb_populate_record(NULL::news.{table}, %s)".encode(),
                [Jsonb(row)],
            )


def all_rows(connection: psycopg.Connection[Any]) -> Rows:
    """Return the rows of all tables that `insert_rows` writes to and the database has."""
    found: Rows = {}
    for table in dict(ROWS):
        if connection.execute("SELECT to_regclass('news.' || %s)", [table]).fetchone() != (None,):
            query = f"SELECT to_jsonb(t) FROM news.{table} t ORDER BY to_jsonb(t)::text".encode()
            found[table] = [row for (row,) in connection.execute(query).fetchall()]
    return found
