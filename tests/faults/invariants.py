"""What must hold of the tables: at any moment (`half_done`), and when there is nothing left to do (the others).

The functions yield what is wrong, in words. They leave their transaction open.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from db import Connection
from ingest.text.folding import fold
from ingest.text.similarity import Comparable

__all__ = ["broken_constraints", "doubles", "half_done", "leases", "stories_and_links", "unsettled"]

# What each query finds must not be there, whatever was killed when. Work that goes on may be at any stage, and none
# may be at two.
_HALF_DONE = {
    "fetched entries without a page": """
        SELECT e.id FROM news.entries e WHERE e.status = 'fetched'
        AND NOT EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id)""",
    "extracted entries without a document": """
        SELECT e.id FROM news.entries e WHERE e.status = 'extracted'
        AND NOT EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id)""",
    "pages of entries that were never fetched": """
        SELECT e.id FROM news.entries e JOIN news.pages p ON p.entry_id = e.id
        WHERE e.status = 'discovered' AND e.rechecks = 0""",
    "documents of entries that were not extracted": """
        SELECT e.id FROM news.entries e JOIN news.documents d ON d.entry_id = e.id
        WHERE e.status IN ('discovered', 'fetched') AND e.rechecks = 0""",
    "documents without a page": """
        SELECT d.entry_id FROM news.documents d
        WHERE NOT EXISTS (SELECT FROM news.pages p WHERE p.entry_id = d.entry_id)""",
    "pages stored twice": """
        SELECT p.entry_id FROM news.pages p JOIN news.entries e ON e.id = p.entry_id
        GROUP BY 1, e.rechecks HAVING count(*) > 1 + e.rechecks""",
    "entries that have landed, without a sighting": """
        SELECT e.id FROM news.entries e WHERE e.status IN ('landed', 'duplicate')
        AND NOT EXISTS (SELECT FROM news.sightings s WHERE s.entry_id = e.id)""",
    "sightings of entries that have not landed": """
        SELECT e.id FROM news.sightings s JOIN news.entries e ON e.id = s.entry_id
        WHERE e.status NOT IN ('landed', 'duplicate') AND e.rechecks = 0""",
    "landed entries that no article describes": """
        SELECT e.id FROM news.entries e WHERE e.status = 'landed'
        AND NOT EXISTS (SELECT FROM news.articles a WHERE a.entry_id = e.id)""",
    "articles that describe an entry that has not landed": """
        SELECT a.id FROM news.articles a JOIN news.entries e ON e.id = a.entry_id
        WHERE e.status <> 'landed' AND e.rechecks = 0""",
    "articles without a sighting": """
        SELECT a.id FROM news.articles a WHERE NOT EXISTS (SELECT FROM news.sightings s WHERE s.article_id = a.id)""",
    "articles whose own entry is no sighting of them": """
        SELECT a.id FROM news.articles a
        WHERE NOT EXISTS (SELECT FROM news.sightings s WHERE s.article_id = a.id AND s.entry_id = a.entry_id)""",
    "articles of which no place has a document": """
        SELECT a.id FROM news.articles a WHERE NOT EXISTS (
            SELECT FROM news.sightings s JOIN news.documents d ON d.entry_id = s.entry_id
            WHERE s.article_id = a.id AND d.text = a.text)""",
    "articles that are not what their hash says": """
        SELECT a.id FROM news.articles a
        WHERE a.content_hash <> encode(sha256(convert_to(news.fold(a.text), 'UTF8')), 'hex')""",
    "sightings of another text than the article's": """
        SELECT s.id FROM news.sightings s JOIN news.articles a ON a.id = s.article_id
        WHERE s.content_hash <> a.content_hash
        AND NOT EXISTS (SELECT FROM news.article_revisions r WHERE r.article_id = a.id)""",
    "articles without a topic": """
        SELECT a.id FROM news.articles a
        WHERE NOT EXISTS (SELECT FROM news.article_topics t WHERE t.article_id = a.id)""",
    "articles without a signature": """
        SELECT a.id FROM news.articles a
        WHERE NOT EXISTS (SELECT FROM news.article_signatures g WHERE g.article_id = a.id)""",
    "stories without an article": """
        SELECT s.id FROM news.stories s WHERE NOT EXISTS (SELECT FROM news.articles a WHERE a.story_id = s.id)""",
    "stories of a wrong size": """
        SELECT s.id FROM news.stories s
        WHERE s.size <> (SELECT count(*) FROM news.articles a WHERE a.story_id = s.id)""",
    "stories whose first article is in another": """
        SELECT s.id FROM news.stories s JOIN news.articles a ON a.id = s.first_article_id WHERE a.story_id <> s.id""",
    "links between two stories": """
        SELECT l.article_id FROM news.article_links l JOIN news.articles a ON a.id = l.article_id
        JOIN news.articles b ON b.id = l.other_id WHERE a.story_id <> b.story_id""",
    "merged stories that are still there": """
        SELECT m.story_id FROM news.story_merges m JOIN news.stories s ON s.id = m.story_id""",
    "stories merged into nothing": """
        SELECT m.story_id FROM news.story_merges m
        WHERE NOT EXISTS (SELECT FROM news.stories s WHERE s.id = m.into_id)
        AND NOT EXISTS (SELECT FROM news.story_merges n WHERE n.story_id = m.into_id)""",
    # Fewer may be: what a session found whose lease had run out, by a clock that was ahead, is taken in unrecorded.
    "polls that found more new entries than there are": """
        SELECT p.feed_id FROM news.feed_polls p GROUP BY 1
        HAVING sum(p.new_entries) > (SELECT count(*) FROM news.entries e WHERE e.feed_id = p.feed_id)""",
    "feeds that count as polled and have no poll": """
        SELECT f.id FROM news.feeds f WHERE f.last_polled_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM news.feed_polls p WHERE p.feed_id = f.id)""",
    "entries whose host is not known": """
        SELECT e.id FROM news.entries e WHERE e.host <> ''
        AND NOT EXISTS (SELECT FROM news.hosts h WHERE h.host = e.host)""",
}


def half_done(connection: Connection) -> Iterator[str]:
    """Yield what is there by halves, or without what it belongs to."""
    for what, query in _HALF_DONE.items():
        rows = connection.execute(query).fetchall()
        if rows:
            yield f"{what}: {_some(row[0] for row in rows)}"
    yield from broken_constraints(connection)
    yield from stories_and_links(connection)


def broken_constraints(connection: Connection) -> Iterator[str]:
    """Yield the constraints of the schema that do not hold, each checked by a query of its own.

    The server checks them at each write; after a crash, what counts is what is on the disk.
    """
    # Without indexes, which may be what is broken.
    for kind in ("indexscan", "indexonlyscan", "bitmapscan"):
        connection.execute(f"SET LOCAL enable_{kind} = off")
    rows = connection.execute(
        """
        SELECT c.conname, c.contype::text, c.conrelid::regclass::text, c.confrelid::regclass::text,
               pg_get_expr(c.conbin, c.conrelid),
               (SELECT array_agg(quote_ident(a.attname) ORDER BY place) FROM unnest(c.conkey) WITH ORDINALITY
                AS k(attnum, place) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
               (SELECT array_agg(quote_ident(a.attname) ORDER BY place) FROM unnest(c.confkey) WITH ORDINALITY
                AS k(attnum, place) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum)
        FROM pg_constraint c
        WHERE c.connamespace = 'news'::regnamespace AND c.conparentid = 0 AND c.contype IN ('f', 'u', 'p', 'c')
        ORDER BY 3, 1
        """
    ).fetchall()
    if not any(row[1] == "f" for row in rows):
        yield "there is no foreign key"
    for name, kind, table, parent, expression, columns, keys in rows:
        if kind == "f":
            present = " AND ".join(f"child.{column} IS NOT NULL" for column in columns)
            same = " AND ".join(f"parent.{key} = child.{column}" for column, key in zip(columns, keys, strict=True))
            query = (
                f"SELECT count(*) FROM {table} child WHERE {present}"
                f" AND NOT EXISTS (SELECT FROM {parent} parent WHERE {same})"
            )
        elif kind == "c":
            query = f"SELECT count(*) FROM {table} WHERE NOT ({expression})"
        else:
            listed = ", ".join(columns)
            query = f"SELECT count(*) FROM (SELECT FROM {table} GROUP BY {listed} HAVING count(*) > 1) AS twice"
        row = connection.execute(query).fetchone()
        assert row is not None
        if row[0]:
            yield f"constraint {name} of {table}: {row[0]} rows break it"


def stories_and_links(connection: Connection) -> Iterator[str]:
    """Yield stories that are not exactly what is linked, and signatures that are not those of their article."""
    rows = connection.execute("SELECT id, story_id, title, text FROM news.articles").fetchall()
    links = connection.execute("SELECT article_id, other_id FROM news.article_links").fetchall()
    signatures: dict[int, list[int]] = dict(
        connection.execute("SELECT article_id, bands FROM news.article_signatures").fetchall()
    )
    neighbours: dict[int, set[int]] = defaultdict(set)
    for one, other in links:
        neighbours[one].add(other)
        neighbours[other].add(one)
    members: dict[int, set[int]] = defaultdict(set)
    for article, story, title, text in rows:
        members[story].add(article)
        if signatures.get(article) != Comparable(title, fold(text)).bands:
            yield f"article {article} has the signature of another text"
    for story, articles in members.items():
        reached, ahead = set(), [min(articles)]
        while ahead:
            article = ahead.pop()
            if article not in reached:
                reached.add(article)
                ahead += neighbours[article]
        if reached != articles:
            yield f"story {story} has the articles {sorted(articles)}, and linked are {sorted(reached)}"


def leases(connection: Connection) -> Iterator[str]:
    """Yield what sessions hold; to be asked when there is none, and the next run has begun."""
    for table in ("entries", "feeds", "hosts"):
        rows = connection.execute(
            f"SELECT lease_holder, count(*) FROM news.{table} WHERE lease_holder IS NOT NULL GROUP BY 1"
        ).fetchall()
        for holder, count in rows:
            yield f"{count} {table} are still leased to session {holder}, which is dead"


def unsettled(connection: Connection, now: datetime) -> Iterator[str]:
    """Yield entries that are neither final nor due in the time that any wait may take."""
    latest = now + timedelta(days=1)
    rows = connection.execute(
        "SELECT status, min(next_attempt_at), max(next_attempt_at), count(*) FROM news.entries"
        " WHERE next_attempt_at > %s GROUP BY 1",
        [latest],
    ).fetchall()
    for status, first, last, count in rows:
        yield f"{count} {status} entries are not due before {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"


def doubles(connection: Connection) -> Iterator[str]:
    """Yield texts of which there are several articles, and pages that one feed shows as several entries."""
    hashes = connection.execute("SELECT content_hash FROM news.articles").fetchall()
    yield from (f"{count} articles of content {hash_[:16]}" for (hash_,), count in Counter(hashes).items() if count > 1)
    urls = connection.execute("SELECT feed_id, canonical_url FROM news.entries").fetchall()
    yield from (
        f"{count} entries of feed {feed} for {url}" for (feed, url), count in Counter(urls).items() if count > 1
    )


def _some(values: Iterator[object]) -> str:
    found = list(values)
    return ", ".join(map(str, found[:5])) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
