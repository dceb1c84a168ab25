"""What an answer means: tables of cases for the pure decisions of polling."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ingest.model.outcomes import FailureKind
from ingest.parsing.model import NotAFeed
from ingest.parsing.parse import parse_feed
from ingest.polling.decisions import PollResult, needs_parsing, record_of_find, request_headers
from ingest.polling.decisions import decide as decide_parsed
from ingest.store.feeds import ADOPT_AFTER_POLLS, FeedState, PollRecord
from ingest.topics.topics import TopicSet
from ingest.web.client import Answer, RequestFailed
from tests.conftest import NOW, ROOT

BODY = (ROOT / "tests" / "unit" / "parsing" / "feeds" / "rss_arabic.xml").read_bytes()


def feed(**changes: object) -> FeedState:
    state: dict[str, object] = {
        "id": 1, "slug": "f", "url": "https://horizon.example/rss", "host": "horizon.example", "outlet": "Horizon",
        "language": "ar", "country": "IQ", "scope": "topic", "poll_every": timedelta(minutes=10),
        "poll_within": timedelta(hours=1),
        "max_age": timedelta(days=30), "poll_interval": None, "asked_wait": None, "skip_hours": None,
        "skip_days": None, "last_polled_at": None, "last_success_at": None, "last_full_at": None, "failures": 0,
        "etag": None, "last_modified": None, "body_hash": None, "distrust": None, "moved_to": None, "moved_polls": 0,
        "hub": None, "topic": None, "pushed_until": None,
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


def validators(record: PollRecord) -> dict[str, object]:
    return {"etag": record.etag, "last_modified": record.last_modified, "last_full_at": record.last_full_at}


def test_a_first_request_is_unconditional_and_a_second_one_is_not(everything: TopicSet) -> None:
    assert not {"If-None-Match", "If-Modified-Since"} & request_headers(feed(), NOW).keys()
    record = decide(feed(), answer(etag='"v1"', last_modified="Sun, 01 Nov 2026 10:00:00 GMT"), NOW, everything).record
    headers = request_headers(feed(**validators(record)), NOW + timedelta(hours=1))
    assert headers["If-None-Match"] == '"v1"'
    assert headers["If-Modified-Since"] == "Sun, 01 Nov 2026 10:00:00 GMT"


def test_304_keeps_the_validators_and_counts_as_success(everything: TopicSet) -> None:
    result = decide(feed(etag='"v1"', failures=3), answer(304, b""), NOW, everything)
    assert (result.record.outcome, result.record.etag, result.record.failures) == ("not_modified", '"v1"', 0)
    assert result.record.next_poll_at >= NOW + timedelta(minutes=10)
    assert result.entries == ()


def test_the_same_body_is_not_parsed_again(everything: TopicSet) -> None:
    first = decide(feed(), answer(), NOW, everything)
    again = decide(feed(body_hash=first.record.body_hash), answer(), NOW, everything)
    assert len(first.entries) == 5
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
    failed = RequestFailed(FailureKind.TIMEOUT, "horizon.example: no complete answer within 30 s")
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
    if wait is None:
        assert (result.record.next_poll_at, result.pause_host_until) == (NOW + timedelta(minutes=10), None)
        return
    # From the answer on, which came 12 ms after the request.
    answered = NOW + timedelta(milliseconds=12)
    assert result.pause_host_until is not None
    assert timedelta(0) < result.pause_host_until - answered - wait <= timedelta(milliseconds=1)
    assert result.record.next_poll_at == result.pause_host_until


def test_entries_that_are_not_fetched_say_why(topics: TopicSet) -> None:
    result = decide(feed(scope="general", max_age=timedelta(hours=1)), answer(), NOW, topics)
    assert [(entry.status, entry.reason) for entry in result.entries] == [
        ("rejected", "published more than 60 min before it was seen"),
        ("off_topic", "gate"),
        ("rejected", "the item has no usable link"),
        ("off_topic", "gate"),
        ("off_topic", "gate"),
    ]


def test_secrets_in_addresses_do_not_reach_the_log(everything: TopicSet) -> None:
    failed = RequestFailed(FailureKind.REDIRECTS, "redirected to https://user:secret@b.example/")
    error = decide(feed(), failed, NOW, everything).record.error
    assert error is not None
    assert "secret" not in error


class TestRhythm:
    def test_a_feed_that_finds_nothing_is_asked_less_often(self, everything: TopicSet) -> None:
        state, waits = feed(etag='"v1"'), []
        for _ in range(20):
            record = decide(state, answer(304, b""), NOW, everything).record
            waits.append(record.next_poll_at - NOW)
            state = feed(etag='"v1"', poll_interval=record.poll_interval)
        assert waits[0] < timedelta(minutes=14)
        assert timedelta(hours=1) <= waits[-1] <= timedelta(hours=1.1)

    def test_a_find_brings_the_rhythm_of_the_items_back(self, everything: TopicSet) -> None:
        slow = feed(poll_interval=timedelta(hours=1))
        result = decide(slow, answer(), NOW, everything)
        record = record_of_find(slow, result, [result.entries[0].identity], NOW)
        assert (record.outcome, record.new_entries) == ("new", 1)
        assert record.poll_interval is not None
        assert timedelta(minutes=10) <= record.poll_interval <= timedelta(minutes=30)
        assert record.poll_interval <= record.next_poll_at - NOW <= record.poll_interval * 1.1

    def test_what_the_document_and_the_headers_wish_is_kept_for_answers_without_one(self, everything: TopicSet) -> None:
        body = BODY.replace(
            b"<channel>",
            b"<channel><ttl>180</ttl><skipHours><hour>3</hour><hour>24</hour></skipHours>"
            b"<skipDays><day>Friday</day><day>Freitag</day></skipDays>",
        )
        record = decide(feed(), answer(200, body), NOW, everything).record
        assert record.asked_wait == timedelta(minutes=180)
        assert (record.skip_hours, record.skip_days) == ([0, 3], [4])
        assert record.next_poll_at >= NOW + timedelta(minutes=180)
        later = feed(asked_wait=record.asked_wait, skip_hours=[0, 3], skip_days=[4], etag='"v"', last_full_at=NOW)
        again = decide(later, answer(304, b""), NOW, everything).record
        assert again.next_poll_at >= NOW + timedelta(minutes=180)
        assert decide(feed(), answer(200, BODY, cache_control="max-age=7200"), NOW, everything).record.asked_wait == (
            timedelta(hours=2)
        )


class TestDistrust:
    def test_once_a_day_the_whole_document_is_asked_for(self) -> None:
        state = feed(etag='"v1"', last_full_at=NOW)
        assert "If-None-Match" in request_headers(state, NOW + timedelta(hours=23))
        assert "If-None-Match" not in request_headers(state, NOW + timedelta(hours=25))

    def test_new_items_under_an_unchanged_etag_cost_the_servers_word_its_worth(self, everything: TopicSet) -> None:
        state = feed(etag='"v1"', last_full_at=NOW, last_polled_at=NOW, body_hash=b"another")
        now = NOW + timedelta(days=1)
        result = decide(state, answer(etag='"v1"'), now, everything)
        assert record_of_find(state, result, [], now).distrust is None
        record = record_of_find(state, result, [result.entries[0].identity], now)
        assert record.distrust == "2026-11-02: new items under an unchanged ETag"
        assert "If-None-Match" not in request_headers(
            feed(distrust=record.distrust, etag='"v1"', last_full_at=now), now
        )

    def test_items_that_a_304_kept_back_do_too(self, everything: TopicSet) -> None:
        published = decide(feed(), answer(), NOW, everything).entries[0].published_at
        assert published is not None
        before, after = published - timedelta(hours=2), published + timedelta(hours=2)
        identity = decide(feed(), answer(), NOW, everything).entries[0].identity
        state = feed(etag='"v1"', last_full_at=before, last_polled_at=after)
        result = decide(state, answer(etag='"v2"'), NOW, everything)
        assert "before a 304 said" in (record_of_find(state, result, [identity], NOW).distrust or "")
        # Nobody lied where the item came after the last 304, or no 304 was sent since the last whole document.
        for honest in (
            feed(etag='"v1"', last_full_at=before, last_polled_at=published - timedelta(hours=1)),
            feed(etag='"v1"', last_full_at=after, last_polled_at=after),
        ):
            result = decide(honest, answer(etag='"v2"'), NOW, everything)
            assert record_of_find(honest, result, [identity], NOW).distrust is None


class TestMoving:
    NEW = "https://new.example/feed"

    def test_a_permanent_redirect_is_adopted_when_it_has_held(self, everything: TopicSet) -> None:
        state = feed()
        for polls in range(1, ADOPT_AFTER_POLLS + 1):
            assert state.address == "https://horizon.example/rss"
            record = decide(state, moved(self.NEW), NOW, everything).record
            assert (record.moved_to, record.moved_polls) == (self.NEW, polls)
            state = feed(moved_to=record.moved_to, moved_polls=record.moved_polls)
        assert state.address == self.NEW
        assert record.host == "new.example"
        settled = decide(state, answer(), NOW, everything).record
        assert (settled.moved_to, settled.moved_polls, settled.host) == (self.NEW, ADOPT_AFTER_POLLS, "new.example")

    def test_one_that_does_not_hold_is_forgotten(self, everything: TopicSet) -> None:
        state = feed(moved_to=self.NEW, moved_polls=3)
        assert decide(state, answer(), NOW, everything).record.moved_polls == 0
        elsewhere = decide(state, moved("https://other.example/"), NOW, everything).record
        assert (elsewhere.moved_to, elsewhere.moved_polls) == ("https://other.example/", 1)

    def test_a_new_address_that_fails_is_left_for_the_configured_one(self, everything: TopicSet) -> None:
        state = feed(moved_to=self.NEW, moved_polls=ADOPT_AFTER_POLLS)
        record = decide(state, answer(404, b""), NOW, everything).record
        assert (record.moved_to, record.moved_polls, record.host) == (None, 0, "horizon.example")


def moved(to: str) -> Answer:
    return replace(answer(), url=to, moved_to=to)


@pytest.mark.parametrize(
    ("got", "kind", "health"),
    [
        (RequestFailed(FailureKind.DNS, "x"), "dns", "failing"),
        (RequestFailed(FailureKind.TOO_LARGE, "x"), "too_large", "failing"),
        (answer(404, b""), "http_4xx", "failing"),
        (answer(503, b""), "http_5xx", "failing"),
        (answer(305, b""), "http_3xx", "failing"),
        (answer(999, b""), "http_5xx", "failing"),
        (answer(410, b""), "gone", "gone"),
        (answer(200, b"<html></html>"), "not_a_feed", "failing"),
    ],
)
def test_failures_are_told_apart(got: Answer | RequestFailed, kind: str, health: str, everything: TopicSet) -> None:
    record = decide(feed(), got, NOW, everything).record
    assert (record.outcome, record.failure, record.health) == ("failed", kind, health)
    # Never abandoned, and recovered at the first success.
    assert record.next_poll_at <= NOW + timedelta(days=1)
    recovered = decide(feed(failures=9), answer(), NOW, everything).record
    assert (recovered.failure, recovered.failures, recovered.health) == (None, 0, "ok")
