"""Claims: who gets which rows, through which index, and what becomes of them when the claimer dies."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from db import Connection, Database
from db.embedded import EmbeddedServer
from ingest.config.feeds_file import FeedConfig
from ingest.model.status import Status
from ingest.store import feeds, leases, ledger
from ingest.store.ledger import End
from tests.conftest import NOW, READER
from tests.integration.rows import entry, fill


def claim(
    connection: Connection, *, limit: int = 100, per_host: int = 4, delay: float = 0.0, now: datetime = NOW
) -> list[str]:
    leases.hold(connection)
    jobs = ledger.claim_to_fetch(connection, now, limit=limit, per_host=per_host, delay=timedelta(seconds=delay))
    connection.commit()
    return sorted(job.host for job in jobs)


def answered(connection: Connection) -> None:
    """What is in hand is done."""
    connection.execute(
        "UPDATE news.entries SET status = 'landed', next_attempt_at = NULL, lease_holder = NULL"
        " WHERE lease_holder IS NOT NULL"
    )
    connection.commit()


class TestClaimToFetch:
    def test_a_host_with_many_entries_takes_its_turn_like_any_other(self, connection: Connection) -> None:
        fill(connection, {"big": 900, "a": 1, "b": 2})
        assert claim(connection, limit=100, per_host=3) == ["a", "b", "b", "big", "big", "big"]

    def test_a_spaced_host_gives_one_entry_at_a_time(self, connection: Connection) -> None:
        fill(connection, {"a": 5, "b": 5})
        assert claim(connection, delay=5) == ["a", "b"]
        assert claim(connection, delay=5) == []
        # However late it is, a host with a request in hand gets no other.
        assert claim(connection, delay=5, now=NOW + timedelta(seconds=60)) == []
        answered(connection)
        assert claim(connection, delay=5, now=NOW + timedelta(seconds=4.9)) == []
        assert claim(connection, delay=5, now=NOW + timedelta(seconds=5)) == ["a", "b"]

    def test_a_host_that_is_polled_gives_no_entry_meanwhile(self, connection: Connection) -> None:
        fill(connection, {"x.example": 2})
        config = FeedConfig.model_validate("http://x.example/")
        feeds.sync(connection, [config.model_copy(update={"poll_every": timedelta(minutes=1)})], NOW)
        leases.hold(connection)
        polled = feeds.claim(connection, NOW, NOW, limit=9, per_host=4, delay=timedelta(seconds=5))
        connection.commit()
        assert [feed.slug for feed in polled] == ["x.example"]
        assert claim(connection, delay=5, now=NOW + timedelta(seconds=60)) == []
        # A host that need not be spaced takes several requests at once.
        assert claim(connection, delay=0, now=NOW + timedelta(seconds=60)) == ["x.example"] * 2

    def test_sessions_share_the_places_at_a_host_that_need_not_be_spaced(
        self, connection: Connection, database: Database
    ) -> None:
        fill(connection, {"a": 9, "b": 1})
        leases.hold(connection)
        assert claim(connection, per_host=4) == ["a"] * 4 + ["b"]
        with database.connect() as other:
            leases.hold(other)
            assert claim(other, per_host=4) == []
            answered(connection)
            assert claim(other, per_host=4) == ["a"] * 4

    def test_robots_can_ask_for_more_distance(self, connection: Connection) -> None:
        fill(connection, {"a": 5})
        connection.execute("UPDATE news.hosts SET crawl_delay = '20 seconds'")
        assert claim(connection, delay=5) == ["a"]
        answered(connection)
        assert claim(connection, delay=5, now=NOW + timedelta(seconds=19)) == []
        assert claim(connection, delay=5, now=NOW + timedelta(seconds=20)) == ["a"]

    def test_shards_divide_the_hosts(self, connection: Connection) -> None:
        fill(connection, {f"host{number}": 1 for number in range(40)})
        leases.hold(connection)
        shares = [
            {
                job.host
                for job in ledger.claim_to_fetch(
                    connection, NOW, limit=100, per_host=1, delay=timedelta(0), shard=(share, 3)
                )
            }
            for share in range(3)
        ]
        assert sum(map(len, shares)) == len(set().union(*shares)) == 40
        assert all(shares)

    def test_claimers_at_once_share_without_overlap(self, connection: Connection, database: Database) -> None:
        fill(connection, {f"host{number}": 10 for number in range(30)})
        got: list[int] = []
        lock = threading.Lock()

        def work() -> None:
            with database.connect() as own:
                leases.hold(own)
                while True:
                    jobs = ledger.claim_to_fetch(own, NOW, limit=7, per_host=2, delay=timedelta(0))
                    own.commit()
                    if not jobs and ledger.next_fetch_at(own, NOW) is None:
                        return
                    with lock:
                        got.extend(job.id for job in jobs)
                    ledger.end(own, [End(job.id, Status.REJECTED, "done") for job in jobs])
                    own.commit()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == len(set(got)) == 300

    def test_a_page_waits_while_another_feed_s_entry_for_it_is_on_its_way(self, connection: Connection) -> None:
        fill(connection, {"a": 1})
        feeds.sync(connection, [FeedConfig.model_validate("http://x.example/") .model_copy(update={
            "poll_every": timedelta(minutes=1)})], NOW)  # fmt: skip
        feed = connection.execute("SELECT id FROM news.feeds WHERE slug <> 'import'").fetchone()
        assert feed is not None
        ledger.record(connection, feed[0], [entry(0, "a")], NOW)
        assert claim(connection) == ["a"]
        assert claim(connection) == []


def test_an_item_that_broke_off_is_taken_once_it_is_whole(connection: Connection) -> None:
    feed = feeds.import_feed(connection, NOW)
    whole = entry(1, "a")
    broken = replace(whole, url=None, canonical_url=None, host=None, status=Status.REJECTED, reason="no usable link")
    assert len(ledger.record(connection, feed, [broken], NOW)) == 1
    assert ledger.record(connection, feed, [broken], NOW) == {}
    assert len(ledger.record(connection, feed, [whole], NOW)) == 1
    assert ledger.record(connection, feed, [broken], NOW) == {}
    assert connection.execute("SELECT status, url FROM news.entries").fetchall() == [("discovered", "http://a/1")]


def expire(connection: Connection, worker: Connection) -> None:
    """Let the time of a session's lease run out, as it does when its process is frozen."""
    connection.execute(
        "UPDATE news.leases SET alive_until = clock_timestamp() WHERE pid = %s", [worker.info.backend_pid]
    )
    connection.commit()


class TestLeases:
    def test_a_lease_ends_with_its_session(self, connection: Connection, database: Database) -> None:
        fill(connection, {"a": 3})
        with database.connect() as worker:
            assert claim(worker) == ["a"] * 3
            assert leases.release_dead(connection) == 0
            assert claim(connection) == []
        # The server notices the end of the session in its own time.
        for _ in range(100):
            if leases.release_dead(connection) == 3:
                break
        assert claim(connection) == ["a"] * 3

    def test_a_feed_of_a_dead_session_is_due_for_a_run_that_began_before(
        self, connection: Connection, database: Database
    ) -> None:
        config = FeedConfig.model_validate("http://x.example/").model_copy(update={"poll_every": timedelta(minutes=1)})
        feeds.sync(connection, [config], NOW)
        began, later = NOW, NOW + timedelta(seconds=5)
        with database.connect() as worker:
            leases.hold(worker)
            assert len(feeds.claim(worker, began, began, limit=9, per_host=1, delay=timedelta(0))) == 1
            worker.commit()
        leases.hold(connection)
        for _ in range(100):
            if leases.release_dead(connection):
                break
        assert len(feeds.claim(connection, later, began, limit=9, per_host=1, delay=timedelta(0))) == 1

    def test_nobody_claims_without_a_lease(self, connection: Connection) -> None:
        fill(connection, {"a": 3})
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no lease"):
            ledger.claim_to_fetch(connection, NOW, limit=1, per_host=1, delay=timedelta(0))

    def test_a_lease_runs_out_unless_it_is_kept(self, connection: Connection, database: Database) -> None:
        fill(connection, {"a": 3})
        with database.connect() as worker:
            assert claim(worker) == ["a"] * 3
            expire(connection, worker)
            leases.keep(worker)
            assert leases.release_dead(connection) == 0
            expire(connection, worker)
            assert leases.release_dead(connection) == 3
            assert claim(connection) == ["a"] * 3

    def test_who_lost_the_lease_changes_nothing_any_more(self, connection: Connection, database: Database) -> None:
        fill(connection, {"a": 1})
        with database.connect() as slow:
            leases.hold(slow)
            (job,) = ledger.claim_to_fetch(slow, NOW, limit=1, per_host=1, delay=timedelta(0))
            slow.commit()
            expire(connection, slow)
            leases.release_dead(connection)
            # Free, and then somebody else's, also when the slow one says that it is alive after all.
            assert ledger.advance(slow, [job.id], Status.FETCHED, NOW) == set()
            assert claim(connection) == ["a"]
            leases.keep(slow)
            assert ledger.advance(slow, [job.id], Status.FETCHED, NOW) == set()
            ledger.end(slow, [End(job.id, Status.DEAD, "too late")])
            ledger.give_back(slow, [job.id])
        assert connection.execute("SELECT status, lease_holder IS NULL FROM news.entries").fetchall() == [
            ("discovered", False)
        ]

    def test_a_lock_of_a_reader_keeps_no_dead_lease_alive(
        self, connection: Connection, database: Database, server: EmbeddedServer
    ) -> None:
        """Nor does any clock of a client."""
        fill(connection, {"a": 1})
        with database.connect() as worker, psycopg.connect(database.url.replace("//news@", f"//{READER}@")) as reader:
            assert claim(worker, now=NOW + timedelta(hours=9)) == ["a"]
            reader.execute("SELECT pg_advisory_lock(%s, %s)", [0x6C65, worker.info.backend_pid])
            expire(connection, worker)
            assert leases.release_dead(connection) == 1

    def test_rows_that_a_frozen_session_has_locked_are_passed_over(
        self, connection: Connection, database: Database
    ) -> None:
        fill(connection, {"a": 2})
        with database.connect() as frozen:
            assert claim(frozen) == ["a"] * 2
            frozen.execute("UPDATE news.entries SET reason = 'in hand' WHERE id = (SELECT min(id) FROM news.entries)")
            expire(connection, frozen)
            connection.execute("SET lock_timeout = '5s'")
            connection.commit()
            assert leases.release_dead(connection) == 1
            frozen.rollback()
            assert leases.release_dead(connection) == 1

    def test_nobody_ends_what_another_has_extracted(self, connection: Connection) -> None:
        feed = feeds.import_feed(connection, NOW)
        (number,) = ledger.record(connection, feed, [entry(1, "a", status=Status.EXTRACTED)], NOW)
        leases.hold(connection)
        ledger.end(connection, [End(number, Status.REJECTED, "too late")])
        assert connection.execute("SELECT status FROM news.entries").fetchall() == [("extracted",)]

    def test_holding_twice_is_holding_once(self, connection: Connection) -> None:
        leases.hold(connection)
        leases.hold(connection)
        assert connection.execute("SELECT count(*) FROM news.leases").fetchone() == (1,)


class TestPlans:
    """With a large ledger, claims read what is in flight and not what is done."""

    @pytest.fixture
    def large(self, connection: Connection) -> Connection:
        feed = feeds.import_feed(connection, NOW)
        connection.execute(
            """
            INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status,
                                      next_attempt_at)
            SELECT %(feed)s, 'e' || n, 'http://h/' || n, 'http://h/' || n, 'host' || n %% 200, %(now)s,
                   CASE WHEN n %% 100 = 0 THEN 'discovered' WHEN n %% 100 = 1 THEN 'fetched'
                        WHEN n %% 100 = 2 THEN 'extracted' ELSE 'landed' END,
                   CASE WHEN n %% 100 < 3 THEN %(now)s::timestamptz END
            FROM generate_series(1, 60000) AS n
            """,
            {"feed": feed, "now": NOW},
        )
        connection.execute(
            "INSERT INTO news.hosts (host, next_request_at) SELECT DISTINCT host, %s::timestamptz FROM news.entries",
            [NOW],
        )
        connection.execute(
            "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
            " SELECT 'f' || n, 'http://f/' || n, 'host' || n %% 200, 'X', '10 minutes', now(),"
            "        %s::timestamptz + n * interval '1 second' FROM generate_series(1, 5000) AS n",
            [NOW],
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE news.entries, news.hosts, news.feeds")
        connection.autocommit = False
        leases.hold(connection)
        return connection

    @staticmethod
    def plan(connection: Connection, monkeypatch: pytest.MonkeyPatch, run: Callable[[Connection], object]) -> str:
        """The plan of the first statement that `run` executes."""
        statements: list[tuple[Any, Any]] = []
        execute = psycopg.Cursor.execute

        def spy(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
            statements.append((query, params))
            return execute(self, query, params, **options)

        monkeypatch.setattr(psycopg.Cursor, "execute", spy)
        run(connection)
        monkeypatch.undo()
        connection.rollback()
        query, params = statements[0]
        return "\n".join(row[0] for row in connection.execute(f"EXPLAIN {query}", params).fetchall())

    @pytest.mark.parametrize(
        ("run", "index"),
        [
            (
                lambda c: ledger.claim_to_fetch(c, NOW, limit=50, per_host=4, delay=timedelta(0)),
                "entries_to_fetch_idx",
            ),
            (lambda c: ledger.claim_to_extract(c, NOW, 10), "entries_to_extract_idx"),
            (lambda c: ledger.claim_to_land(c, NOW, 10), "entries_to_land_idx"),
            (
                lambda c: feeds.claim(c, NOW, NOW, limit=50, per_host=4, delay=timedelta(0)),
                "feeds_next_poll_at_idx",
            ),
            (lambda c: ledger.next_fetch_at(c, NOW), "entries_to_fetch_idx"),
        ],
    )
    def test_claims_use_their_index(
        self, large: Connection, monkeypatch: pytest.MonkeyPatch, run: Callable[[Connection], object], index: str
    ) -> None:
        plan = self.plan(large, monkeypatch, run)
        assert index in plan
        assert not re.search(r"Seq Scan on (entries|feeds)", plan), plan
