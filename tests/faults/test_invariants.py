"""The invariants notice what is wrong: each of these breaks the tables of a sound run in one way."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from db import Connection, Database
from ingest.config.feeds_file import load_feeds
from ingest.pipeline import Pipeline
from ingest.runtime.clock import utc_now
from ingest.store import feeds
from tests.faults import invariants
from tests.faults.run import Lab, publish

pytestmark = pytest.mark.slow

ONE = "(SELECT min(id) FROM news.articles)"
STEPS = {
    "a page is missing": (
        "DELETE FROM news.pages WHERE entry_id = (SELECT min(entry_id) FROM news.documents)",
        "documents without a page",
    ),
    "a document is missing": (
        "WITH gone AS (DELETE FROM news.documents WHERE entry_id = (SELECT min(entry_id) FROM news.documents)"
        " RETURNING entry_id) UPDATE news.entries SET status = 'extracted', reason = NULL, next_attempt_at = now()"
        " FROM gone WHERE id = entry_id", "extracted entries without a document",
    ),
    "a status was not saved": (
        "UPDATE news.entries SET status = 'discovered', next_attempt_at = now() WHERE id = "
        "(SELECT min(entry_id) FROM news.documents)", "pages of entries that were never fetched",
    ),
    "a sighting is missing": (
        f"DELETE FROM news.sightings WHERE article_id = {ONE}", "articles without a sighting",
    ),
    "a topic is missing": (
        f"DELETE FROM news.article_topics WHERE article_id = {ONE}", "articles without a topic",
    ),
    "a signature is missing": (
        f"DELETE FROM news.article_signatures WHERE article_id = {ONE}", "articles without a signature",
    ),
    "a signature is wrong": (
        f"UPDATE news.article_signatures SET bands = ARRAY[1] WHERE article_id = {ONE}", "signature of another text",
    ),
    "a story has a wrong size": (
        "UPDATE news.stories SET size = size + 1", "stories of a wrong size",
    ),
    "a story is empty": (
        f"INSERT INTO news.stories (first_article_id, size) VALUES ({ONE}, 1)", "stories without an article",
    ),
    "links are missing": (
        "DELETE FROM news.article_links", "and linked are",
    ),
    "a text was changed": (
        f"UPDATE news.articles SET text = text || ' more' WHERE id = {ONE}", "not what their hash says",
    ),
    "a poll was stored without its entries": (
        "UPDATE news.feed_polls SET new_entries = new_entries + 1", "polls that found more new entries",
    ),
    "a foreign key is broken": (
        "SET LOCAL session_replication_role = replica;"
        " DELETE FROM news.feeds WHERE id = (SELECT min(id) FROM news.feeds)",
        "constraint entries_feed_id_fkey",
    ),
    "a key is doubled": (
        "ALTER TABLE news.articles DROP CONSTRAINT articles_entry_id_key; ALTER TABLE news.articles ADD CONSTRAINT"
        " articles_entry_id_key UNIQUE (entry_id) DEFERRABLE INITIALLY DEFERRED;"
        f" UPDATE news.articles SET entry_id = (SELECT entry_id FROM news.articles WHERE id = {ONE})",
        "constraint articles_entry_id_key",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def done(lab: Lab) -> Iterator[Database]:
    """A newsroom that was worked off without faults."""
    room = lab.room(0)
    publish(room)
    database = Database(lab.cluster.fresh("broken"))
    path = lab.folder / "broken.yaml"
    path.write_text(room.world.feeds_yaml(), encoding="utf-8")
    with database.connect() as connection:
        feeds.sync(connection, load_feeds(path), utc_now())
    Pipeline(database, lab.settings(), lab.topics).once()
    yield database
    lab.cluster.drop("broken")


Check = Callable[[Connection], list[str]]


def all_problems(connection: Connection) -> list[str]:
    # In the transaction that broke something, which is undone afterwards.
    return [*invariants.half_done(connection), *invariants.doubles(connection)]


def test_a_sound_run_is_sound(done: Database) -> None:
    with done.connect() as connection:
        assert all_problems(connection) == []
        assert list(invariants.leases(connection)) == []
        assert list(invariants.unsettled(connection, utc_now())) == []


@pytest.mark.parametrize("step", STEPS)
def test_a_break_is_noticed(lab: Lab, done: Database, step: str) -> None:
    statement, problem = STEPS[step]
    with lab.cluster.superuser("broken") as connection:
        connection.execute(statement)
        assert any(problem in found for found in all_problems(connection)), all_problems(connection)
        connection.rollback()


def test_leases_of_the_dead_and_far_times_are_noticed(done: Database) -> None:
    with done.connect() as connection:
        connection.execute(
            "UPDATE news.entries SET status = 'discovered', next_attempt_at = %s, lease_holder = 1"
            " WHERE id = (SELECT min(id) FROM news.entries)",
            [utc_now() + timedelta(days=40)],
        )
        assert [problem[:31] for problem in invariants.leases(connection)] == ["1 entries are still leased to s"]
        assert [problem[:20] for problem in invariants.unsettled(connection, utc_now())] == ["1 discovered entries"]
        connection.rollback()
