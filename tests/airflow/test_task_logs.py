"""Old logs of tasks go; whatever else lies beside them stays."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.airflow import task_logs
from ingest.runtime.clock import utc_now

KEPT = timedelta(days=30)


def write(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("said", encoding="utf-8")
    age(path, days)
    return path


def age(path: Path, days: float) -> None:
    then = (utc_now() - timedelta(days=days)).timestamp()
    os.utime(path, (then, then), follow_symlinks=False)


def test_old_logs_go_and_young_ones_stay(tmp_path: Path) -> None:
    run = tmp_path / "dag_id=poll_feeds" / "run_id=scheduled__2026"
    old = [
        write(run / "task_id=poll" / "attempt=1.log", 31),
        write(run / "task_id=poll" / "attempt=1.log.trigger.7.log", 31),
        write(tmp_path / "dag_processor" / "2026-01-01" / "poll_feeds.py.log", 40),
    ]
    young = [
        write(run / "task_id=poll" / "attempt=2.log", 29),
        # Of a component of `make run`, whatever its age.
        write(tmp_path / "scheduler.log", 400),
        write(tmp_path / "dag_id=poll_feeds" / "notes.txt", 400),
    ]
    assert task_logs.delete_old(tmp_path, utc_now(), KEPT) == 3
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in young)
    assert task_logs.delete_old(tmp_path, utc_now(), KEPT) == 0


def test_directories_go_when_they_have_been_empty_for_a_while(tmp_path: Path) -> None:
    attempt = write(tmp_path / "dag_id=d" / "run_id=r" / "task_id=t" / "attempt=1.log", 31)
    just_made = tmp_path / "dag_id=d" / "run_id=now" / "task_id=t"
    just_made.mkdir(parents=True)
    task_logs.delete_old(tmp_path, utc_now(), KEPT)
    # It was emptied this moment, as if a task had made it.
    assert attempt.parent.exists()
    for later in range(1, 4):
        task_logs.delete_old(tmp_path, utc_now() + later * timedelta(hours=2), timedelta(days=400))
    assert sorted(path.name for path in tmp_path.rglob("*")) == []


def test_links_are_left_alone(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "kept.log", 400)
    logs = tmp_path / "logs"
    (logs / "dag_processor").mkdir(parents=True)
    (logs / "dag_processor" / "latest").symlink_to(outside.parent)
    (logs / "dag_processor" / "one.log").symlink_to(outside)
    age(logs / "dag_processor" / "one.log", 400)
    assert task_logs.delete_old(logs, utc_now(), KEPT) == 0
    assert outside.exists()
    assert (logs / "dag_processor" / "one.log").is_symlink()


def test_the_folder_is_airflows_and_the_age_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setenv("NEWS_KEEP_LOGS_DAYS", "3")
    write(tmp_path / "dag_id=d" / "attempt=1.log", 4)
    write(tmp_path / "dag_id=d" / "attempt=2.log", 2)
    assert task_logs.delete_old_logs() == 1
