"""Shared by the commands: consoles, options, configuration, the database, tables."""

import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.logging import RichHandler
from rich.progress import Progress
from rich.progress import track as rich_track
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from db import Connection, Database, open_database
from ingest.config.errors import ConfigError
from ingest.config.feeds_file import FeedConfig, load_feeds
from ingest.config.settings import Settings, load_settings
from ingest.runtime.clock import spell, utc_now
from ingest.store import articles, configurations
from ingest.store import feeds as feed_store
from ingest.text.printable import escaped_json, printable
from ingest.topics.topics import TopicSet, load_topics

T = TypeVar("T")


class CleanConsole(Console):
    """A console that prints untrusted text without obeying control characters in it. A string is one line."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(printable(each) if isinstance(each, str) else each for each in objects), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        # All output passes through here: tables, progress, log lines. Line breaks come from Rich itself.
        for segment in super().render(renderable, options):
            shown = segment.control or segment.text.replace("\n", "").isprintable()
            yield segment if shown else Segment(_lines(segment.text), segment.style)


# In a file or pipe, tables keep one line per row.
# No markup: titles and errors are untrusted.
output = CleanConsole(soft_wrap=True, width=None if sys.stdout.isatty() else 250, markup=False, highlight=False)
errors = CleanConsole(stderr=True, soft_wrap=True, markup=False, highlight=False)

# How often long work prints its progress when there is no terminal.
SAY_SECONDS = 10.0

# Characters of a sentence or title in a table.
SENTENCE_WIDTH = 160

# Formats for dates and times on the command line, in UTC.
DATE_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

FeedsOption = Annotated[Path | None, typer.Option("--feeds", help="File that lists the feeds (NEWS_FEEDS).")]
TopicsOption = Annotated[Path | None, typer.Option("--topics", help="File that describes the topics (NEWS_TOPICS).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class CleanFormatter(logging.Formatter):
    """Formats a record of any library as one printable line, followed by the lines of its traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as the base
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return _lines(super().formatException(ei))


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def log_at(level: int) -> None:
    terminal = errors.is_terminal
    handler: logging.Handler = (
        RichHandler(console=errors, show_path=False, markup=False, highlighter=None)
        if terminal
        else logging.StreamHandler()
    )
    handler.setFormatter(CleanFormatter("%(message)s" if terminal else "%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ingest").setLevel(level)


def configuration(feeds: Path | None, topics: Path | None) -> tuple[Settings, tuple[FeedConfig, ...], TopicSet]:
    settings = load_settings(feeds=feeds, topics=topics)
    return settings, load_feeds(settings.feeds), load_topics(settings.topics)


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    with open_database(settings.database_url, settings.data_dir) as database:
        yield database


def current_configuration(database: Database, settings: Settings) -> tuple[tuple[FeedConfig, ...], TopicSet]:
    """Return feeds and topics for work that must go on: if a file is broken, its last good version.

    Also stores the feeds in the database. Raises ConfigError if a file is broken and no good version is known.
    """
    with database.connect() as connection:
        configured = configurations.current_feeds(connection, settings, utc_now())
        topic_set = configurations.current_topics(connection, settings, utc_now())
        feed_store.sync(connection, configured, utc_now())
    return configured, topic_set


def sync_feeds(database: Database, configured: tuple[FeedConfig, ...]) -> None:
    with database.connect() as connection:
        feed_store.sync(connection, configured, utc_now())


def _said(what: str, items: Iterator[T], total: int) -> Iterator[T]:
    with counting(what, total) as say:
        for done, item in enumerate(items, 1):
            yield item
            say(done)


def progress(what: str) -> Callable[[Iterator[T], int], Iterator[T]]:
    def wrap(items: Iterator[T], total: int) -> Iterator[T]:
        if not errors.is_terminal:
            return _said(what, items, total)
        return iter(rich_track(items, description=what, total=total, console=errors, transient=True))

    return wrap


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes how many of `total` are done, and shows a bar, or lines if there is no terminal."""
    if errors.is_terminal:
        with Progress(console=errors, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    said_at = time.monotonic()

    def say(done: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= SAY_SECONDS:
            said_at = time.monotonic()
            errors.print(f"{what}: {done:,} of {total:,}")

    yield say


def make_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def add_row(table: Table, *cells: str) -> None:
    table.add_row(*(Text(printable(cell)) for cell in cells))


def print_json(value: object) -> None:
    sys.stdout.write(escaped_json(json.dumps(value, ensure_ascii=False, indent=2, default=_json_value)) + "\n")


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def ago(moment: datetime | None) -> str:
    return "never" if moment is None else f"{spell(utc_now() - moment)} ago"


@contextmanager
def stop_on_signal(then: Callable[[], None] = lambda: None) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGINT or SIGTERM came. The first calls `then`, a second one interrupts."""
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        errors.print("finishing the current work; repeat to stop at once")
        stopped.set()
        then()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_names(connection: Connection, chosen: articles.Chosen) -> None:
    """Raise ConfigError for a topic or an outlet that no article has. Most likely it is misspelt."""
    topics, outlets = articles.topics_and_outlets(connection) if chosen.topic or chosen.outlets else (set(), set())
    wanted = [("topic", chosen.topic, topics)] if chosen.topic else []
    wanted += [("outlet", outlet, outlets) for outlet in chosen.outlets]
    for kind, name, known in wanted:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            raise ConfigError(f"no article has the {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
