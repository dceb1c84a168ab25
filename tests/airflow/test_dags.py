"""The DAG files: thin, documented, and quick to parse."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

FILES = sorted((ROOT / "dags").glob("*.py"))
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
PARSED = """
import importlib.util, json, sys
import airflow.sdk
before = set(sys.modules)
def failure_callbacks(task):
    # Of mapped tasks they are among the arguments that make one.
    callbacks = task.partial_kwargs.get("on_failure_callback") if task.is_mapped else task.on_failure_callback
    return [type(one).__name__ for one in (callbacks if isinstance(callbacks, (list, tuple)) else [callbacks])]
found = []
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("dag_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag = module.dag
    found.append({
        "id": dag.dag_id, "doc": dag.doc_md, "description": dag.description, "tags": sorted(dag.tags),
        "catchup": dag.catchup, "display": dag.dag_display_name,
        "tasks": {task.task_id: {"doc": task.doc_md, "owner": task.owner, "retries": task.retries,
                                 "backoff": bool(task.retry_exponential_backoff),
                                 "limit": task.execution_timeout is not None,
                                 "on_failure": failure_callbacks(task),
                                 "rule": getattr(task.trigger_rule, "value", task.trigger_rule),
                                 "next": sorted(task.downstream_task_ids), "mapped": task.is_mapped,
                                 "outlets": [[type(outlet).__name__, outlet.name] for outlet in task.outlets]}
                  for task in dag.tasks},
        "params": {name: [param.schema.get("type"), bool(param.schema.get("title"))]
                   for name, param in dag.params.items() for param in [dag.params.get_param(name)]},
    })
print(json.dumps({"dags": found, "loaded": sorted(set(sys.modules) - before)}))
"""


def parse(*paths: Path, **environment: str) -> dict[str, Any]:
    import os

    result = subprocess.run(
        [sys.executable, "-c", PARSED, *map(str, paths)],
        capture_output=True, text=True, check=False, env=os.environ | environment, cwd="/",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    parsed: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return parsed


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    return parse(*FILES)


def test_the_dags_of_the_contract_are_there(parsed: dict[str, Any]) -> None:
    assert {dag["id"] for dag in parsed["dags"]} == {
        "poll_feeds", "ingest_articles", "reprocess_articles", "backfill_feeds", "maintain_database",
    }  # fmt: skip


def test_parsing_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    heavy = {
        "psycopg",
        "sqlalchemy",
        "aiohttp",
        "feedparser",
        "trafilatura",
        "lxml",
        "pyarrow",
        "plotly",
        "zstandard",
    }
    assert heavy & {name.partition(".")[0] for name in parsed["loaded"]} == set()
    ours = {name for name in parsed["loaded"] if name.startswith("ingest")}
    assert ours <= {
        "ingest", "ingest.airflow", "ingest.airflow.assets", "ingest.airflow.defaults", "ingest.airflow.notifier",
        "ingest.airflow.triggers", "ingest.config", "ingest.config.errors", "ingest.config.settings", "ingest.text",
            "ingest.text.printable",
    }  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_dag_files_wire_and_do_no_more(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= {"airflow.sdk", "ingest.airflow.assets", "ingest.airflow.defaults", "ingest.config.settings"}
    assert len(path.read_text(encoding="utf-8").splitlines()) < 100


def test_operators_find_every_dag_and_task_explained(parsed: dict[str, Any]) -> None:
    for dag in parsed["dags"]:
        assert dag["doc"], dag["id"]
        assert dag["description"], dag["id"]
        assert dag["display"] != dag["id"]
        assert dag["tags"] == ["news"]
        assert not dag["catchup"]
        for name, task in dag["tasks"].items():
            assert task["doc"], f"{dag['id']}.{name}"
            assert task["owner"] == "news"
            assert task["retries"] > 0
            assert task["backoff"]
            assert task["limit"]
            assert task["on_failure"] == ["AlertNotifier"]
        assert all(kind and title for kind, title in dag["params"].values())
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    for dag in parsed["dags"]:
        assert f"`{dag['id']}`" in guide
        for param in dag["params"]:
            assert f"`{param}`" in guide


def test_stages_run_side_by_side_and_any_failure_fails_the_run(parsed: dict[str, Any]) -> None:
    tasks = next(dag["tasks"] for dag in parsed["dags"] if dag["id"] == "ingest_articles")
    assert tasks["fetch"]["next"] == ["extract", "hand_over"]
    assert tasks["extract"]["next"] == ["hand_over", "land"]
    assert tasks["land"]["next"] == ["hand_over"]
    assert [tasks[name]["rule"] for name in ("fetch", "extract", "land")] == ["always"] * 3
    assert tasks["hand_over"]["rule"] == "all_success"
    # A run's state is that of its leaves.
    assert [name for name, task in tasks.items() if not task["next"]] == ["hand_over"]
    assert tasks["fetch"]["mapped"]
    assert tasks["extract"]["mapped"]


def test_assets_exist_before_anything_runs(parsed: dict[str, Any]) -> None:
    # Airflow makes an asset that is a plain outlet when it reads the DAG. What an alias leads to is made by the tasks,
    # twice where two end at once, and then one of them fails without a retry.
    assert {
        f"{dag['id']}.{name}": task["outlets"] for dag in parsed["dags"] for name, task in dag["tasks"].items()
        if task["outlets"]
    } == {
        "poll_feeds.poll": [["Asset", "news_entries"]],
        "reprocess_articles.reprocess": [["Asset", "news_entries"]],
        "backfill_feeds.walk": [["Asset", "news_entries"]],
        "ingest_articles.land": [["Asset", "news_articles"]],
    }  # fmt: skip


def test_examples_parse(parsed: dict[str, Any]) -> None:
    assert [dag["id"] for dag in parse(*EXAMPLES)["dags"]] == [path.stem for path in EXAMPLES]


def test_a_wrong_setting_is_named_where_dags_are_parsed() -> None:
    with pytest.raises(AssertionError, match="NEWS_FETCH_TASKS"):
        parse(ROOT / "dags" / "ingest_articles.py", NEWS_FETCH_TASKS="many")
