"""A curator fits and judges the model of a topic."""

import json
from pathlib import Path

import pytest

from db import Database
from ingest.topics.model import load_model
from tests.conftest import Run
from tests.rules_only import RULES_ONLY

ABOUT = "The last American troops leave Iraq, province {}, in week {}."
OTHER = "A cake with apples from province {} wins the prize of week {}."


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    lines = [
        {
            "id": f"n{number}", "lang": "en", "title": "",
            "text": (OTHER if number % 2 else ABOUT).format(number, number % 7),
            "label": "no" if number % 2 else "about", "event": f"e{number // 2}", "kind": "wire", "year": 2011,
        }
        for number in range(40)
    ]  # fmt: skip
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_labels_are_scored_event_by_event(run: Run, labels: Path) -> None:
    result = run("topics", "score", str(labels), "--disagreements", "1")
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["all", "40", "1.000", "1.000", "1.000"] in [row[:5] for row in rows]
    assert "where rules and meaning disagree most:" in result.stdout


def test_a_model_is_fitted_and_written(run: Run, labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.json"
    result = run("topics", "train", str(labels), "--out", str(out))
    assert result.returncode == 0, result.stderr
    assert "a model fitted to 40 texts" in result.stdout
    assert load_model(out).texts == 40


def test_a_folder_that_is_not_there_is_named(run: Run, labels: Path, tmp_path: Path) -> None:
    result = run("topics", "train", str(labels), "--out", str(tmp_path / "no" / "model.json"))
    assert (result.returncode, "No such file" in result.stderr) == (1, True)


@pytest.fixture
def landed(run: Run, database: Database, tmp_path: Path) -> list[int]:
    """The entries of three articles: about the topic, not about it, and about it in words that no rule knows."""
    texts = [
        ABOUT.format("Basra", 1),
        OTHER.format("Basra", 1),
        "Iraq: the Americans pack up, for good, say officials.",
    ]
    path = tmp_path / "articles.jsonl"
    lines = [
        {"text": f"{text} {'More on this will follow. ' * 5}", "url": f"http://a.example/{number}"}
        for number, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    result = run("import", str(path))
    assert result.returncode == 0, result.stderr
    with database.connect() as connection:
        return [row[0] for row in connection.execute("SELECT id FROM news.entries ORDER BY canonical_url").fetchall()]


def test_curators_label_what_was_judged_and_the_model_learns_from_it(
    run: Run, landed: list[int], labels: Path, tmp_path: Path, database: Database
) -> None:
    about, other, unknown = map(str, landed)
    said = run("topics", "label", unknown, "no", "--by", "Rana")
    assert said.stdout.startswith("iraq-withdrawal: no  "), said.stderr
    assert "about (before: no)" in run("topics", "label", unknown, "about", "--by", "Sami").stdout
    assert run("topics", "label", other, "no").returncode == 0
    with database.connect() as connection:
        kept = connection.execute("SELECT entry_id, label, labelled_by FROM news.topic_labels ORDER BY id").fetchall()
    assert kept[:2] == [(landed[2], "no", "Rana"), (landed[2], "about", "Sami")]
    assert kept[2][2]
    proposed = json.loads(run("topics", "next", "--json").stdout)
    assert [text["entry"] for text in proposed] == [int(about)]
    out = tmp_path / "model.json"
    assert "fitted to 42 texts" in run("topics", "train", str(labels), "--out", str(out)).stdout
    assert "fitted to 40 texts" in run("topics", "train", str(labels), "--out", str(out), "--no-stored").stdout
    own = RULES_ONLY.read_text(encoding="utf-8").replace("    title: ", "    model: model.json\n    title: ", 1)
    (tmp_path / "topics.yaml").write_text(own, encoding="utf-8")
    explained = run("topics", "explain", unknown, "--topics", str(tmp_path / "topics.yaml"))
    assert "most like the labelled texts n" in explained.stdout, explained.stderr


def test_an_entry_without_a_document_cannot_be_labelled(run: Run) -> None:
    result = run("topics", "label", "4711", "about")
    assert (result.returncode, result.stderr.strip()) == (
        2, "error: entry 4711 has no document; its number is that of news.entries"
    )  # fmt: skip
    assert run("topics", "label", "1", "perhaps").returncode == 2
    assert "every text has a label" in run("topics", "next").stdout
