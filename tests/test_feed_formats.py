"""JSON Feed and sitemaps, as documents and as feeds that are polled."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from db import Connection
from ingest.config.feeds_file import FeedConfig
from ingest.config.settings import Settings
from ingest.parsing.links import feeds_named_by
from ingest.parsing.model import NotAFeed
from ingest.parsing.parse import parse_feed
from ingest.parsing.sitemap import NEWEST_ITEMS
from ingest.polling.poll import poll
from ingest.store import feeds
from ingest.topics.topics import TopicSet
from tests.conftest import NOW, Clock, Serve
from tests.newsroom import Faults

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


def test_a_json_feed() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Horizon",
        "items": [
            {
                "id": "1", "url": "/1", "title": "Troops <b>leave</b>", "content_html": "<p>They do.</p>",
                "date_published": "2026-10-31T10:00:00+03:00", "authors": [{"name": "A"}, {"name": "B"}],
            },
            {"id": 2, "content_text": "No link"},
            "nonsense",
            {"url": "https://a.example/3", "date_published": "soon", "author": {"name": "C"}},
        ],
    }  # fmt: skip
    first, second, third = parse_feed(json.dumps(feed).encode(), BASE, "application/feed+json", NOW).entries
    assert (first.url, first.title, first.author) == ("https://horizon.example/1", "Troops leave", "A, B")
    assert first.published_at == datetime(2026, 10, 31, 7, tzinfo=UTC)
    assert (second.identity, second.url, second.summary) == ("2", None, "No link")
    assert (third.identity, third.published_at, third.author) == ("https://a.example/3", None, "C")


@pytest.mark.parametrize(
    "body", [b'{"version": "https://jsonfeed.org/version/1", "items": 3}', b'{"https://jsonfeed.org/version/1"']
)
def test_a_damaged_json_feed_is_no_feed(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        parse_feed(body, BASE, None, NOW)


PAGE = """<html><head><base href="https://horizon.example/ar/">
<link rel="alternate" type="application/rss+xml" href="feed.xml"><link rel="stylesheet" href="x.css">
<link rel="ALTERNATE home" type="application/atom+xml; charset=utf-8" href="/atom">
<link rel="alternate" type="text/html" hreflang="en" href="/en/"></head></html>"""


def test_a_home_page_names_its_feeds() -> None:
    assert feeds_named_by(PAGE.encode(), "https://horizon.example/ar/index") == [
        "https://horizon.example/ar/feed.xml", "https://horizon.example/atom",
    ]  # fmt: skip
    with pytest.raises(NotAFeed, match=r"it names as its feed https://horizon.example/ar/feed.xml"):
        parse_feed(PAGE.encode(), "https://horizon.example/", "text/html", NOW)


def test_a_sitemap_index_is_polled_with_its_newest_parts(
    newsroom: Serve, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    room = newsroom(feeds=3, entries=3)
    first, second, third = (outlet.host for outlet in room.world.outlets)
    index = "".join(
        f"<sitemap><loc>http://{host}/part.xml</loc><lastmod>2026-10-0{n}</lastmod></sitemap>"
        for n, host in enumerate((second, third), 1)
    )
    room.faults[first] = Faults(body=f"<sitemapindex>{index}</sitemapindex>".encode())
    room.faults[second] = Faults(body=b"<urlset><url><loc>https://a.example/1</loc></url></urlset>")
    room.faults[third] = Faults(status=500)
    config = FeedConfig.model_validate({"url": f"http://{first}/index.xml", "poll_every": "10m"})
    feeds.sync(connection, [config], NOW)
    counts = poll(connection, settings, clock, everything)
    assert (counts.new, counts.new_entries) == (1, 1)
    # The index stays as it is while its sitemaps change.
    room.faults[second] = Faults(body=b"<urlset><url><loc>https://a.example/2</loc></url></urlset>")
    clock.advance(days=2)
    assert poll(connection, settings, clock, everything).new_entries == 1
    room.faults[second] = Faults(status=500)
    clock.advance(days=2)
    assert poll(connection, settings, clock, everything).failed == 1
    row = connection.execute("SELECT failure, last_error FROM news.feeds").fetchone()
    assert row is not None
    assert row[0] == "not_a_feed"
    assert "none of the sitemaps it lists can be read" in row[1]
