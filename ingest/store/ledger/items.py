"""Record new items of feeds in the ledger, and note changes of known ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db import Connection
from ingest.model.status import Status
from ingest.store.ledger.due import announce
from ingest.store.ledger.moves import refetch
from ingest.store.ledger.ranks import BACKFILL, LIVE

__all__ = [
    "FEED_DATE",
    "Change",
    "KnownItem",
    "NewEntry",
    "known_items",
    "note_changes",
    "promote",
    "record",
]

# A page that changes all day is fetched again after this time, then twice that, up to a day.
RECHECK_AGAIN_AFTER = timedelta(minutes=30)

# The date of the entry `e`, where the feed knows when the item was published.
FEED_DATE = "CASE WHEN e.published_note ~ '^(future|lastmod)' THEN NULL ELSE e.published_at END"


@dataclass(frozen=True)
class NewEntry:
    """An item of a feed, ready for the ledger. With a `status`, it is final from the start."""

    identity: str
    url: str | None
    canonical_url: str | None
    host: str | None
    title: str | None
    summary: str | None
    content: str | None
    author: str | None
    published_at: datetime | None
    status: Status = Status.DISCOVERED
    reason: str | None = None
    published_note: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class KnownItem:
    """An item of a feed as the ledger has it."""

    id: int
    identity: str
    canonical_url: str | None
    title: str | None
    summary: str | None
    updated_at: datetime | None
    status: Status


@dataclass(frozen=True)
class Change:
    """A known item that has changed in the feed. `refetch` says whether its page is worth fetching again."""

    id: int
    entry: NewEntry
    refetch: bool


def known_items(connection: Connection, feed_id: int, entries: Sequence[NewEntry]) -> list[KnownItem]:
    """Return the feed's items in the ledger that share a guid or an address with these."""
    columns = "id, identity, canonical_url, title, summary, updated_at, status"
    with connection.cursor(row_factory=class_row(KnownItem)) as cursor:
        return cursor.execute(
            f"SELECT {columns} FROM news.entries WHERE feed_id = %(feed)s AND identity = ANY(%(identities)s)"
            f" UNION SELECT {columns} FROM news.entries WHERE feed_id = %(feed)s AND canonical_url = ANY(%(urls)s)"
            " ORDER BY id",
            {
                "feed": feed_id,
                "identities": [entry.identity for entry in entries],
                "urls": [entry.canonical_url for entry in entries if entry.canonical_url],
            },
        ).fetchall()


def record(
    connection: Connection, feed_id: int, entries: Sequence[NewEntry], now: datetime, priority: int = LIVE
) -> dict[int, str]:
    """Add the entries that are new for the feed. Returns their ids and identities.

    An item that came without a usable link (the document broke off, say) and has one now counts as new.
    """
    if not entries:
        return {}
    columns = (
        "identity",
        "url",
        "canonical_url",
        "host",
        "title",
        "summary",
        "content",
        "author",
        "status",
        "reason",
        "published_note",
        "published_at",
        "updated_at",
    )
    values: dict[str, object] = {name: [getattr(entry, name) for entry in entries] for name in columns}
    values |= {"feed": feed_id, "now": now, "priority": priority}
    rows = connection.execute(
        """
        INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, title, summary, content, author,
                                  published_at, published_note, updated_at, discovered_at, status, reason, priority,
                                  next_attempt_at)
        SELECT %(feed)s, seen.identity, seen.url, seen.canonical_url, seen.host, seen.title, seen.summary,
               seen.content, seen.author, seen.published_at, seen.published_note, seen.updated_at, %(now)s,
               seen.status, seen.reason, %(priority)s,
               CASE WHEN seen.status IN ('discovered', 'fetched', 'extracted') THEN %(now)s::timestamptz END
        FROM unnest(%(identity)s::text[], %(url)s::text[], %(canonical_url)s::text[], %(host)s::text[],
                    %(title)s::text[], %(summary)s::text[], %(content)s::text[], %(author)s::text[],
                    %(published_at)s::timestamptz[], %(published_note)s::text[], %(updated_at)s::timestamptz[],
                    %(status)s::text[], %(reason)s::text[])
             WITH ORDINALITY
             AS seen(identity, url, canonical_url, host, title, summary, content, author, published_at,
                     published_note, updated_at, status, reason, place)
        -- One look into the index for each: as a join, all entries of a feed that has grown lately would be read.
        WHERE NOT coalesce((SELECT known.url IS NOT NULL OR seen.url IS NULL FROM news.entries known
                            WHERE known.feed_id = %(feed)s AND known.identity = seen.identity), false)
        ORDER BY seen.place
        ON CONFLICT (feed_id, identity) DO UPDATE SET
            url = excluded.url, canonical_url = excluded.canonical_url, host = excluded.host, title = excluded.title,
            summary = excluded.summary, content = excluded.content, author = excluded.author,
            published_at = excluded.published_at, published_note = excluded.published_note,
            updated_at = excluded.updated_at, status = excluded.status, reason = excluded.reason,
            next_attempt_at = excluded.next_attempt_at
        WHERE news.entries.url IS NULL
        RETURNING id, identity
        """,
        values,
    ).fetchall()
    return dict(rows)


def promote(connection: Connection, canonical_urls: Sequence[str]) -> None:
    """Raise the priority of backfilled entries that a feed lists now: they are news."""
    connection.execute(
        "UPDATE news.entries SET priority = %s WHERE id IN ("
        "  SELECT id FROM news.entries WHERE canonical_url = ANY(%s) AND status = 'discovered' AND priority = %s"
        "  AND lease_holder IS NULL ORDER BY id FOR UPDATE SKIP LOCKED)",
        [LIVE, list(canonical_urls), BACKFILL],
    )


def note_changes(connection: Connection, changes: Sequence[Change], now: datetime) -> int:
    """Update items from the feed. Returns the number of pages that are fetched again at once because of it.

    Pages that were fetched again before wait, longer each time. What is on its way already needs no second look.
    """
    if not changes:
        return 0
    names = ("title", "summary", "content", "updated_at")
    values: dict[str, object] = {name: [getattr(change.entry, name) for change in changes] for name in names}
    values |= {
        "ids": [change.id for change in changes],
        "refetch": [change.refetch for change in changes],
        "now": now,
        "first": RECHECK_AGAIN_AFTER,
    }
    rows = connection.execute(
        """
        WITH said AS (
            SELECT said.*, e.next_attempt_at IS NULL AND said.refetch AS wanted,
                   e.next_attempt_at IS NULL AND said.refetch AND e.rechecks = 0 AS at_once
            FROM unnest(%(ids)s::bigint[], %(title)s::text[], %(summary)s::text[], %(content)s::text[],
                        %(updated_at)s::timestamptz[], %(refetch)s::boolean[])
                 AS said(id, title, summary, content, updated_at, refetch)
            JOIN news.entries e USING (id)
            ORDER BY id FOR UPDATE OF e
        ), noted AS (
            UPDATE news.entries e SET
                title = said.title, summary = said.summary, content = said.content,
                updated_at = coalesce(said.updated_at, e.updated_at),
                rechecks = e.rechecks + at_once::int,
                recheck_at = CASE WHEN wanted AND NOT at_once
                    THEN least(e.recheck_at, %(now)s
                               + least(%(first)s * 2 ^ least(e.rechecks - 1, 10), interval '1 day'))
                    ELSE e.recheck_at END
            FROM said WHERE e.id = said.id
            RETURNING e.id, at_once
        )
        SELECT id FROM noted WHERE at_once
        """,
        values,
    ).fetchall()
    at_once = [row[0] for row in rows]
    if at_once:
        refetch(connection, at_once, now)
        announce(connection, len(at_once))
    return len(at_once)
