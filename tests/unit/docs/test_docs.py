"""What a user meets is documented, and what is documented is true."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from docs.generate import pages
from ingest.cli import app
from ingest.config.feeds_file import FeedConfig, FeedDefaults, load_feeds
from ingest.config.settings import Settings
from ingest.topics.topics import Rule, Topic
from tests.conftest import ROOT

GENERATED = pages()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_generated_pages_are_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path], "run `make docs`"


def commands(command: Any, name: str = "ingest") -> list[tuple[str, Any]]:
    if hasattr(command, "commands"):
        return [found for sub, below in command.commands.items() for found in commands(below, f"{name} {sub}")]
    return [(name, command)]


@pytest.mark.parametrize(("name", "command"), commands(typer.main.get_command(app)))
def test_every_command_and_option_is_documented(name: str, command: Any) -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    section = re.search(rf"^\| `{name}\b.*$", text, re.MULTILINE)
    assert section, f"{name} is not in docs/commands.md"
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--") and option not in ("--help", "--feeds", "--topics", "--json"):
                assert option in section[0]
    assert command.help


@pytest.mark.parametrize("model", [FeedConfig, FeedDefaults, Topic, Rule])
def test_every_key_of_the_configuration_is_documented(model: type[FeedConfig]) -> None:
    text = (ROOT / "docs" / "curators.md").read_text(encoding="utf-8")
    missing = [name for name in model.model_fields if f"`{name}`" not in text]
    assert missing == []


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_feeds_the_project_comes_with_are_valid() -> None:
    feeds = load_feeds(ROOT / "feeds.yaml")
    assert len(feeds) >= 19
    assert {feed.language for feed in feeds} == {"ar", "ckb", "en", "fa", "ku"}
    assert all(feed.scope == "general" for feed in feeds if not feed.id.startswith("gdelt"))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_links_between_pages_lead_somewhere() -> None:
    checked = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "bench" / "README.md"]
    links = [
        (page, path, anchor)
        for page in checked
        for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8"))
        if not path.startswith("http")
    ]
    assert len(links) > 40
    broken = [
        f"{page.name}: {path}#{anchor}"
        for page, path, anchor in links
        if not (target := page.parent / path if path else page).exists() or (anchor and anchor not in anchors(target))
    ]
    assert broken == []


def test_files_that_pages_name_are_there() -> None:
    pattern = re.compile(r"`((?:ingest|db|tests|docs|bench|dags|docker)/[\w./-]+)`")
    named = {
        (page.name, path)
        for page in [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
        for path in pattern.findall(page.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    missing = [where for where in sorted(named) if not (ROOT / where[1]).exists()]
    assert [where for where in missing if not re.search("NAME|NNNN", where[1])] == []


def test_the_lock_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    assert not re.search(r"https?://|--index-url|--find-links", lock)
