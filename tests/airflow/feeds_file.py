"""The feeds.yaml that Airflow's tasks read."""

from pathlib import Path

from tests.newsroom import RunningNewsroom


def write_feeds(room: RunningNewsroom, folder: Path) -> Path:
    path = folder / "feeds.yaml"
    path.write_text(room.world.feeds_yaml(), encoding="utf-8")
    return path
