"""The health of feeds, from what the database holds."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from db import Connection
from ingest.monitoring.feed_health import describe, health
from ingest.store import feeds
from ingest.store.feeds.statistics import RHYTHM_POLLS
from tests.conftest import NOW

HOUR = timedelta(hours=1)


def add_feed(connection: Connection, slug: str, found_hours_ago: list[int], enabled: bool = True) -> None:
    last = NOW - min(found_hours_ago) * HOUR if found_hours_ago else None
    row = connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at, health, enabled,"
        " last_new_at) VALUES (%(slug)s, %(slug)s, 'h', 'O', '1 hour', %(made)s, now(), %(health)s, %(enabled)s,"
        " %(last)s) RETURNING id",
        {
            "slug": slug, "made": NOW - 400 * 24 * HOUR, "enabled": enabled, "last": last,
            "health": "ok" if enabled else "disabled",
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    for hours in found_hours_ago:
        connection.execute(
            "INSERT INTO news.feed_polls (feed_id, polled_at, outcome, took_ms) VALUES (%s, %s, 'new', 1),"
            " (%s, %s, 'unchanged', 1)",
            [row[0], NOW - hours * HOUR, row[0], NOW - (hours - 0.5) * HOUR],
        )


def test_silent_feeds_are_told_with_what_they_usually_do(connection: Connection) -> None:
    add_feed(connection, "lively", list(range(1, 30)))
    add_feed(connection, "gone-quiet", list(range(50, 80)))
    add_feed(connection, "switched-off", list(range(500, 530)), enabled=False)
    rows = {row["feed"]: row for row in health(connection, NOW)}
    assert describe(rows["gone-quiet"]) == "nothing new for 2 d (usually every 60 min); it answers without error"
    assert {feed: row["health"] for feed, row in rows.items()} == {
        "lively": "ok", "gone-quiet": "silent", "switched-off": "disabled",
    }  # fmt: skip


def test_a_rhythm_is_read_from_the_last_finds_only(connection: Connection) -> None:
    add_feed(connection, "slower-now", [*range(0, 60 * 24, 24), *range(2000, 2500)])
    gaps = feeds.rhythms(connection)["slower-now"]
    assert set(gaps) == {24 * HOUR}
    assert len(gaps) == RHYTHM_POLLS - 1


MINUTE = timedelta(minutes=1)


def add_documents(
    connection: Connection, slug: str, dates: Sequence[tuple[datetime, datetime, datetime | None, str | None]]
) -> None:
    """Add a feed with documents: when each was seen, what the feed said, what the page stated, what was noted."""
    add_feed(connection, slug, [1])
    for number, (seen, said, stated, note) in enumerate(dates):
        connection.execute(
            "WITH entry AS (INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, published_at,"
            "  published_note, discovered_at, status, reason)"
            " SELECT id, %(n)s::text, 'u', 'u', 'h', %(said)s, %(note)s,"
            "  %(seen)s, 'off_topic', 'r' FROM news.feeds WHERE slug = %(slug)s RETURNING id)"
            " INSERT INTO news.documents (entry_id, extracted_at, text, extractor, stated_at)"
            " SELECT id, %(seen)s, 't', 'x', %(stated)s FROM entry",
            {"n": number, "said": said, "note": note, "seen": seen, "stated": stated, "slug": slug},
        )


def test_feeds_whose_dates_are_systematically_wrong_are_named(connection: Connection) -> None:
    seen = [NOW - number * HOUR for number in range(20)]
    add_documents(connection, "right", [(at, at - 20 * MINUTE, at - 20 * MINUTE, None) for at in seen])
    # What a hub announces is a minute old when it is seen.
    add_documents(connection, "quick", [(at, at - MINUTE, at - MINUTE, None) for at in seen])
    add_documents(connection, "stamped", [(at, at - MINUTE, at - 5 * HOUR, None) for at in seen])
    add_documents(connection, "all-at-once", [(NOW, NOW, None, None) for _ in seen])
    add_documents(connection, "behind", [(at, at - 3.3 * HOUR, at - 0.3 * HOUR, None) for at in seen])
    ahead = [(at, at, at - MINUTE, f"future: {at + 3 * HOUR - MINUTE:%Y-%m-%dT%H:%M:%SZ}") for at in seen]
    add_documents(connection, "ahead", ahead)
    add_documents(connection, "too-few", [(at, at - 3 * HOUR, at, None) for at in seen[:9]])
    add_documents(
        connection, "now-and-then", [(at, at - number % 4 * HOUR, at, None) for number, at in enumerate(seen)]
    )
    found = {row["feed"]: row["dates"] for row in health(connection, NOW) if row["dates"]}
    assert found == {
        "stamped": "its dates are the time of the poll (20 of 20)",
        "all-at-once": "its dates are the time of the poll (20 of 20)",
        "behind": "its dates are 3 h behind the pages' (20 of 20)",
        "ahead": "its dates are 3 h ahead of the pages' (20 of 20)",
    }
