"""When a feed is polled next: tables of cases."""

from datetime import timedelta

import pytest

from ingest.parsing.wishes import Wishes, day_number
from ingest.polling.schedule import header_wish, interval_of, narrowed, next_poll, widened
from tests.conftest import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHORTEST, LONGEST = 10 * MINUTE, 2 * HOUR


@pytest.mark.parametrize(
    ("ages", "interval"),
    [
        ([], SHORTEST),
        ([HOUR, 2 * HOUR], SHORTEST),
        # An item an hour: polled every half hour.
        ([HOUR * n for n in range(1, 11)], 30 * MINUTE),
        # An item a minute is not polled twice a minute, one a week not once in days.
        ([MINUTE * n for n in range(1, 31)], SHORTEST),
        ([7 * DAY * n for n in range(1, 5)], LONGEST),
        # It used to bring an item a minute and stopped a day ago.
        ([DAY + MINUTE * n for n in range(20)], 37 * MINUTE),
        # Dates to come say nothing.
        ([-HOUR * n for n in range(1, 10)], SHORTEST),
    ],
)
def test_the_interval_follows_the_items(ages: list[timedelta], interval: timedelta) -> None:
    found = interval_of([NOW - age for age in ages], NOW, SHORTEST, LONGEST)
    assert abs(found - interval) < MINUTE


def test_a_feed_that_brings_nothing_is_asked_less_and_less_up_to_its_bound() -> None:
    intervals = [SHORTEST]
    for _ in range(30):
        intervals.append(widened(intervals[-1], SHORTEST, LONGEST))
    assert intervals == sorted(intervals)
    assert intervals[1] == 12 * MINUTE
    assert intervals[-1] == LONGEST


def test_a_find_halves_the_interval_or_brings_the_rhythm_of_the_items() -> None:
    weekly = [NOW - 7 * DAY * n for n in range(1, 5)]
    busy = [NOW - MINUTE * n for n in range(1, 31)]
    assert narrowed(None, weekly, NOW, SHORTEST, LONGEST) == SHORTEST
    assert narrowed(LONGEST, weekly, NOW, SHORTEST, LONGEST) == LONGEST / 2
    assert narrowed(12 * MINUTE, weekly, NOW, SHORTEST, LONGEST) == SHORTEST
    assert narrowed(LONGEST, busy, NOW, SHORTEST, LONGEST) == SHORTEST


@pytest.mark.parametrize(
    ("headers", "wish"),
    [
        ({}, 0),
        ({"cache-control": "max-age=1800"}, 1800),
        ({"cache-control": "public, Max-Age = 60"}, 60),
        ({"cache-control": "s-maxage=900"}, 0),
        ({"cache-control": "max-age=99999999999999"}, 86400),
        ({"cache-control": "max-age=60", "expires": "Sun, 01 Nov 2026 20:00:00 GMT"}, 60),
        ({"expires": "Sun, 01 Nov 2026 13:00:00 GMT"}, 3600),
        ({"expires": "Sun, 01 Nov 2026 11:00:00 GMT"}, 0),
        ({"expires": "0"}, 0),
        ({"expires": "Thu, 31 Dec 2099 23:59:59 GMT"}, 86400),
    ],
)
def test_what_headers_wish(headers: dict[str, str], wish: int) -> None:
    assert header_wish(headers, NOW) == timedelta(seconds=wish)


@pytest.mark.parametrize(("wish", "earliest"), [(0 * HOUR, HOUR), (3 * HOUR, 3 * HOUR), (30 * DAY, DAY)])
def test_the_longer_of_rhythm_and_wish_counts_up_to_a_day(wish: timedelta, earliest: timedelta) -> None:
    wait = next_poll(NOW, HOUR, Wishes(wait=wish), "a") - NOW
    assert earliest <= wait <= earliest * 1.1


def test_feeds_drift_apart_and_the_same_input_gives_the_same_time() -> None:
    times = {next_poll(NOW, HOUR, Wishes(), f"feed{n}") for n in range(100)}
    assert len(times) > 50
    assert next_poll(NOW, HOUR, Wishes(), "a") == next_poll(NOW, HOUR, Wishes(), "a")


def test_skipped_hours_and_days_are_skipped() -> None:
    # NOW is a Sunday, noon.
    moment = next_poll(NOW, HOUR, Wishes(skip_hours=frozenset({13, 14})), "a")
    assert moment == NOW.replace(hour=15)
    moment = next_poll(NOW, HOUR, Wishes(skip_days=frozenset({6})), "a")
    assert moment == (NOW + DAY).replace(hour=0)
    moment = next_poll(NOW, HOUR, Wishes(skip_hours=frozenset(range(24))), "a")
    assert DAY <= moment - NOW <= DAY + 2 * HOUR


@pytest.mark.parametrize(("name", "number"), [("Monday", 0), (" sunday ", 6), ("Montag", None), ("", None)])
def test_days_have_numbers(name: str, number: int | None) -> None:
    assert day_number(name) == number
