"""What an answer means: tables of cases for the pure decisions of polling."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingest.feed_parser import NotAFeed, parse_feed
from ingest.feeds import FeedState
from ingest.poll import PollResult, needs_parsing, request_headers
from ingest.poll import decide as decide_parsed
from ingest.topics import TopicSet
from ingest.web import Answer, RequestFailed
from tests.conftest import NOW

BODY = (Path(__file__).parent / "feeds" / "rss_arabic.xml").read_bytes()


def feed(**changes: object) -> FeedState:
    state: dict[str, object] = {
        "id": 1, "slug": "f", "url": "https://horizon.example/rss", "host": "horizon.example", "outlet": "Horizon",
        "language": "ar", "scope": "topic", "poll_every": timedelta(minutes=10), "max_age": timedelta(days=30),
        "last_success_at": None, "failures": 0, "etag": None, "last_modified": None, "body_hash": None,
    }  # fmt: skip
    return FeedState(**(state | changes))  # type: ignore[arg-type]


def answer(status: int = 200, body: bytes = BODY, **headers: str) -> Answer:
    return Answer("https://horizon.example/rss", status, {k.replace("_", "-"): v for k, v in headers.items()}, body, 12)


def decide(state: FeedState, got: Answer | RequestFailed, now: datetime, topics: TopicSet) -> PollResult:
    parsed = None
    if isinstance(got, Answer) and needs_parsing(state, got):
        try:
            parsed = parse_feed(got.body, got.url, None, now)
        except NotAFeed as problem:
            return decide_parsed(state, got, problem, now, topics)
    return decide_parsed(state, got, parsed, now, topics)


def test_a_first_request_is_unconditional_and_a_second_one_is_not(everything: TopicSet) -> None:
    assert not {"If-None-Match", "If-Modified-Since"} & request_headers(feed()).keys()
    record = decide(feed(), answer(etag='"v1"', last_modified="Sun, 01 Nov 2026 10:00:00 GMT"), NOW, everything).record
    headers = request_headers(feed(etag=record.etag, last_modified=record.last_modified))
    assert headers["If-None-Match"] == '"v1"'
    assert headers["If-Modified-Since"] == "Sun, 01 Nov 2026 10:00:00 GMT"


def test_304_keeps_the_validators_and_counts_as_success(everything: TopicSet) -> None:
    result = decide(feed(etag='"v1"', failures=3), answer(304, b""), NOW, everything)
    assert (result.record.outcome, result.record.etag, result.record.failures) == ("not_modified", '"v1"', 0)
    assert result.record.next_poll_at == NOW + timedelta(minutes=10)
    assert result.entries == ()


def test_the_same_body_is_not_parsed_again(everything: TopicSet) -> None:
    first = decide(feed(), answer(), NOW, everything)
    again = decide(feed(body_hash=first.record.body_hash), answer(), NOW, everything)
    assert len(first.entries) == 4
    assert (again.record.outcome, again.entries) == ("unchanged", ())


@pytest.mark.parametrize("etag", ["x" * 501, "line\nbreak", "ünicode"])
def test_validators_that_could_break_a_request_are_dropped(everything: TopicSet, etag: str) -> None:
    assert decide(feed(), answer(etag=etag), NOW, everything).record.etag is None


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        (0, timedelta(minutes=10)),
        (1, timedelta(minutes=20)),
        (3, timedelta(minutes=80)),
        (30, timedelta(days=1)),
    ],
)
def test_failures_back_off_to_a_day_and_never_further(everything: TopicSet, failures: int, wait: timedelta) -> None:
    failed = RequestFailed("timeout", "horizon.example: no complete answer within 30 s")
    record = decide(feed(failures=failures), failed, NOW, everything).record
    assert record.next_poll_at == NOW + wait
    assert (record.outcome, record.health, record.failures) == ("failed", "failing", failures + 1)
    assert record.error == "horizon.example: no complete answer within 30 s"


@pytest.mark.parametrize(
    ("status", "value", "wait"),
    [
        (429, "3600", timedelta(hours=1)),
        (503, "Sun, 01 Nov 2026 15:00:00 GMT", timedelta(hours=3)),
        (503, "9999999", timedelta(days=1)),
        (503, "soon", None),
        (500, "3600", None),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(
    everything: TopicSet, status: int, value: str, wait: timedelta | None
) -> None:
    result = decide(feed(), answer(status, b"", retry_after=value), NOW, everything)
    assert result.record.next_poll_at == NOW + (wait or timedelta(minutes=10))
    assert result.pause_host_until == (NOW + wait if wait else None)


def test_entries_that_are_not_fetched_say_why(topics: TopicSet) -> None:
    result = decide(feed(scope="general", max_age=timedelta(hours=1)), answer(), NOW, topics)
    assert [(entry.status, entry.reason) for entry in result.entries] == [
        ("rejected", "published more than 0 days before it was seen"),
        ("off_topic", "gate"),
        ("rejected", "the item has no usable link"),
        ("off_topic", "gate"),
    ]


def test_secrets_in_addresses_do_not_reach_the_log(everything: TopicSet) -> None:
    failed = RequestFailed("redirects", "redirected to https://user:secret@b.example/")
    error = decide(feed(), failed, NOW, everything).record.error
    assert error is not None
    assert "secret" not in error
