"""Articles that publishers change after they landed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.extraction.extract import extract
from ingest.fetching.fetch import fetch
from ingest.landing.land import land
from ingest.model.status import Status
from ingest.polling.intake import take_in
from ingest.polling.poll import poll
from ingest.store import feeds, hosts, ledger
from ingest.store.ledger import Change, NewEntry
from ingest.text.folding import content_identity
from ingest.topics.topics import TopicSet
from tests.conftest import NOW, Clock, Serve, configure
from tests.newsroom import Faults, Item, RunningNewsroom
from tests.runs import run_once


def article(connection: Connection, item: Item) -> dict[str, Any]:
    """The article whose text was seen at the item's page."""
    row = connection.execute(
        """
        SELECT a.id, a.content_hash, a.title, a.text, a.url, a.published_at, e.status, e.reason, s.content_hash
        FROM news.sightings s JOIN news.articles a ON a.id = s.article_id JOIN news.entries e ON e.id = s.entry_id
        WHERE e.canonical_url = %s
        """,
        [item.url],
    ).fetchone()
    connection.commit()
    assert row is not None
    names = ("id", "content_hash", "title", "text", "url", "published_at", "status", "reason", "seen_hash")
    return dict(zip(names, row, strict=True))


def revisions(connection: Connection) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        "SELECT article_id, content_hash, title, seen_from, seen_until FROM news.article_revisions ORDER BY id"
    ).fetchall()
    connection.commit()
    return rows


class TestChanges:
    @pytest.fixture
    def room(self, newsroom: Serve, connection: Connection, tmp_path: Path) -> RunningNewsroom:
        room = newsroom(feeds=4, entries=40)
        configure(connection, room.world, tmp_path)
        return room

    @pytest.fixture
    def item(self, room: RunningNewsroom) -> Item:
        """An item that no other outlet has printed, and only one feed lists."""
        hashes = [item.content_hash for item in room.world.items.values()]
        return next(
            item
            for item in room.world.items.values()
            if hashes.count(item.content_hash) == 1
            and sum(item.number in feed.numbers for feed in room.world.feeds) == 1
        )

    def test_every_landed_page_is_fetched_again_once_after_a_day_or_two(
        self, room: RunningNewsroom, item: Item, database: Database, connection: Connection, settings: Settings,
        everything: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, everything, clock)
        before = article(connection, item)
        changed = room.world.edit(item.number)
        clock.advance(hours=23)
        room.log.clear()
        run_once(database, settings, everything, clock)
        # Young ones are fetched again earlier: see test_looks.
        young = {each.path for each in room.world.items.values() if NOW - each.published_at < timedelta(days=1)}
        assert {request.path for request in room.requests("/news/")} <= young
        room.log.clear()
        clock.advance(hours=26)
        run_once(database, settings, everything, clock)
        again = room.requests("/news/")
        landed = {item.url for item in room.world.items.values()}
        assert len(again) == len({request.path for request in again}) <= len(landed)
        assert all(request.conditional for request in again)
        after = article(connection, changed)
        assert after["text"] == changed.text
        assert {key: after[key] for key in ("id", "published_at", "url", "status")} == {
            key: before[key] for key in ("id", "published_at", "url", "status")
        }
        assert revisions(connection) == [(before["id"], before["content_hash"], before["title"], NOW, clock.now)]
        assert connection.execute("SELECT edit FROM news.article_changes").fetchall() == [("extended",)]
        assert connection.execute("SELECT count(*) FROM news.documents WHERE taken > 0.9").fetchone() != (0,)
        room.log.clear()
        clock.advance(days=5)
        run_once(database, settings, everything, clock)
        assert room.requests("/news/") == []
        kept = connection.execute("SELECT DISTINCT status, recheck_at FROM news.entries").fetchall()
        assert {status for status, _ in kept} == {"landed", "duplicate"}
        assert {at for _, at in kept} == {None}

    def test_a_title_that_changes_in_the_feed_is_looked_at_at_once(
        self, room: RunningNewsroom, item: Item, database: Database, connection: Connection, settings: Settings,
        everything: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, everything, clock)
        before = article(connection, item)
        changed = room.world.edit(item.number, title="عنوان جديد")
        room.log.clear()
        clock.advance(hours=4)
        pipeline = run_once(database, settings, everything, clock)
        assert pipeline.totals["poll", "changed_entries"] == 1
        assert sum(request.path == item.path for request in room.requests("/news/")) == 1
        after = article(connection, changed)
        assert (after["id"], after["title"], after["text"]) == (before["id"], "عنوان جديد", changed.text)
        assert [row[2] for row in revisions(connection)] == [before["title"]]
        # The look that every page gets is still to come.
        clock.advance(days=2)
        room.log.clear()
        run_once(database, settings, everything, clock)
        assert sum(request.path == item.path for request in room.requests("/news/")) == 1

    def test_a_page_that_changes_all_day_is_asked_for_less_and_less(
        self, room: RunningNewsroom, item: Item, database: Database, settings: Settings, everything: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, everything, clock)
        room.log.clear()
        for hour in range(20):
            room.world.edit(item.number, title=f"Live, hour {hour}")
            clock.advance(hours=1)
            run_once(database, settings, everything, clock)
        assert 3 <= len(room.requests(item.path)) <= 8

    @pytest.mark.parametrize("fault", [Faults(status=404), Faults(body=b"<html><body>gone</body></html>")])
    def test_a_page_that_is_gone_leaves_the_article_and_a_note(
        self, room: RunningNewsroom, item: Item, database: Database, connection: Connection, settings: Settings,
        everything: TopicSet, clock: Clock, fault: Faults,
    ) -> None:  # fmt: skip
        run_once(database, settings, everything, clock)
        before = article(connection, item)
        fault.paths = (item.path,)
        room.faults[item.outlet.host] = fault
        clock.advance(days=2)
        run_once(database, settings, everything, clock)
        after = article(connection, item)
        assert after.pop("reason").startswith("fetched again: ")
        before.pop("reason")
        assert after == before
        assert revisions(connection) == []

    def test_an_old_text_that_arrives_late_belongs_to_the_article_that_had_it(
        self, room: RunningNewsroom, item: Item, database: Database, connection: Connection, settings: Settings,
        everything: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, everything, clock)
        before = article(connection, item)
        changed = room.world.edit(item.number)
        clock.advance(days=2)
        run_once(database, settings, everything, clock)
        copy = room.world.reprint(item, NOW - timedelta(days=20))
        clock.advance(hours=4)
        run_once(database, settings, everything, clock)
        seen = article(connection, copy)
        assert (seen["id"], seen["seen_hash"]) == (before["id"], before["content_hash"])
        assert (seen["text"], seen["status"]) == (changed.text, "duplicate")


def test_a_copy_that_is_changed_goes_its_own_way(
    newsroom: Serve, database: Database, connection: Connection, settings: Settings, everything: TopicSet,
    clock: Clock, tmp_path: Path,
) -> None:  # fmt: skip
    room = newsroom(feeds=4, entries=20)
    first = next(iter(room.world.items.values()))
    copy = room.world.reprint(first, first.published_at + timedelta(minutes=5))
    configure(connection, room.world, tmp_path)
    run_once(database, settings, everything, clock)
    original = article(connection, first)
    assert article(connection, copy)["id"] == original["id"]
    changed = room.world.edit(copy.number, title="Changed here")
    clock.advance(hours=4)
    run_once(database, settings, everything, clock)
    own = article(connection, changed)
    assert own["id"] != original["id"]
    assert (own["text"], own["status"], own["url"]) == (changed.text, "landed", copy.url)
    assert article(connection, first) == original
    assert revisions(connection) == []


class TestOneBatch:
    """A page that comes back, and an earlier copy of its text, landing in one transaction."""

    @pytest.fixture
    def landed(
        self, newsroom: Serve, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock,
        tmp_path: Path, database: Database,
    ) -> tuple[RunningNewsroom, Item]:  # fmt: skip
        room = newsroom(feeds=4, entries=12)
        configure(connection, room.world, tmp_path)
        run_once(database, settings, everything, clock)
        return room, room.world.items[0]

    def again(self, connection: Connection, settings: Settings, topics: TopicSet, clock: Clock) -> None:
        clock.advance(days=2)
        poll(connection, settings, clock, topics)
        fetch(connection, settings, clock)
        extract(connection, settings, clock)
        land(connection, settings, clock, topics)

    def sound(self, connection: Connection) -> None:
        rows = connection.execute(
            "SELECT a.text, a.content_hash, e.status, (SELECT count(*) FROM news.entries x JOIN news.sightings s"
            " ON s.entry_id = x.id WHERE s.article_id = a.id AND x.status = 'landed')"
            " FROM news.articles a JOIN news.entries e ON e.id = a.entry_id"
        ).fetchall()
        for text, content_hash, status, landed in rows:
            assert content_identity(text).content_hash == content_hash
            assert (status, landed) == ("landed", 1)
        assert connection.execute("SELECT count(*) FROM news.entries WHERE next_attempt_at IS NOT NULL").fetchone() == (
            0,
        )

    def test_with_a_changed_text(
        self, landed: tuple[RunningNewsroom, Item], connection: Connection, settings: Settings, everything: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        room, item = landed
        before = article(connection, item)
        changed = room.world.edit(item.number)
        copy = room.world.reprint(item, item.published_at - timedelta(hours=5))
        self.again(connection, settings, everything, clock)
        self.sound(connection)
        after = article(connection, changed)
        assert (after["id"], after["text"]) == (before["id"], changed.text)
        assert (article(connection, copy)["id"], article(connection, copy)["status"]) == (before["id"], "duplicate")
        assert [row[1] for row in revisions(connection)] == [before["content_hash"]]

    def test_with_the_same_text(
        self, landed: tuple[RunningNewsroom, Item], connection: Connection, settings: Settings, everything: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        room, item = landed
        copy = room.world.reprint(item, item.published_at - timedelta(hours=5))
        self.again(connection, settings, everything, clock)
        self.sound(connection)
        assert article(connection, copy)["status"] == "landed"
        assert article(connection, item)["status"] == "duplicate"


def test_an_item_that_changes_every_day_for_years_does_no_harm(connection: Connection) -> None:
    feed = feeds.import_feed(connection, NOW)
    entry = NewEntry("g", "http://a/1", "http://a/1", "a", "title", None, None, None, None, status=Status.EXTRACTED)
    (number,) = ledger.record(connection, feed, [entry], NOW)
    connection.execute(
        "UPDATE news.entries SET status = 'rejected', reason = 'x', next_attempt_at = NULL, rechecks = 900"
    )
    changed = replace(entry, title="another", status=Status.DISCOVERED)
    assert ledger.note_changes(connection, [Change(number, changed, refetch=True)], NOW) == 0
    assert connection.execute("SELECT title, recheck_at FROM news.entries").fetchall() == [
        ("another", NOW + timedelta(days=1))
    ]


def test_what_a_backfill_found_is_news_once_a_feed_lists_it(connection: Connection) -> None:
    feed = feeds.import_feed(connection, NOW)
    entry = NewEntry("g", "http://a/1", "http://a/1", "a", "title", None, None, None, None)
    hosts.register(connection, ["a"], NOW)
    take_in(connection, feed, [entry], NOW, ledger.BACKFILL)
    assert connection.execute("SELECT priority FROM news.entries").fetchall() == [(ledger.BACKFILL,)]
    take_in(connection, feed, [entry], NOW)
    assert connection.execute("SELECT priority FROM news.entries").fetchall() == [(ledger.LIVE,)]
