"""The rhythm of a feed, and how long it may be quiet."""

from datetime import timedelta

import pytest

from ingest.monitoring.feed_health import rhythm
from tests.conftest import NOW

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("gaps", "quiet_hours", "silent"),
    [
        ([], 24 * 6, False),
        ([], 24 * 8, True),
        ([HOUR] * 4, 24 * 6, False),
        # An hourly feed has a quiet night, not a quiet day.
        ([HOUR] * 30, 10, False),
        ([HOUR] * 30, 13, True),
        # One that also has quiet nights of eight hours may be quiet for a day.
        ([HOUR] * 20 + [8 * HOUR] * 5, 23, False),
        ([HOUR] * 20 + [8 * HOUR] * 5, 25, True),
        # A weekly one may be quiet for weeks.
        ([7 * 24 * HOUR] * 6, 20 * 24, False),
        ([7 * 24 * HOUR] * 6, 22 * 24, True),
    ],
)
def test_patience_follows_the_rhythm(gaps: list[timedelta], quiet_hours: int, silent: bool) -> None:
    assert rhythm(gaps, NOW - quiet_hours * HOUR, NOW).silent is silent


def test_one_long_gap_does_not_make_a_rhythm() -> None:
    measured = rhythm([HOUR] * 30 + [1000 * HOUR], NOW, NOW)
    assert measured.usual == HOUR
    assert measured.patience == 12 * HOUR
