"""A dump that is restored is the same database, and the pipeline goes on with it."""

import subprocess
from pathlib import Path

import pytest

from db import Connection, Database
from db.embedded import EmbeddedServer, programs
from db.engine import upgrade
from ingest.config.settings import Settings
from ingest.topics.topics import TopicSet
from tests.conftest import Clock, Serve, configure, new_database
from tests.runs import run_once

TABLES = ("feeds", "entries", "documents", "articles", "sightings", "stories", "article_signatures", "article_topics")


@pytest.mark.slow
def test_after_a_restore_nothing_is_fetched_again(
    server: EmbeddedServer, database: Database, connection: Connection, newsroom: Serve, settings: Settings,
    topics: TopicSet, clock: Clock, tmp_path: Path,
) -> None:  # fmt: skip
    room = newsroom(feeds=4, entries=40)
    configure(connection, room.world, tmp_path)
    run_once(database, settings, topics, clock)
    dump = tmp_path / "news.dump"
    subprocess.run([programs() / "pg_dump", "--format", "custom", "--file", dump, database.url], check=True)
    with new_database(server, "template0") as restored:
        subprocess.run(
            [programs() / "pg_restore", "--exit-on-error", "--dbname", restored.url, dump],
            check=True, capture_output=True,
        )  # fmt: skip
        # What a program does that meets it: the schema is its own, the roles have their rights.
        assert upgrade(restored.url)[0] is not None
        with restored.connect() as there:
            for table in TABLES:
                query = f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM news.{table} t".encode()
                assert there.execute(query).fetchone() == connection.execute(query).fetchone(), table
            there.commit()
            asked = len(room.log)
            clock.advance(hours=1)
            run_once(restored, settings, topics, clock)
            new = room.log[asked:]
            assert len(new) == 4
            assert all(request.conditional for request in new)
            found = there.execute("SELECT search IS NOT NULL FROM news.articles").fetchall()
            assert set(found) == {(True,)}
            assert there.execute("SELECT count(*) FROM news.search('العراق OR Iraq')").fetchone() != (0,)
            reader = there.execute("SELECT has_table_privilege('news_reader', 'news.articles_flat', 'SELECT')")
            assert reader.fetchone() == (True,)
