"""Each DAG run by Airflow itself, against a simulated web and a real database."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from db import Connection, Database
from db.embedded import EmbeddedServer
from ingest.runtime.clock import utc_now
from tests.airflow.feeds_file import write_feeds
from tests.conftest import ROOT, Serve
from tests.runs import landed, true_places


@pytest.fixture(scope="module")
def metadata(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with a database of its own, over psycopg 3."""
    server.ensure_database("airflow")
    url = f"postgresql+psycopg://news@/airflow?host={quote(str(server.socket_dir), safe='/')}"
    environment = {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": url,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "PYTHONPATH": str(ROOT),
    }
    airflow = Path(sys.executable).with_name("airflow")
    for command in (["db", "migrate"], ["dags", "reserialize"]):
        subprocess.run([airflow, *command], env=os.environ | environment, check=True, capture_output=True)
    return environment


def run(metadata: dict[str, str], *wanted: str) -> list[dict[str, Any]]:
    result = subprocess.run(
        [sys.executable, "-m", "tests.airflow.run_dags", *wanted],
        env=os.environ | metadata, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    line = next(line for line in result.stdout.splitlines() if line.startswith("RUNS "))
    runs: list[dict[str, Any]] = json.loads(line.removeprefix("RUNS "))
    return runs


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_dag_does_its_work(
    newsroom: Serve, news_db: Database, connection: Connection, metadata: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    room = newsroom(feeds=3, entries=24, now=utc_now())
    write_feeds(room, tmp_path)
    # `dag.test` runs one task after another, in any order, so those who follow others wait for nothing, and what has
    # to pass through three stages may take three runs.
    monkeypatch.setenv("NEWS_TASK_SECONDS", "8")
    runs = run(
        metadata, "poll_feeds", *["ingest_articles"] * 4, "poll_feeds",
        "maintain_database", 'reprocess_articles={"reason": "no topic", "feed": null}',
        f'backfill_feeds={{"feed": "{room.world.feeds[0].id}", "since": "2020-01-01"}}',
    )  # fmt: skip
    assert [part["state"] for part in runs] == ["success"] * 9
    assert landed(connection) == true_places(room.world)
    first, *ingested, again, second, maintained, reopened, walked = runs
    assert first["values"]["poll"][0]["new_entries"] == 24
    assert [(name, task) for name, task, _ in first["events"]] == [("news_entries", "poll")]
    assert first["events"][0][2]["new_entries"] == 24
    # Run again, the tasks repeat nothing.
    assert {sum(part.values()) for name in ("fetch", "extract", "land") for part in again["values"][name]} == {0}
    assert again["events"] == []
    # Nothing new, no update.
    assert second["events"] == []
    updates = [event for part in ingested for event in part["events"]]
    assert {(name, task) for name, task, _ in updates} == {("news_articles", "land")}
    assert sum(extra["landed"] for _, _, extra in updates) == len({hash_ for hash_, _, _ in landed(connection)})
    assert maintained["values"]["check_feeds"] == [{}]
    off_topic = connection.execute("SELECT count(*) FROM news.entries WHERE status = 'fetched'").fetchone()
    assert off_topic is not None
    assert reopened["values"]["reprocess"] == [{"reopened": off_topic[0]}]
    assert off_topic[0] > 0
    (read,) = walked["values"]["walk"]
    assert (read["read"] > 1, read["items"] > 0, read["new_entries"]) == (True, True, 0)


def test_airflow_keeps_no_password_of_the_news_database(server: EmbeddedServer, metadata: dict[str, str]) -> None:
    with psycopg.connect(server.url("airflow")) as connection:
        stored = connection.execute("SELECT count(*) FROM connection WHERE conn_id = 'news_db'").fetchone()
    assert stored == (0,)
