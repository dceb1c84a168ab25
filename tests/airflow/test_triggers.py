"""The trigger that starts ingestion, listening to a real database."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from db import Database
from db.embedded import EmbeddedServer
from ingest.airflow import triggers
from ingest.airflow.triggers import LedgerTrigger
from ingest.runtime.clock import utc_now
from tests.waiting import until_async

FEED = (
    "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
    " VALUES ('a', 'http://a.test/', 'a.test', 'A', '1 hour', now(), now()) ON CONFLICT DO NOTHING"
)


def add_entry(database: Database, identity: str, status: str = "discovered", due: Any = None) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(FEED)
        connection.execute(
            "INSERT INTO news.hosts (host, next_request_at) VALUES ('a.test', now() - interval '1 day')"
            " ON CONFLICT DO NOTHING"
        )
        connection.execute(
            "INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status, reason,"
            " next_attempt_at) VALUES (1, %(id)s, %(id)s, %(id)s, 'a.test', now(), %(status)s, %(reason)s, %(due)s)",
            {
                "id": identity, "status": status, "reason": None if status == "discovered" else "gate",
                "due": (due or utc_now()) if status == "discovered" else None,
            },
        )  # fmt: skip


@pytest.fixture
def listening(
    news_db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[..., None]:
    """Runs a body with a trigger: it is given a function that waits for the next event."""
    monkeypatch.setattr(triggers, "QUIET_SECONDS", 0.2)
    caplog.set_level(logging.INFO, "ingest")

    async def work(body: Callable[[Callable[..., Awaitable[Any]]], Awaitable[None]]) -> None:
        events = LedgerTrigger().run()  # type: ignore[no-untyped-call]

        async def event(seconds: float = 60.0) -> Any:
            return (await asyncio.wait_for(anext(events), seconds)).payload

        await body(event)
        await events.aclose()  # type: ignore[attr-defined]

    return lambda body: asyncio.run(work(body))


async def heard(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until the trigger listens."""
    await until_async(lambda: "listening for new entries" in caplog.messages)


def test_new_entries_are_an_event_within_two_seconds(
    news_db: Database, listening: Any, caplog: pytest.LogCaptureFixture
) -> None:
    took = []

    async def body(event: Any) -> None:
        for number in range(5):
            waiting = asyncio.ensure_future(event())
            await heard(caplog)
            started = time.monotonic()
            await asyncio.to_thread(add_entry, news_db, str(number))
            assert await waiting == {"reason": "new entries", "entries": 1}
            took.append(time.monotonic() - started)

    listening(body)
    # The others may have waited for a processor.
    assert min(took) < 2


def test_entries_that_need_no_work_are_no_event(
    news_db: Database, listening: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(event: Any) -> None:
        waiting = asyncio.ensure_future(event())
        await heard(caplog)
        await asyncio.to_thread(add_entry, news_db, "1", "off_topic")
        # The first event is that of this one, alone.
        await asyncio.to_thread(add_entry, news_db, "2")
        assert await waiting == {"reason": "new entries", "entries": 1}

    listening(body)


def test_what_waited_before_anybody_listened_is_an_event(news_db: Database, listening: Any) -> None:
    add_entry(news_db, "1")

    async def body(event: Any) -> None:
        assert await event() == {"reason": "entries were waiting"}

    listening(body)


def test_a_retry_that_comes_due_is_an_event(news_db: Database, listening: Any) -> None:
    add_entry(news_db, "1", due=utc_now() + timedelta(seconds=1.5))

    async def body(event: Any) -> None:
        assert await event() == {"reason": "entries are due again"}

    listening(body)


def test_a_cut_connection_is_made_again(
    news_db: Database, server: EmbeddedServer, listening: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(event: Any) -> None:
        waiting = asyncio.ensure_future(event())
        await heard(caplog)
        with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
            cut = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'ingest trigger'"
            ).fetchone()
        assert cut == (1,)
        await asyncio.to_thread(add_entry, news_db, "1")
        assert (await waiting)["reason"] in ("entries were waiting", "new entries")

    listening(body)


def test_no_secret_is_stored_with_the_trigger() -> None:
    assert LedgerTrigger().serialize() == ("ingest.airflow.triggers.LedgerTrigger", {})  # type: ignore[no-untyped-call]


def test_announcements_of_others_do_no_harm() -> None:
    payloads = ('{"entries": 3}', "", "[]", '{"entries": "x"}', "0")
    assert [triggers.entries_announced(payload) for payload in payloads] == [3, 1, 1, 1, 1]
