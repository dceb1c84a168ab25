"""Statistics of feeds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from db import Connection

__all__ = ["Answers", "answers_since_new", "finds_in_earlier_weeks", "health_rows", "rhythms"]

# Polls with something new from which a feed's rhythm is read: a day for a busy feed, weeks for a quiet one.
RHYTHM_POLLS = 50


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
