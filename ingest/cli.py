"""The command `ingest`."""

import asyncio
import gc
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import psycopg
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import track as rich_track
from rich.table import Table
from rich.text import Text

from db import Connection, Database, DatabaseError, open_database
from db.engine import upgrade
from ingest import articles, ledger
from ingest import feeds as feed_store
from ingest.clock import spell, utc_now
from ingest.errors import ConfigError, IngestError
from ingest.export import ExportFormat, export_articles
from ingest.feed_health import health
from ingest.feeds_file import FeedConfig, load_feeds
from ingest.settings import Settings, load_settings
from ingest.topics import TopicSet, load_topics

if TYPE_CHECKING:
    from ingest.discovery import Discovered
    from ingest.pipeline import Pipeline

__all__ = ["app", "main"]

T = TypeVar("T")

# A URL that was printed must work for somebody who then types a command with it.
URL_VALID_SECONDS = 600

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Collect news about a topic from feeds into PostgreSQL.",
)  # fmt: skip
feeds_app = typer.Typer(no_args_is_help=True, help="The feeds that are collected from.")
db_app = typer.Typer(no_args_is_help=True, help="The database.")
app.add_typer(feeds_app, name="feeds")
app.add_typer(db_app, name="db")

# Into a file or pipe, tables keep one line a row.
# No markup: titles and errors come from outside.
output = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 250, markup=False, highlight=False)
errors = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)

FeedsOption = Annotated[Path | None, typer.Option("--feeds", help="File that lists the feeds (NEWS_FEEDS).")]
TopicsOption = Annotated[Path | None, typer.Option("--topics", help="File that describes the topics (NEWS_TOPICS).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every feed, page and article.")] = False,
) -> None:
    _log(logging.INFO if verbose else logging.WARNING)


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="Work until nothing is due.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Work for ever; SIGTERM ends it in order.")] = False,
    feeds: FeedsOption = None,
    topics: TopicsOption = None,
) -> None:
    """Poll, fetch, extract and land, all stages side by side."""
    if once == follow:
        raise typer.BadParameter("say either --once or --follow")
    from ingest.pipeline import Pipeline

    settings, configured, topic_set = _configuration(feeds, topics)
    if follow:
        _log(logging.INFO)
    with _database(settings) as database:
        _sync(database, configured)
        pipeline = Pipeline(database, settings, topic_set)
        # What was imported stays; millions of short-lived objects come and go without cycles.
        gc.freeze()
        gc.set_threshold(20_000)
        with _stop_on_signal(pipeline), _live(pipeline, hidden=follow):
            if follow:
                logging.getLogger(__name__).info("following %d feeds; Ctrl-C or SIGTERM ends in order", len(configured))
                pipeline.follow(settings.feeds)
            else:
                pipeline.once()
        _summary(pipeline, database)
        if once and pipeline.stopped:
            raise IngestError("stopped before everything that was due was done; run it again to go on")


@app.command()
def poll(feeds: FeedsOption = None, topics: TopicsOption = None) -> None:
    """Ask the feeds that are due for new entries."""
    from ingest.poll import poll as stage

    settings, configured, topic_set = _configuration(feeds, topics)
    with _database(settings) as database:
        _sync(database, configured)
        _run_stage(database, lambda connection: stage(connection, settings, utc_now, topic_set))


@app.command()
def fetch() -> None:
    """Fetch the pages of new entries."""
    from ingest.fetch import fetch as stage

    settings = load_settings()
    with _database(settings) as database:
        _run_stage(database, lambda connection: stage(connection, settings, utc_now))


@app.command()
def extract() -> None:
    """Extract the articles from fetched pages."""
    from ingest.extract import extract as stage

    settings = load_settings()
    with _database(settings) as database:
        _run_stage(database, lambda connection: stage(connection, settings, utc_now))


@app.command()
def land(topics: TopicsOption = None) -> None:
    """Put the extracted articles that are on a topic into the table articles."""
    from ingest.land import land as stage

    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    with _database(settings) as database:
        _run_stage(database, lambda connection: stage(connection, settings, utc_now, topic_set))


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of texts named like 000_8b30ea1d89039507.txt.")],
    topics: TopicsOption = None,
) -> None:
    """Take in a folder of texts; they pass through `land` like any other."""
    from ingest.land import land as stage
    from ingest.seeds import import_folder, seed_files

    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    seed_files(folder)
    with _database(settings) as database, database.connect() as connection:
        taken = import_folder(connection, folder, utc_now(), progress=_progress("importing"))
        counts = stage(connection, settings, utc_now, topic_set)
    output.print(
        f"{taken.files} files: {taken.new} new, {taken.known} known already; "
        f"{counts.landed} landed, {counts.duplicate} duplicate, {counts.off_topic} off topic"
    )
    for problem in taken.unreadable:
        errors.print(f"error: {problem}", style="red")
    if taken.unreadable:
        raise typer.Exit(1)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="New or empty folder to write into.")],
    kind: Annotated[ExportFormat, typer.Option("--format", help="Format of the files.")] = ExportFormat.TXT,
) -> None:
    """Write all articles to files."""
    settings = load_settings()
    with _database(settings) as database, database.connect() as connection:
        count = export_articles(connection, folder, kind, progress=_progress("exporting"))
    output.print(f"{count} articles written to {folder}")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Show the health of the feeds and what became of their entries."""
    settings = load_settings()
    with _database(settings) as database, database.connect() as connection:
        rows = health(connection, utc_now())
        entries = ledger.statistics(connection)
        count, last_landed_at = articles.count_and_last(connection)
    if as_json:
        for row in rows:
            usual = row.pop("rhythm").usual
            row["usual_gap_seconds"] = usual and usual.total_seconds()
        _print_json({"feeds": rows, "entries": entries, "articles": count, "last_landed_at": last_landed_at})
        return
    table = _table("feed", "outlet", "health", "last success", "last new", "entries", "landed", "last error")
    for row in rows:
        _add_row(table,
            row["feed"], row["outlet"], row["health"], _ago(row["last_success_at"]), _ago(row["last_new_at"]),
            f"{row['entries']:,}", f"{row['landed']:,}", row["last_error"] or "",
        )  # fmt: skip
    output.print(table)
    outcome = ", ".join(f"{count:,} {name}" for name, count in sorted(entries.items(), key=lambda item: -item[1]))
    output.print(f"entries: {outcome or 'none'}")
    output.print(f"articles: {count:,}, last landed {_ago(last_landed_at)}")


@feeds_app.command("list")
def feeds_list(feeds: FeedsOption = None, as_json: JsonOption = False) -> None:
    """List the configured feeds."""
    settings = load_settings(feeds=feeds)
    configured = load_feeds(settings.feeds)
    if as_json:
        _print_json([feed.model_dump(mode="json") for feed in configured])
        return
    table = _table("id", "outlet", "language", "country", "scope", "url")
    for feed in configured:
        _add_row(table, feed.id, feed.outlet, feed.language or "", feed.country or "", feed.scope, feed.url)
    output.print(table)


@feeds_app.command("check")
def feeds_check(
    ids: Annotated[list[str] | None, typer.Argument(help="Feeds to check; all when none is given.")] = None,
    feeds: FeedsOption = None,
    topics: TopicsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch feeds and show what each would yield, changing nothing."""
    from ingest.check import check_feeds

    settings, configured, topic_set = _configuration(feeds, topics)
    if ids:
        unknown = sorted(set(ids) - {feed.id for feed in configured})
        if unknown:
            raise ConfigError(f"no feed {unknown[0]!r} in {settings.feeds}; `ingest feeds list` shows their ids")
        configured = tuple(feed for feed in configured if feed.id in ids)
    yields = asyncio.run(check_feeds(settings, configured, topic_set, utc_now()))
    if as_json:
        _print_json([asdict(result) for result in yields])
    else:
        table = _table("feed", "answer", "entries", "would fetch", "newest", "a title")
        for result in yields:
            _add_row(table,
                result.feed, result.answer, str(result.entries), str(result.would_fetch), _ago(result.newest),
                result.sample or "",
            )  # fmt: skip
        output.print(table)
    failed = [result for result in yields if not result.ok]
    if failed:
        raise IngestError(f"{len(failed)} of {len(yields)} feeds failed")


@feeds_app.command("add")
def feeds_add(
    url: Annotated[str, typer.Argument(help="Address of a feed, or of a page of the site.")],
    feeds: FeedsOption = None,
    id_: Annotated[str | None, typer.Option("--id", help="Name; made from the address when not given.")] = None,
    outlet: Annotated[str | None, typer.Option("--outlet", help="Name of the publisher; the feed's title.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Language (ISO 639), such as ar.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Country (ISO 3166-1), such as IQ.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="topic or general.")] = None,
) -> None:
    """Find the feed behind an address and append it to the feeds file."""
    from ingest.discovery import NoFeedFound, discover
    from ingest.feeds_edit import append_feeds
    from ingest.web import RequestFailed, Web

    settings = load_settings(feeds=feeds)
    known = {feed.url: feed.id for feed in load_feeds(settings.feeds)}

    async def find() -> "Discovered":
        async with Web(settings) as web:
            return await discover(web, FeedConfig.model_validate({"url": url}).url, settings, utc_now())

    try:
        found = asyncio.run(find())
    except (NoFeedFound, RequestFailed) as problem:
        raise IngestError(str(problem)) from problem
    except ValidationError as problem:
        raise ConfigError(problem.errors()[0]["msg"].removeprefix("Value error, ")) from problem
    if found.url in known:
        raise ConfigError(f"{found.url} is in {settings.feeds} already, as {known[found.url]!r}")
    values = {"id": id_, "url": found.url, "outlet": outlet or (found.feed.title or "")[:200], "language": language,
              "country": country, "scope": scope}  # fmt: skip
    (added,) = append_feeds(settings.feeds, [{key: value for key, value in values.items() if value}])
    items = f"{len(found.feed.entries)} entries" if found.feed.entries else f"{len(found.feed.parts)} sitemaps"
    output.print(f"added {added.id}: {added.url} ({items}) to {settings.feeds}")


@feeds_app.command("import-opml")
def feeds_import_opml(
    document: Annotated[Path, typer.Argument(help="OPML file of another reader.")], feeds: FeedsOption = None
) -> None:
    """Append the feeds of an OPML file that are not in the feeds file yet."""
    from ingest.feeds_edit import append_feeds
    from ingest.opml import read_opml

    settings = load_settings(feeds=feeds)
    try:
        listed = read_opml(document.read_bytes(), str(document))
    except OSError as error:
        raise ConfigError(f"{document}: cannot be read: {error.strerror}") from error
    known = {feed.url for feed in load_feeds(settings.feeds)}
    new = [feed for feed in listed if feed["url"] not in known]
    added = append_feeds(settings.feeds, new) if new else ()
    output.print(f"{len(listed)} feeds in {document}: {len(added)} added, {len(listed) - len(new)} known already")


@feeds_app.command("export-opml")
def feeds_export_opml(
    document: Annotated[Path | None, typer.Argument(help="File to write; standard output when not given.")] = None,
    feeds: FeedsOption = None,
) -> None:
    """Write the configured feeds as OPML, for other readers."""
    from ingest.opml import write_opml

    text = write_opml(load_feeds(load_settings(feeds=feeds).feeds))
    if document is None:
        sys.stdout.buffer.write(text)
        return
    try:
        document.write_bytes(text)
    except OSError as error:
        raise IngestError(f"{document}: cannot be written: {error.strerror}") from error


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Create the schema, or bring it to the version of this program."""
    settings = load_settings()
    with open_database(settings.database_url, settings.data_dir, check=False) as database:
        before, after = upgrade(database.url)
    output.print(f"schema at revision {after}" + ("" if before == after else f" (was {before or 'empty'})"))


@db_app.command("url")
def db_url() -> None:
    """Print the database's URL, for psql and other programs."""
    from db.embedded import EmbeddedServer

    settings = load_settings()
    with _database(settings) as database:
        if settings.database_url is None:
            EmbeddedServer(settings.data_dir).keep_for(URL_VALID_SECONDS)
        # Not through Rich: the URL is for programs.
        sys.stdout.write(database.url + "\n")


def main() -> None:
    """Run the command line; exits with 0 (done), 1 (failed) or 2 (wrong usage or configuration)."""
    try:
        app()
    except ConfigError as error:
        _fail(error, 2)
    except (IngestError, DatabaseError) as error:
        _fail(error, 1)
    except psycopg.OperationalError as error:
        first = (str(error).splitlines() or ["connection lost"])[0]
        _fail(f"the database broke off the work: {first}. Nothing is lost; run the command again when it is back", 1)
    except psycopg.errors.InsufficientPrivilege as error:
        _fail(f"the database role may not do this: {str(error).splitlines()[0]}", 1)
    except KeyboardInterrupt:
        _fail("interrupted", 130)


def _fail(error: object, code: int) -> None:
    errors.print(f"error: {error}", style="red")
    sys.exit(code)


def _log(level: int) -> None:
    terminal = errors.is_terminal
    handler: logging.Handler = (
        RichHandler(console=errors, show_path=False, markup=False, highlighter=None)
        if terminal
        else logging.StreamHandler()
    )
    handler.setFormatter(logging.Formatter("%(message)s" if terminal else "%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("ingest").setLevel(level)


def _configuration(feeds: Path | None, topics: Path | None) -> tuple[Settings, tuple[FeedConfig, ...], TopicSet]:
    settings = load_settings(feeds=feeds, topics=topics)
    return settings, load_feeds(settings.feeds), load_topics(settings.topics)


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    with open_database(settings.database_url, settings.data_dir) as database:
        yield database


def _sync(database: Database, configured: tuple[FeedConfig, ...]) -> None:
    with database.connect() as connection:
        feed_store.sync(connection, configured, utc_now())


def _run_stage(database: Database, stage: Callable[[Connection], Any]) -> None:
    started = time.monotonic()
    with database.connect(repeatable=True) as connection:
        counts = vars(stage(connection))
    parts = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in counts.items())
    output.print(f"{parts}; {time.monotonic() - started:.1f} s")


@contextmanager
def _stop_on_signal(pipeline: "Pipeline") -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        if pipeline.stopped:
            raise KeyboardInterrupt
        errors.print("finishing what is in hand; once more to leave at once")
        pipeline.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _live(pipeline: "Pipeline", *, hidden: bool) -> Iterator[None]:
    """On a terminal, show the running totals."""
    if hidden or not errors.is_terminal:
        yield
        return

    class Totals(TextColumn):
        def render(self, task: Any) -> Any:
            self.text_format = _totals(pipeline)
            return super().render(task)

    with Progress(
        SpinnerColumn(), Totals("", markup=False), TimeElapsedColumn(), console=errors, transient=True
    ) as progress:
        progress.add_task("")
        yield


# What the running line shows, short enough for 80 columns: label and the outcomes it sums.
_SHOWN = (
    ("feeds", (("poll", "new"), ("poll", "unchanged"), ("poll", "not_modified"), ("poll", "failed"))),
    ("new", (("poll", "new_entries"),)),
    ("fetched", (("fetch", "fetched"),)),
    ("extracted", (("extract", "extracted"),)),
    ("landed", (("land", "landed"), ("land", "duplicate"))),
    ("off topic", (("land", "off_topic"),)),
    ("failed", (("poll", "failed"), *((stage, end) for stage in ("fetch", "extract") for end in ("rejected", "dead")))),
)


def _totals(pipeline: "Pipeline") -> str:
    sums = [(label, sum(pipeline.totals[outcome] for outcome in outcomes)) for label, outcomes in _SHOWN]
    return " ".join(f"{label} {count:,}" for label, count in sums if count)


def _summary(pipeline: "Pipeline", database: Database) -> None:
    from ingest.pipeline import STAGES

    for stage in STAGES:
        counts = {name: count for (of, name), count in pipeline.totals.items() if of == stage and count}
        said = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
        output.print(f"{stage:8} {said or 'nothing to do'}", highlight=False)
    with database.connect() as connection:
        count, due = ledger.waiting(connection)
    if count and due is not None:
        output.print(
            f"{count:,} entries are still on their way, the first due {due.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            highlight=False,
        )


def _progress(what: str) -> Callable[[Iterator[T], int], Iterator[T]]:
    def wrap(items: Iterator[T], total: int) -> Iterator[T]:
        if not errors.is_terminal:
            return items
        return iter(rich_track(items, description=what, total=total, console=errors, transient=True))

    return wrap


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add_row(table: Table, *cells: str) -> None:
    table.add_row(*(Text(cell) for cell in cells))


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_json_value) + "\n")


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _ago(moment: datetime | None) -> str:
    return "never" if moment is None else f"{spell(utc_now() - moment)} ago"
