"""What tests of Airflow's side need: a home for Airflow that is not the developer's."""

import os
import tempfile
from pathlib import Path

import pytest

from db import Database
from tests.integration.conftest import fork_server
from tests.rules_only import RULES_ONLY

__all__ = ["fork_server"]

# Before anything imports Airflow, which reads it then. Nothing of the developer's Airflow is used or changed.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="news-test-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] = "False"


@pytest.fixture
def news_db(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A fresh database that Airflow knows as its connection `news_db`, and settings for the newsroom."""
    # Airflow's own way to name a connection in the environment.
    host = database.url.partition("host=")[2]
    monkeypatch.setenv(
        "AIRFLOW_CONN_NEWS_DB", f"postgresql://news@/{database.url.partition('@/')[2].partition('?')[0]}?host={host}"
    )
    for name, value in {
        "FEEDS": tmp_path / "feeds.yaml",
        "TOPICS": RULES_ONLY,
        "ALLOW_NETWORKS": "127.0.0.0/8",
        "HOST_DELAY": "0",
        "EXTRACT_PROCESSES": "2",
        "TASK_SECONDS": "30",
    }.items():
        monkeypatch.setenv(f"NEWS_{name}", str(value))
    return database
