"""The report: numbers that agree with the database, a page that needs nothing else, whatever titles hold."""

import codecs
import csv
from datetime import date
from pathlib import Path

import pytest

from db import Connection, Database
from ingest.topics.topics import TopicSet
from tests.collected import Collect
from tests.conftest import Run


@pytest.fixture
def database(collect: Collect, topics: TopicSet) -> Database:
    """What the pipeline has made of a newsroom."""
    return collect(topics, feeds=8, entries=150).database


@pytest.fixture
def filled(connection: Connection) -> Connection:
    return connection


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_numbers_are_those_of_the_database(filled: Connection, run: Run, tmp_path: Path) -> None:
    result = run("report", "--out", str(tmp_path / "out" / "report.html"))
    assert result.returncode == 0
    (articles, stories, sightings) = filled.execute(
        "SELECT (SELECT count(*) FROM news.articles), (SELECT count(*) FROM news.stories),"
        " (SELECT count(*) FROM news.sightings)"
    ).fetchone() or (0, 0, 0)
    assert f"{articles:,} articles" in result.stdout
    folder = tmp_path / "out"
    for name in ("outlets", "languages", "countries", "dates", "copies"):
        assert sum(int(row["count"]) for row in read(folder / f"report-{name}.csv")) == articles, name
    assert sum(int(row["articles"]) for row in read(folder / "report-coverage.csv")) == articles
    entries = filled.execute("SELECT count(*) FROM news.entries").fetchone()
    assert entries == (sum(int(row["count"]) for row in read(folder / "report-outcomes.csv")),)
    widest = filled.execute("SELECT outlets FROM news.story_overview ORDER BY outlets DESC LIMIT 1").fetchone()
    assert widest == (int(read(folder / "report-stories.csv")[0]["outlets"]),)
    page = (folder / "report.html").read_text(encoding="utf-8")
    for number in (articles, stories, sightings):
        assert f"<b>{number:,}</b>" in page
    assert [path.name for path in folder.iterdir() if "partial" in path.name] == []


def test_spreadsheets_run_nothing_of_its_tables(filled: Connection, run: Run, tmp_path: Path) -> None:
    filled.execute(
        "UPDATE news.articles SET outlet = '=1+1 ' || outlet, title = E'@x\\x1B \u202e' || coalesce(title, '')"
    )
    filled.commit()
    assert run("report", "--out", str(tmp_path / "r.html")).returncode == 0
    assert {path.read_bytes()[:3] for path in tmp_path.glob("r-*.csv")} == {codecs.BOM_UTF8}
    assert all(row["name"].startswith("'=1+1 ") for row in read(tmp_path / "r-outlets.csv"))
    assert all(row["title"].startswith("'@x  ") for row in read(tmp_path / "r-stories.csv"))


def test_events_of_the_time_are_marked(filled: Connection, run: Run, tmp_path: Path) -> None:
    first = filled.execute("SELECT min(published_at)::date FROM news.articles").fetchone()
    assert first is not None
    events = tmp_path / "mine.yaml"
    events.write_text(f"events: [{{on: {first[0]}, what: something}}, {{on: {date(2001, 1, 1)}, what: long ago}}]")
    assert run("report", "--out", str(tmp_path / "r.html"), "--events", str(events)).returncode == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert f"{first[0]} something" in page
    assert "long ago" not in page
    events.write_text("events:\n  - on: yesterday\n    what: x\n")
    wrong = run("report", "--out", str(tmp_path / "r.html"), "--events", str(events))
    assert wrong.returncode == 2
    assert "mine.yaml" in wrong.stderr
    assert run("report", "--out", str(tmp_path)).returncode == 2
    assert run("report", "--out", str(tmp_path / "r.html"), "--events", str(tmp_path / "none.yaml")).returncode == 2


def test_conditions(filled: Connection, run: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "r.html")
    result = run("report", "--out", out, "--topic", "iraq-withdrawal", "--since", "2026-10-20")
    assert result.returncode == 0
    count = filled.execute("SELECT count(*) FROM news.articles WHERE published_at >= '2026-10-20'").fetchone()
    assert count == (sum(int(row["count"]) for row in read(tmp_path / "r-outlets.csv")),)
    assert run("report", "--out", out, "--topic", "nonesuch").returncode == 2


def test_an_empty_database_has_a_page_too(run: Run, empty_database: Database, tmp_path: Path) -> None:
    made = run("report", "--out", str(tmp_path / "r.html"), NEWS_DATABASE_URL=empty_database.url)
    assert made.returncode == 0
    assert "no articles yet" in (tmp_path / "r.html").read_text(encoding="utf-8")
