"""The WebSub service with a real hub."""

import asyncio
import io
import os
import re
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from db import Connection, Database
from ingest.config.errors import ConfigError
from ingest.config.settings import Settings
from ingest.polling.poll import poll
from ingest.runtime.clock import utc_now
from ingest.store import subscriptions
from ingest.topics.topics import TopicSet
from ingest.websub.service import WebSubService
from tests.conftest import INGEST, Serve, configure, free_port
from tests.newsroom import RunningNewsroom
from tests.newsroom.hub import Hub
from tests.newsroom.render import render_feed
from tests.waiting import until_async

TOPIC = "https://a.example/feed"


QUERY = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "abc", "hub.lease_seconds": "3600"}


class TestService:
    @pytest.fixture
    def room(
        self, newsroom: Serve, connection: Connection, settings: Settings, everything: TopicSet, tmp_path: Path
    ) -> RunningNewsroom:
        room = newsroom(feeds=2, entries=10, upcoming=20, now=utc_now())
        room.hub = f"http://127.0.0.1:{free_port()}/"
        configure(connection, room.world, tmp_path, utc_now())
        poll(connection, settings, utc_now, everything)
        return room

    @pytest.fixture
    def serve(
        self, database: Database, settings: Settings, everything: TopicSet, room: RunningNewsroom,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Callable[[Callable[[Hub], Awaitable[None]]], None]:  # fmt: skip
        """Runs a test against the service and the room's hub."""
        monkeypatch.setattr("ingest.websub.service.LOOK_SECONDS", 0.1)
        port = free_port()
        ours = settings.model_copy(
            update={"websub_url": f"http://127.0.0.1:{port}/push", "websub_bind": f"127.0.0.1:{port}"}
        )

        def run(
            scenario: Callable[[Hub], Awaitable[None]], max_body_bytes: int = ours.max_body_bytes, **hub: Any
        ) -> None:
            changed = ours.model_copy(update={"max_body_bytes": max_body_bytes})

            async def together() -> None:
                assert room.hub is not None
                async with Hub(int(room.hub.rstrip("/").rpartition(":")[2]), **hub) as started:
                    service = WebSubService(database, changed, everything, utc_now)
                    serving = asyncio.ensure_future(service.run())
                    try:
                        await scenario(started)
                    finally:
                        service.stop()
                        await asyncio.wait_for(serving, 20)

            asyncio.run(together())

        return run

    def rows(self, connection: Connection) -> list[Any]:
        found = connection.execute(
            "SELECT s.status, s.error, s.expires_at, s.next_request_at, f.pushed_until, s.failures, s.requested_at"
            " FROM news.websub_subscriptions s JOIN news.feeds f ON f.id = s.feed_id ORDER BY s.feed_id"
        ).fetchall()
        connection.commit()
        return found

    def test_what_a_hub_sends_lands_like_what_is_polled(
        self, room: RunningNewsroom, serve: Any, connection: Connection, settings: Settings, everything: TopicSet
    ) -> None:
        feed = next(feed for feed in room.world.feeds if len(room.world.visible(feed)) < len(feed.numbers))

        async def scenario(hub: Hub) -> None:
            await until_async(lambda: len(hub.subscribers) == 2)
            before = connection.execute("SELECT count(*) FROM news.entries").fetchone()
            room.world.advance(timedelta(minutes=30))
            _, body = render_feed(room.world, feed)
            # Signed by somebody else, it is acknowledged and ignored.
            assert await hub.publish(feed.url, body, secret="guess") == 202
            assert await hub.publish(feed.url, b"<html>no feed</html>") == 202
            assert await hub.publish(feed.url, body, method="sha1") == 202
            pushes = "SELECT outcome, new_entries FROM news.feed_polls WHERE pushed"
            await until_async(lambda: connection.execute(pushes).fetchall())
            assert await hub.publish(feed.url, body) == 202
            await until_async(lambda: len(connection.execute(pushes).fetchall()) == 2)
            first, second = connection.execute(pushes + " ORDER BY id").fetchall()
            assert first[0] == "new"
            assert second == ("unchanged", 0)
            after = connection.execute("SELECT count(*) FROM news.entries").fetchone()
            assert before is not None
            assert after is not None
            assert after[0] - before[0] == first[1] > 0
            connection.commit()

        serve(scenario)
        # Half of the lease from now it is renewed, and until its end polling is slower.
        for status, error, expires_at, renewed_at, pushed_until, _, requested_at in self.rows(connection):
            assert (status, error, pushed_until) == ("active", None, expires_at)
            assert abs(renewed_at - requested_at - timedelta(minutes=30)) < timedelta(seconds=20)
        connection.execute("UPDATE news.feeds SET next_poll_at = now() - interval '1 minute'")
        connection.commit()
        poll(connection, settings, utc_now, everything)
        row = connection.execute(
            "SELECT min(next_poll_at - last_polled_at), max(poll_within) FROM news.feeds WHERE hub IS NOT NULL"
        ).fetchone()
        assert row is not None
        assert row[0] >= 4 * row[1]

    def test_subscriptions_are_renewed_with_the_same_address(
        self, room: RunningNewsroom, serve: Any, connection: Connection
    ) -> None:
        async def scenario(hub: Hub) -> None:
            await until_async(lambda: len(hub.subscribers) == 2)
            connection.execute("UPDATE news.websub_subscriptions SET next_request_at = now()")
            connection.commit()
            await until_async(lambda: len(hub.asked) == 4)

        serve(scenario)
        assert len({status for status, *_ in self.rows(connection)} | {"active"}) == 1

    def test_a_hub_that_denies_or_fails_is_asked_again_later(
        self, room: RunningNewsroom, serve: Any, connection: Connection
    ) -> None:
        async def denied(_: Hub) -> None:
            await until_async(lambda: [row[0] for row in self.rows(connection)] == ["denied"] * 2)

        serve(denied, deny="not <b>you</b>")
        for _, error, _, again, pushed_until, *_ in self.rows(connection):
            assert error == "denied: not <b>you</b>"
            assert again > utc_now() + timedelta(hours=23)
            assert pushed_until is None
        connection.execute("UPDATE news.websub_subscriptions SET next_request_at = now()")
        connection.commit()

        async def failed(_: Hub) -> None:
            await until_async(lambda: [row[0] for row in self.rows(connection)] == ["failed"] * 2)

        serve(failed, status=404)
        assert [row[1] for row in self.rows(connection)] == ["HTTP 404: no such topic"] * 2
        assert [row[5] for row in self.rows(connection)] == [1, 1]

    def test_a_feed_that_changes_its_hub_gets_a_new_secret(self, room: RunningNewsroom, connection: Connection) -> None:
        first = subscriptions.claim(connection, utc_now(), 10)
        assert subscriptions.claim(connection, utc_now(), 10) == []
        again = subscriptions.claim(connection, utc_now() + timedelta(hours=1), 10)
        assert [one.token for one in again] == [one.token for one in first]
        # It has not confirmed: it is asked less and less.
        assert [one.failures for one in again] == [1, 1]
        assert subscriptions.claim(connection, utc_now() + timedelta(hours=1, minutes=15), 10) == []
        connection.execute("UPDATE news.feeds SET pushed_until = now() + interval '9 days'")
        connection.execute("UPDATE news.feeds SET hub = 'https://other.example/'")
        moved = subscriptions.claim(connection, utc_now(), 10)
        assert not {one.token for one in moved} & {one.token for one in first}
        assert not {one.secret for one in moved} & {one.secret for one in first}
        assert connection.execute("SELECT DISTINCT pushed_until FROM news.feeds WHERE enabled").fetchall() == [(None,)]

    def test_strangers_get_nothing(self, room: RunningNewsroom, serve: Any, connection: Connection) -> None:
        async def scenario(hub: Hub) -> None:
            await until_async(lambda: len(hub.subscribers) == 2)
            callback = next(iter(hub.subscribers.values()))[0]
            stranger = re.sub(r"[^/]+$", "A" * 43, callback)
            async with aiohttp.ClientSession() as client:
                for url, status in ((stranger, 404), (callback.rpartition("/")[0], 404), (callback + "x", 404)):
                    async with client.post(url, data=b"x") as answer:
                        assert answer.status == status
                async with client.get(callback, params=QUERY) as answer:
                    assert answer.status == 404
                signed = {"X-Hub-Signature": "sha1=" + "0" * 40}
                async with client.post(callback, data=io.BytesIO(bytes(16_000_000)), headers=signed) as answer:
                    assert answer.status == 413
            connection.execute("UPDATE news.feeds SET enabled = false")
            connection.commit()
            assert await hub.publish(next(iter(hub.subscribers)), b"x") == 410

        serve(scenario)

    @pytest.mark.parametrize(
        "header",
        ["X-Other: 1", "X-Hub-Signature:", "X-Hub-Signature: sha1", "X-Hub-Signature: sha1=00",
         f"X-Hub-Signature: md5={'0' * 32}", f"X-Hub-Signature: sha256={'x' * 64}"],
    )  # fmt: skip
    def test_what_cannot_be_signed_is_ignored_unread(self, room: RunningNewsroom, serve: Any, header: str) -> None:
        async def scenario(hub: Hub) -> None:
            await until_async(lambda: hub.subscribers)
            async with posts(hub) as begin:
                # The body never comes; the answer does.
                reader, _ = await begin(header, "Content-Length: 14000000")
                assert (await status_of(reader))[0] == 202

        serve(scenario)

    def test_a_connection_that_is_being_opened_when_it_stops_is_closed(
        self, room: RunningNewsroom, database: Database, settings: Settings, everything: TopicSet
    ) -> None:
        opened: list[Connection] = []
        asked, go_on = threading.Event(), threading.Event()

        class SlowDatabase(Database):
            def connect(self, *, repeatable: bool = False) -> Connection:
                connection = super().connect(repeatable=repeatable)
                opened.append(connection)
                # The first one asks for what is due, the second one is for the hub.
                if len(opened) == 2:
                    asked.set()
                    go_on.wait(60)
                return connection

        port = free_port()
        ours = settings.model_copy(
            update={"websub_url": f"http://127.0.0.1:{port}/push", "websub_bind": f"127.0.0.1:{port}"}
        )

        async def stop_meanwhile() -> None:
            service = WebSubService(SlowDatabase(database.url), ours, everything, utc_now)
            serving = asyncio.ensure_future(service.run())
            await until_async(asked.is_set)
            service.stop()
            await until_async(lambda: any(task.cancelling() for task in asyncio.all_tasks()))
            go_on.set()
            await asyncio.wait_for(serving, 60)

        asyncio.run(stop_meanwhile())
        assert [connection.closed for connection in opened] == [True, True]

    def test_what_is_too_large_is_refused_unread(self, room: RunningNewsroom, serve: Any) -> None:
        async def scenario(hub: Hub) -> None:
            await until_async(lambda: hub.subscribers)
            async with posts(hub) as begin:
                reader, _ = await begin(SIGNED, "Content-Length: 15000001")
                assert (await status_of(reader))[0] == 413

        serve(scenario)

    @pytest.mark.parametrize("length", ["Content-Length: 900000", "Transfer-Encoding: chunked"])
    def test_all_requests_together_hold_no_more_than_there_is_room_for(
        self, room: RunningNewsroom, serve: Any, settings: Settings, length: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr("ingest.websub.service.MOST_HELD_BYTES", 1_000_000)
        chunked = length.endswith("chunked")
        part = b"DBBA0\r\n" + bytes(900_000) + b"\r\n" if chunked else bytes(900_000)

        async def scenario(hub: Hub) -> None:
            await until_async(lambda: hub.subscribers)
            async with posts(hub) as begin:
                # Of two that lack their ends, there is room for one, whichever comes first.
                begun = [await begin(SIGNED, length, part=part if chunked else part[:-1]) for _ in range(2)]
                answers = {asyncio.ensure_future(status_of(reader)): writer for reader, writer in begun}
                (refused,), (held,) = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
                status, head = refused.result()
                assert status == 503
                assert b"Retry-After: 60" in head
                answers[held].write(b"0\r\n\r\n" if chunked else b"x")
                assert (await held)[0] == 202
                # Now there is room again.
                third, _ = await begin(SIGNED, length, part=part + b"0\r\n\r\n" if chunked else part)
                assert (await status_of(third))[0] == 202

        serve(scenario, max_body_bytes=950_000)

    def test_what_comes_too_slowly_or_breaks_off_leaves_room_for_others(
        self, room: RunningNewsroom, serve: Any, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        monkeypatch.setattr("ingest.websub.service.MOST_HELD_BYTES", 1_000_000)
        monkeypatch.setattr("ingest.websub.service.BODY_SECONDS", 0.2)

        async def scenario(hub: Hub) -> None:
            await until_async(lambda: hub.subscribers)
            async with posts(hub) as begin:
                for _ in range(2):
                    reader, _ = await begin(SIGNED, "Content-Length: 900000", part=b"x")
                    assert (await status_of(reader))[0] == 408
                _, writer = await begin(SIGNED, "Content-Length: 900000", part=b"x")
                writer.transport.abort()
                assert await hub.publish(next(iter(hub.subscribers)), b"<html>no feed</html>") == 202

        serve(scenario, max_body_bytes=950_000)
        assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []


SIGNED = f"X-Hub-Signature: sha256={'0' * 64}"


@asynccontextmanager
async def posts(hub: Hub) -> AsyncIterator[Callable[..., Any]]:
    """Yields a function that begins a post to a subscriber: headers, perhaps a part of the body; it returns streams."""
    opened: list[asyncio.StreamWriter] = []
    callback, _ = next(iter(hub.subscribers.values()))
    host, _, path = callback.removeprefix("http://").partition("/")

    async def begin(*headers: str, part: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*host.split(":"))
        opened.append(writer)
        lines = [f"POST /{path} HTTP/1.1", f"Host: {host}", "Content-Type: application/rss+xml", *headers]
        writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode() + part)
        await writer.drain()
        return reader, writer

    try:
        yield begin
    finally:
        for writer in opened:
            writer.transport.abort()


async def status_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status of an answer, and its head."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 15)
    return int(head.split()[1]), head


def test_without_a_public_address_nothing_is_subscribed_to(
    database: Database, settings: Settings, everything: TopicSet
) -> None:
    with pytest.raises(ConfigError, match="NEWS_WEBSUB_URL"):
        WebSubService(database, settings, everything, utc_now)


def test_the_command_ends_in_order_and_names_what_is_wrong(database: Database, tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: [http://a.example/rss]")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWS_")} | {
        "NEWS_DATABASE_URL": database.url, "NEWS_FEEDS": str(tmp_path / "feeds.yaml"),
        "NEWS_WEBSUB_URL": "https://news.example/push", "NEWS_WEBSUB_BIND": f"127.0.0.1:{port}",
    }  # fmt: skip

    def start(**changed: str) -> "subprocess.Popen[str]":
        return subprocess.Popen([INGEST, "websub"], env=environment | changed, stderr=subprocess.PIPE, text=True)

    with start() as running:
        assert running.stderr is not None
        assert "listening on" in running.stderr.readline()
        with start() as second:
            assert second.wait(30) == 2
            assert second.stderr is not None
            assert "cannot listen" in second.stderr.read()
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    with start(NEWS_WEBSUB_URL="") as off:
        assert off.wait(30) == 2
