"""Kinds of silence of a source, told apart by a pure function."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from ingest.monitoring.alerts import troubles_of_feed
from ingest.monitoring.feed_health import FeedRhythm
from ingest.store.feeds import Answers
from tests.conftest import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIVELY = FeedRhythm(HOUR, 12 * HOUR, HOUR)
SILENT = FeedRhythm(HOUR, 12 * HOUR, 30 * HOUR)


def row(**known: Any) -> dict[str, Any]:
    return {
        "feed": "f", "enabled": True, "health": "ok", "failures": 0, "failure": None, "last_error": None,
        "created_at": NOW - 100 * DAY, "last_success_at": NOW, "last_polled_at": NOW,
        "last_new_at": NOW - 30 * HOUR, "rhythm": LIVELY,
    } | known  # fmt: skip


FAILED = {"failures": 9, "last_error": "why", "last_success_at": NOW - 2 * DAY}


@pytest.mark.parametrize(
    ("known", "answers", "weeks", "kinds"),
    [
        ({}, Answers(not_modified=5), {}, []),
        ({"rhythm": SILENT}, Answers(not_modified=100), {}, ["unchanged"]),
        ({"rhythm": SILENT}, Answers(full=100, sizes=1), {}, ["unchanged"]),
        ({"rhythm": SILENT}, Answers(full=90, empty=1, sizes=9), {}, ["nothing_new"]),
        ({"rhythm": SILENT}, Answers(empty=100, sizes=2), {}, ["no_entries"]),
        ({"rhythm": SILENT, "enabled": False}, Answers(), {}, []),
        # Failing for long enough, and often enough.
        (FAILED | {"failure": "http_5xx"}, Answers(status=502), {}, ["failing"]),
        (FAILED | {"failure": "http_4xx"}, Answers(status=403), {}, ["blocked"]),
        (FAILED | {"failure": "http_4xx"}, Answers(status=429), {}, ["blocked"]),
        (FAILED | {"failure": "http_4xx"}, Answers(status=404), {}, ["failing"]),
        (FAILED | {"failure": "not_a_feed"}, Answers(status=200), {}, ["no_entries"]),
        (FAILED | {"failures": 2, "failure": "dns"}, Answers(), {}, []),
        (FAILED | {"last_success_at": NOW - HOUR, "failure": "dns"}, Answers(), {}, []),
        # It brings something, and nothing comes of it.
        ({}, Answers(), {0: Counter(off_topic=40), 1: Counter(landed=5), 2: Counter(landed=3, dead=9)}, ["filtered"]),
        ({}, Answers(), {0: Counter(off_topic=40), 1: Counter(off_topic=5)}, []),
        ({}, Answers(), {0: Counter(off_topic=40)}, []),
        ({}, Answers(), {0: Counter(off_topic=40, landed=1), 1: Counter(landed=5)}, []),
        ({}, Answers(), {0: Counter(off_topic=5), 1: Counter(landed=5)}, []),
        ({}, Answers(), {0: Counter(rejected=30, dead=3, landed=2)}, ["no_text"]),
        ({}, Answers(), {0: Counter(rejected=3, landed=20)}, []),
    ],
)  # fmt: skip
def test_kinds_of_silence(
    known: dict[str, Any], answers: Answers, weeks: dict[int, Counter[str]], kinds: list[str]
) -> None:
    assert [alert.kind for alert in troubles_of_feed(row(**known), answers, weeks, NOW)] == kinds


@pytest.mark.parametrize("statuses", [(403, 503, 403), (503, 403, None)])
def test_a_failure_with_two_faces_is_one(statuses: tuple[int | None, ...]) -> None:
    known = row(**FAILED, failure="http_5xx")
    found = troubles_of_feed(known, Answers(status=statuses[0]), {}, NOW)
    kinds = {alert.kind for alert in found} & {"blocked", "failing"}
    for status in statuses[1:]:
        (alert,) = troubles_of_feed(known, Answers(status=status), {}, NOW, kinds)
        assert {alert.kind} == kinds


def test_what_has_begun_lasts_until_it_is_clearly_better() -> None:
    weeks = {0: Counter(rejected=7, landed=3)}
    assert troubles_of_feed(row(), Answers(), weeks, NOW) == []
    assert [alert.kind for alert in troubles_of_feed(row(), Answers(), weeks, NOW, {"no_text"})] == ["no_text"]
