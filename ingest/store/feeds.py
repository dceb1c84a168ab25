"""The tables `feeds` and `feed_polls`: which feeds there are, how polling them stands and went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row, dict_row

from db import Connection
from ingest.config.feeds_file import FeedConfig
from ingest.model.outcomes import FailureKind, PollOutcome
from ingest.store import hosts
from ingest.store.ledger import LONGEST_TURN, Due
from ingest.text.urls import host_of

__all__ = [
    "ADOPT_AFTER_POLLS",
    "FeedState",
    "PollRecord",
    "claim",
    "due",
    "give_back",
    "health_rows",
    "import_feed",
    "make_due",
    "next_poll_at",
    "postpone",
    "rhythms",
    "save_polls",
    "save_push",
    "state",
    "sync",
]

# A permanent redirect is used as the address after this many polls led there: some are permanent for a day.
ADOPT_AFTER_POLLS = 5
# Polls with something new from which a feed's rhythm is read: a day for a busy feed, weeks for a quiet one.
RHYTHM_POLLS = 50


@dataclass(frozen=True)
class FeedState:
    """A feed and how polling it stands."""

    id: int
    slug: str
    url: str
    host: str
    outlet: str
    language: str | None
    country: str | None
    scope: str
    poll_every: timedelta
    poll_within: timedelta
    max_age: timedelta | None
    poll_interval: timedelta | None
    asked_wait: timedelta | None
    skip_hours: list[int] | None
    skip_days: list[int] | None
    last_polled_at: datetime | None
    last_success_at: datetime | None
    last_full_at: datetime | None
    failures: int
    etag: str | None
    last_modified: str | None
    body_hash: bytes | None
    distrust: str | None
    moved_to: str | None
    moved_polls: int
    hub: str | None
    topic: str | None
    pushed_until: datetime | None

    @property
    def address(self) -> str:
        """Where the feed is asked for: its address, or the one it has moved to for good."""
        return self.moved_to if self.moved_to and self.moved_polls >= ADOPT_AFTER_POLLS else self.url


# The columns of a FeedState, in its order.
_STATE = ", ".join(f"f.{name}" for name in FeedState.__dataclass_fields__)


@dataclass(frozen=True)
class PollRecord:
    """A row of `feed_polls`, and the feed's state after it."""

    polled_at: datetime
    outcome: PollOutcome
    status: int | None
    entries: int
    new_entries: int
    body_bytes: int
    took_ms: int
    error: str | None
    failure: FailureKind | None
    next_poll_at: datetime
    failures: int
    health: str
    etag: str | None
    last_modified: str | None
    body_hash: bytes | None
    poll_interval: timedelta | None
    asked_wait: timedelta | None
    skip_hours: list[int] | None
    skip_days: list[int] | None
    last_full_at: datetime | None
    distrust: str | None
    moved_to: str | None
    moved_polls: int
    host: str
    hub: str | None
    topic: str | None


def sync(connection: Connection, configured: Sequence[FeedConfig], now: datetime) -> None:
    """Bring the table in line with the configuration, in one transaction; feeds not in it are disabled, never deleted.

    A feed is known by its id; one whose URL changed is polled anew, unconditionally.
    """
    hosts.register(connection, (host_of(feed.url) for feed in configured), now)
    connection.execute("LOCK TABLE news.feeds IN SHARE ROW EXCLUSIVE MODE")
    slugs = [feed.id for feed in configured]
    # An address that moved from one id to another must be free before the other takes it.
    connection.execute(
        "UPDATE news.feeds SET enabled = false, health = 'disabled', lease_holder = NULL"
        " WHERE slug <> ALL(%s) AND health <> 'disabled'",
        [slugs],
    )
    connection.execute(
        "UPDATE news.feeds SET url = url || '#formerly-' || slug"
        " WHERE (slug, url) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[])) AND url = ANY(%s)",
        [slugs, [feed.url for feed in configured], [feed.url for feed in configured]],
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO news.feeds AS f (slug, url, host, outlet, language, country, scope, enabled, poll_every,
                                         poll_within, max_age, created_at, next_poll_at, health)
            VALUES (%(slug)s, %(url)s, %(host)s, %(outlet)s, %(language)s, %(country)s, %(scope)s, %(enabled)s,
                    %(poll_every)s, %(poll_within)s, %(max_age)s, %(now)s, %(now)s,
                    CASE WHEN %(enabled)s THEN 'waiting' ELSE 'disabled' END)
            ON CONFLICT (slug) DO UPDATE SET
                url = excluded.url, host = CASE WHEN f.url = excluded.url THEN f.host ELSE excluded.host END,
                outlet = excluded.outlet, language = excluded.language,
                country = excluded.country, scope = excluded.scope, enabled = excluded.enabled,
                poll_every = excluded.poll_every, poll_within = excluded.poll_within, max_age = excluded.max_age,
                next_poll_at = CASE WHEN f.url <> excluded.url OR NOT f.enabled THEN excluded.next_poll_at
                                    ELSE least(f.next_poll_at,
                                               greatest(%(now)s, f.last_polled_at + excluded.poll_every)) END,
                lease_holder = CASE WHEN f.url <> excluded.url THEN NULL ELSE f.lease_holder END,
                etag = CASE WHEN f.url = excluded.url THEN f.etag END,
                last_modified = CASE WHEN f.url = excluded.url THEN f.last_modified END,
                body_hash = CASE WHEN f.url = excluded.url THEN f.body_hash END,
                distrust = CASE WHEN f.url = excluded.url THEN f.distrust END,
                moved_to = CASE WHEN f.url = excluded.url THEN f.moved_to END,
                moved_polls = CASE WHEN f.url = excluded.url THEN f.moved_polls ELSE 0 END,
                hub = CASE WHEN f.url = excluded.url THEN f.hub END,
                topic = CASE WHEN f.url = excluded.url THEN f.topic END,
                pushed_until = CASE WHEN f.url = excluded.url THEN f.pushed_until END,
                health = CASE WHEN NOT excluded.enabled THEN 'disabled'
                              WHEN f.health = 'disabled' THEN 'waiting' ELSE f.health END
            WHERE (f.url, f.outlet, f.language, f.country, f.scope, f.enabled, f.poll_every, f.poll_within, f.max_age)
                IS DISTINCT FROM (excluded.url, excluded.outlet, excluded.language, excluded.country, excluded.scope,
                                  excluded.enabled, excluded.poll_every, excluded.poll_within, excluded.max_age)
            """,
            [
                {
                    "slug": feed.id,
                    "url": feed.url,
                    "host": host_of(feed.url),
                    "outlet": feed.outlet,
                    "language": feed.language,
                    "country": feed.country,
                    "scope": feed.scope,
                    "enabled": feed.enabled,
                    "poll_every": feed.poll_every,
                    "poll_within": feed.poll_within or feed.poll_every,
                    "max_age": feed.max_age,
                    "now": now,
                }
                for feed in configured
            ],
        )
    connection.commit()


def import_feed(connection: Connection, now: datetime, outlet: str | None = None, country: str | None = None) -> int:
    """Return the id of the feed that stands for imported files, made when missing. It is never polled.

    Files that name their publishers have a feed for each, `import:` and the name.
    """
    slug = "import" if outlet is None else f"import:{outlet}" + (f":{country}" if country else "")
    url = "import:" if outlet is None else slug
    connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, country, enabled, poll_every, created_at, next_poll_at,"
        " health) VALUES (%(slug)s, %(url)s, '', %(outlet)s, %(country)s, false, interval '1 day', %(now)s, %(now)s,"
        " 'disabled') ON CONFLICT (slug) DO NOTHING",
        {"slug": slug, "url": url, "outlet": outlet or "import", "country": country, "now": now},
    )
    row = connection.execute("SELECT id FROM news.feeds WHERE slug = %s", [slug]).fetchone()
    # Entries are locked before feeds, everywhere.
    connection.commit()
    assert row is not None
    return int(row[0])


def state(connection: Connection, slug: str) -> FeedState | None:
    """Return the feed with this id, None when there is none or it stands for imported files."""
    with connection.cursor(row_factory=class_row(FeedState)) as cursor:
        found = cursor.execute(
            f"SELECT {_STATE} FROM news.feeds f WHERE slug = %s AND url NOT LIKE 'import:%%'", [slug]
        ).fetchone()
    connection.commit()
    return found


def make_due(connection: Connection, slugs: Sequence[str], now: datetime) -> set[str]:
    """Let the enabled feeds with these ids be polled at once; returns those that are known and enabled."""
    rows = connection.execute(
        "UPDATE news.feeds SET next_poll_at = least(next_poll_at, %s) WHERE slug = ANY(%s) AND enabled RETURNING slug",
        [now, list(slugs)],
    ).fetchall()
    connection.commit()
    return {row[0] for row in rows}


_DUE = "f.host = h.host AND f.enabled AND f.next_poll_at <= %(due)s AND f.lease_holder IS NULL"


def claim(
    connection: Connection, now: datetime, due: datetime, *, limit: int, per_host: int, delay: timedelta
) -> list[FeedState]:
    """Claim up to `limit` feeds that were due at `due`, host by host, as `ledger.claim_to_fetch` does for pages."""
    with connection.cursor(row_factory=class_row(FeedState)) as cursor:
        return cursor.execute(
            f"""
            WITH ready AS MATERIALIZED (
                SELECT h.host, greatest(h.next_request_at, %(now)s) AS slot,
                       greatest(%(delay)s, coalesce(h.crawl_delay, interval '0')) AS spacing, {hosts.ROOM} AS room
                FROM news.hosts h
                WHERE h.next_request_at <= %(now)s AND EXISTS (SELECT FROM news.feeds f WHERE {_DUE})
                  AND {hosts.ROOM} > 0
                ORDER BY h.next_request_at
                LIMIT %(limit)s
                FOR UPDATE OF h SKIP LOCKED
            ), chosen AS MATERIALIZED (
                SELECT f.id
                FROM ready h CROSS JOIN LATERAL (
                    SELECT f.id FROM news.feeds f WHERE {_DUE}
                    ORDER BY f.next_poll_at, f.id
                    LIMIT h.room
                    FOR UPDATE OF f SKIP LOCKED
                ) f
                LIMIT %(limit)s
            ), claimed AS (
                UPDATE news.feeds f
                SET lease_holder = news.claiming()
                FROM chosen
                WHERE f.id = chosen.id
                RETURNING {_STATE}
            ), spaced AS (
                UPDATE news.hosts SET next_request_at = ready.slot + ready.spacing
                FROM ready
                WHERE hosts.host = ready.host AND ready.host IN (SELECT host FROM claimed)
            )
            SELECT * FROM claimed
            """,
            {"now": now, "due": due, "limit": limit, "per_host": per_host, "delay": delay},
        ).fetchall()


def next_poll_at(connection: Connection, due: datetime) -> datetime | None:
    """Return when a host with feeds due at `due` is free again; None when no feed is due."""
    row = connection.execute(
        f"SELECT min(h.next_request_at) FROM news.hosts h WHERE EXISTS (SELECT FROM news.feeds f WHERE {_DUE})",
        {"due": due},
    ).fetchone()
    return row[0] if row is not None else None


def due(connection: Connection, now: datetime) -> Due:
    """Return what is due to be polled, in whosever hands."""
    row = connection.execute(
        "SELECT count(*), min(greatest(f.next_poll_at, h.next_request_at)), min(f.next_poll_at) FROM news.feeds f"
        " JOIN news.hosts h ON h.host = f.host WHERE f.enabled AND f.next_poll_at <= %(now)s"
        " AND h.next_request_at <= %(now)s + %(turn)s",
        {"now": now, "turn": LONGEST_TURN},
    ).fetchone()
    assert row is not None
    return Due(*row)


def give_back(connection: Connection, claimed: Sequence[FeedState]) -> None:
    """Let feeds this session has claimed be polled by whoever comes next; they are as due as they were."""
    connection.execute(
        "UPDATE news.feeds SET lease_holder = NULL WHERE id = ANY(%s) AND lease_holder = news.lease()",
        [sorted(feed.id for feed in claimed)],
    )
    connection.commit()


def postpone(connection: Connection, claimed: Sequence[FeedState], now: datetime) -> None:
    """Let feeds this session has claimed, whose host is busy, be polled a little later. Commits.

    They have not been asked, so nothing else about them changes and no poll is recorded.
    """
    if claimed:
        connection.execute(
            "UPDATE news.feeds SET next_poll_at = %s, lease_holder = NULL"
            " WHERE id = ANY(%s) AND lease_holder = news.lease()",
            [now + hosts.LONGEST_WAIT, sorted(feed.id for feed in claimed)],
        )
        connection.commit()


# The columns of `feeds` that a poll sets, with their types; skip_hours and skip_days come as array literals.
_SET_BY_POLL = {
    "next_poll_at": "timestamptz", "failures": "int", "failure": "text", "host": "text", "poll_interval": "interval",
    "asked_wait": "interval", "skip_hours": "smallint[]", "skip_days": "smallint[]", "last_full_at": "timestamptz",
    "distrust": "text", "moved_to": "text", "moved_polls": "int", "hub": "text", "topic": "text", "etag": "text",
    "last_modified": "text", "body_hash": "bytea",
}  # fmt: skip
# And those of `feed_polls`, with what a PollRecord calls them.
_POLL = {
    "polled_at": "timestamptz", "outcome": "text", "status": "smallint", "entries": "int", "new_entries": "int",
    "body_bytes": "bigint", "took_ms": "int", "error": "text", "failure": "text",
}  # fmt: skip
_PASSED = {"feed": "bigint", "health": "text"} | _SET_BY_POLL | _POLL


def save_polls(connection: Connection, polls: Sequence[tuple[FeedState, PollRecord]]) -> None:
    """Record polls and the feeds' new states; what another session has claimed meanwhile is left alone."""
    ordered = sorted(polls, key=lambda item: item[0].id)
    records = [poll for _, poll in ordered]
    columns = {name: [getattr(poll, name) for poll in records] for name in _PASSED if name != "feed"}
    for name in ("skip_hours", "skip_days"):
        # Arrays of arrays must be rectangular.
        columns[name] = [None if part is None else "{" + ",".join(map(str, part)) + "}" for part in columns[name]]
    # One statement for all of them: most polls bring nothing, and cost little but this.
    connection.execute(
        f"""
        WITH passed AS (
            SELECT * FROM unnest({", ".join(f"%({name})s::{_plain(kind)}[]" for name, kind in _PASSED.items())})
                AS passed({", ".join(_PASSED)})
        ), polled AS (
            UPDATE news.feeds f SET
                {", ".join(f"{name} = p.{name}::{kind}" for name, kind in _SET_BY_POLL.items())},
                lease_holder = NULL, last_polled_at = p.polled_at, last_error = p.error,
                last_success_at = CASE WHEN p.error IS NULL THEN p.polled_at ELSE f.last_success_at END,
                last_new_at = CASE WHEN p.new_entries > 0 THEN p.polled_at ELSE f.last_new_at END,
                health = CASE WHEN f.enabled THEN p.health ELSE f.health END
            FROM passed p WHERE f.id = p.feed AND f.lease_holder = news.lease()
            RETURNING {", ".join(f"p.{name}" for name in ("feed", *_POLL))}
        )
        INSERT INTO news.feed_polls (feed_id, {", ".join(name.replace("body_bytes", "bytes") for name in _POLL)})
        SELECT * FROM polled
        """,
        columns | {"feed": [feed.id for feed, _ in ordered]},
    )


def _plain(kind: str) -> str:
    return "text" if kind.endswith("[]") else kind


def save_push(
    connection: Connection, feed: FeedState, at: datetime, *, entries: int, new_entries: int, body_bytes: int
) -> None:
    """Record that a hub sent news of a feed. How polling it stands does not change. Does not commit."""
    outcome = PollOutcome.NEW if new_entries else PollOutcome.UNCHANGED
    connection.execute(
        "UPDATE news.feeds SET last_new_at = CASE WHEN %s > 0 THEN %s ELSE last_new_at END WHERE id = %s",
        [new_entries, at, feed.id],
    )
    connection.execute(
        "INSERT INTO news.feed_polls (feed_id, polled_at, outcome, entries, new_entries, bytes, took_ms, pushed)"
        " VALUES (%s, %s, %s, %s, %s, %s, 0, true)",
        [feed.id, at, outcome, entries, new_entries, body_bytes],
    )


def health_rows(connection: Connection, slugs: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Return the polled feeds with their health, by id; `slugs` restricts them."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            SELECT id, slug AS feed, outlet, url, enabled, health, failures, created_at, last_polled_at,
                   last_success_at, last_new_at, next_poll_at, last_error, failure, distrust,
                   CASE WHEN moved_polls > 0 THEN moved_to END AS moved_to
            FROM news.feeds
            WHERE url NOT LIKE 'import:%%' AND (%(slugs)s::text[] IS NULL OR slug = ANY(%(slugs)s))
            ORDER BY slug
            """,
            {"slugs": list(slugs) if slugs is not None else None},
        ).fetchall()


@dataclass(frozen=True)
class Answers:
    """The answers that polls had since the last find: without (304) and with a body, with entries or empty.

    `sizes` is the number of different bodies, by size; `status` the status of the last answer, of a failure too.
    """

    not_modified: int = 0
    full: int = 0
    empty: int = 0
    sizes: int = 0
    status: int | None = None


def answers_since_new(connection: Connection) -> dict[int, Answers]:
    """Return the answers of each enabled feed since its last find, by its number."""
    rows = connection.execute(
        """
        SELECT f.id, since.*
        FROM news.feeds f CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE p.outcome = 'not_modified'),
                   count(*) FILTER (WHERE p.outcome = 'unchanged' AND p.entries > 0),
                   count(*) FILTER (WHERE p.outcome = 'unchanged' AND p.entries = 0),
                   count(DISTINCT p.bytes) FILTER (WHERE p.outcome = 'unchanged'),
                   (array_agg(p.status ORDER BY p.polled_at DESC))[1]
            FROM news.feed_polls p
            WHERE p.feed_id = f.id AND p.polled_at > coalesce(f.last_new_at, f.created_at)
        ) AS since
        WHERE f.enabled
        """
    ).fetchall()
    return {row[0]: Answers(*row[1:]) for row in rows}


def finds_in_earlier_weeks(
    connection: Connection, now: datetime, *, quiet_for: timedelta, weeks: int
) -> dict[str, list[int]]:
    """Return how often enabled feeds found something in the same hours of earlier weeks as they are quiet for now.

    By their ids, for those that have been quiet for that long and not yet for a week; of as many weeks as there are
    records of, the last one first.
    """
    rows = connection.execute(
        """
        SELECT f.slug, (SELECT count(*) FROM news.feed_polls p WHERE p.feed_id = f.id AND p.outcome = 'new'
                        AND p.polled_at > f.last_new_at - earlier.by
                        AND p.polled_at <= least(f.last_success_at, %(now)s) - earlier.by)
        FROM news.feeds f
        CROSS JOIN LATERAL (SELECT min(polled_at) AS at FROM news.feed_polls p WHERE p.feed_id = f.id) AS oldest
        CROSS JOIN LATERAL (
            SELECT week, week * interval '7 days' AS by FROM generate_series(1, %(weeks)s) AS week
        ) AS earlier
        WHERE f.enabled AND f.last_new_at <= %(now)s - %(quiet)s::interval
          AND f.last_new_at > %(now)s - interval '7 days' AND oldest.at <= f.last_new_at - earlier.by
        ORDER BY f.slug, earlier.week
        """,
        {"now": now, "quiet": quiet_for, "weeks": weeks},
    ).fetchall()
    found: dict[str, list[int]] = {}
    for slug, count in rows:
        found.setdefault(slug, []).append(count)
    return found


def rhythms(connection: Connection) -> dict[str, list[timedelta]]:
    """Return, by the id of each enabled feed, the times between its last polls that found something new."""
    rows = connection.execute(
        """
        SELECT f.slug, recent.gap
        FROM news.feeds f CROSS JOIN LATERAL (
            SELECT polled_at - lag(polled_at) OVER (ORDER BY polled_at) AS gap
            FROM (SELECT polled_at FROM news.feed_polls p
                  WHERE p.feed_id = f.id AND p.outcome = 'new' ORDER BY polled_at DESC LIMIT %s) AS newest
        ) recent
        WHERE f.enabled AND recent.gap IS NOT NULL
        """,
        [RHYTHM_POLLS],
    ).fetchall()
    gaps: dict[str, list[timedelta]] = {}
    for slug, gap in rows:
        gaps.setdefault(slug, []).append(gap)
    return gaps
