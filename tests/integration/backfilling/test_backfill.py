"""What was published before a feed was added: the walk through it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from db import Connection, Database
from ingest.backfilling.backfill import Request, backfill
from ingest.config.errors import ConfigError, IngestError
from ingest.config.settings import Settings
from ingest.store import backfills, feeds, hosts, leases, ledger
from ingest.store.backfills import Left
from ingest.topics.topics import TopicSet
from tests.conftest import NOW, Clock, Serve, configure
from tests.newsroom import Faults, RunningNewsroom
from tests.runs import landed, run_once

SINCE, UNTIL = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC)


class TestWalk:
    @pytest.fixture
    def room(self, newsroom: Serve, connection: Connection, tmp_path: Path) -> RunningNewsroom:
        # Two of three outlets name their sitemaps; feeds show the newest five of their twenty items.
        room = newsroom(feeds=3, entries=60)
        room.page_size = 5
        for outlet in room.world.outlets[1:]:
            room.robots[outlet.host] = f"User-agent: *\nDisallow: /private\nSitemap: {outlet.base}/sitemap.xml\n"
        configure(connection, room.world, tmp_path)
        return room

    def walk(
        self, connection: Connection, settings: Settings, topics: TopicSet, clock: Clock, feed: str, **more: Any
    ) -> Left:
        request = Request(feed, more.pop("since", NOW - timedelta(days=30)), more.pop("until", NOW), **more)
        return backfill(connection, settings, clock, topics, request)

    def urls(self, connection: Connection, feed: str) -> set[str]:
        rows = connection.execute(
            "SELECT e.canonical_url FROM news.entries e JOIN news.feeds f ON f.id = e.feed_id WHERE f.slug = %s", [feed]
        ).fetchall()
        connection.commit()
        return {row[0] for row in rows}

    @pytest.mark.parametrize("place", [0, 1])
    def test_it_finds_all_of_the_period_and_nothing_else(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        everything: TopicSet, clock: Clock, place: int,
    ) -> None:  # fmt: skip
        feed = room.world.feeds[place]
        since, until = NOW - timedelta(days=12), NOW - timedelta(days=3)
        left = self.walk(connection, settings, everything, clock, feed.id, since=since, until=until)
        wanted = {entry.url for entry in room.world.visible(feed) if since <= entry.published_at < until}
        assert self.urls(connection, feed.id) == wanted
        assert (left.waiting, left.new_entries) == (0, len(wanted))
        # The pages are fetched and land like any others.
        run_once(database, settings, everything, clock)
        assert wanted <= {url for _, _, url in landed(connection)}

    def test_it_stops_and_goes_on_where_it_was(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
    ) -> None:
        feed = room.world.feeds[0]
        steps = iter([False, False, True])
        request = Request(feed.id, NOW - timedelta(days=30), NOW)
        left = backfill(connection, settings, clock, everything, request, stopping=lambda: next(steps))
        assert left.waiting > 0
        first = [request.path for request in room.log]
        room.log.clear()
        left = self.walk(connection, settings, everything, clock, feed.id)
        assert left.waiting == 0
        assert len(self.urls(connection, feed.id)) == 20
        again = [request.path for request in room.log]
        assert not set(again) & (set(first) - {"/rss.xml"})
        # Finished, it is not walked through again, unless that is wanted.
        room.log.clear()
        assert self.walk(connection, settings, everything, clock, feed.id) == left
        assert room.log == []
        redone = backfill(connection, settings, clock, everything, request, again=True)
        assert (redone.new_entries, redone.items) == (0, left.items)

    def test_an_open_end_goes_on_with_the_period_that_was_begun(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
    ) -> None:
        feed, since = room.world.feeds[1], NOW - timedelta(days=30)
        backfill(connection, settings, clock, everything, Request(feed.id, since), stopping=lambda: True)
        clock.advance(days=2)
        backfill(connection, settings, clock, everything, Request(feed.id, since))
        rows = connection.execute("SELECT until, finished_at FROM news.backfills").fetchall()
        assert rows == [(NOW.replace(hour=0), clock.now)]

    def test_what_is_new_is_fetched_first(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
    ) -> None:
        feed = room.world.feeds[1]
        self.walk(connection, settings, everything, clock, feed.id)
        host = feed.outlet.host
        entry = ledger.NewEntry("new", f"http://{host}/x", f"http://{host}/x", host, None, None, None, None, None)
        state = feeds.state(connection, feed.id)
        assert state is not None
        (new,) = ledger.record(connection, state.id, [entry], NOW + timedelta(minutes=1))
        later = NOW + timedelta(minutes=2)
        (job,) = ledger.claim_to_fetch(connection, later, limit=1, per_host=1, delay=timedelta(seconds=5))
        assert job.id == new

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Faults(status=404), "HTTP 404"),
            (Faults(body=b"<html></html>"), "this is a web page, not a feed"),
            (Faults(status=500, times=1), None),
        ],
    )
    def test_documents_that_fail(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet,
        fault: Faults, error: str | None, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr("ingest.backfilling.backfill.RETRY_AFTER", timedelta(seconds=0.2))
        feed = room.world.feeds[1]
        fault.paths = ("sitemap-2026-10",)
        room.faults[feed.outlet.host] = fault
        from ingest.runtime.clock import utc_now

        request = Request(feed.id, NOW - timedelta(days=30), NOW)
        left = backfill(connection, settings, utc_now, everything, request)
        assert (left.failed, left.waiting) == (int(error is not None), 0)
        said = connection.execute("SELECT error FROM news.backfill_parts WHERE error IS NOT NULL").fetchall()
        assert [text for (text,) in said if error is None or error not in text] == []

    def test_robots_txt_holds_for_sitemaps_too(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
    ) -> None:
        outlet = room.world.outlets[1]
        room.robots[outlet.host] = f"User-agent: *\nDisallow: /sitemap\nSitemap: {outlet.base}/sitemap.xml\n"
        left = self.walk(connection, settings, everything, clock, room.world.feeds[1].id)
        assert left.failed == 1
        assert room.requests("sitemap") == []

    def test_requests_keep_their_distance_from_those_of_other_workers(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet
    ) -> None:
        from ingest.runtime.clock import utc_now

        spaced = settings.model_copy(update={"host_delay": 0.3})
        self.walk(connection, spaced, everything, utc_now, room.world.feeds[1].id)  # type: ignore[arg-type]
        times = sorted(request.at for request in room.log)
        assert len(times) > 3
        assert min(later - earlier for earlier, later in pairwise(times)) >= 0.3
        held = connection.execute("SELECT count(*) FROM news.hosts WHERE lease_holder IS NOT NULL").fetchone()
        assert held == (0,)

    def test_nobody_is_asked_while_another_session_has_a_request_in_hand(
        self, room: RunningNewsroom, database: Database, connection: Connection
    ) -> None:
        delay = timedelta(seconds=5)
        with database.connect() as other:
            leases.hold(other)
            (claimed,) = feeds.claim(other, NOW, NOW, limit=1, per_host=4, delay=delay)
            other.commit()
            host, later = claimed.host, NOW + timedelta(seconds=60)
            leases.hold(connection)
            assert hosts.reserve(connection, host, delay, later) == hosts.Turn(None, in_hand=True)
            # A redirect of the session's own may lead there.
            assert hosts.reserve(other, host, delay, later).at == later
            feeds.give_back(other, [claimed])
            assert hosts.reserve(other, host, delay, later, hold=True).at == later + delay
            assert hosts.reserve(connection, host, delay, later, hold=True).in_hand
            hosts.let_go(other, host)
            assert hosts.reserve(connection, host, delay, later, hold=True).at == later + 2 * delay

    def test_odd_addresses_in_robots_txt_do_no_harm(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
    ) -> None:
        outlet = room.world.outlets[1]
        room.robots[outlet.host] = (
            f"Sitemap: /sitemap.xml\nSitemap: {outlet.base}/{'x' * 4000}\nSitemap: ftp://a/\n"
            f"Sitemap: http://user:secret@{outlet.host}/none.xml\n"
        )
        left = self.walk(connection, settings, everything, clock, room.world.feeds[1].id)
        assert (left.new_entries, left.waiting) == (20, 0)
        urls = connection.execute("SELECT string_agg(url, ' ') FROM news.backfill_parts").fetchone()
        assert urls is not None
        assert "secret" not in urls[0]

    def test_a_period_that_begins_today_is_an_error(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
    ) -> None:
        with pytest.raises(ConfigError, match="empty"):
            backfill(connection, settings, clock, everything, Request(room.world.feeds[1].id, NOW.replace(hour=0)))

    def test_two_at_once_are_refused(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        everything: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        feed = feeds.state(connection, room.world.feeds[1].id)
        assert feed is not None
        walk = backfills.begin(connection, feed.id, SINCE, UNTIL, NOW)
        with database.connect() as other:
            leases.hold(other)
            assert backfills.hold(other, walk.id)
            with pytest.raises(IngestError, match="another session"):
                self.walk(connection, settings, everything, clock, feed.slug, since=SINCE, until=UNTIL)

    @pytest.mark.parametrize(("feed", "until"), [("nobody", NOW), ("outlet1-atom", NOW - timedelta(days=300))])
    def test_wrong_requests_are_errors(
        self, room: RunningNewsroom, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock,
        feed: str, until: datetime,
    ) -> None:  # fmt: skip
        with pytest.raises(ConfigError):
            self.walk(connection, settings, everything, clock, feed, until=until)
