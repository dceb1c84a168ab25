"""What the tasks do, called as Airflow calls them, with a real database and a simulated web."""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from db import Connection, Database, DatabaseUnavailable
from ingest.airflow import tasks
from ingest.airflow.notifier import AlertNotifier
from ingest.runtime.clock import utc_now
from ingest.store import ledger
from tests.airflow.feeds_file import write_feeds
from tests.conftest import Serve
from tests.newsroom import Faults
from tests.runs import landed, true_places
from tests.waiting import until


def test_tasks_side_by_side_land_everything(
    newsroom: Serve, news_db: Database, connection: Connection, tmp_path: Path
) -> None:
    room = newsroom(feeds=6, entries=60, now=utc_now())
    write_feeds(room, tmp_path)
    counts = tasks.poll([])
    # Nobody has heard of them yet: the poll tells.
    assert counts["neglected"] > 0
    assert counts["polled"] == 6
    assert counts["new_entries"] == 60

    def leases() -> int:
        found = connection.execute("SELECT count(*) FROM news.leases").fetchone()
        connection.commit()
        return found[0] if found else 0

    before = leases()
    with ThreadPoolExecutor(5) as pool:
        # The last stage first: each follows the one before it through the ledger.
        running = [pool.submit(tasks.land), pool.submit(tasks.extract), pool.submit(tasks.extract)]
        until(lambda: leases() == before + 3)
        running += [pool.submit(tasks.fetch, shard, 2) for shard in range(2)]
        done = [task.result(60) for task in running]
    assert landed(connection) == true_places(room.world)
    assert sum(part["fetched"] for part in done[3:]) == sum(part["extracted"] for part in done[1:3])
    assert tasks.hand_over() == {"on_their_way": 0}


def test_with_nothing_to_do_every_task_ends_at_once(
    newsroom: Serve, news_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert not any(tasks.fetch(0, 1).values())
    assert not any(tasks.extract().values())
    assert not any(tasks.land().values())
    assert [record.getMessage() for record in caplog.records if "nothing to do" in record.getMessage()] == [
        "fetch: nothing to do", "extract: nothing to do", "land: nothing to do",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_slow_host_holds_back_its_own_pages_only_and_the_rest_is_handed_over(
    newsroom: Serve, news_db: Database, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = newsroom(feeds=4, entries=40, now=utc_now())
    write_feeds(room, tmp_path)
    tasks.poll([])
    slow = room.world.outlets[0].host
    room.faults[slow] = Faults(slow_seconds=1.0, paths=("/news/",))
    monkeypatch.setenv("NEWS_TASK_SECONDS", "9")
    monkeypatch.setenv("NEWS_HOST_DELAY", "1.5")
    with psycopg.connect(news_db.url, autocommit=True) as listener, ThreadPoolExecutor(3) as pool:
        listener.execute("LISTEN news_entries")
        for task in (pool.submit(tasks.land), pool.submit(tasks.extract), pool.submit(tasks.fetch, 0, 1)):
            task.result(30)
        left = tasks.hand_over()["on_their_way"]
        woken = [json.loads(notify.payload) for notify in listener.notifies(timeout=2, stop_after=1)]
    elsewhere = connection.execute(
        "SELECT count(*) FROM news.entries WHERE host <> %s AND status IN ('landed', 'duplicate', 'off_topic')"
        " AND reason IS DISTINCT FROM 'gate'",
        [slow],
    ).fetchone()
    assert left > 0
    assert woken == [{"entries": left}]
    assert elsewhere is not None
    assert elsewhere[0] > 0


def test_broken_files_stop_nothing_and_are_an_alert(
    newsroom: Serve, news_db: Database, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = newsroom(feeds=2, entries=10, now=utc_now())
    path, topics = write_feeds(room, tmp_path), tmp_path / "topics.yaml"
    topics.write_text("{topics: {everything: {match: all}}}")
    monkeypatch.setenv("NEWS_TOPICS", str(topics))
    tasks.poll([])
    path.write_text('feeds:\n  - {id: x, url: "https://example.org/rss", adress: 1}\n')
    topics.write_text("topics: nothing")
    connection.execute("UPDATE news.feeds SET next_poll_at = now()")
    connection.execute("UPDATE news.periodic_work SET done_at = done_at - interval '1 minute'")
    connection.commit()
    with chat_room() as (webhook, received):
        monkeypatch.setenv("NEWS_ALERT_WEBHOOK", webhook)
        tasks.poll([])
    assert connection.execute("SELECT count(*) FROM news.feed_polls").fetchone() == (4,)
    tasks.fetch(0, 1)
    tasks.extract()
    assert tasks.land()["landed"] == 10
    (said,) = received
    assert said["text"].startswith("the pipeline: ")
    assert "feeds.yaml:2" in said["text"]
    assert "topics.yaml:1" in said["text"]


def test_what_servers_say_is_no_template(caplog: pytest.LogCaptureFixture) -> None:
    """Airflow renders the fields of a notifier that it names; a template could ask for the passwords of connections."""
    text = "f: {{ 7*7 }} {{ conn.news_db.password }} {% for i in range(9**9) %}x{% endfor %} {#"
    with chat_room() as (webhook, received):
        AlertNotifier(text, webhook)({"conn": object()})
    assert received == [{"text": text}]
    assert text in caplog.text


def test_a_task_that_failed_is_an_alert() -> None:
    task = SimpleNamespace(dag_id="poll_feeds", task_id="poll", run_id="manual__1")
    with chat_room() as (webhook, received):
        AlertNotifier(webhook=webhook)({"task_instance": task, "exception": ValueError("{{ 7*7 }}")})
    assert received == [{"text": "poll_feeds.poll of the run manual__1 failed: ValueError: {{ 7*7 }}"}]


def test_a_feed_can_be_polled_before_it_is_due(
    newsroom: Serve, news_db: Database, connection: Connection, tmp_path: Path
) -> None:
    room = newsroom(feeds=3, entries=9, now=utc_now())
    write_feeds(room, tmp_path)
    tasks.poll([])
    assert tasks.poll([])["polled"] == 0
    assert tasks.poll([room.world.feeds[1].id])["polled"] == 1
    with pytest.raises(AirflowFailException, match="no enabled feed 'nonesuch'"):
        tasks.poll(["nonesuch"])


def test_a_failing_feed_does_not_fail_the_task(
    newsroom: Serve, news_db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    room = newsroom(feeds=2, entries=10, now=utc_now())
    write_feeds(room, tmp_path)
    host = room.world.feeds[1].outlet.host
    room.faults[host] = Faults(status=500, paths=(room.world.feeds[1].path,))
    assert tasks.poll([])["failed"] == 1
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert f"feed {room.world.feeds[1].id}: {host}: HTTP 500; next try" in said
    assert f"feed {room.world.feeds[0].id}: new, 5 entries" in said
    assert "poll: 2 polled, 1 new, 1 failed" in said


def test_a_database_that_is_away_fails_the_task_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_NEWS_DB", f"postgresql://news:hunter2@/news?host={tmp_path}".replace("/tmp", "%2Ftmp")
    )
    with pytest.raises(DatabaseUnavailable, match="start the server") as caught:
        tasks.fetch(0, 1)
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def ended(connection: Connection) -> Connection:
    """Entries that ended in several ways."""
    connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
        " VALUES ('a', 'http://a.test/', 'a.test', 'A', '1 hour', now(), now()),"
        " ('b', 'http://b.test/', 'b.test', 'B', '1 hour', now(), now())"
    )
    rows = [
        (1, "1", "dead", "HTTP 403", 1), (1, "2", "rejected", "no article", 5), (2, "3", "dead", "HTTP 403", 1),
        (2, "4", "off_topic", "gate", 1), (2, "5", "off_topic", "no topic", 9),
    ]  # fmt: skip
    for feed, name, status, reason, days in rows:
        connection.execute(
            "INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status, reason)"
            " VALUES (%s, %s, %s, %s, 'x.test', %s, %s, %s)",
            [feed, name, url := f"http://x.test/{name}", url, utc_now() - timedelta(days=days), status, reason],
        )  # fmt: skip
    connection.execute(
        "INSERT INTO news.pages (entry_id, fetched_at, final_url, http_status, body, body_bytes)"
        " SELECT id, now(), url, 200, '', 0 FROM news.entries WHERE identity = '2'"
    )
    connection.commit()
    return connection


@pytest.mark.parametrize(
    ("feed", "since_days", "until_days", "reason", "expected"),
    [
        (None, None, None, None, {"1": "discovered", "2": "fetched", "3": "discovered", "5": "discovered"}),
        ("a", None, None, None, {"1": "discovered", "2": "fetched"}),
        (None, None, None, "http 403", {"1": "discovered", "3": "discovered"}),
        (None, 6, None, None, {"1": "discovered", "2": "fetched", "3": "discovered"}),
        (None, 6, 3, None, {"2": "fetched"}),
    ],
)
def test_reprocessing_takes_what_matches_and_leaves_the_rest(
    news_db: Database, ended: Connection, feed: str | None, since_days: int | None, until_days: int | None,
    reason: str | None, expected: dict[str, str],
) -> None:  # fmt: skip
    since, until = (utc_now() - timedelta(days=days) if days else None for days in (since_days, until_days))
    assert tasks.reopen(feed, since, until, reason) == {"reopened": len(expected)}
    rows = ended.execute("SELECT identity, status FROM news.entries WHERE next_attempt_at IS NOT NULL").fetchall()
    assert dict(rows) == expected
    assert tasks.reopen(feed, since, until, reason) == {"reopened": 0}


def test_reprocessing_an_unknown_feed_is_an_error(news_db: Database) -> None:
    with pytest.raises(AirflowFailException, match="no feed 'nonesuch'"):
        tasks.reopen("nonesuch", None, None, None)


@contextmanager
def chat_room() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes what a chat room takes."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook/s3cret", posted
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_alert_names_the_silent_feeds(
    news_db: Database, ended: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended.execute("UPDATE news.feeds SET health = 'ok', last_new_at = now() - interval '9 days' WHERE slug = 'a'")
    ended.execute("UPDATE news.feeds SET health = 'ok', last_new_at = now() WHERE slug = 'b'")
    ended.commit()
    with chat_room() as (address, posted):
        monkeypatch.setenv("NEWS_ALERT_WEBHOOK", address)
        assert set(tasks.check_feeds({})) == {"a"}
    assert len(posted) == 1
    assert "1 news feed gone silent:\na: nothing new for 9 d" in posted[0]["text"]
    # The address is down now: that is said, and the secret in it is not.
    assert set(tasks.check_feeds({})) == {"a"}
    assert "the alert was not delivered" in caplog.text
    assert "s3cret" not in caplog.text


def test_maintenance_drops_old_months_and_prepares_new_ones(news_db: Database, connection: Connection) -> None:
    connection.execute("SELECT news.ensure_partitions(now() - interval '200 days', 1)")
    connection.commit()
    counts = tasks.delete_old()
    assert counts == {"dropped": 2, "deleted_rows": 0, "deleted_entries": 0}
    assert tasks.prepare()["partitions_made"] >= 0
    ahead = utc_now() + timedelta(days=55)
    assert connection.execute("SELECT to_regclass(%s)", [f"news.pages_p{ahead:%Y%m}"]).fetchone() != (None,)
    assert tasks.delete_old()["dropped"] == 0


def test_stages_wait_for_what_the_ones_before_have_in_hand(connection: Connection, ended: Connection) -> None:
    now = utc_now()
    horizon = timedelta(seconds=60)
    assert not ledger.anything_expected(ended, "extract", now, horizon)
    ended.execute(
        "UPDATE news.entries SET status = 'fetched', reason = NULL, next_attempt_at = %s WHERE identity = '2'", [now]
    )
    assert not ledger.anything_expected(ended, "extract", now, horizon)
    assert ledger.anything_expected(ended, "land", now, horizon)
    assert ledger.anything_ready(ended, "extract", now)
    assert not ledger.anything_ready(ended, "land", now)


def test_what_is_due_is_neglected_only_while_nobody_works(connection: Connection, ended: Connection) -> None:
    now = utc_now()
    assert ledger.neglected(ended, now) == 0
    ended.execute(
        "UPDATE news.entries SET status = 'fetched', reason = NULL, next_attempt_at = %s WHERE identity IN ('2', '3')",
        [now],
    )
    assert ledger.neglected(ended, now) == 2
    assert ledger.neglected(ended, now - timedelta(seconds=1)) == 0
    ended.execute("UPDATE news.entries SET lease_holder = 1 WHERE identity = '3'")
    assert ledger.neglected(ended, now) == 0


def test_the_next_due_time_is_that_of_the_first_retry(connection: Connection, ended: Connection) -> None:
    now = utc_now()
    assert ledger.next_due_at(ended, now, timedelta(seconds=60)) is None
    later = now + timedelta(minutes=7)
    ended.execute(
        "UPDATE news.entries SET status = 'discovered', reason = NULL, next_attempt_at = %s WHERE identity = '3'",
        [later],
    )
    assert ledger.next_due_at(ended, now, timedelta(seconds=60)) == later


@pytest.mark.slow
def test_a_task_that_is_told_to_end_finishes_what_it_has_in_hand(
    newsroom: Serve, news_db: Database, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWS_HOST_DELAY", "0.5")
    room = newsroom(feeds=2, entries=60, now=utc_now())
    write_feeds(room, tmp_path)
    tasks.poll([])
    before = signal.getsignal(signal.SIGTERM)

    def end_in_the_midst() -> float:
        until(lambda: room.requests("/news/"))
        os.kill(os.getpid(), signal.SIGTERM)
        return time.monotonic()

    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(end_in_the_midst)
        counts = tasks.fetch(0, 1)
        ended_at = time.monotonic()
    # All of it would take a quarter of a minute.
    assert ended_at - told.result() < 8
    assert 0 < counts["fetched"] < 60
    leased = connection.execute("SELECT count(*) FROM news.entries WHERE lease_holder IS NOT NULL").fetchone()
    assert leased == (0,)
    assert signal.getsignal(signal.SIGTERM) is before
