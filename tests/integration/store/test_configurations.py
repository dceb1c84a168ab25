"""A broken file is said to be broken, and the last good one is used."""

import logging
from pathlib import Path

import pytest

from db import Connection, Database
from ingest.config.errors import ConfigError
from ingest.config.settings import Settings
from ingest.pipeline import Pipeline
from ingest.store import configurations, feeds
from tests.conftest import NOW, Clock, Run, Serve, configure

GOOD = "feeds:\n  - https://a.example/rss\n"
BROKEN = "feeds:\n  - url: https://a.example/rss\n    outlett: A\n"


@pytest.fixture
def with_files(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "feeds.yaml").write_text(GOOD)
    (tmp_path / "topics.yaml").write_text("{topics: {everything: {match: all}}}")
    return settings.model_copy(update={"feeds": tmp_path / "feeds.yaml", "topics": tmp_path / "topics.yaml"})


def test_the_last_good_file_is_used_while_it_is_broken(
    connection: Connection, with_files: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    good = configurations.current_feeds(connection, with_files, clock())
    assert configurations.problems(connection) == []
    began = clock()
    for _ in range(3):
        clock.advance(minutes=1)
        with_files.feeds.write_text(BROKEN)
        assert configurations.current_feeds(connection, with_files, clock()) == good
    (problem,) = configurations.problems(connection)
    assert problem.problem == f"{with_files.feeds}:3: unknown key 'outlett'; did you mean 'outlet'?"
    assert (problem.file, problem.understood_at) == ("feeds", began)
    assert problem.problem_since > began
    with_files.feeds.unlink()
    assert configurations.current_feeds(connection, with_files, clock()) == good
    with_files.feeds.write_text(GOOD)
    configurations.current_feeds(connection, with_files, clock())
    assert configurations.problems(connection) == []
    said = [record.getMessage() for record in caplog.records]
    # Once for each thing that was wrong.
    assert [text.partition(": ")[2] for text in said[:-1]] == [
        "unknown key 'outlett'; did you mean 'outlet'?; the last good feeds file is used",
        "no such file; it should list the feeds; the last good feeds file is used",
    ]
    assert said[-1] == "the feeds file is mended"


def test_without_a_good_one_a_broken_file_is_an_error(connection: Connection, with_files: Settings) -> None:
    with_files.topics.write_text("topics: {}")
    with pytest.raises(ConfigError, match=r"topics\.yaml"):
        configurations.current_topics(connection, with_files, NOW)
    (problem,) = configurations.problems(connection)
    assert problem.understood_at is None


def test_a_pipeline_goes_on_with_a_broken_file_and_takes_up_a_mended_one(
    connection: Connection, database: Database, settings: Settings, newsroom: Serve, tmp_path: Path, run: Run
) -> None:
    room = newsroom(feeds=1, entries=4)
    path = configure(connection, room.world, tmp_path)
    topics = tmp_path / "topics.yaml"
    topics.write_text("{topics: {everything: {match: all}}}")
    both = settings.model_copy(update={"feeds": path, "topics": topics})
    first = configurations.current_topics(connection, both, NOW)
    pipeline = Pipeline(database, both, first, now=Clock())
    topics.write_text("topics: nothing")
    pipeline.read_configuration(connection)
    assert pipeline.topics.judge("any", ["text"])[0].topic == "everything"
    pipeline.once()
    assert connection.execute("SELECT count(*) > 0 FROM news.articles").fetchone() == (True,)
    shown = run("status", "--check")
    assert shown.returncode == 1
    assert "the pipeline: configuration since " in shown.stdout
    assert "topics.yaml:1" in shown.stdout
    topics.write_text("{topics: {everybody: {match: all}}}")
    pipeline.read_configuration(connection)
    assert pipeline.topics.judge("any", ["text"])[0].topic == "everybody"
    assert feeds.health_rows(connection)[0]["enabled"]


@pytest.mark.slow
def test_run_once_wants_files_that_are_right(connection: Connection, with_files: Settings, run: Run) -> None:
    configurations.current_feeds(connection, with_files, NOW)
    with_files.feeds.write_text(BROKEN)
    shown = run("run", "--once", NEWS_FEEDS=str(with_files.feeds), NEWS_TOPICS=str(with_files.topics))
    assert shown.returncode == 2
    assert "did you mean 'outlet'?" in shown.stderr
