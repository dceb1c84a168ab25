"""Sitemaps that are polled."""

from db import Connection
from ingest.config.feeds_file import FeedConfig
from ingest.config.settings import Settings
from ingest.polling.poll import poll
from ingest.store import feeds
from ingest.topics.topics import TopicSet
from tests.conftest import NOW, Clock, Serve
from tests.newsroom import Faults


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
