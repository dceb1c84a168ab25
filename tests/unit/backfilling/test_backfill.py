"""What was published before a feed was added: which documents and items are taken."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.backfilling.backfill import selected, wanted_part
from ingest.parsing.model import ParsedEntry
from tests.conftest import NOW

SINCE, UNTIL = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "changed_at", "wanted"),
    [
        ("https://a.example/sitemap.xml", None, True),
        ("https://a.example/sitemap.xml", datetime(2026, 10, 19, tzinfo=UTC), False),
        # Changed later: it may list what is wanted beside newer things.
        ("https://a.example/sitemap.xml", datetime(2026, 11, 1, tzinfo=UTC), True),
        ("https://a.example/sitemap-2026-10.xml", None, True),
        ("https://a.example/sitemap-2026-09.xml", datetime(2026, 11, 1, tzinfo=UTC), False),
        ("https://a.example/sitemaps/2026/11/1.xml", None, False),
        ("https://a.example/sitemap-202610.xml.gz", None, True),
        ("https://a.example/sitemap-20261024.xml", None, True),
        ("https://a.example/sitemap-20260101.xml", None, False),
        ("https://a.example/sitemap-posts-2026.xml", None, True),
        ("https://a.example/sitemap-2026991.xml", None, True),
    ],
)
def test_sitemaps_that_cannot_list_anything_of_the_period_are_skipped(
    url: str, changed_at: datetime | None, wanted: bool
) -> None:
    assert wanted_part(url, changed_at, SINCE, UNTIL) is wanted


def item(url: str, published_at: datetime | None = None, note: str | None = None) -> ParsedEntry:
    return ParsedEntry(url, url, None, None, None, None, published_at, note)


@pytest.mark.parametrize(
    ("entry", "inside"),
    [
        (item("https://a.example/1", SINCE), True),
        (item("https://a.example/1", UNTIL), False),
        (item("https://a.example/1", SINCE - timedelta(seconds=1)), False),
        # The day in the address goes before the day of the last change.
        (item("https://a.example/2026/10/21/x", NOW, "lastmod"), True),
        (item("https://a.example/2026/05/21/x", SINCE, "lastmod"), False),
        (item("https://a.example/1", SINCE, "lastmod"), True),
        (item("https://a.example/1", NOW, "lastmod"), False),
        (item("https://a.example/2026/10/x"), True),
        # Of a month, the change tells more, if it was in it.
        (item("https://a.example/2026/10/x", UNTIL + timedelta(days=2), "lastmod"), False),
        (item("https://a.example/2026/10/x", NOW + timedelta(days=60), "lastmod"), True),
        # The number of an article is not a day.
        (item("https://a.example/news/2026/10/05"), True),
    ],
)
def test_items_of_the_period_are_taken(entry: ParsedEntry, inside: bool) -> None:
    assert selected([entry], SINCE, UNTIL) == ([entry] if inside else [], 0)


def test_items_without_a_date_are_counted() -> None:
    assert selected([item("https://a.example/1"), item("https://a.example/2")], SINCE, UNTIL) == ([], 2)
