"""Databases that the pipeline has filled: each newsroom is collected once in a process, and copied for each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from psycopg.conninfo import conninfo_to_dict

from db import Database
from db.embedded import EmbeddedServer
from ingest.topics.topics import TopicSet
from tests.conftest import NOW, Clock, configure, free_port, new_database, newsroom_settings
from tests.newsroom import Newsroom, serve
from tests.runs import run_once

__all__ = ["Collect", "Collected", "collect", "templates"]


class Collected(NamedTuple):
    """A database with all that a newsroom had published at NOW, and the newsroom, which is not served any more."""

    database: Database
    world: Newsroom


# Called with the topics and with what `Newsroom.build` takes.
Collect = Callable[..., Collected]


@pytest.fixture(scope="session")
def templates(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., tuple[str, Newsroom]]]:
    """Makes the databases that are copied, and returns their names."""
    made: dict[tuple[object, ...], tuple[str, Newsroom]] = {}

    with ExitStack() as databases:

        def template(topics: TopicSet, **options: Any) -> tuple[str, Newsroom]:
            key = (id(topics), *sorted(options.items()))
            if key not in made:
                folder = tmp_path_factory.mktemp("collected")
                world = Newsroom.build(now=NOW, port=free_port(), **options)
                database = databases.enter_context(new_database(server))
                with serve(world):
                    with database.connect() as connection:
                        configure(connection, world, folder)
                    run_once(database, newsroom_settings(folder), topics, Clock())
                made[key] = str(conninfo_to_dict(database.url)["dbname"]), world
            return made[key]

        yield template


@pytest.fixture
def collect(server: EmbeddedServer, templates: Callable[..., tuple[str, Newsroom]]) -> Iterator[Collect]:
    """Gives copies of a database that the pipeline has filled. The first who asks for a newsroom waits for the run."""
    with ExitStack() as copies:

        def copy(topics: TopicSet, **options: Any) -> Collected:
            name, world = templates(topics, **options)
            return Collected(copies.enter_context(new_database(server, name)), world)

        yield copy
