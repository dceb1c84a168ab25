"""Dates of feeds: all of a text is read, or nothing."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingest.text.moments import read_moment

BAGHDAD = ZoneInfo("Asia/Baghdad")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Tue, 03 Mar 2026 10:00:00 +0300", "03-03 07:00"), ("Tue, 03 Mar 2026 10:00:00 -0000", "03-03 10:00"),
        ("Tue, 03 Mar 2026 10:00:00 EDT", "03-03 14:00"), ("Tue, 03 Mar 2026 10:00:00 CEST", "03-03 08:00"),
        ("3 Mar 2026 10:00 AST", "03-03 07:00"), ("3 Mar 2026 10:00 UTC+01:00", "03-03 09:00"),
        ("3 Mar 2026 10:00 +0300 GMT", "03-03 07:00"), ("Tue Mar 03 2026 10:00:00 GMT+0100 (CET)", "03-03 09:00"),
        ("3 Mar 2026 10:00 Europe/Berlin", "03-03 09:00"), ("03-03-2026 10:00:00 Z", "03-03 10:00"),
        ("25-03-2026 10:00 Z", "03-25 10:00"), ("03/25/2026 9:05:00 PM", "03-25 21:05"), ("25.03.2026", "03-25 00:00"),
        ("2026/03/03 10:00", "03-03 10:00"), ("2026-03-03T10:00:00.1234567+03:00", "03-03 07:00"),
        ("2026-03-03T10:00:00+00:00Z", "03-03 10:00"), ("2026-03-03T10:00:00Z[UTC]", "03-03 10:00"),
        ("2026-03-03T24:00:00Z", "03-04 00:00"), ("3 Mar 2026 10:00:60 Z", "03-03 10:01"),
        ("20260303100000", "03-03 10:00"), ("1772532000", "03-03 10:00"), ("1772532000123", "03-03 10:00"),
        ("الثلاثاء, 3 مارس 2026 10:00:00 +0300", "03-03 07:00"), ("٣ كانون الثاني ٢٠٢٦ ١٠:٠٠ م", "01-03 22:00"),
        ("mar., 3 mars 2026 10:00:00 +0100", "03-03 09:00"), ("3-Mar-2026 10:00 Z", "03-03 10:00"),
        ("Tue, 03 Mar 26 10:00:00 GMT", "03-03 10:00"), ("Tue Mar  3 10:00:00 2026", "03-03 10:00"),
        ("March 3, 2026 at 10:00 am", "03-03 10:00"), ("3 Mar 2026 12:30 AM", "03-03 00:30"),
    ],
)  # fmt: skip
def test_moments(text: str, at: str) -> None:
    found = read_moment(text, BAGHDAD)
    assert found is not None
    moment = found.at if found.at.tzinfo else found.at.replace(tzinfo=UTC)
    assert f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" == f"2026-{at}"


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "3 Mar", "10:00", "3 Mar 2026 10:00 and more", "3 Mar 2026 99:00", "31 Feb 2026", "2026-13-41",
        "3 Mar 2026 10:00 +9900", "3 Mar 2026 25:00", "3 4 5 Mar 2026", "3 Mar 2026 10:00 Nowhere/Town", "Mar 2026",
        "3 Mar 2026 3 Mar 2026", "9" * 50, "3 Mar 2026 " * 50, "2026-03-03T10:00:00Z hello", "-", "26:00 2026-03-03",
        "3 Mar 2026 10:00 America/Argentina",
    ],
)  # fmt: skip
def test_what_is_not_understood_whole_is_no_date(text: str) -> None:
    assert read_moment(text, BAGHDAD) is None


def test_a_zone_is_told_from_none_and_a_day_from_a_time() -> None:
    named = read_moment("3 Mar 2026 10:00 +0300")
    assert named is not None
    assert named.at.utcoffset() == timedelta(hours=3)
    for text, has_time in [("3 Mar 2026 10:00", True), ("3 Mar 2026", False)]:
        found = read_moment(text)
        assert found is not None
        assert (found.at.tzinfo, found.has_time) == (None, has_time)
    # Atlantic for a feed in Canada.
    atlantic = read_moment("3 Mar 2026 10:00 AST", ZoneInfo("America/Halifax"))
    assert atlantic is not None
    assert atlantic.at.utcoffset() == timedelta(hours=-4)
