"""What an answer to a page request means: tables of cases for the pure decision."""

from datetime import timedelta

import pytest

from ingest.fetching.decisions import decide
from ingest.model.outcomes import FailureKind
from ingest.store.ledger import FetchJob
from ingest.web.client import Answer, RequestFailed
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
