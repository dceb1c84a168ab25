"""What servers see: how far apart requests come, counted by the servers themselves."""

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.fetching.fetch import fetch
from ingest.polling.poll import poll
from ingest.runtime.clock import utc_now
from ingest.store import hosts
from ingest.topics.topics import TopicSet
from ingest.web.turns import Turns
from tests.conftest import NOW, Serve, configure
from tests.newsroom import Faults, RunningNewsroom

DELAY = 0.4


def gaps(room: RunningNewsroom) -> list[float]:
    times = defaultdict(list)
    for request in room.log:
        times[request.host].append(request.at)
    return [later - earlier for of_host in times.values() for earlier, later in pairwise(sorted(of_host))]


@pytest.mark.slow
def test_two_workers_together_keep_the_distance_even_at_slow_servers(
    newsroom: Serve, database: Database, connection: Connection, settings: Settings, everything: TopicSet,
    tmp_path: Path,
) -> None:  # fmt: skip
    settings = settings.model_copy(update={"host_delay": DELAY})
    room = newsroom(feeds=4, entries=16, now=utc_now())
    slow, moved, *_ = (outlet.host for outlet in room.world.outlets)
    # One answers later than the next request would come, one sends everybody on to another page of its own.
    room.faults[slow] = Faults(slow_seconds=DELAY * 1.5)
    room.faults[moved] = Faults(redirect_to=f"http://{moved}/elsewhere", paths=("/news/",))
    configure(connection, room.world, tmp_path, utc_now())

    def work(_: int) -> None:
        with database.connect() as session:
            poll(session, settings, utc_now, everything)
            fetch(session, settings, utc_now)

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(work, range(3)))
    seen = gaps(room)
    assert len(seen) > 20
    assert min(seen) >= DELAY
    assert connection.execute("SELECT count(*) FROM news.entries WHERE status = 'discovered'").fetchone() == (0,)


def test_a_hosts_own_delay_counts_from_the_answer(connection: Connection) -> None:
    hosts.register(connection, ["a", "b", "c"], NOW)
    connection.execute("UPDATE news.hosts SET crawl_delay = interval '9 s' WHERE host = 'b'")
    ended = [("a", NOW + timedelta(seconds=2)), ("b", NOW + timedelta(seconds=2))]
    hosts.space(connection, ended, timedelta(seconds=5))
    hosts.space(connection, ended, timedelta(seconds=0))
    rows = connection.execute(
        "SELECT host, extract(epoch FROM next_request_at - %s)::int FROM news.hosts ORDER BY 1", [NOW]
    ).fetchall()
    assert rows == [("a", 7), ("b", 11), ("c", 0)]


def test_a_clock_that_is_set_back_makes_nobody_wait(connection: Connection, settings: Settings) -> None:
    times = iter([NOW])
    turns = Turns(connection, asyncio.Lock(), settings, lambda: next(times, NOW - timedelta(hours=1)))
    asyncio.run(asyncio.wait_for(turns.take("a"), 5))
