"""The report: numbers that agree with the database, a page that needs nothing else, whatever titles hold."""

import codecs
import csv
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.topics.topics import TopicSet
from tests.conftest import Clock, Run, Serve, chromium, configure
from tests.test_pipeline import run_once


@pytest.fixture
def filled(
    database: Database, newsroom: Serve, settings: Settings, topics: TopicSet, tmp_path: Path
) -> Iterator[Connection]:
    with database.connect() as opened:
        configure(opened, newsroom(feeds=8, entries=150).world, tmp_path)
        run_once(database, settings, topics, Clock())
        yield opened


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


def test_an_empty_database_has_a_page_too(run: Run, tmp_path: Path) -> None:
    assert run("report", "--out", str(tmp_path / "r.html")).returncode == 0
    assert "no articles yet" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_browser_shows_it_without_asking_anybody(filled: Connection, run: Run, tmp_path: Path) -> None:
    filled.execute("UPDATE news.articles SET title = '<script>document.title = \"taken\"</script>' || title")
    filled.execute("UPDATE news.articles SET url = 'javascript:alert(1)' WHERE id % 2 = 0")
    filled.commit()
    assert run("report", "--out", str(tmp_path / "r.html"), "--title", "Corpus").returncode == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script>document.title" not in page
    assert not re.search(r'<(?:script|img|link|iframe)[^>]+(?:src|href)="', page)
    assert 'href="javascript:' not in page
    path = chromium()
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto((tmp_path / "r.html").as_uri())
        tab.wait_for_selector("#coverage .bars")
        assert tab.title() == "Corpus"
        # Arabic names stand on the right.
        names = tab.locator("th[dir=auto]").evaluate_all(
            "cells => cells.map(cell => [cell.textContent, getComputedStyle(cell).direction])"
        )
        assert {direction for name, direction in names if re.match("[ء-ي]", name)} == {"rtl"}
        assert tab.pdf(format="A4").startswith(b"%PDF")
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []
