"""`ingest feeds add`, at a simulated site."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.config.feeds_file import load_feeds
from ingest.config.settings import Settings
from ingest.polling.discovery import NoFeedFound, discover
from ingest.web.client import RequestFailed, Web
from tests.conftest import NOW, ROOT, Serve
from tests.newsroom import Faults, RunningNewsroom

INGEST = str(Path(sys.executable).with_name("ingest"))


def find(settings: Settings, url: str) -> str:
    async def work() -> str:
        async with Web(settings) as web:
            return (await discover(web, url, settings, NOW)).url

    return asyncio.run(work())


@pytest.fixture
def room(newsroom: Serve) -> RunningNewsroom:
    return newsroom(feeds=2, entries=6)


def test_a_feed_is_itself(room: RunningNewsroom, settings: Settings) -> None:
    assert find(settings, room.world.feeds[0].url) == room.world.feeds[0].url


def test_a_home_page_leads_to_the_feed_it_names(room: RunningNewsroom, settings: Settings) -> None:
    feed = room.world.feeds[0]
    page = f'<html><head><link rel="alternate" type="application/rss+xml" href="{feed.path}"></head></html>'
    room.faults[feed.outlet.host] = Faults(body=page.encode(), paths=("/home",))
    assert find(settings, f"{feed.outlet.base}/home") == feed.url


def test_a_page_that_names_none_leads_to_the_usual_places(room: RunningNewsroom, settings: Settings) -> None:
    feed = room.world.feeds[0]
    room.faults[feed.outlet.host] = Faults(body=b"<html><body>Welcome</body></html>", paths=("/home",))
    assert feed.path == "/rss.xml"
    assert find(settings, f"{feed.outlet.base}/home") == feed.url


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_robots_txt_leads_to_a_sitemap(room: RunningNewsroom, settings: Settings, mark: str) -> None:
    feed, other = room.world.feeds[1], room.world.feeds[0]
    room.faults[feed.outlet.host] = Faults(body=b"<html><body>Welcome</body></html>", paths=("/home", ".xml", "/rss"))
    room.robots[feed.outlet.host] = f"{mark}Sitemap: {other.outlet.base}/news.xml\nSitemap: mailto:a\n"
    body = b"<urlset><url><loc>https://a.example/1</loc></url></urlset>"
    room.faults[other.outlet.host] = Faults(body=body, paths=("/news.xml",))
    assert find(settings, f"{feed.outlet.base}/home") == f"{other.outlet.base}/news.xml"


def test_where_there_is_none_it_says_what_was_tried(room: RunningNewsroom, settings: Settings) -> None:
    host = room.world.outlets[0].host
    room.faults[host] = Faults(body=b"<html><body>Welcome</body></html>")
    with pytest.raises(NoFeedFound, match="the page links to none, and the usual places"):
        find(settings, f"http://{host}/")
    with pytest.raises(RequestFailed, match="not on the public Internet"):
        find(settings.model_copy(update={"allow_networks": ()}), f"http://{host}/")


def test_the_commands(room: RunningNewsroom, tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text("feeds:\n  - https://a.example/rss  # stays\n")
    variables = os.environ | {"NEWS_FEEDS": str(path), "NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0"}

    def ingest(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [INGEST, "feeds", *arguments], env=variables, capture_output=True, text=True, check=False, cwd=ROOT
        )

    url = room.world.feeds[0].url
    added = ingest("add", url, "--language", "ar", "--scope", "general")
    assert (added.returncode, added.stderr) == (0, "")
    assert "added" in added.stdout
    assert "3 entries" in added.stdout
    feed = load_feeds(path)[1]
    assert (feed.url, feed.language, feed.scope) == (url, "ar", "general")
    assert "# stays" in path.read_text()
    again = ingest("add", url)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "already" in again.stderr
    assert ingest("add", "ftp://a.example/").returncode == 2
    assert ingest("add", "http://127.0.0.1:1/").returncode == 1
    exported = ingest("export-opml")
    (tmp_path / "out.opml").write_text(exported.stdout)
    path.write_text("feeds:\n  - https://a.example/rss\n")
    taken = ingest("import-opml", str(tmp_path / "out.opml"))
    assert "2 feeds" in taken.stdout
    assert "1 added, 1 known already" in taken.stdout
    assert json.loads(ingest("list", "--json").stdout)[1]["url"] == url
    assert ingest("import-opml", str(tmp_path / "none.opml")).returncode == 2
