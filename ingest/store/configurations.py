"""The table `configurations`: the last valid feeds.yaml and topics.yaml, and what is wrong with the current ones.

A broken file stops nothing. The pipeline keeps using the last valid version, and reports the problem until the file
is fixed.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from psycopg.rows import class_row

from db import Connection
from db.rows import only_row
from ingest.config.errors import ConfigError
from ingest.config.feeds_file import FeedConfig, parse_feeds
from ingest.config.settings import Settings
from ingest.config.yaml_file import read_config
from ingest.text.storable import storable
from ingest.topics.topics import TopicSet, parse_topics

__all__ = ["Problem", "current_feeds", "current_topics", "problems"]

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file, since when, and how long the version in use has been known."""

    file: str
    problem: str
    problem_since: datetime
    understood_at: datetime | None


def current_feeds(connection: Connection, settings: Settings, now: datetime) -> tuple[FeedConfig, ...]:
    """Return the feeds of NEWS_FEEDS or, if that file is broken, of its last valid version. Commits.

    Raises ConfigError if the file is broken and no valid version is known.
    """
    return _current(connection, "feeds", settings.feeds, parse_feeds, now)


def current_topics(connection: Connection, settings: Settings, now: datetime) -> TopicSet:
    """Return the topics of NEWS_TOPICS, with the same fallback as `current_feeds`."""
    return _current(connection, "topics", settings.topics, parse_topics, now)


def problems(connection: Connection) -> list[Problem]:
    """Return what is currently wrong with the files."""
    with connection.cursor(row_factory=class_row(Problem)) as cursor:
        return cursor.execute(
            "SELECT file, problem, problem_since, understood_at FROM news.configurations WHERE problem IS NOT NULL"
            " ORDER BY file"
        ).fetchall()


def _current(connection: Connection, file: str, path: Path, parse: Callable[[str, Path], T], now: datetime) -> T:
    try:
        text = read_config(path, file)
        understood = parse(text, path)
    except ConfigError as problem:
        content = _note_problem(connection, file, problem, now)
        if content is None:
            raise
        try:
            return parse(content, path)
        except ConfigError:
            # Stored by an older version of this program that accepted a different format.
            raise problem from None
    _note_understood(connection, file, text, now)
    return understood


def _note_understood(connection: Connection, file: str, text: str, now: datetime) -> None:
    known = connection.execute(
        "SELECT content_hash, problem FROM news.configurations WHERE file = %s", [file]
    ).fetchone()
    digest = hashlib.sha256(text.encode()).hexdigest()
    if known != (digest, None):
        connection.execute(
            "INSERT INTO news.configurations AS c (file, content, content_hash, understood_at)"
            " VALUES (%(file)s, %(content)s, %(hash)s, %(now)s)"
            " ON CONFLICT (file) DO UPDATE SET content = excluded.content, content_hash = excluded.content_hash,"
            " understood_at = CASE WHEN c.content_hash = excluded.content_hash THEN c.understood_at"
            "                      ELSE excluded.understood_at END, problem = NULL, problem_since = NULL",
            {"file": file, "content": storable(text), "hash": digest, "now": now},
        )
        if known is not None:
            log.info("the %s file is %s", file, "mended" if known[1] else "a new one, and used from now on")
    connection.commit()


def _note_problem(connection: Connection, file: str, problem: ConfigError, now: datetime) -> str | None:
    """Record what is wrong, log it if it is new, and return the last valid text."""
    said = storable(str(problem))
    row = only_row(
        connection,
        "INSERT INTO news.configurations AS c (file, problem, problem_since) VALUES (%(file)s, %(said)s, %(now)s)"
        " ON CONFLICT (file) DO UPDATE SET problem = excluded.problem,"
        " problem_since = coalesce(c.problem_since, excluded.problem_since)"
        " RETURNING c.content, (SELECT k.problem FROM news.configurations k WHERE k.file = %(file)s)",
        {"file": file, "said": said, "now": now},
    )
    connection.commit()
    content: str | None = row[0]
    if row[1] != said:
        log.error("%s%s", said, "" if content is None else f"; the last good {file} file is used")
    return content
