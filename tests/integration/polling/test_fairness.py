"""Many feeds at once: neither a feed that hangs nor a host with most of them holds up the others."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from db import Connection
from ingest.config.settings import Settings
from ingest.polling.poll import poll
from ingest.runtime.clock import utc_now
from ingest.topics.topics import TopicSet
from tests.conftest import free_port
from tests.waiting import until

DELAY = 0.5
RSS = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(RSS) + RSS
)


class _Feed(asyncio.Protocol):
    def __init__(self, asked: list[str]) -> None:
        self._asked = asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._asked.append(self._transport.get_extra_info("sockname")[0])
        self._transport.write(ANSWER)
        self._transport.close()


@contextmanager
def serving(addresses: list[str], port: int) -> Iterator[list[str]]:
    """Serve a feed at each of these loopback addresses; yields those that are asked, in order."""
    asked: list[str] = []
    loop = asyncio.new_event_loop()
    feed = partial(_Feed, asked)
    servers = [loop.run_until_complete(loop.create_server(feed, address, port)) for address in addresses]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield asked
    for server in servers:
        loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def add(connection: Connection, urls: list[str]) -> None:
    connection.execute(
        """
        WITH fresh AS (
            INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)
            SELECT url, url, split_part(url, '/', 3), 'X', interval '10 minutes', now(), now()
            FROM unnest(%s::text[]) AS url
            RETURNING host
        )
        INSERT INTO news.hosts (host, next_request_at) SELECT DISTINCT host, now() FROM fresh
        """,
        [urls],
    )
    connection.commit()


@pytest.mark.slow
def test_a_feed_that_never_answers_delays_no_other_by_more_than_its_time_limit(
    connection: Connection, settings: Settings
) -> None:
    addresses = [f"127.3.{n // 250}.{n % 250 + 1}" for n in range(1000)]
    port = free_port()
    patient = settings.model_copy(update={"request_timeout": 200})
    with (
        serving(addresses, port) as asked,
        # It accepts connections and says nothing; due before all others.
        socket.create_server(("127.4.0.1", port)) as silent,
        ThreadPoolExecutor(1) as pool,
    ):
        add(connection, [f"http://127.4.0.1:{port}/feed"])
        add(connection, [f"http://{address}:{port}/feed" for address in addresses])

        def end() -> None:
            # It is waited for all the while.
            until(lambda: len(asked) == len(addresses))
            silent.close()

        ended = pool.submit(end)
        counts = poll(connection, patient, utc_now, TopicSet({}))
        ended.result()
    assert (counts.polled, counts.failed) == (1001, 1)
    failure = connection.execute("SELECT failure FROM news.feed_polls WHERE failure IS NOT NULL").fetchall()
    assert failure != [("timeout",)]


@pytest.mark.slow
def test_a_host_with_most_of_the_feeds_leaves_their_turns_to_the_others(
    connection: Connection, settings: Settings
) -> None:
    big, small = "127.5.0.1", [f"127.6.0.{n + 1}" for n in range(100)]
    port = free_port()
    with serving([big, *small], port) as asked:
        # Its feeds are due before those of the others.
        add(connection, [f"http://{big}:{port}/{n}" for n in range(900)])
        add(connection, [f"http://{address}:{port}/feed" for address in small])

        def enough() -> bool:
            return asked.count(big) >= 4 and {*small} <= {*asked}

        began = time.monotonic()
        poll(
            connection, settings.model_copy(update={"host_delay": DELAY}), utc_now, TopicSet({}),
            stopping=lambda: enough() or time.monotonic() > began + 60,
        )  # fmt: skip
        took = time.monotonic() - began
    rows = connection.execute(
        "SELECT split_part(host, ':', 1) = %s, count(*) FILTER (WHERE last_polled_at IS NOT NULL),"
        " count(*) FILTER (WHERE lease_holder IS NOT NULL) FROM news.feeds GROUP BY 1 ORDER BY 1",
        [big],
    ).fetchall()
    (_, others, left), (_, of_big, left_of_big) = rows
    assert others == 100
    assert 4 <= of_big <= took / DELAY + 2
    # What was claimed and not asked any more was given back.
    assert (left, left_of_big) == (0, 0)
