"""The whole pipeline against the newsroom, compared with what the newsroom knows."""

import threading
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from db import Connection, Database
from ingest.config.feeds_file import load_feeds
from ingest.config.settings import Settings
from ingest.pipeline import Pipeline
from ingest.runtime.clock import utc_now
from ingest.store import feeds
from ingest.text.urls import canonical_url
from ingest.topics.topics import TopicSet
from tests.conftest import Clock, Serve, configure
from tests.newsroom import Faults, RunningNewsroom
from tests.rules_only import RULES_ONLY
from tests.runs import Landed, curated, landed, outcomes, run_once, true_places
from tests.waiting import until


class TestOnce:
    @pytest.fixture
    def room(self, newsroom: Serve, connection: Connection, tmp_path: Path) -> RunningNewsroom:
        room = newsroom(feeds=10, entries=120)
        configure(connection, room.world, tmp_path)
        return room

    def test_exactly_what_is_on_topic_lands_each_once(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        topics: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, topics, clock)
        assert landed(connection) == true_places(room.world)
        articles = connection.execute("SELECT content_hash FROM news.articles").fetchall()
        assert Counter(hash_ for (hash_,) in articles) == Counter({item.content_hash for item in room.world.on_topic()})

    def test_every_entry_is_final_and_accounted_for(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        topics: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, topics, clock)
        assert sum(len(room.world.visible(feed)) for feed in room.world.feeds) == len(outcomes(connection))
        assert {status for _, _, status, _ in outcomes(connection)} == {"landed", "duplicate", "off_topic"}

    def test_titles_authors_dates_and_languages_are_right(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        topics: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, topics, clock)
        truth = {canonical_url(item.url): item for item in room.world.items.values()}
        rows = connection.execute(
            "SELECT url, title, author, published_at, language, outlet FROM news.articles"
        ).fetchall()
        for url, title, author, published_at, language, outlet in rows:
            item = truth[url]
            assert (title, published_at, language, outlet) == (
                item.title, item.published_at, item.outlet.language, item.outlet.name,
            )  # fmt: skip
            if item.outlet.template != "portal":
                assert author == item.author

    def test_a_page_listed_by_two_feeds_is_fetched_once(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        topics: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, topics, clock)
        fetched = Counter((request.host, request.path) for request in room.requests("/news/"))
        assert max(fetched.values()) == 1

    def test_a_second_run_asks_conditionally_and_fetches_nothing(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        topics: TopicSet, clock: Clock,
    ) -> None:  # fmt: skip
        run_once(database, settings, topics, clock)
        before = curated(connection)
        room.log.clear()
        clock.advance(minutes=11)
        run_once(database, settings, topics, clock)
        assert len(room.log) == len(room.world.feeds)
        assert {(request.conditional, request.status) for request in room.log} == {(True, 304)}
        assert curated(connection) == before

    def test_what_is_published_later_lands_later(
        self, newsroom: Serve, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock, tmp_path: Path,
    ) -> None:  # fmt: skip
        room = newsroom(feeds=5, entries=20, upcoming=20)
        configure(connection, room.world, tmp_path)
        run_once(database, settings, topics, clock)
        first = landed(connection)
        clock.advance(minutes=21)
        room.world.now = clock.now
        run_once(database, settings, topics, clock)
        assert landed(connection) == true_places(room.world)
        assert first < landed(connection)

    def test_the_order_of_arrival_does_not_matter(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings,
        topics: TopicSet, clock: Clock, tmp_path: Path,
    ) -> None:  # fmt: skip
        """Feeds are polled one by one, in two opposite orders."""
        configured = load_feeds(tmp_path / "feeds.yaml")
        results = []
        for order in (configured, configured[::-1]):
            connection.execute(
                "TRUNCATE news.entries, news.feeds, news.pages, news.documents, news.articles, news.stories,"
                " news.sightings, news.article_topics, news.article_revisions, news.feed_polls CASCADE"
            )
            connection.commit()
            for count in range(1, len(order) + 1):
                feeds.sync(connection, order[:count], clock())
                run_once(database, settings, topics, clock)
            results.append((curated(connection), outcomes(connection)))
        assert results[0] == results[1]


@pytest.mark.slow
def test_forty_feeds_with_two_thousand_entries(
    newsroom: Serve, database: Database, connection: Connection, settings: Settings, topics: TopicSet, clock: Clock,
    tmp_path: Path,
) -> None:  # fmt: skip
    room = newsroom(feeds=40, entries=2000)
    configure(connection, room.world, tmp_path)
    run_once(database, settings, topics, clock)
    assert len(outcomes(connection)) == 2000
    assert landed(connection) == true_places(room.world)
    articles = connection.execute("SELECT content_hash FROM news.articles").fetchall()
    assert Counter(hash_ for (hash_,) in articles) == Counter({item.content_hash for item in room.world.on_topic()})
    room.log.clear()
    clock.advance(minutes=11)
    run_once(database, settings, topics, clock)
    assert Counter((request.conditional, request.status) for request in room.log) == {(True, 304): 40}


def test_two_runs_at_once_give_the_same_tables_as_one(
    newsroom: Serve, database: Database, connection: Connection, settings: Settings, topics: TopicSet, clock: Clock,
    tmp_path: Path,
) -> None:  # fmt: skip
    room = newsroom(feeds=10, entries=200)
    configure(connection, room.world, tmp_path)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_once(database, settings, topics, clock)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    together = curated(connection), outcomes(connection)
    assert landed(connection) == true_places(room.world)
    connection.execute(
        "TRUNCATE news.entries, news.feeds, news.pages, news.documents, news.articles, news.stories, news.sightings,"
        " news.article_revisions, news.article_topics, news.feed_polls CASCADE"
    )
    connection.commit()
    configure(connection, room.world, tmp_path)
    run_once(database, settings, topics, clock)
    assert (curated(connection), outcomes(connection)) == together


class TestFaults:
    """One outlet misbehaves; the others' articles land all the same."""

    @pytest.fixture
    def room(self, newsroom: Serve, connection: Connection, tmp_path: Path) -> RunningNewsroom:
        room = newsroom(feeds=4, entries=24, seed=3)
        configure(connection, room.world, tmp_path)
        return room

    def others(self, room: RunningNewsroom) -> Landed:
        bad = room.world.outlets[0].name
        return {place for place in true_places(room.world) if place[1] != bad}

    @pytest.mark.parametrize(
        ("faults", "status", "reason"),
        [
            (Faults(status=404, paths=("/news/",)), "rejected", "HTTP 404"),
            (Faults(status=503, paths=("/news/",)), "discovered", "HTTP 503"),
            (Faults(truncated=True, paths=("/news/",)), "discovered", "broke off"),
            (Faults(half_compressed=True, paths=("/news/",)), "discovered", "broke off"),
            (Faults(redirect_loop=True, paths=("/news/",)), "rejected", "more than 10 redirects"),
            (Faults(redirect_to="file:///etc/passwd", paths=("/news/",)), "rejected", "no web address"),
            (Faults(redirect_to="http://10.0.0.1/", paths=("/news/",)), "rejected", "not on the public Internet"),
            (Faults(huge_bytes=3_000_000, paths=("/news/",)), "rejected", "larger than"),
            (Faults(slow_seconds=3, paths=("/news/",)), "discovered", "no complete answer within"),
            (Faults(body=b"<html><body>Please enable JavaScript</body></html>", paths=("/news/",)), "rejected",
             "asks for JavaScript"),
            (Faults(body=b"<html><body>Photo of the day</body></html>", paths=("/news/",)), "rejected",
             "no article text"),
        ],
    )  # fmt: skip
    def test_pages(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock, faults: Faults, status: str, reason: str,
    ) -> None:  # fmt: skip
        host = room.world.outlets[0].host
        room.faults[host] = faults
        strict = settings.model_copy(update={"max_body_bytes": 1_000_000, "request_timeout": 1.0})
        run_once(database, strict, topics, clock)
        rows = connection.execute(
            "SELECT DISTINCT status, reason FROM news.entries WHERE host = %s AND reason IS DISTINCT FROM 'gate'",
            [host],
        ).fetchall()
        assert {row[0] for row in rows} == {status}
        assert all(reason in row[1] for row in rows)
        assert landed(connection) == self.others(room)

    @pytest.mark.parametrize(
        ("faults", "status", "error"),
        [
            (Faults(status=500), 500, "HTTP 500"),
            (Faults(body=b"<!doctype html><html><p>Hello</p></html>"), 200, "a web page, not a feed"),
            (Faults(body=b""), 200, "the document is empty"),
            (Faults(redirect_loop=True), None, "redirects"),
        ],
    )
    def test_feeds(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock, faults: Faults, status: int | None, error: str,
    ) -> None:  # fmt: skip
        room.faults[room.world.outlets[0].host] = faults
        run_once(database, settings, topics, clock)
        poll = connection.execute(
            "SELECT p.outcome, p.status, p.error, f.health, f.failures, f.last_error FROM news.feed_polls p"
            " JOIN news.feeds f ON f.id = p.feed_id WHERE f.slug = %s",
            [room.world.feeds[0].id],
        ).fetchone()
        assert poll is not None
        assert poll[:2] == ("failed", status)
        assert error in poll[2]
        assert poll[3:] == ("failing", 1, poll[2])
        assert landed(connection) == self.others(room)

    def test_what_failed_is_tried_again_and_lands(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        room.faults[room.world.outlets[0].host] = Faults(status=503, retry_after="90")
        run_once(database, settings, topics, clock)
        room.faults.clear()
        clock.advance(minutes=15)
        run_once(database, settings, topics, clock)
        assert landed(connection) == true_places(room.world)

    def test_a_host_that_asks_for_a_day_s_rest_gets_it_and_delays_nobody(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        host = room.world.outlets[0].host
        room.faults[host] = Faults(status=503, retry_after="86400")
        run_once(database, settings, topics, clock)
        assert landed(connection) == self.others(room)
        room.log.clear()
        clock.advance(hours=23)
        run_once(database, settings, topics, clock)
        assert {request.host for request in room.log} == {outlet.host for outlet in room.world.outlets} - {host}

    def test_a_page_that_always_fails_is_given_up_with_a_reason(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        host = room.world.outlets[0].host
        room.faults[host] = Faults(status=500, paths=("/news/",))
        for _ in range(settings.fetch_attempts):
            run_once(database, settings, topics, clock)
            clock.advance(hours=3)
        rows = connection.execute(
            "SELECT DISTINCT status, reason FROM news.entries WHERE host = %s AND reason IS DISTINCT FROM 'gate'",
            [host],
        ).fetchall()
        assert rows == [("dead", "gave up after 5 attempts: HTTP 500")]

    def test_a_mislabelled_page_is_read_all_the_same(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        """The header says UTF-8, the bytes are windows-1256."""
        for outlet in room.world.outlets:
            if outlet.language == "ar":
                room.faults[outlet.host] = Faults(charset="windows-1256")
        run_once(database, settings, topics, clock)
        # The encoding has no Arabic-Indic digits, so the texts differ in those.
        places = {(outlet, url) for _, outlet, url in landed(connection)}
        assert places == {(outlet, url) for _, outlet, url in true_places(room.world)}

    def test_a_feed_made_to_compute_for_ever_fails_alone(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        item = f"<item><title>x</title><link>http://a.example/1</link>{'<a>' * 600_000}</item>"
        body = f'<rss version="2.0"><channel>{item}</channel></rss>'.encode()
        room.faults[room.world.outlets[0].host] = Faults(body=body)
        run_once(database, settings.model_copy(update={"extract_timeout": 2.0}), topics, clock)
        error = connection.execute(
            "SELECT last_error FROM news.feeds WHERE slug = %s", [room.world.feeds[0].id]
        ).fetchone()
        assert error is not None
        assert error[0].endswith("parsing the document: used more than 2 s of processor time")
        assert landed(connection) == self.others(room)

    def test_a_redirect_to_a_resting_host_waits_in_the_ledger(
        self, room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock,
    ) -> None:  # fmt: skip
        bad, other = room.world.outlets[0].host, room.world.outlets[1].host
        room.faults[bad] = Faults(redirect_to=f"http://{other}/x", paths=("/news/",))
        room.faults[other] = Faults(status=503, retry_after="86400", paths=(".xml",))
        run_once(database, settings, topics, clock)
        rows = connection.execute(
            "SELECT DISTINCT status, reason, attempts FROM news.entries"
            " WHERE host = %s AND reason IS DISTINCT FROM 'gate'",
            [bad],
        ).fetchall()
        assert [(row[0], row[2]) for row in rows] == [("discovered", 0)]
        assert "asked not to be asked" in rows[0][1]


class TestPoliteness:
    def test_disallowed_pages_are_not_asked_for(
        self, newsroom: Serve, database: Database, connection: Connection, settings: Settings, topics: TopicSet,
        clock: Clock, tmp_path: Path,
    ) -> None:  # fmt: skip
        room = newsroom(feeds=2, entries=12)
        configure(connection, room.world, tmp_path)
        host = room.world.outlets[0].host
        # With a byte order mark, as some editors write one.
        room.robots[host] = "\ufeffUser-agent: *\nDisallow: /news/\n"
        run_once(database, settings, topics, clock)
        assert [request for request in room.requests("/news/") if request.host == host] == []
        reasons = connection.execute(
            "SELECT DISTINCT reason FROM news.entries WHERE host = %s AND reason <> 'gate'", [host]
        ).fetchall()
        assert reasons == [("disallowed by robots.txt",)]
        assert len([request for request in room.requests("/robots.txt") if request.host == host]) == 1

    @pytest.mark.slow
    def test_a_slow_robots_txt_does_not_bunch_what_waits_for_it(
        self, newsroom: Serve, database: Database, connection: Connection, settings: Settings, everything: TopicSet,
        tmp_path: Path,
    ) -> None:  # fmt: skip
        room = newsroom(feeds=1, entries=6, now=utc_now())
        configure(connection, room.world, tmp_path, utc_now())
        host = room.world.outlets[0].host
        room.faults[host] = Faults(slow_seconds=1.5, paths=("robots.txt",))
        Pipeline(database, settings.model_copy(update={"host_delay": 0.4}), everything).once()
        times = sorted(request.at for request in room.requests("/news/"))
        assert len(times) == 6
        assert min(later - earlier for earlier, later in pairwise(times)) > 0.4 - 0.1

    @pytest.mark.slow
    def test_two_processes_together_keep_the_distance(
        self, newsroom: Serve, database: Database, connection: Connection, settings: Settings, everything: TopicSet,
        tmp_path: Path,
    ) -> None:  # fmt: skip
        room = newsroom(feeds=3, entries=24, now=utc_now())
        configure(connection, room.world, tmp_path, utc_now())
        spaced = settings.model_copy(update={"host_delay": 0.4})
        runs = [Pipeline(database, spaced, everything) for _ in range(2)]
        threads = [threading.Thread(target=run.once) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for outlet in room.world.outlets:
            times = sorted(request.at for request in room.log if request.host == outlet.host)
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert len(times) > 5
            # The server sees requests later than they were sent, by its own delay.
            assert min(gaps) > 0.4 - 0.1


def test_private_addresses_are_refused_by_default(
    newsroom: Serve, database: Database, connection: Connection, settings: Settings, topics: TopicSet, clock: Clock,
    tmp_path: Path,
) -> None:  # fmt: skip
    room = newsroom(feeds=2, entries=4)
    configure(connection, room.world, tmp_path)
    run_once(database, settings.model_copy(update={"allow_networks": ()}), topics, clock)
    assert room.log == []
    errors = connection.execute("SELECT DISTINCT outcome, error LIKE %s FROM news.feed_polls", ["%public Internet%"])
    assert errors.fetchall() == [("failed", True)]


@pytest.mark.slow
def test_follow_lands_what_is_published_and_ends_when_told(
    newsroom: Serve, database: Database, connection: Connection, settings: Settings, topics: TopicSet, tmp_path: Path
) -> None:
    room = newsroom(feeds=4, entries=20, upcoming=40, now=utc_now())
    path = tmp_path / "feeds.yaml"
    path.write_text(room.world.feeds_yaml(poll_every="1s"), encoding="utf-8")
    feeds.sync(connection, load_feeds(path), utc_now())
    files = {"feeds": path, "topics": RULES_ONLY}
    pipeline = Pipeline(database, settings.model_copy(update=files), topics)
    thread = threading.Thread(target=pipeline.follow)
    thread.start()
    try:
        for _ in range(2):
            until(lambda: landed(connection) == true_places(room.world))
            room.world.advance(room.world.items[max(room.world.items)].published_at - room.world.now)
    finally:
        pipeline.stop()
        thread.join(30)
    assert not thread.is_alive()
    holders = connection.execute("SELECT count(*) FROM news.entries WHERE lease_holder IS NOT NULL").fetchone()
    assert holders == (0,)
