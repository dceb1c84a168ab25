"""A curator fits and judges the model of a topic."""

import json
from pathlib import Path

import pytest

from ingest.topics.model import load_model
from tests.conftest import Run

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
