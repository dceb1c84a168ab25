"""Choose the place that an article describes, and the feed that it is credited to."""

from collections.abc import Sequence
from datetime import datetime

from db import Connection
from ingest.model.status import Status
from ingest.store import ledger, stories
from ingest.store.ledger import FEED_DATE, RECHECK

__all__ = ["elect", "prefer_own_feed", "settle_twins"]


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
