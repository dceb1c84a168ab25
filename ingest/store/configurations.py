"""The table `configurations`: feeds.yaml and topics.yaml as they were last understood, and what is wrong with them now.

A broken file stops nothing. The pipeline goes on with the last good one, and says so until the file is fixed.
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
    """A broken file: the error, since when, and the age of the version in use."""

    file: str
    problem: str
    problem_since: datetime
    understood_at: datetime | None


def current_feeds(connection: Connection, settings: Settings, now: datetime) -> tuple[FeedConfig, ...]:
    """Return the feeds of NEWS_FEEDS, or of the last good file where that is broken. Commits.

    Raises ConfigError when it is broken and no good one is known.
    """
    return _current(connection, "feeds", settings.feeds, parse_feeds, now)


def current_topics(connection: Connection, settings: Settings, now: datetime) -> TopicSet:
    """Return the topics of NEWS_TOPICS, as `current_feeds` returns the feeds."""
    return _current(connection, "topics", settings.topics, parse_topics, now)


def problems(connection: Connection) -> list[Problem]:
    """Return what is wrong with the files at present."""
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
            # Of an older version of this program, which understood something else.
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
    """Note what is wrong, say it in the log when it is new, and return the text that was last understood."""
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
