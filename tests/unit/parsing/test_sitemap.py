"""Sitemaps, read as feeds."""

from datetime import UTC, datetime, timedelta

from ingest.parsing.parse import parse_feed
from ingest.parsing.sitemap import NEWEST_ITEMS
from tests.conftest import NOW

BASE = "https://horizon.example/feed"
NEWS_SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
        xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
 <url><loc>https://horizon.example/old</loc><news:news><news:publication><news:name>H</news:name>
   <news:language>ar</news:language></news:publication>
   <news:publication_date>2026-10-01T08:00:00+03:00</news:publication_date>
   <news:title>انسحاب القوات &amp;quot;قريبا&amp;quot;</news:title></news:news></url>
 <url><loc>/new</loc><lastmod>2026-10-31</lastmod></url>
 <url><loc>mailto:nobody@example.org</loc></url>
</urlset>"""


def parse(body: str | bytes, url: str = BASE) -> list[tuple[str | None, str | None, datetime | None]]:
    document = body.encode() if isinstance(body, str) else body
    parsed = parse_feed(document, url, "text/xml", NOW)
    return [(entry.url, entry.title, entry.published_at) for entry in parsed.entries]


def test_a_news_sitemap_gives_titles_and_dates_newest_first() -> None:
    assert parse(NEWS_SITEMAP) == [
        ("https://horizon.example/new", None, datetime(2026, 10, 31, tzinfo=UTC)),
        ("https://horizon.example/old", 'انسحاب القوات "قريبا"', datetime(2026, 10, 1, 5, tzinfo=UTC)),
    ]


def test_a_sitemap_that_breaks_off_gives_what_came_before() -> None:
    assert len(parse(NEWS_SITEMAP[:-60])) == 2


def test_of_a_large_sitemap_the_newest_count() -> None:
    urls = "".join(
        f"<url><loc>https://a.example/{n}</loc><lastmod>{NOW - timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ}</lastmod></url>"
        for n in range(NEWEST_ITEMS + 500)
    )
    found = parse(f"<urlset>{urls}</urlset>")
    assert len(found) == NEWEST_ITEMS
    assert found[0][0] == "https://a.example/0"


def test_an_index_names_its_parts_newest_first() -> None:
    body = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
      <sitemap><loc>https://a.example/1.xml</loc><lastmod>2026-01-01</lastmod></sitemap>
      <sitemap><loc>https://a.example/2.xml</loc><lastmod>2026-10-01</lastmod></sitemap>
      <sitemap><loc>https://a.example/3.xml</loc></sitemap></sitemapindex>"""
    parsed = parse_feed(body.encode(), BASE, None, NOW)
    assert [part.url[-5:] for part in parsed.sitemaps] == ["2.xml", "1.xml", "3.xml"]
    assert parsed.sitemaps[0].changed_at == datetime(2026, 10, 1, tzinfo=UTC)


def test_bombs_and_entities_in_sitemaps_stay_asleep() -> None:
    bomb = '<!DOCTYPE u [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    body = f"{bomb}<urlset><url><loc>https://a.example/&b;&f;</loc></url></urlset>"
    assert "root" not in str(parse(body))
