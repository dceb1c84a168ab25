"""Feeds as documents: pairs of a feed and what is read from it, and odd ones."""

import gzip
import html
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parsing.model import NotAFeed, ParsedEntry
from ingest.parsing.parse import parse_feed
from ingest.text.zones import zone_of
from tests.conftest import NOW

PAIRS = sorted(Path(__file__).parent.glob("feeds/*.xml"))


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_pairs(path: Path) -> None:
    parsed = parse_feed(path.read_bytes(), "https://horizon.example/feed.xml", "application/rss+xml", NOW)
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    said = {"title": parsed.title, "entries": [asdict(entry) for entry in parsed.entries]}
    assert json.loads(json.dumps(said, default=str)) == expected


@pytest.mark.parametrize(
    ("body", "instead"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Welcome</body></html>", "web page"),
        (b'{"version": "x"}', "JSON"),
        (b"\x89PNG\r\n", "no RSS or Atom feed"),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, instead: str) -> None:
    with pytest.raises(NotAFeed, match=instead):
        parse_feed(body, "https://a.example/", None, NOW)


@given(st.binary(max_size=400))
def test_noise_is_no_feed_or_an_empty_one(noise: bytes) -> None:
    try:
        parsed = parse_feed(b"<rss version='2.0'><channel>" + noise, "https://a.example/", "text/xml", NOW)
    except NotAFeed:
        return
    assert isinstance(parsed.entries, tuple)


def test_external_entities_stay_outside(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    body = (
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{secret}">]><rss version="2.0"><channel><item><title>a &x; b</title>'
        "<link>https://a.example/1</link></item></channel></rss>"
    )
    try:
        parsed = parse_feed(body.encode(), "https://a.example/", "text/xml", NOW)
    except NotAFeed:
        return
    assert "the secret" not in str(parsed)


LONG = "<p>خبر &amp; نص &lt;طويل&gt;</p> " * 20


@pytest.mark.parametrize(
    "element",
    [
        f"<description><![CDATA[{LONG}]]></description>",
        f"<description>\n{html.escape(LONG)}\n</description>",
        f"<content:encoded><![CDATA[{LONG}]]></content:encoded>",
        f"<description>{html.escape(LONG)}</description><content:encoded><![CDATA[short]]></content:encoded>",
        f"<description><![CDATA[{LONG}]]> and more</description>",
        f"<description><![CDATA[{LONG}]]><![CDATA[{LONG}]]></description>",
        f"<description><![CDATA[{LONG.encode().decode('latin-1')}]]></description>",
        f"<description>\ue0000\ue001</description><content:encoded>{html.escape(LONG)}</content:encoded>",
    ],
)
def test_long_texts_are_read_like_short_ones(element: str) -> None:
    def entries(comment: str) -> tuple[ParsedEntry, ...]:
        body = (
            f'<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><!--{comment}--><channel><item>'
            f"<title>x</title>{element}</item></channel></rss>"
        )
        return parse_feed(body.encode(), "https://a.example/", None, NOW).entries

    # In a document that has this character, feedparser reads the long texts itself.
    assert entries("") == entries("\ue000")


@pytest.mark.parametrize(
    "junk", ["\ufeff", "\n\n", "<br />\n<b>Warning</b>: something in /var/www/x.php on line 3<br />\n", "Notice: x\n"]
)
def test_what_stands_before_the_document_is_passed_over(junk: str) -> None:
    body = f'{junk}<?xml version="1.0"?><rss version="2.0"><channel><item><title>x</title></item></channel></rss>'
    (entry,) = parse_feed(body.encode(), "https://a.example/", None, NOW).entries
    assert entry.title == "x"


def test_one_guid_for_all_items_hides_none_of_them() -> None:
    items = "".join(f"<item><guid>0</guid><link>https://a.example/{n}</link></item>" for n in (1, 2, 3, 3))
    found = parse_feed(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), "https://a.example/", None, NOW)
    assert [entry.url for entry in found.entries] == [f"https://a.example/{n}" for n in (1, 2, 3)]
    assert len({entry.identity for entry in found.entries}) == 3


def test_a_sitemap_in_a_gzip_file() -> None:
    sitemap = b"<urlset><url><loc>https://a.example/1</loc></url></urlset>"
    (entry,) = parse_feed(gzip.compress(sitemap), "https://a.example/sitemap.xml.gz", "application/gzip", NOW).entries
    assert entry.url == "https://a.example/1"


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"\x1f\x8b broken", "damaged"), (gzip.compress(bytes(60_000_000)), "more than 52428800 bytes")],
)
def test_gzip_files_that_are_none_or_bombs(body: bytes, said: str) -> None:
    with pytest.raises(NotAFeed, match=said):
        parse_feed(body, "https://a.example/", None, NOW)


def test_a_hub_is_read_from_the_document() -> None:
    body = (
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>'
        '<atom:link rel="hub" href="https://hub.example/"/><atom:link rel="self" href="/feed"/>'
        "<item><title>x</title></item></channel></rss>"
    )
    parsed = parse_feed(body.encode(), "https://a.example/rss", None, NOW)
    assert (parsed.hub, parsed.topic) == ("https://hub.example/", "https://a.example/feed")


def test_the_original_link_goes_before_that_of_a_feed_service() -> None:
    body = (
        '<rss version="2.0" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><item>'
        "<link>https://feeds.example/~r/1</link><feedburner:origLink>https://a.example/1</feedburner:origLink>"
        "</item></channel></rss>"
    )
    (entry,) = parse_feed(body.encode(), "https://a.example/", None, NOW).entries
    assert entry.url == "https://a.example/1"


ITEM = "<rss version='2.0'><channel><item>{}</item></channel></rss>"
ENCODINGS = (
    "hex", "base64", "rot13", "idna", "undefined", "punycode", "utf-7", "zlib", "unicode_escape", "raw_unicode_escape",
)  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"<urlset><url><loc>https://a.example/1</loc><lastmod>0001-01-01T00:00:00+03:00</lastmod></url></urlset>",
        b"<urlset><url><loc>https://a.example/1</loc><lastmod>9999-12-31T23:59:59-03:00</lastmod></url></urlset>",
        b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "date_published": "0001-01-01T00:00:00"}]}',
        ITEM.format("<title>x</title><pubDate>0001-01-01T00:00:00</pubDate>").encode(),
        *(
            f"<?xml version='1.0' encoding='{name}'?>{ITEM.format('<title>é</title>')}".encode("latin-1")
            for name in ENCODINGS
        ),
    ],
)
def test_odd_dates_and_encodings_lose_no_item(body: bytes) -> None:
    assert len(parse_feed(body, "https://a.example/", None, NOW, zone_of("IQ")).entries) == 1


def test_a_page_with_a_broken_base_is_no_feed() -> None:
    page = b'<html><base href="http://["><link rel="alternate" type="application/rss+xml" href="/f"></html>'
    with pytest.raises(NotAFeed):
        parse_feed(page, "https://a.example/", "text/html", NOW)


def test_very_long_guids_are_hashed() -> None:
    body = (
        f"<rss version='2.0'><channel><item><guid>{'x' * 5000}</guid><link>https://a.example/1</link></item>"
        "</channel></rss>"
    )
    (entry,) = parse_feed(body.encode(), "https://a.example/", None, NOW).entries
    assert entry.identity.startswith("sha256:")
    assert len(entry.identity) < 100
