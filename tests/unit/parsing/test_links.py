"""Links: the feeds that a page names, and the hubs that a feed does."""

import pytest

from ingest.parsing.links import LINKS_WITHIN_BYTES, MOST_LINKS, feeds_named_by, with_link_header
from ingest.parsing.model import NotAFeed, ParsedFeed
from ingest.parsing.parse import parse_feed
from ingest.text.urls import absolute_url
from ingest.web.client import Answer
from tests.conftest import NOW

LINK = '<link rel="alternate" type="application/rss+xml" href="{}">'


def test_feeds_that_a_page_names_are_resolved_by_its_base() -> None:
    page = '<html><head><base href="/section/">{}{}{}<link rel=alternate href=/x></head></html>'.format(
        LINK.format("rss"), LINK.format("/section/rss"), LINK.format("javascript:x")
    )
    assert feeds_named_by(page.encode(), "https://a.example/") == ["https://a.example/section/rss"]


@pytest.mark.parametrize("href", ["/{}", "/same", "javascript:{}"])
def test_of_many_links_only_the_first_are_resolved(href: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = []

    def counted(link: str, base: str) -> str | None:
        resolved.append(link)
        return absolute_url(link, base)

    monkeypatch.setattr("ingest.parsing.links.absolute_url", counted)
    page = "<html><head>" + "".join(LINK.format(href.format(number)) for number in range(5000))
    found = feeds_named_by(page.encode(), "https://a.example/")
    assert len(resolved) == MOST_LINKS
    assert len(found) == {"/{}": MOST_LINKS, "/same": 1}.get(href, 0)


def test_links_behind_the_head_of_a_page_are_not_looked_for() -> None:
    page = f"<html><head>{LINK.format('/first')}<!--{'x' * LINKS_WITHIN_BYTES}-->{LINK.format('/last')}"
    assert feeds_named_by(page.encode(), "https://a.example/") == ["https://a.example/first"]


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


TOPIC = "https://a.example/feed"


@pytest.mark.parametrize(
    ("link", "hub", "topic"),
    [
        (
            '<https://hub.example/>; rel="hub", <https://a.example/f>; rel="self"',
            "https://hub.example/",
            "https://a.example/f",
        ),
        ('</hub>; rel=hub; type="x"', "https://a.example/hub", None),
        ('<https://a.example/f>; rel="self hub"', "https://a.example/f", "https://a.example/f"),
        ('<ftp://hub.example/>; rel="hub"', None, None),
        ('<https://hub.example/>; title="hub"', None, None),
        ("nonsense", None, None),
    ],
)
def test_hubs_in_headers(link: str, hub: str | None, topic: str | None) -> None:
    answer = Answer("https://a.example/rss", 200, {"link": link}, b"", 1)
    found = with_link_header(ParsedFeed(None, ()), answer.headers["link"], answer.url)
    assert (found.hub, found.topic) == (hub, topic)


def test_headers_go_before_the_document() -> None:
    document = ParsedFeed(None, (), hub="https://old.example/", topic=TOPIC)
    answer = Answer(TOPIC, 200, {"link": "<https://hub.example/>; rel=hub"}, b"", 1)
    found = with_link_header(document, answer.headers["link"], answer.url)
    assert (found.hub, found.topic) == ("https://hub.example/", TOPIC)
