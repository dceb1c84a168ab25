"""A change of topics, applied to stored documents."""

import json
from pathlib import Path
from typing import Any

import pytest

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.landing.land import land
from ingest.reprocessing.rejudge import rejudge
from ingest.store.ledger import Selection
from ingest.topics.topics import Topic, TopicSet
from tests.collected import Collect
from tests.conftest import Clock, Run
from tests.rules_only import RULES_ONLY


@pytest.fixture
def database(collect: Collect, topics: TopicSet) -> Database:
    """What the pipeline has made of a newsroom."""
    return collect(topics, feeds=4, entries=40).database


def articles(connection: Connection) -> list[tuple[Any, ...]]:
    rows = connection.execute("SELECT content_hash, url, title FROM news.articles ORDER BY content_hash").fetchall()
    connection.commit()
    return rows


def test_a_topic_that_takes_everything_and_back(
    connection: Connection, settings: Settings, topics: TopicSet, everything: TopicSet,
    clock: Clock,
) -> None:  # fmt: skip
    before = articles(connection)
    assert before
    dry = rejudge(connection, clock, everything, Selection(), dry_run=True)
    assert dry.newly > 0
    assert articles(connection) == before
    gated = connection.execute("SELECT count(*) FROM news.entries WHERE reason = 'gate'").fetchone()
    connection.commit()
    assert (dry.wanted,) == gated
    assert dry.wanted > 0
    found = rejudge(connection, clock, everything, Selection())
    assert found.wanted == dry.wanted
    waiting = connection.execute("SELECT count(*) FROM news.entries WHERE status = 'discovered'").fetchone()
    connection.commit()
    assert waiting == gated
    land(connection, settings, clock, everything)
    assert (found.newly, found.no_longer, found.off_topic) == (dry.newly, 0, 0)
    wide = articles(connection)
    assert len(wide) > len(before)
    back = rejudge(connection, clock, topics, Selection())
    land(connection, settings, clock, topics)
    assert back.no_longer > 0
    assert articles(connection) == before
    again = rejudge(connection, clock, topics, Selection())
    assert (again.newly, again.no_longer) == (0, 0)
    orphans = connection.execute(
        "SELECT (SELECT count(*) FROM news.sightings s JOIN news.entries e ON e.id = s.entry_id"
        "        WHERE e.status NOT IN ('landed', 'duplicate')),"
        " (SELECT count(*) FROM news.stories s WHERE NOT EXISTS"
        "  (SELECT FROM news.articles a WHERE a.story_id = s.id))"
    ).fetchone()
    assert orphans == (0, 0)


def test_a_mention_is_kept_with_its_score_and_lands_when_less_is_enough(
    connection: Connection, settings: Settings, clock: Clock
) -> None:
    def topic(threshold: float) -> TopicSet:
        return TopicSet({
            "rare": Topic.model_validate({
                "concepts": {"word": {"ar": ["بغداد"], "en": ["baghdad"]}},
                "match": {"any_of": [{"all_of": ["word"], "weight": 0.5}]}, "threshold": threshold, "mention": 0.2,
            })
        })  # fmt: skip

    rejudge(connection, clock, topic(100), Selection())
    assert articles(connection) == []
    reasons: dict[str, int] = dict(connection.execute(
        "SELECT reason, count(*) FROM news.entries WHERE status = 'off_topic' AND topic_score IS NOT NULL GROUP BY 1"
    ).fetchall())  # fmt: skip
    assert reasons.keys() == {"mention"}
    found = rejudge(connection, clock, topic(0.5), Selection())
    land(connection, settings, clock, topic(0.5))
    assert found.newly >= len(articles(connection)) > 0
    assert not connection.execute("SELECT FROM news.entries WHERE status = 'landed' AND topic_score > 0").fetchall()


def test_the_commands(connection: Connection, run: Run, tmp_path: Path) -> None:
    everything = tmp_path / "all.yaml"
    everything.write_text("{topics: {everything: {match: all}}}")
    done = run("reprocess", "--topics", "--topics-file", str(everything), "--dry-run")
    assert "newly on a topic" in done.stdout
    done = run("reprocess", "--topics", "--json", "--topics-file", str(everything))
    assert json.loads(done.stdout)["newly"] > 0
    entry = connection.execute(
        "SELECT d.entry_id, e.url FROM news.documents d JOIN news.entries e ON e.id = d.entry_id LIMIT 1"
    ).fetchone()
    assert entry is not None
    for what in (str(entry[0]), entry[1], "سحب القوات الأمريكية من العراق"):
        done = run("topics", "explain", what, "--topics", str(RULES_ONLY))
        assert "iraq-withdrawal: " in done.stdout, done.stderr
    assert "about, score 3" in done.stdout
    assert run("topics", "explain", "999999").returncode == 2
    done = run("search", "بغداد", "--rows", "3", "--json")
    assert len(json.loads(done.stdout)) == 3
    assert "[" in run("search", "بغداد").stdout
    assert "nothing found" in run("search", "nonesuch").stdout
    assert "1 to 2 of " in run("search", "بغداد", "--rows", "2").stdout
    assert "3 to 4 of " in run("search", "بغداد", "--rows", "2", "--page", "2").stdout
    assert "this page is behind the last" in run("search", "بغداد", "--page", "999").stdout
    assert "no article has بعداد: searched for بغداد" in run("search", "بعداد").stdout
