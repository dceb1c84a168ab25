import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.feed_parser import NotAFeed, parse_feed
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


def test_very_long_guids_are_hashed() -> None:
    body = (
        f"<rss version='2.0'><channel><item><guid>{'x' * 5000}</guid><link>https://a.example/1</link></item>"
        "</channel></rss>"
    )
    (entry,) = parse_feed(body.encode(), "https://a.example/", None, NOW).entries
    assert entry.identity.startswith("sha256:")
    assert len(entry.identity) < 100
