"""A pipeline that is killed again and again loses nothing and repeats nothing."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from db import Database
from ingest.config.settings import Settings
from ingest.runtime.clock import utc_now
from tests.conftest import Serve
from tests.newsroom import RunningNewsroom
from tests.rules_only import RULES_ONLY
from tests.runs import landed, outcomes, true_places

INGEST = str(Path(sys.executable).with_name("ingest"))
KILLS = 20


def environment(room: RunningNewsroom, database: Database, folder: Path) -> dict[str, str]:
    (folder / "feeds.yaml").write_text(room.world.feeds_yaml(), encoding="utf-8")
    return os.environ | {
        "NEWS_DATABASE_URL": database.url,
        "NEWS_FEEDS": str(folder / "feeds.yaml"),
        "NEWS_TOPICS": str(RULES_ONLY),
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        # So that the pages of one host take longer than all the killed runs together.
        "NEWS_HOST_DELAY": "0.8",
    }


@pytest.mark.slow
def test_killed_at_random_moments(newsroom: Serve, database: Database, settings: Settings, tmp_path: Path) -> None:
    room = newsroom(feeds=10, entries=300, now=utc_now())
    variables = environment(room, database, tmp_path)
    moments = random.Random(7)
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [INGEST, "run", "--once"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # Half a second goes into starting up.
        try:
            process.wait(moments.uniform(0.5, 1.6))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    last = subprocess.run(
        [INGEST, "run", "--once"], env=variables, capture_output=True, text=True, check=False, timeout=100
    )
    assert last.returncode == 0, last.stderr
    assert killed == KILLS
    with database.connect() as connection:
        assert landed(connection) == true_places(room.world)
        final = {status for _, _, status, _ in outcomes(connection)}
        assert final <= {"landed", "duplicate", "off_topic"}
        holders = connection.execute(
            "SELECT (SELECT count(*) FROM news.entries WHERE lease_holder IS NOT NULL)"
            " + (SELECT count(*) FROM news.feeds WHERE lease_holder IS NOT NULL)"
        ).fetchone()
        assert holders == (0,)
    fetched = Counter((request.host, request.path) for request in room.requests("/news/"))
    # What a killed run had asked for but not stored is asked for again; what was stored is not.
    assert fetched.total() - len(fetched) <= killed * settings.fetch_concurrency
