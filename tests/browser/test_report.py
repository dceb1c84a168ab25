"""The report in a browser: it asks nobody for anything, whatever titles hold."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from db import Connection, Database
from ingest.topics.topics import TopicSet
from tests.collected import Collect
from tests.conftest import Run, chromium


@pytest.fixture
def database(collect: Collect, topics: TopicSet) -> Database:
    """What the pipeline has made of a newsroom."""
    return collect(topics, feeds=8, entries=150).database


@pytest.fixture
def filled(connection: Connection) -> Connection:
    return connection


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
