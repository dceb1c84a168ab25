"""The pipeline's own troubles, seen in the database."""

from datetime import timedelta

from db import Connection
from ingest.config.feeds_file import FeedConfig
from ingest.model.status import Status
from ingest.monitoring import alerts, pipeline_health
from ingest.monitoring.pipeline_health import troubles
from ingest.store import feeds, ledger, worker_deaths
from ingest.store.periodic import Heartbeat
from tests.conftest import NOW, Run
from tests.integration.rows import entry, fill

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_what_is_due_and_not_done_is_seen(connection: Connection) -> None:
    fill(connection, {"a": 2})
    feed = feeds.import_feed(connection, NOW)
    ledger.record(connection, feed, [entry(9, "b", status=Status.FETCHED)], NOW)
    later = NOW + 20 * MINUTE
    (finding,) = troubles(pipeline_health.look(connection, later), later)
    assert (finding.kind, finding.evidence) == ("stalled", {"fetch": 2, "extract": 1})
    for stage in ("fetch", "extract"):
        Heartbeat(connection, stage).note(later - MINUTE)
    assert troubles(pipeline_health.look(connection, later), later) == []


def test_a_host_that_asked_to_be_left_alone_stalls_nothing(connection: Connection) -> None:
    fill(connection, {"a": 2})
    connection.execute("UPDATE news.hosts SET next_request_at = %s", [NOW + 5 * HOUR])
    assert troubles(pipeline_health.look(connection, NOW + 4 * HOUR), NOW + 4 * HOUR) == []


def test_a_page_that_waits_for_its_twin_of_another_feed_stalls_nothing(connection: Connection) -> None:
    fill(connection, {"a": 1})
    connection.execute("UPDATE news.entries SET next_attempt_at = %s", [NOW + HOUR])
    feeds.sync(connection, [FeedConfig.model_validate("http://x.example/").model_copy(
        update={"poll_every": HOUR, "enabled": False})], NOW)  # fmt: skip
    other = connection.execute("SELECT id FROM news.feeds WHERE slug <> 'import'").fetchone()
    assert other is not None
    ledger.record(connection, other[0], [entry(0, "a")], NOW)
    assert troubles(pipeline_health.look(connection, NOW + HOUR / 2), NOW + HOUR / 2) == []


def test_its_alerts_begin_and_end_like_those_of_feeds(connection: Connection, run: Run) -> None:
    alerts.watch_at_times(connection, NOW)
    worker_deaths.note(connection, ["the worker process died (SIGKILL)"] * 3, NOW)
    changes = alerts.watch_at_times(connection, NOW + MINUTE)
    assert [(alert.feed, alert.kind) for alert in changes.begun] == [(None, "workers")]
    said = alerts.said(changes)
    assert said is not None
    assert said.startswith("the pipeline: 3 worker processes died")
    assert alerts.watch_at_times(connection, NOW + 2 * MINUTE) == alerts.Changes([], [])
    over = alerts.watch_at_times(connection, NOW + 20 * MINUTE).over
    assert [(alert.feed, alert.kind) for alert in over] == [(None, "workers")]
    assert connection.execute("SELECT feed_id, kind, ended_at IS NULL FROM news.alerts").fetchall() == [
        (None, "workers", False)
    ]


def test_a_pipeline_that_was_off_is_not_stalled_when_it_begins_again(connection: Connection) -> None:
    alerts.watch_at_times(connection, NOW)
    fill(connection, {"a": 2})
    assert alerts.watch_at_times(connection, NOW + HOUR).begun == []
    # But when it still does nothing.
    begun = alerts.watch_at_times(connection, NOW + HOUR + MINUTE).begun
    assert [alert.kind for alert in begun] == ["stalled"]


def test_status_check_tells_by_its_exit_code_also_when_nothing_runs(connection: Connection, run: Run) -> None:
    fine = run("status", "--check")
    assert (fine.returncode, fine.stdout) == (0, "nothing is wrong\n")
    fill(connection, {"a": 2})
    wrong = run("status", "--check")
    assert wrong.returncode == 1
    assert wrong.stdout.startswith("the pipeline: stalled since ")
    assert '"kind": "stalled"' in run("status", "--check", "--json").stdout
    assert "the pipeline: stalled since " in run("status").stdout
