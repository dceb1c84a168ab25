"""What happens to articles: they are inserted, moved to an earlier place, revised, corrected, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from psycopg.types.json import Jsonb

from db import Connection
from ingest.model.status import Status
from ingest.store import ledger, stories
from ingest.store.documents import Landable
from ingest.store.ledger import FEED_DATE, RECHECK
from ingest.text.similarity import Comparable
from ingest.topics.topics import Match

__all__ = [
    "Landing", "Place", "Present", "add_sightings", "correct", "elect", "insert", "lock", "move", "of_entries",
    "of_pages", "prefer_own_feed", "revise", "set_topics", "settle_twins", "withdraw",
]  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where and when a text was published. The article describes its place with the lowest `order`."""

    entry_id: int
    published_at: datetime
    canonical_url: str

    @property
    def order(self) -> tuple[datetime, str]:
        return self.published_at, self.canonical_url


@dataclass(frozen=True)
class Present:
    """An article that is there, its present text's hash, its title, and the place it describes."""

    id: int
    content_hash: str
    title: str | None
    place: Place


_PRESENT = "a.id, a.content_hash, a.title, a.entry_id, a.published_at, credited.canonical_url"


def _present(row: Sequence[Any]) -> Present:
    return Present(row[0], row[1], row[2], Place(row[3], row[4] or datetime.max.replace(tzinfo=UTC), row[5]))


def of_entries(connection: Connection, entry_ids: list[int]) -> dict[int, Present]:
    """Return the article of each of these entries whose text has landed before."""
    rows = connection.execute(
        f"SELECT s.entry_id, {_PRESENT} FROM news.sightings s JOIN news.articles a ON a.id = s.article_id"
        " JOIN news.entries credited ON credited.id = a.entry_id WHERE s.entry_id = ANY(%s)",
        [entry_ids],
    ).fetchall()
    return {row[0]: _present(row[1:]) for row in rows}


def of_pages(connection: Connection, addresses: list[str]) -> dict[str, Present]:
    """Return the articles that describe these pages, by the address in their feeds or the one they state."""
    rows = connection.execute(
        f"""
        SELECT known.address, {_PRESENT}
        FROM (SELECT id AS entry_id, canonical_url AS address FROM news.entries WHERE canonical_url = ANY(%(urls)s)
              UNION SELECT entry_id, page_url FROM news.documents WHERE page_url = ANY(%(urls)s)) AS known
        JOIN news.entries credited ON credited.id = known.entry_id
        JOIN news.articles a ON a.entry_id = credited.id
        ORDER BY a.id DESC
        """,
        {"urls": addresses},
    ).fetchall()
    return {row[0]: _present(row[1:]) for row in rows}


def lock(connection: Connection, content_hashes: list[str]) -> dict[str, Present]:
    """Return the articles that have or had these contents, and keep others from changing them until the commit.

    An article that has a content now goes before one that had it. The caller holds `stories.lock`, which keeps others
    from landing the same.
    """
    if not content_hashes:
        return {}
    rows = connection.execute(
        f"""
        SELECT same.content_hash, {_PRESENT}
        FROM (SELECT content_hash, id FROM news.articles WHERE content_hash = ANY(%(hashes)s)
              UNION SELECT content_hash, article_id FROM news.article_revisions WHERE content_hash = ANY(%(hashes)s)
             ) AS same
        JOIN news.articles a USING (id) JOIN news.entries credited ON credited.id = a.entry_id
        ORDER BY a.id FOR UPDATE OF a
        """,
        {"hashes": content_hashes},
    ).fetchall()
    found: dict[str, Present] = {}
    for row in rows:
        present = _present(row[1:])
        if row[0] not in found or present.content_hash == row[0]:
            found[row[0]] = present
    return found


@dataclass(frozen=True)
class Landing:
    """A document that becomes what an article describes: its content hash, length in words, and topics.

    `mention` is the best of the topics that a text on none of them mentions.
    """

    document: Landable
    folded: str
    content_hash: str
    word_count: int
    matches: list[Match]
    mention: Match | None = None

    @cached_property
    def comparable(self) -> Comparable:
        return Comparable(self.document.title, self.folded)

    @property
    def place(self) -> Place:
        published_at = self.document.published_at or datetime.max.replace(tzinfo=UTC)
        return Place(self.document.entry_id, published_at, self.document.canonical_url)


def insert(connection: Connection, landings: list[Landing], now: datetime) -> list[int]:
    """Add articles, each in a story of its own, and return their ids. The caller holds the locks on their contents."""
    if not landings:
        return []
    numbers = connection.execute(
        "SELECT nextval(pg_get_serial_sequence('news.articles', 'id')),"
        " nextval(pg_get_serial_sequence('news.stories', 'id')) FROM generate_series(1, %s)",
        [len(landings)],
    ).fetchall()
    ids, told = ([row[place] for row in numbers] for place in (0, 1))
    columns = (
        "entry_id", "canonical_url", "outlet", "title", "author", "published_at", "published_from", "language", "text",
        "agency",
    )  # fmt: skip
    values: dict[str, Any] = {name: [getattr(landing.document, name) for landing in landings] for name in columns}
    values |= {
        "ids": ids,
        "stories": told,
        "content_hash": [landing.content_hash for landing in landings],
        "word_count": [landing.word_count for landing in landings],
        "now": now,
    }
    connection.execute(
        """
        WITH told AS (
            INSERT INTO news.stories (id, first_article_id) OVERRIDING SYSTEM VALUE
            SELECT * FROM unnest(%(stories)s::bigint[], %(ids)s::bigint[])
        )
        INSERT INTO news.articles (id, story_id, content_hash, entry_id, url, outlet, title, author, published_at,
                                   published_from, language, text, agency, word_count, landed_at)
        OVERRIDING SYSTEM VALUE
        SELECT new.*, %(now)s
        FROM unnest(%(ids)s::bigint[], %(stories)s::bigint[], %(content_hash)s::text[], %(entry_id)s::bigint[],
                    %(canonical_url)s::text[], %(outlet)s::text[], %(title)s::text[], %(author)s::text[],
                    %(published_at)s::timestamptz[], %(published_from)s::text[], %(language)s::text[],
                    %(text)s::text[], %(agency)s::text[], %(word_count)s::int[]) AS new
        """,
        values,
    )
    _save_topics(connection, list(zip(ids, landings, strict=True)))
    return ids


def move(connection: Connection, present: Present, landing: Landing) -> None:
    """Let an article describe another place of its text; the entry it described becomes a duplicate."""
    connection.execute(
        """
        UPDATE news.articles SET
            entry_id = %(entry_id)s, url = %(canonical_url)s, outlet = %(outlet)s, title = %(title)s,
            author = %(author)s, published_at = %(published_at)s, published_from = %(published_from)s,
            language = %(language)s, text = %(text)s, agency = %(agency)s, word_count = %(word_count)s
        WHERE id = %(id)s
        """,
        vars(landing.document) | {"id": present.id, "word_count": landing.word_count},
    )
    ledger.credit(connection, [(present.place.entry_id, landing.document.entry_id)], "same text")
    connection.execute("DELETE FROM news.article_topics WHERE article_id = %s", [present.id])
    _save_topics(connection, [(present.id, landing)])


def revise(connection: Connection, present: Present, landing: Landing, now: datetime) -> Present:
    """Give an article the text and title that have taken the place of the old ones, which are kept as a revision.

    The publisher has changed them where the page was fetched since, extraction where it was not. The article keeps
    its id, its place and its date of publication. Its topics are those of the new text; a text that is on none leaves
    them as they were.
    """
    document = landing.document
    connection.execute(
        """
        WITH former AS (
            INSERT INTO news.article_revisions (article_id, content_hash, title, text, word_count, seen_from,
                                                seen_until, cause)
            SELECT id, content_hash, title, text, word_count, since, greatest(since, %(now)s),
                   CASE WHEN EXISTS (SELECT FROM news.pages p WHERE p.entry_id = %(entry_id)s AND p.fetched_at > since)
                        THEN 'publisher' ELSE 'extraction' END
            FROM (SELECT a.*, coalesce((SELECT max(seen_until) FROM news.article_revisions r WHERE r.article_id = a.id),
                                       a.landed_at) AS since
                  FROM news.articles a WHERE a.id = %(id)s) AS present
        )
        UPDATE news.articles SET
            content_hash = %(content_hash)s, text = %(text)s, word_count = %(word_count)s,
            title = coalesce(%(title)s, title), author = coalesce(%(author)s, author), language = %(language)s,
            agency = coalesce(%(agency)s, agency)
        WHERE id = %(id)s
        """,
        vars(document)
        | {"id": present.id, "content_hash": landing.content_hash, "word_count": landing.word_count, "now": now},
    )
    if landing.matches:
        connection.execute("DELETE FROM news.article_topics WHERE article_id = %s", [present.id])
        _save_topics(connection, [(present.id, landing)])
    return replace(present, content_hash=landing.content_hash, title=document.title or present.title)


def correct(connection: Connection, present: Present, landing: Landing) -> None:
    """Bring author, language, agency and date of an article in line with what its page now says.

    A page that was fetched again has no say in the date of publication.
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


def elect(connection: Connection, article_ids: Sequence[int], *, among: Sequence[int] | None = None) -> None:
    """Let articles describe the place where their text was published first, of those whose document is stored.

    With `among`, only articles that describe the place of one of these entries. Entries that are on their way get
    their standing when they come back.
    """
    moved = connection.execute(
        """
        WITH first AS (
            SELECT DISTINCT ON (a.id) a.id, a.entry_id AS former_id, e.id AS entry_id, e.canonical_url, f.outlet,
                   d.title, d.author, d.published_at, d.published_from, d.language, d.agency
            FROM news.articles a
            JOIN news.sightings s ON s.article_id = a.id AND s.content_hash = a.content_hash
            JOIN news.entries e ON e.id = s.entry_id
            JOIN news.feeds f ON f.id = e.feed_id
            JOIN news.documents d ON d.entry_id = e.id
            WHERE a.id = ANY(%(ids)s) AND (%(among)s::bigint[] IS NULL OR a.entry_id = ANY(%(among)s))
            ORDER BY a.id, d.published_at NULLS LAST, e.canonical_url COLLATE "C", e.id
        )
        UPDATE news.articles a SET
            entry_id = first.entry_id, url = first.canonical_url, outlet = first.outlet, title = first.title,
            author = first.author, published_at = first.published_at, published_from = first.published_from,
            language = first.language, agency = first.agency
        FROM first
        -- Of several entries for one page, which is credited is settled elsewhere.
        WHERE a.id = first.id AND a.url <> first.canonical_url
        RETURNING first.former_id, first.entry_id
        """,
        {"ids": list(article_ids), "among": among and list(among)},
    ).fetchall()
    ledger.credit(connection, moved, "same text")
    # Dates have changed, or been corrected before.
    stories.refresh(connection, article_ids)


def settle_search(connection: Connection) -> None:
    """Put the words of what has landed lately into their places in the index for search; commits.

    For when nothing is left to land: done for each article, it would take as long as all the rest of landing.
    """
    connection.execute("SELECT news.settle_search()")
    connection.commit()


def withdraw(connection: Connection, entry_ids: list[int], now: datetime) -> int:
    """Take places at which articles were seen away from them; returns how many articles went with their last place.

    An article that described such a place describes the one published first among those that are left. Copies of a
    former text that an article leaves behind land again. The caller holds `stories.lock`.
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
    """Note that articles' texts were seen at documents' addresses: (article id, document)."""
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


def settle_twins(connection: Connection, canonical_urls: list[str], now: datetime) -> int:
    """Settle entries that are other feeds' mentions of pages already judged; returns how many are sightings now.

    A page listed by several feeds is fetched once. The entries that waited for it take over its fate: a sighting of
    the article, or off topic. Where the page came to nothing, they are left to be fetched themselves.
    """
    if not canonical_urls:
        return 0
    waiting = connection.execute(
        """
        WITH judged AS (
            SELECT DISTINCT ON (e.canonical_url) e.canonical_url, e.status, e.reason, e.topic_score, s.article_id
            FROM news.entries e LEFT JOIN news.sightings s ON s.entry_id = e.id
            WHERE e.canonical_url = ANY(%(urls)s)
              AND (s.article_id IS NOT NULL OR (e.status = 'off_topic' AND e.reason <> 'gate'))
            ORDER BY e.canonical_url, e.id
        )
        SELECT e.id, judged.article_id, judged.reason, judged.topic_score
        FROM news.entries e JOIN judged USING (canonical_url)
        -- What is fetched again has a fate of its own.
        WHERE e.status = 'discovered' AND e.lease_holder IS NULL AND e.priority <> %(recheck)s
        ORDER BY e.id
        FOR UPDATE OF e SKIP LOCKED
        """,
        {"urls": canonical_urls, "recheck": RECHECK},
    ).fetchall()
    if not waiting:
        return 0
    ledger.settle_waiting(
        connection,
        [
            ledger.End(entry, Status.OFF_TOPIC, reason, score)
            if article is None
            else ledger.End(entry, Status.DUPLICATE, "same page", score)
            for entry, article, reason, score in waiting
        ],
    )
    seen = {entry: article for entry, article, _, _ in waiting if article is not None}
    connection.execute(
        "INSERT INTO news.sightings (article_id, entry_id, feed_id, url, content_hash, seen_at)"
        " SELECT a.id, e.id, e.feed_id, e.url, a.content_hash, %s"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS seen(entry, article)"
        " JOIN news.entries e ON e.id = seen.entry JOIN news.articles a ON a.id = seen.article",
        [now, list(seen), list(seen.values())],
    )
    prefer_own_feed(connection, sorted(set(seen.values())))
    return len(seen)


def prefer_own_feed(connection: Connection, article_ids: list[int]) -> None:
    """Of several feeds that list an article's page, credit the one at the page's own host, else the first by id.

    Which of them was fetched is chance; which is credited must not be.
    """
    if not article_ids:
        return
    moved = connection.execute(
        f"""
        WITH best AS (
            SELECT DISTINCT ON (a.id) a.id, a.entry_id AS old_entry, e.id AS new_entry, f.outlet,
                   {FEED_DATE} AS published_at
            FROM news.articles a
            JOIN news.entries credited ON credited.id = a.entry_id
            JOIN news.sightings s ON s.article_id = a.id
            JOIN news.entries e ON e.id = s.entry_id AND e.canonical_url = credited.canonical_url
            JOIN news.feeds f ON f.id = e.feed_id
            WHERE a.id = ANY(%s)
            -- Imported files have no host, and stand behind feeds.
            ORDER BY a.id, (f.host = e.host AND e.host <> '') DESC, f.url LIKE 'import:%%', f.slug, e.id
        ), moved AS (
            UPDATE news.articles a
            SET entry_id = best.new_entry, outlet = best.outlet,
                published_at = coalesce(best.published_at, a.published_at),
                published_from = CASE WHEN best.published_at IS NULL THEN a.published_from ELSE 'feed' END
            FROM best WHERE a.id = best.id AND best.new_entry <> best.old_entry
            RETURNING a.id, best.old_entry, best.new_entry
        )
        SELECT id, old_entry, new_entry FROM moved
        """,
        [article_ids],
    ).fetchall()
    ledger.credit(connection, [(former, present) for _, former, present in moved], "same page")
    stories.refresh(connection, [article for article, _, _ in moved])


def set_topics(connection: Connection, matches: dict[int, list[Match]]) -> None:
    """Bring the topics of articles that describe these entries in line with what they match, by entry."""
    # An article that is credited to an entry without a document of its own is judged by another of its places.
    present = connection.execute(
        "SELECT DISTINCT ON (a.id) a.id, s.entry_id FROM news.sightings s"
        " JOIN news.articles a ON a.id = s.article_id AND a.content_hash = s.content_hash"
        " WHERE s.entry_id = ANY(%s) ORDER BY a.id, s.entry_id <> a.entry_id, s.entry_id",
        [list(matches)],
    ).fetchall()
    connection.execute(
        "DELETE FROM news.article_topics WHERE article_id = ANY(%s)", [[article for article, _ in present]]
    )
    _insert_topics(connection, [(article, match) for article, entry in present for match in matches[entry]])


def _save_topics(connection: Connection, landings: list[tuple[int, Landing]]) -> None:
    _insert_topics(connection, [(article, match) for article, landing in landings for match in landing.matches])


def _insert_topics(connection: Connection, rows: list[tuple[int, Match]]) -> None:
    connection.execute(
        "INSERT INTO news.article_topics (article_id, topic, score, matched)"
        " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::real[], %s::jsonb[])",
        [
            [article for article, _ in rows],
            [match.topic for _, match in rows],
            [match.score for _, match in rows],
            [Jsonb(match.matched) for _, match in rows],
        ],
    )
