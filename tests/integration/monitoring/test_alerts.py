"""Sources that have fallen silent: noticed once, and over when they are over."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from db import Connection
from ingest.monitoring import alerts
from ingest.monitoring.feed_health import health, rhythm
from ingest.store import periodic
from tests.conftest import NOW, Run

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def weekdays_nine_to_five(until: datetime) -> list[datetime]:
    """Finds each hour of the working hours of five weeks."""
    hours = [until.replace(minute=0, second=0) - number * HOUR for number in range(24 * 35)]
    return [hour for hour in hours if hour.weekday() < 5 and 9 <= hour.hour <= 17]


def add_feed(connection: Connection, slug: str, finds: list[datetime], **state: Any) -> int:
    known = {"failures": 0, "failure": None, "last_error": None, "success": NOW, "health": "ok"} | state
    found = connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at, health, last_new_at,"
        " last_success_at, failures, failure, last_error, last_polled_at) VALUES (%(slug)s, %(slug)s, 'h', 'O',"
        " '1 hour', %(made)s, now(), %(health)s, %(last)s, %(success)s, %(failures)s, %(failure)s, %(last_error)s,"
        " %(now)s) RETURNING id",
        known | {"slug": slug, "made": NOW - 400 * DAY, "last": max(finds), "now": NOW},
    ).fetchone()
    assert found is not None
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO news.feed_polls (feed_id, polled_at, outcome, entries, took_ms) VALUES (%s, %s, 'new', 9, 1)",
            [(found[0], moment) for moment in finds],
        )
    connection.commit()
    return int(found[0])


@pytest.mark.parametrize(
    ("hours", "silent"),
    [
        # NOW is a Sunday noon; the last find was on Friday at 17:00.
        (0, False),
        # Monday 12:00: three finds are missing, 15:00: six.
        (24, False), (28, True),
    ],
)  # fmt: skip
def test_a_quiet_weekend_is_no_silence(connection: Connection, hours: int, silent: bool) -> None:
    assert (NOW.weekday(), NOW.hour) == (6, 12)
    add_feed(connection, "paper", weekdays_nine_to_five(NOW), success=NOW + hours * HOUR)
    (found,) = health(connection, NOW + hours * HOUR)
    assert len(found["rhythm"].weeks) == 4
    assert found["rhythm"].silent is silent
    # By the gaps alone, a weekend would be one.
    gaps = [HOUR] * 45
    assert rhythm(gaps, found["last_new_at"], NOW).silent


def test_a_lively_feed_is_missed_after_hours(connection: Connection) -> None:
    """Its own gaps would allow for half a day."""
    add_feed(connection, "agency", [NOW - 5 * HOUR - number * HOUR / 2 for number in range(48 * 30)])
    (found,) = health(connection, NOW)
    assert found["health"] == "silent"
    assert not rhythm([HOUR / 2] * 40, found["last_new_at"], NOW).silent


def polled(connection: Connection, at: datetime) -> None:
    """As if all feeds had been polled, those that do not fail without news."""
    connection.execute(
        "UPDATE news.feeds SET last_polled_at = %(at)s,"
        " last_success_at = CASE WHEN failures = 0 THEN %(at)s ELSE last_success_at END",
        {"at": at},
    )


def test_what_nobody_asked_for_is_not_missed(connection: Connection) -> None:
    """The pipeline was down, a feed was off, its interval is long: silence is what a feed answers."""
    add_feed(connection, "agency", [NOW - number * HOUR / 2 for number in range(48 * 30)])
    add_feed(connection, "broken", [NOW - 90 * DAY], failures=9, failure="dns", last_error="x", success=NOW - 90 * DAY)
    later = NOW + 3 * DAY
    assert alerts.watch(connection, later).begun == []
    polled(connection, later)
    begun = alerts.watch(connection, later).begun
    assert {(alert.feed, alert.kind) for alert in begun} == {("agency", "unchanged"), ("broken", "failing")}


def test_alerts_begin_once_and_end(connection: Connection) -> None:
    number = add_feed(connection, "quiet", [NOW - 5 * DAY - number * HOUR for number in range(24 * 20)])
    add_feed(connection, "shut", [NOW - 5 * DAY], failures=20, failure="http_4xx", last_error="HTTP 403",
             success=NOW - 5 * DAY, health="failing")  # fmt: skip
    connection.execute(
        "INSERT INTO news.feed_polls (feed_id, polled_at, outcome, status, took_ms, error)"
        " SELECT id, %s, 'failed', 403, 1, 'HTTP 403' FROM news.feeds WHERE slug = 'shut'",
        [NOW - HOUR],
    )
    first = alerts.watch(connection, NOW)
    assert {(alert.feed, alert.kind) for alert in first.begun} == {("quiet", "unchanged"), ("shut", "blocked")}
    assert first.over == []
    assert "nothing new for 5 d" in (alerts.said(first) or "")
    assert "403" in (alerts.said(first) or "")
    polled(connection, NOW + HOUR)
    again = alerts.watch(connection, NOW + HOUR)
    assert (again.begun, again.over) == ([], [])
    shown = connection.execute("SELECT feed, kind FROM news.alerts_open ORDER BY feed").fetchall()
    assert shown == [("quiet", "unchanged"), ("shut", "blocked")]
    connection.execute("UPDATE news.feeds SET last_new_at = %s WHERE id = %s", [NOW + 2 * HOUR, number])
    third = alerts.watch(connection, NOW + 3 * HOUR)
    assert alerts.said(third) == "quiet: over (unchanged)"
    (period,) = connection.execute("SELECT started_at, noticed_at, ended_at FROM news.alerts WHERE feed_id = %s",
                                   [number]).fetchall()  # fmt: skip
    assert period == (NOW - 5 * DAY, NOW, NOW + 3 * HOUR)
    # And when it falls silent again, that is another one.
    polled(connection, NOW + 20 * DAY)
    fourth = alerts.watch(connection, NOW + 20 * DAY)
    assert ("quiet", "unchanged") in {(alert.feed, alert.kind) for alert in fourth.begun}


def test_what_the_ledger_shows(connection: Connection) -> None:
    number = add_feed(connection, "drifted", [NOW - number * HOUR for number in range(10)])
    for status, reason, days, count in (
        ("off_topic", "no topic", 2, 30), ("landed", None, 9, 4), ("landed", None, 16, 4), ("landed", None, 23, 4),
    ):  # fmt: skip
        connection.execute(
            "INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status, reason)"
            " SELECT %(feed)s, %(days)s::text || '-' || n, 'u', 'u', 'h', %(at)s, %(status)s, %(reason)s"
            " FROM generate_series(1, %(count)s) n",
            {"feed": number, "days": days, "at": NOW - days * DAY, "status": status, "reason": reason, "count": count},
        )
    (alert,) = alerts.watch(connection, NOW).begun
    assert alert.kind == "filtered"
    assert alert.evidence == {"entries": {"off_topic": 30}, "landed_in_earlier_weeks": [4, 4, 4]}


def test_status_shows_them(connection: Connection, run: Run) -> None:
    add_feed(connection, "quiet", [NOW - 5 * DAY - number * HOUR for number in range(24 * 20)])
    alerts.watch(connection, NOW)
    assert "quiet: unchanged since" in run("status").stdout.replace("\n", " ")
    (alert,) = json.loads(run("status", "--json").stdout)["alerts"]
    assert (alert["feed"], alert["kind"]) == ("quiet", "unchanged")


def test_what_a_backfill_finds_says_nothing_about_the_feed(connection: Connection) -> None:
    number = add_feed(connection, "busy", [NOW - number * HOUR for number in range(10)])
    for status, priority, count in (("landed", 0, 40), ("dead", 2, 200)):
        connection.execute(
            "INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status, reason,"
            " priority) SELECT %s, %s || n, 'u', 'u', 'h', %s, %s, 'why', %s FROM generate_series(1, %s) n",
            [number, status, NOW - DAY, status, priority, count],
        )
    assert alerts.watch(connection, NOW).begun == []


def test_several_workers_watch_by_turns(connection: Connection) -> None:
    turns = [periodic.take_turn(connection, "watch", NOW + minutes * timedelta(minutes=1), 15 * timedelta(minutes=1))
             for minutes in (0, 1, 14, 15, 16, 40)]  # fmt: skip
    assert turns == [True, False, False, True, False, True]
    # A clock that was ahead for a while does not stop it for that long.
    assert periodic.take_turn(connection, "watch", NOW, timedelta(minutes=15))
