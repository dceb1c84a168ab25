"""Stored pages extracted anew, after rules have changed."""

import json
from typing import Any

import pytest

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.landing.land import land
from ingest.reprocessing.reprocess import Reprocessed, reprocess
from ingest.runtime.compression import compress
from ingest.store.ledger import Selection
from ingest.text.folding import content_identity
from ingest.topics.topics import TopicSet
from tests.collected import Collect, Collected
from tests.conftest import NOW, Clock, Run

LEFT_BY_FORMER_RULES = "\nشاهد أيضاً: خبر آخر"
NO_ARTICLE = b"<html><head><title>404</title></head><body><p>Not found</p></body></html>"


@pytest.fixture
def collected(collect: Collect, everything: TopicSet) -> Collected:
    """What the pipeline has made of a newsroom."""
    return collect(everything, feeds=4, entries=40)


@pytest.fixture
def database(collected: Collected) -> Database:
    return collected.database


def snapshot(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    tables = {
        "articles": "SELECT id, content_hash, url, title, author, published_at, language, text, story_id FROM"
                    " news.articles ORDER BY id",
        "sightings": "SELECT article_id, entry_id, content_hash FROM news.sightings ORDER BY entry_id",
        "entries": "SELECT id, status, reason, next_attempt_at FROM news.entries ORDER BY id",
        "documents": "SELECT entry_id, text, title, author, published_at, language FROM news.documents ORDER BY 1",
        "revisions": "SELECT article_id, content_hash, title, text, cause FROM news.article_revisions ORDER BY id",
    }  # fmt: skip
    rows = {name: connection.execute(query).fetchall() for name, query in tables.items()}
    connection.commit()
    return rows


def as_by_former_rules(connection: Connection, count: int) -> list[int]:
    """Make articles that have one page and no copies look as if former rules had left a line too much; returns ids."""
    rows = connection.execute(
        "SELECT id, entry_id, text FROM news.articles a"
        " WHERE 1 = (SELECT count(*) FROM news.sightings s WHERE s.article_id = a.id)"
        " AND 1 = (SELECT size FROM news.stories s WHERE s.id = a.story_id) ORDER BY id LIMIT %s",
        [count],
    ).fetchall()
    for article, entry, text in rows:
        former = text + LEFT_BY_FORMER_RULES
        values = {"id": article, "entry": entry, "text": former, "hash": content_identity(former).content_hash}
        connection.execute("UPDATE news.documents SET text = %(text)s WHERE entry_id = %(entry)s", values)
        connection.execute(
            "UPDATE news.articles SET text = %(text)s, content_hash = %(hash)s, author = 'Admin',"
            " word_count = word_count + 4 WHERE id = %(id)s", values,
        )  # fmt: skip
        connection.execute("UPDATE news.sightings SET content_hash = %(hash)s WHERE entry_id = %(entry)s", values)
        connection.execute("UPDATE news.documents SET author = 'Admin' WHERE entry_id = %(entry)s", values)
    connection.commit()
    assert len(rows) == count
    return [row[0] for row in rows]


def work(connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, **options: Any) -> Reprocessed:
    found = reprocess(connection, settings, clock, options.pop("selection", Selection()), examples=3, **options)
    land(connection, settings, clock, everything)
    return found


def test_what_is_extracted_as_before_stays_as_it_is(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    before = snapshot(connection)
    found = work(connection, settings, everything, clock)
    assert found.unchanged == found.pages > 10
    assert snapshot(connection) == before


def test_articles_keep_their_ids_and_former_texts_become_revisions(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    right = snapshot(connection)
    changed = as_by_former_rules(connection, 4)
    former = {row[0]: row for row in snapshot(connection)["articles"]}
    found = work(connection, settings, everything, clock)
    assert (found.changed, found.lost, found.gained, found.failed) == (4, 0, 0, 0)
    assert found.differences == dict.fromkeys(found.differences, 0) | {"text": 4, "author": 4}
    after = snapshot(connection)
    assert after["articles"] == right["articles"]
    assert after["sightings"] == right["sightings"]
    assert after["entries"] == right["entries"]
    revisions = {row[0]: row[3:] for row in after["revisions"]}
    assert revisions == {article: (former[article][7], "extraction") for article in changed}
    assert work(connection, settings, everything, clock).changed == 0


def test_a_dry_run_shows_what_would_change_and_changes_nothing(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    as_by_former_rules(connection, 4)
    before = snapshot(connection)
    found = work(connection, settings, everything, clock, dry_run=True)
    assert found.changed == 4
    assert len(found.examples) == 3
    assert f"- {LEFT_BY_FORMER_RULES.strip()}" in found.examples[0].lines
    assert snapshot(connection) == before


def test_a_page_that_holds_no_article_loses_its_place(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    alone = as_by_former_rules(connection, 1)[0]
    shared = connection.execute(
        "SELECT a.id, a.entry_id, a.url FROM news.articles a JOIN news.sightings s ON s.article_id = a.id"
        " JOIN news.entries e ON e.id = s.entry_id GROUP BY a.id HAVING count(DISTINCT e.canonical_url) > 1 LIMIT 1"
    ).fetchone()
    assert shared is not None, "the newsroom has reprints"
    connection.execute(
        "UPDATE news.pages SET body = %s FROM news.articles a WHERE a.entry_id = pages.entry_id AND a.id = ANY(%s)",
        [compress(NO_ARTICLE), [alone, shared[0]]],
    )
    connection.commit()
    found = work(connection, settings, everything, clock)
    assert found.lost == 2
    after = snapshot(connection)
    assert alone not in [row[0] for row in after["articles"]]
    kept = next(row for row in after["articles"] if row[0] == shared[0])
    assert kept[2] != shared[2]
    ends = {row[0]: row[1:3] for row in after["entries"]}
    assert ends[shared[1]] == ("rejected", "the page says that there is no such page")
    assert [status for status, _ in ends.values()].count("landed") == len(after["articles"])
    told = connection.execute(
        "SELECT sum(size), count(*), (SELECT count(DISTINCT story_id) FROM news.articles) FROM news.stories"
    ).fetchone()
    assert told is not None
    assert told[0] == len(after["articles"])
    assert told[1] == told[2]


def test_a_later_page_without_an_article_does_not_take_the_earlier_one_s_place(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    before = snapshot(connection)
    connection.execute(
        "INSERT INTO news.pages (entry_id, fetched_at, final_url, http_status, body, body_bytes)"
        " SELECT DISTINCT entry_id, fetched_at + interval '2 days', final_url, 200, %s::bytea, 10 FROM news.pages",
        [compress(NO_ARTICLE)],
    )
    connection.commit()
    found = work(connection, settings, everything, clock)
    assert found.unchanged == found.pages
    assert snapshot(connection) == before


def test_entries_that_stand_for_a_page_go_with_it(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    article = as_by_former_rules(connection, 1)[0]
    # As another feed leaves it that lists the same page.
    row = connection.execute(
        "WITH twin AS (INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status,"
        "   reason) SELECT f.id, 'twin', e.url, e.canonical_url, e.host, e.discovered_at, 'duplicate', 'same page'"
        "   FROM news.articles a JOIN news.entries e ON e.id = a.entry_id JOIN news.feeds f ON f.id <> e.feed_id"
        "   WHERE a.id = %(id)s LIMIT 1 RETURNING id, feed_id, url),"
        " seen AS (INSERT INTO news.sightings (article_id, entry_id, feed_id, url, seen_at, content_hash)"
        "   SELECT a.id, twin.id, twin.feed_id, twin.url, now(), a.content_hash FROM twin, news.articles a"
        "   WHERE a.id = %(id)s)"
        " UPDATE news.pages p SET body = %(body)s FROM news.articles a, twin"
        " WHERE a.id = %(id)s AND p.entry_id = a.entry_id RETURNING p.entry_id, twin.id",
        {"id": article, "body": compress(NO_ARTICLE)},
    ).fetchone()
    assert row is not None
    connection.commit()
    assert work(connection, settings, everything, clock).lost == 1
    after = snapshot(connection)
    assert article not in [found[0] for found in after["articles"]]
    assert {entry[1] for entry in after["entries"] if entry[0] in row} == {"rejected"}
    work(connection, settings, everything, clock)


def test_what_was_extracted_meanwhile_is_not_overwritten(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock,
    database: Database,
) -> None:  # fmt: skip
    article = as_by_former_rules(connection, 1)[0]

    def meanwhile() -> bool:
        with database.connect() as other:
            other.execute(
                "UPDATE news.documents d SET extracted_at = extracted_at + interval '1 hour'"
                " FROM news.articles a WHERE a.entry_id = d.entry_id AND a.id = %s", [article],
            )  # fmt: skip
            other.commit()
        return False

    class Later:
        """Lets the other session work between the reading of a batch and its saving."""

        def __call__(self) -> Any:
            meanwhile()
            return clock()

    former = next(row for row in snapshot(connection)["articles"] if row[0] == article)
    reprocess(connection, settings, Later(), Selection())
    land(connection, settings, clock, everything)
    assert next(row for row in snapshot(connection)["articles"] if row[0] == article) == former


def test_the_article_describes_the_earliest_place_when_dates_are_corrected(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    before = snapshot(connection)["articles"]
    connection.execute(
        "WITH wrong AS (SELECT s.entry_id, a.id FROM news.articles a JOIN news.sightings s ON s.article_id = a.id"
        "   JOIN news.entries e ON e.id = s.entry_id"
        "   WHERE s.entry_id <> a.entry_id AND e.canonical_url <> a.url AND EXISTS"
        "         (SELECT FROM news.documents d WHERE d.entry_id = s.entry_id) LIMIT 1),"
        " said AS (UPDATE news.documents d SET published_at = '2001-01-01' FROM wrong"
        "          WHERE d.entry_id = wrong.entry_id)"
        " UPDATE news.articles a SET entry_id = wrong.entry_id, url = e.canonical_url, published_at = '2001-01-01'"
        " FROM wrong JOIN news.entries e ON e.id = wrong.entry_id WHERE a.id = wrong.id"
    )
    connection.commit()
    assert work(connection, settings, everything, clock).changed == 1
    after = snapshot(connection)["articles"]
    assert [row[:3] + row[5:6] for row in after] == [row[:3] + row[5:6] for row in before]


def test_a_page_that_was_rejected_by_mistake_becomes_an_article(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    before = snapshot(connection)
    article = as_by_former_rules(connection, 1)[0]
    connection.execute(
        "WITH gone AS (DELETE FROM news.articles WHERE id = %s RETURNING entry_id, story_id),"
        " seen AS (DELETE FROM news.sightings USING gone WHERE sightings.entry_id = gone.entry_id),"
        " told AS (DELETE FROM news.stories USING gone WHERE stories.id = gone.story_id),"
        " read AS (DELETE FROM news.documents USING gone WHERE documents.entry_id = gone.entry_id)"
        " UPDATE news.entries SET status = 'rejected', reason = 'a mistake' FROM gone WHERE entries.id = gone.entry_id",
        [article],
    )
    connection.commit()
    found = work(connection, settings, everything, clock)
    assert (found.gained, found.changed) == (1, 0)
    assert len(snapshot(connection)["articles"]) == len(before["articles"])


def test_only_the_selected_entries_are_looked_at(
    collected: Collected, connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    slug = collected.world.feeds[0].id
    found = work(connection, settings, everything, clock, selection=Selection(feed=slug))
    counted = connection.execute(
        "SELECT count(*) FROM news.entries e JOIN news.feeds f ON f.id = e.feed_id"
        " WHERE f.slug = %s AND EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id)", [slug],
    ).fetchone()  # fmt: skip
    assert counted is not None
    assert 0 < found.pages == counted[0]
    assert work(connection, settings, everything, clock, selection=Selection(until=NOW)).pages == 0


def test_the_command_says_what_it_found(connection: Connection, run: Run) -> None:
    as_by_former_rules(connection, 2)
    done = run("reprocess", "--dry-run", "--json")
    assert json.loads(done.stdout)["changed"] == 2
    done = run("reprocess", "--examples", "1")
    assert "2 changed" in done.stdout
    assert f"- {LEFT_BY_FORMER_RULES.strip()}" in done.stdout
    assert "landing: 2 revised" in done.stdout
    assert run("reprocess", "--feed", "nonesuch").returncode == 2
