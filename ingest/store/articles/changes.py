"""Changes to articles: insert, move to an earlier place, revise, correct, withdraw."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from db import Connection
from db.rows import only_row
from ingest.store import ledger, stories
from ingest.store.articles import topics
from ingest.store.articles.crediting import elect
from ingest.store.articles.landing import Landing
from ingest.store.articles.present import Present
from ingest.text.edits import edit_of

__all__ = ["add_sightings", "correct", "insert", "move", "revise", "settle_search", "withdraw"]


def insert(connection: Connection, landings: list[Landing], now: datetime) -> list[int]:
    """Insert articles, each in its own story, and return their ids. The caller holds the locks on their contents."""
    if not landings:
        return []
    # The index for search gathers new words, and takes them in in fewer passes with more memory.
    connection.execute("SET LOCAL work_mem = '64MB'")
    numbers = connection.execute(
        "SELECT nextval(pg_get_serial_sequence('news.articles', 'id')),"
        " nextval(pg_get_serial_sequence('news.stories', 'id')) FROM generate_series(1, %s)",
        [len(landings)],
    ).fetchall()
    ids, told = ([row[place] for row in numbers] for place in (0, 1))
    columns = (
        "entry_id",
        "canonical_url",
        "outlet",
        "title",
        "author",
        "published_at",
        "published_from",
        "language",
        "text",
        "agency",
    )
    values: dict[str, Any] = {name: [getattr(landing.document, name) for landing in landings] for name in columns}
    values |= {
        "ids": ids,
        "stories": told,
        "content_hash": [landing.content_hash for landing in landings],
        "word_count": [landing.word_count for landing in landings],
        "search": [landing.search and landing.search.written for landing in landings],
        "now": now,
    }
    connection.execute(
        """
        WITH told AS (
            INSERT INTO news.stories (id, first_article_id) OVERRIDING SYSTEM VALUE
            SELECT * FROM unnest(%(stories)s::bigint[], %(ids)s::bigint[])
        )
        INSERT INTO news.articles (id, story_id, content_hash, entry_id, url, outlet, title, author, published_at,
                                   published_from, language, text, agency, word_count, search, landed_at)
        OVERRIDING SYSTEM VALUE
        SELECT new.*, %(now)s
        FROM unnest(%(ids)s::bigint[], %(stories)s::bigint[], %(content_hash)s::text[], %(entry_id)s::bigint[],
                    %(canonical_url)s::text[], %(outlet)s::text[], %(title)s::text[], %(author)s::text[],
                    %(published_at)s::timestamptz[], %(published_from)s::text[], %(language)s::text[],
                    %(text)s::text[], %(agency)s::text[], %(word_count)s::int[], %(search)s::tsvector[]) AS new
        """,
        values,
    )
    rows = [(article, match) for article, landing in zip(ids, landings, strict=True) for match in landing.matches]
    topics.add(connection, rows)
    return ids


def move(connection: Connection, present: Present, landing: Landing) -> None:
    """Make an article describe another place of its text. The entry it described before becomes a duplicate."""
    connection.execute(
        """
        UPDATE news.articles SET
            entry_id = %(entry_id)s, url = %(canonical_url)s, outlet = %(outlet)s, title = %(title)s,
            author = %(author)s, published_at = %(published_at)s, published_from = %(published_from)s,
            language = %(language)s, text = %(text)s, agency = %(agency)s, word_count = %(word_count)s,
            search = %(search)s
        WHERE id = %(id)s
        """,
        vars(landing.document)
        | {"id": present.id, "word_count": landing.word_count, "search": landing.search and landing.search.written},
    )
    ledger.credit(connection, [(present.place.entry_id, landing.document.entry_id)], "same text")
    topics.replace(connection, present.id, landing.matches)


def revise(connection: Connection, present: Present, landing: Landing, now: datetime) -> Present:
    """Replace the text and title of an article, and keep the old ones as a revision.

    Either the publisher changed them (the page was fetched again), or extraction did (it was not). The article keeps
    its id, place and date of publication. Its topics become those of the new text, unless the new text is on none.
    """
    document = landing.document
    title, text = only_row(connection, "SELECT title, text FROM news.articles WHERE id = %s", [present.id])
    edit = edit_of(title, text, document.title or title, document.text)
    connection.execute(
        """
        WITH former AS (
            INSERT INTO news.article_revisions (article_id, content_hash, title, text, word_count, seen_from,
                                                seen_until, cause, edit)
            SELECT id, content_hash, title, text, word_count, since, greatest(since, %(now)s),
                   CASE WHEN EXISTS (SELECT FROM news.pages p WHERE p.entry_id = %(entry_id)s AND p.fetched_at > since)
                        THEN 'publisher' ELSE 'extraction' END, %(edit)s
            FROM (SELECT a.*, coalesce((SELECT max(seen_until) FROM news.article_revisions r WHERE r.article_id = a.id),
                                       a.landed_at) AS since
                  FROM news.articles a WHERE a.id = %(id)s) AS present
        )
        UPDATE news.articles SET
            content_hash = %(content_hash)s, text = %(text)s, word_count = %(word_count)s,
            title = coalesce(%(title)s, title), author = coalesce(%(author)s, author), language = %(language)s,
            agency = coalesce(%(agency)s, agency),
            -- If the former title stays, the server works it out.
            search = CASE WHEN %(title)s::text IS NOT NULL OR title IS NULL THEN %(search)s::tsvector END
        WHERE id = %(id)s
        """,
        vars(document)
        | {
            "id": present.id,
            "edit": edit,
            "content_hash": landing.content_hash,
            "word_count": landing.word_count,
            "search": landing.search and landing.search.written,
            "now": now,
        },
    )
    if landing.matches:
        topics.replace(connection, present.id, landing.matches)
    return replace(present, content_hash=landing.content_hash, title=document.title or present.title)


def correct(connection: Connection, present: Present, landing: Landing) -> None:
    """Update the author, language, agency and date of an article to match its page.

    A page that was fetched again does not change the date of publication.
    """
    connection.execute(
        """
        UPDATE news.articles a SET
            author = %(author)s, language = %(language)s, agency = %(agency)s,
            published_at = CASE WHEN fresh THEN a.published_at ELSE coalesce(%(published_at)s, a.published_at) END,
            published_from = CASE WHEN fresh THEN a.published_from
                                  ELSE coalesce(%(published_from)s, a.published_from) END
        FROM (SELECT id, EXISTS (SELECT FROM news.pages p WHERE p.entry_id = %(entry_id)s AND p.fetched_at > landed_at)
                     AS fresh
              FROM news.articles WHERE id = %(id)s) AS present
        WHERE a.id = present.id
        """,
        vars(landing.document) | {"id": present.id},
    )


def withdraw(connection: Connection, entry_ids: list[int], now: datetime) -> int:
    """Remove places where articles were seen. Return how many articles lost their last place and were deleted.

    An article whose place is removed describes the remaining place that was published first. When an article is
    deleted, copies of its former texts land again. The caller holds `stories.lock`.
    """
    if not entry_ids:
        return 0
    connection.execute("DELETE FROM news.sightings WHERE entry_id = ANY(%s)", [entry_ids])
    described = connection.execute(
        "SELECT id FROM news.articles WHERE entry_id = ANY(%s) ORDER BY id FOR UPDATE", [entry_ids]
    ).fetchall()
    elect(connection, [row[0] for row in described], among=entry_ids)
    gone = connection.execute("SELECT id, story_id FROM news.articles WHERE entry_id = ANY(%s)", [entry_ids]).fetchall()
    if gone:
        ids, told = ([row[place] for row in gone] for place in (0, 1))
        left_over = connection.execute(
            "DELETE FROM news.sightings WHERE article_id = ANY(%s) RETURNING entry_id", [ids]
        ).fetchall()
        ledger.work_again(connection, [row[0] for row in left_over], now)
        stories.unlink(connection, ids)
        connection.execute("DELETE FROM news.articles WHERE id = ANY(%s)", [ids])
        stories.close(connection, told, now)
    return len(gone)


def add_sightings(connection: Connection, sightings: list[tuple[int, Landing]], now: datetime) -> None:
    """Record where the texts of articles were seen: pairs of an article id and a document."""
    if not sightings:
        return
    documents = [landing.document for _, landing in sightings]
    connection.execute(
        "INSERT INTO news.sightings (article_id, entry_id, feed_id, url, content_hash, seen_at)"
        " SELECT seen.*, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[]) AS seen"
        " ON CONFLICT (entry_id) DO UPDATE SET"
        " article_id = excluded.article_id, url = excluded.url, content_hash = excluded.content_hash",
        [
            now,
            [article for article, _ in sightings],
            [document.entry_id for document in documents],
            [document.feed_id for document in documents],
            [document.url for document in documents],
            [landing.content_hash for _, landing in sightings],
        ],
    )


def settle_search(connection: Connection) -> None:
    """Flush the pending list of the search index (GIN) into the index. Commits.

    Call this when nothing is left to land: flushing after each article would take as long as the rest of landing.
    """
    connection.execute("SELECT news.settle_search()")
    connection.commit()
