"""The pipeline's own troubles, told apart by a pure function."""

from datetime import datetime, timedelta

import pytest

from ingest.monitoring.pipeline_health import State, Waiting, troubles
from ingest.store.configurations import Problem
from ingest.store.ledger import Due
from tests.conftest import NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def waiting(since: timedelta | None, waits: timedelta | None = None, done: timedelta | None = None) -> Waiting:
    """Due for so long, waiting for so long in all, and something was done so long ago."""
    ago = [None if span is None else NOW - span for span in (since, waits or since, done)]
    return Waiting("fetch", Due(0 if since is None else 7, ago[0], ago[1]), ago[2])


def deaths(*ago: timedelta) -> list[tuple[datetime, str]]:
    return [(NOW - span, "the worker process died (SIGKILL)") for span in ago]


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        (State([waiting(None)], [], []), []),
        # Due, and nothing was done for ten minutes.
        (State([waiting(9 * MINUTE)], [], []), []),
        (State([waiting(11 * MINUTE)], [], []), ["stalled"]),
        (State([waiting(11 * MINUTE, done=9 * MINUTE)], [], []), []),
        (State([waiting(11 * MINUTE, done=2 * HOUR)], [], []), ["stalled"]),
        (State([waiting(2 * HOUR, done=11 * MINUTE)], [], []), ["stalled"]),
        # At work, and hours behind.
        (State([waiting(MINUTE, waits=4 * HOUR, done=MINUTE)], [], []), ["backlog"]),
        (State([waiting(MINUTE, waits=2 * HOUR, done=MINUTE)], [], []), []),
        (State([waiting(11 * MINUTE, waits=4 * HOUR)], [], []), ["stalled"]),
        (State([], [], deaths(MINUTE, 2 * MINUTE)), []),
        (State([], [], deaths(MINUTE, 2 * MINUTE, 3 * MINUTE)), ["workers"]),
        (State([], [Problem("feeds", "feeds.yaml:3: unknown key", NOW, NOW - HOUR)], []), ["configuration"]),
    ],
)
def test_what_is_wrong(state: State, kinds: list[str]) -> None:
    assert [finding.kind for finding in troubles(state, NOW)] == kinds


def test_findings_say_what_and_since_when() -> None:
    (stalled,) = troubles(State([waiting(30 * MINUTE, done=20 * MINUTE)], [], []), NOW)
    assert stalled.started_at == NOW - 20 * MINUTE
    assert stalled.said.startswith("nothing has been done for 20 min, though there are 7 to be fetched")
    (broken,) = troubles(State([], [Problem("topics", "topics.yaml:3: no", NOW - HOUR, NOW - 2 * HOUR)], []), NOW)
    assert (broken.started_at, broken.said) == (NOW - HOUR, "topics.yaml:3: no; the last good topics file is used")
