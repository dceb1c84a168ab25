"""The dates in feeds: cases of what they name and what is doubtful about them."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.parsing.dates import read_feed_date
from ingest.parsing.parse import parse_feed
from ingest.text.zones import zone_of
from tests.conftest import NOW

BAGHDAD = zone_of("IQ")


@pytest.mark.parametrize(
    ("text", "moment", "note"),
    [
        ("2026-10-31T10:00:00+03:00", datetime(2026, 10, 31, 7, tzinfo=UTC), None),
        ("Sat, 31 Oct 2026 10:00:00 GMT", datetime(2026, 10, 31, 10, tzinfo=UTC), None),
        ("Sat, 31 Oct 2026 10:00:00", datetime(2026, 10, 31, 7, tzinfo=UTC), "no zone"),
        ("2026-10-31 10:00:00", datetime(2026, 10, 31, 7, tzinfo=UTC), "no zone"),
        ("2026-10-31", datetime(2026, 10, 30, 21, tzinfo=UTC), "no time"),
        ("2026-11-01T12:30:00Z", NOW, None),
        ("2027-03-01T00:00:00Z", NOW, "future: 2027-03-01T00:00:00Z"),
        ("1970-01-01T00:00:00Z", None, "too old: 1970-01-01"),
        ("0001-01-01T00:00:00Z", None, "too old: 1-01-01"),
        ("yesterday", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_dates(text: str | None, moment: datetime | None, note: str | None) -> None:
    found = read_feed_date(text, NOW, BAGHDAD)
    assert (found.at, found.note) == (moment, note)


def test_a_country_with_one_zone_has_its_time_and_others_utc() -> None:
    assert BAGHDAD.utcoffset(datetime(2026, 1, 1)) == timedelta(hours=3)
    assert {zone_of(country) for country in ("US", None, "XX")} == {UTC}


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sat, 31 Oct 2026 10:00:00 +0300", datetime(2026, 10, 31, 7, tzinfo=UTC)),
        ("Sat, 31 Oct 2026 10:00:00 EST", datetime(2026, 10, 31, 15, tzinfo=UTC)),
        ("Sat, 31 Oct 2026 10:00", datetime(2026, 10, 31, 7, tzinfo=UTC)),
        ("2026/10/31 10:00:00", datetime(2026, 10, 31, 7, tzinfo=UTC)),
    ],
)
def test_dates_of_feeds_without_a_zone_are_local(date: str, moment: datetime | None) -> None:
    body = f"<rss version='2.0'><channel><item><title>x</title><pubDate>{date}</pubDate></item></channel></rss>"
    (entry,) = parse_feed(body.encode(), "https://a.example/", None, NOW, BAGHDAD).entries
    assert entry.published_at == moment
