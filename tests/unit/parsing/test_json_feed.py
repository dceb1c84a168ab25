"""JSON Feed."""

import json
from datetime import UTC, datetime

import pytest

from ingest.parsing.model import NotAFeed
from ingest.parsing.parse import parse_feed
from tests.conftest import NOW

BASE = "https://horizon.example/feed"


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
