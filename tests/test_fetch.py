"""What an answer to a page request means: tables of cases for the pure decision."""

from datetime import timedelta

import pytest

from ingest.fetching.decisions import decide
from ingest.model.outcomes import FailureKind
from ingest.store.hosts import Robots
from ingest.store.ledger import FetchJob
from ingest.web.client import Answer, RequestFailed
from ingest.web.robots import is_fresh, robots_text, rules
from tests.conftest import NOW


def job(attempts: int = 0) -> FetchJob:
    return FetchJob(1, "https://a.example/1", "a.example", attempts, "ar")


def answer(status: int = 200, kind: str | None = "text/html", body: bytes = b"<p>x</p>", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("https://a.example/1", status, named | ({"content-type": kind} if kind else {}), body, 5)


@pytest.mark.parametrize(
    ("got", "outcome", "reason"),
    [
        (answer(), "fetched", None),
        (answer(kind=None), "fetched", None),
        (answer(kind="application/xhtml+xml; charset=utf-8"), "fetched", None),
        (answer(kind="application/pdf"), "rejected", "not a web page but application/pdf"),
        (answer(404), "rejected", "HTTP 404"),
        (answer(410), "rejected", "HTTP 410"),
        (RequestFailed(FailureKind.TOO_LARGE, "body larger than 9 bytes"), "rejected", "body larger than 9 bytes"),
        (RequestFailed(FailureKind.ROBOTS, "disallowed by robots.txt"), "rejected", "disallowed by robots.txt"),
        (RequestFailed(FailureKind.TIMEOUT, "late"), "retried", "late"),
        (answer(403), "retried", "HTTP 403"),
        (answer(500), "retried", "HTTP 500"),
        (answer(body=b"  "), "retried", "empty page"),
    ],
)
def test_decisions(got: Answer | RequestFailed, outcome: str, reason: str | None) -> None:
    result = decide(job(), got, NOW, 5)
    assert (result.outcome, result.reason) == (outcome, reason)
    assert (result.retry_at is not None) == (outcome == "retried")


def test_waits_grow_and_the_last_attempt_is_the_last() -> None:
    waits = [(decide(job(n), answer(500), NOW, 5).retry_at or NOW) - NOW for n in range(4)]
    assert waits == [timedelta(minutes=minutes) for minutes in (4, 8, 16, 32)]
    assert decide(job(4), answer(500), NOW, 5).outcome == "dead"


@pytest.mark.parametrize("kind", ["busy", "robots_unavailable"])
def test_a_page_that_was_never_asked_for_is_never_given_up(kind: str) -> None:
    result = decide(job(attempts=4), RequestFailed(FailureKind(kind), "not now"), NOW, 5)
    assert (result.outcome, result.counts) == ("retried", False)
    assert result.retry_at == NOW + timedelta(minutes=10)


def test_retry_after_holds_for_the_whole_host() -> None:
    result = decide(job(), answer(429, retry_after="120"), NOW, 5)
    assert result.retry_at == result.pause_host_until == NOW + timedelta(minutes=2)


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
    rule = rules(Robots(text, 200, NOW))
    assert not rule.allows("https://a.example/7/")
    assert sum(len(group._rules) for group in rule.parsed._user_agents.values()) == 2000


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
