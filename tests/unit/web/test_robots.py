"""What a robots.txt allows, and for how long it is believed."""

import tracemalloc
from datetime import timedelta

import pytest

from ingest.store.hosts import Robots
from ingest.web.robots import is_fresh, robots_text, rules
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("status", "text", "available", "allowed"),
    [
        (200, "User-agent: *\nDisallow: /private", True, True),
        (200, "User-agent: *\nDisallow: /", True, False),
        (200, "User-agent: other\nDisallow: /", True, True),
        (200, "User-agent: iraq-withdrawal-news\nDisallow: /", True, False),
        (404, "User-agent: *\nDisallow: /", True, True),
        (403, "", True, True),
        (500, "", False, True),
        (429, "", False, True),
        (None, "", False, True),
    ],
)
def test_robots(status: int | None, text: str, available: bool, allowed: bool) -> None:
    rule = rules(Robots(text, status, NOW))
    assert (rule.available, rule.allows("https://a.example/news")) == (available, allowed)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_robots_may_begin_with_a_byte_order_mark(encoding: str) -> None:
    text = robots_text("User-agent: *\nDisallow: /private/é".encode(encoding))
    rule = rules(Robots(text, 200, NOW))
    assert (rule.allows("https://a.example/x"), rule.allows("https://a.example/private/é")) == (True, False)
    # As earlier versions stored it.
    assert not rules(Robots("\ufeffUser-agent: *\nDisallow: /", 200, NOW)).allows("https://a.example/x")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\xef\xbb\xbf", b"\0" * 10, bytes(range(256)) * 20, b""])
def test_whatever_robots_txt_holds_it_has_rules(body: bytes) -> None:
    assert rules(Robots(robots_text(body), 200, NOW)).allows("https://a.example/x")


def test_robots_of_many_names_and_rules_stays_small() -> None:
    names = "".join(f"User-agent: bot{number}\n" for number in range(1000))
    text = f"{names}user agent IRAQ-Withdrawal-News\n" + "".join(f"Disallow: /{number}/\n" for number in range(1000))
    tracemalloc.start()
    try:
        rule = rules(Robots(text, 200, NOW))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not rule.allows("https://a.example/7/")
    # A million rules, one for each name and path, would take a hundred times as much.
    assert peak_bytes < 10_000_000


def test_groups_stay_apart_though_the_names_of_others_are_lost() -> None:
    text = (
        "User-agent: a\nUser-agent: *\nDisallow: /both\nUser-agent: b\nDisallow: /b\nSitemap: https://a.example/1.xml"
    )
    rule = rules(Robots(text, 200, NOW))
    assert (rule.allows("https://a.example/both"), rule.allows("https://a.example/b")) == (False, True)
    assert rule.sitemaps == ["https://a.example/1.xml"]


def test_crawl_delay() -> None:
    assert rules(Robots("User-agent: *\nCrawl-delay: 12", 200, NOW)).crawl_delay == timedelta(seconds=12)
    assert rules(Robots("User-agent: *\nCrawl-delay: 999999", 200, NOW)).crawl_delay == timedelta(hours=1)
    assert rules(Robots("User-agent: *\nCrawl-delay: 1e300", 200, NOW)).crawl_delay == timedelta(hours=1)
    assert rules(Robots("", 200, NOW)).crawl_delay is None


def test_robots_is_kept_a_day_and_after_a_failure_much_shorter() -> None:
    assert is_fresh(Robots("", 200, NOW), NOW + timedelta(hours=23))
    assert not is_fresh(Robots("", 200, NOW), NOW + timedelta(hours=24))
    assert not is_fresh(Robots("", None, NOW), NOW + timedelta(minutes=10))
