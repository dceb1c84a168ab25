"""What keeps the logs of `make run` from growing for ever."""

import os
import time
from pathlib import Path

import pytest

from ingest.airflow.standalone import logs
from ingest.errors import ConfigError


def make(path: Path, days_old: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a line\n")
    at = time.time() - days_old * 86400
    os.utime(path, (at, at))
    return path


def test_old_logs_of_tasks_are_deleted_with_their_folders(tmp_path: Path) -> None:
    old = make(tmp_path / "dag_id=poll_feeds" / "run_id=1" / "task_id=poll" / "attempt=1.log", 16)
    new = make(tmp_path / "dag_id=poll_feeds" / "run_id=2" / "task_id=poll" / "attempt=1.log", 14)
    parsed = make(tmp_path / "dag_processor" / "2026-01-01" / "poll_feeds.py.log", 16)
    latest = tmp_path / "dag_processor" / "latest"
    latest.symlink_to("2026-01-01")
    component = make(tmp_path / "scheduler.log", 100)
    fresh = tmp_path / "dag_id=ingest_articles" / "run_id=3"
    fresh.mkdir(parents=True)
    assert logs.groom_once(tmp_path, 15) == 2
    assert not old.parents[1].exists()
    assert not parsed.parent.exists()
    # Not even an empty folder goes that somebody has just made in order to write there.
    assert new.exists()
    assert fresh.exists()
    assert component.exists()
    assert latest.is_symlink()
    assert logs.groom_once(tmp_path, 15) == 0


def test_the_log_of_a_running_component_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.log"
    with path.open("ab", buffering=0) as output:
        output.write(b"first\n" * 10)
        logs.rotate(path, most_bytes=60)
        assert not path.with_name("scheduler.log.1").exists()
        output.write(b"second\n")
        logs.rotate(path, most_bytes=60)
        output.write(b"third\n")
    assert path.read_bytes() == b"third\n"
    assert path.with_name("scheduler.log.1").read_bytes() == b"first\n" * 10 + b"second\n"
    logs.rotate(tmp_path / "none.log")


def test_the_days_are_those_of_airflows_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(logs.RETENTION, raising=False)
    assert logs.retention_days() == 15
    monkeypatch.setenv(logs.RETENTION, "3")
    assert logs.retention_days() == 3
    for wrong in ("0", "-1", "a week", "1.5"):
        monkeypatch.setenv(logs.RETENTION, wrong)
        with pytest.raises(ConfigError, match="expected a number of days"):
            logs.retention_days()
