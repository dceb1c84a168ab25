"""The commands for what was collected: files in and out, and how it goes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from db import Connection
from ingest.cli.shared import (
    DATE_FORMATS,
    SAY_SECONDS,
    FeedsOption,
    JsonOption,
    TopicsOption,
    add_row,
    ago,
    configuration,
    counting,
    errors,
    make_table,
    opened_database,
    output,
    print_json,
    progress,
    stop_on_signal,
    sync_feeds,
)  # fmt: skip
from ingest.config.errors import ConfigError, IngestError
from ingest.config.settings import Settings, load_settings
from ingest.exchange.export import ExportFormat, export_articles
from ingest.monitoring import alerts
from ingest.monitoring.feed_health import health
from ingest.runtime.clock import spell, utc_now
from ingest.store import articles, documents, ledger
from ingest.store.feeds import health_rows
from ingest.topics.topics import TopicSet, load_topics

if TYPE_CHECKING:
    from ingest.backfilling.backfill import Progress
    from ingest.landing.land import LandCounts
    from ingest.reprocessing.reprocess import Reprocessed


app = typer.Typer()

PROBLEMS_SHOWN = 50


@app.command("import")
def import_(
    path: Annotated[
        Path,
        typer.Argument(
            help="Folder of texts named like 000_8b30ea1d89039507.txt, or a file of articles (.jsonl, .csv, .parquet)."
        ),
    ],
    topics: TopicsOption = None,
) -> None:
    """Take in texts or articles, such as an export; they pass through `land` like any other."""
    from ingest.exchange.imports import article_file, import_articles
    from ingest.exchange.seeds import import_folder, seed_files
    from ingest.landing.land import land as stage

    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    file = article_file(path)
    if file is None:
        seed_files(path)
    with opened_database(settings) as database, database.connect() as connection:
        if file is None:
            taken = import_folder(connection, path, utc_now(), progress=progress("importing"))
        else:
            taken = import_articles(connection, file, utc_now(), progress=progress("importing"))
        counts = stage(connection, settings, utc_now, topic_set)
    output.print(
        f"{taken.files} {'files' if file is None else 'articles'}: {taken.new} new, {taken.known} known already; "
        f"{counts.landed} landed, {counts.duplicate} duplicate, {counts.off_topic} off topic"
    )
    for problem in taken.unreadable[:PROBLEMS_SHOWN]:
        errors.print(f"error: {problem}", style="red")
    if len(taken.unreadable) > PROBLEMS_SHOWN:
        errors.print(f"... and {len(taken.unreadable) - PROBLEMS_SHOWN:,} more that could not be read", style="red")
    if taken.unreadable:
        raise typer.Exit(1)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="New or empty folder to write into.")],
    kind: Annotated[ExportFormat, typer.Option("--format", help="Format of the files.")] = ExportFormat.TXT,
    topic: Annotated[str | None, typer.Option("--topic", help="Only articles on this topic.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=DATE_FORMATS, help="Published on or after.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="Published before.")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="In this language; repeatable.")] = None,
    outlet: Annotated[list[str] | None, typer.Option("--outlet", help="Of this outlet; repeatable.")] = None,
    firsts: Annotated[bool, typer.Option("--firsts", help="Each story once: the article published first.")] = False,
    all_pages: Annotated[
        bool, typer.Option("--all-pages", help="With warc: pages without an article on a topic, too.")
    ] = False,
) -> None:
    """Write articles, or the pages they were on (warc), to files."""
    settings = load_settings()
    chosen = articles.Chosen(
        topic=topic,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        languages=tuple(language or ()),
        outlets=tuple(outlet or ()),
        firsts=firsts,
    )
    if all_pages and (kind is not ExportFormat.WARC or chosen != articles.Chosen()):
        raise ConfigError("--all-pages is for --format warc, and without conditions on articles")
    with opened_database(settings) as database, database.connect() as connection:
        _check_names(connection, chosen)
        if kind is ExportFormat.WARC:
            from ingest.exchange.warc import export_pages

            which = None if all_pages else chosen
            count = export_pages(connection, folder, which, utc_now(), progress=progress("exporting"))
        else:
            count = export_articles(connection, folder, kind, chosen, utc_now(), progress=progress("exporting"))
    output.print(f"{count} {'pages' if kind is ExportFormat.WARC else 'articles'} written to {folder}")


@app.command()
def report(
    out: Annotated[Path, typer.Option("--out", help="Page to write; the CSV files are put beside it.")],
    topic: Annotated[str | None, typer.Option("--topic", help="Only articles on this topic.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=DATE_FORMATS, help="Published on or after.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="Published before.")] = None,
    events: Annotated[Path | None, typer.Option("--events", help="File of events to mark (NEWS_EVENTS).")] = None,
    title: Annotated[str, typer.Option("--title", help="Heading of the page.")] = "News in this database",
) -> None:
    """Write a picture of the corpus: one page that needs nothing else, and its numbers as CSV."""
    from ingest.config.events_file import load_events
    from ingest.monitoring import report as corpus_report

    settings = load_settings(events=events)
    # The default need not be there; one that is named must be.
    marked = load_events(settings.events) if events is not None or settings.events.exists() else []
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; name the page, such as {out / 'report.html'}")
    chosen = articles.Chosen(
        topic=topic, since=since and since.replace(tzinfo=UTC), until=until and until.replace(tzinfo=UTC)
    )
    said = [
        f"{name} {value:%Y-%m-%d}" if isinstance(value, datetime) else f"{name} {value}"
        for name, value in (("topic", topic), ("published since", since), ("before", until)) if value
    ]  # fmt: skip
    with opened_database(settings) as database, database.connect() as connection:
        _check_names(connection, chosen)
        connection.rollback()
        # One moment for all numbers.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        picture = corpus_report.load(connection, chosen)
    files = corpus_report.write(picture, out, utc_now(), title=title, conditions=", ".join(said), events=marked)
    output.print(f"{out} and {files - 1} CSV files written: {picture.totals['articles']:,} articles")


def _check_names(connection: Connection, chosen: articles.Chosen) -> None:
    """Raise ConfigError for a topic or an outlet that no article has: most likely it is spelt in another way."""
    topics, outlets = articles.topics_and_outlets(connection) if chosen.topic or chosen.outlets else (set(), set())
    wanted = [("topic", chosen.topic, topics)] if chosen.topic else []
    wanted += [("outlet", outlet, outlets) for outlet in chosen.outlets]
    for kind, name, known in wanted:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            raise ConfigError(f"no article has the {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


@app.command()
def backfill(
    feed: Annotated[str, typer.Argument(help="Id of a feed.")],
    since: Annotated[datetime, typer.Option("--since", formats=DATE_FORMATS, help="First day, such as 2024-01-01.")],
    until: Annotated[
        datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="Day before which; today.")
    ] = None,
    sitemap: Annotated[list[str] | None, typer.Option("--sitemap", help="Sitemap to read; repeatable.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Walk through it again though it was finished.")] = False,
    feeds: FeedsOption = None,
    topics: TopicsOption = None,
) -> None:
    """Find what a feed's site published in the past; its pages are then fetched behind all that is new."""
    from ingest.backfilling.backfill import Request
    from ingest.backfilling.backfill import backfill as stage

    settings, configured, topic_set = configuration(feeds, topics)
    end = until.replace(tzinfo=UTC) if until else None
    request = Request(feed, since.replace(tzinfo=UTC), end, tuple(sitemap or ()))
    with opened_database(settings) as database:
        sync_feeds(database, configured)
        with (
            database.connect(repeatable=True) as connection,
            stop_on_signal() as stopping,
            _walking() as on_progress,
        ):
            left = stage(
                connection,
                settings,
                utc_now,
                topic_set,
                request,
                again=again,
                stopping=stopping,
                on_progress=on_progress,
            )
            pages = ledger.backlog(connection, feed)
    output.print(
        f"{left.read:,} documents read, {left.failed:,} not readable: {left.items:,} items of the period, "
        f"{left.new_entries:,} of them new" + (f"; {left.undated:,} without a date passed over" if left.undated else "")
    )
    if pages:
        output.print(f"{pages:,} pages wait to be fetched")
    if left.waiting:
        raise IngestError(f"{left.waiting:,} documents are left; run it again to go on")


@contextmanager
def _walking() -> "Iterator[Callable[[Progress], None]]":
    """Show how far a backfill has come: a line that changes on a terminal, else a line every ten seconds."""
    if not errors.is_terminal:
        said_at = time.monotonic()

        def say(progress: "Progress") -> None:
            nonlocal said_at
            if time.monotonic() - said_at >= SAY_SECONDS:
                said_at = time.monotonic()
                errors.print(_said(progress))

        yield say
        return
    with errors.status("looking for sitemaps") as live:
        yield lambda progress: live.update(_said(progress))


def _said(progress: "Progress") -> str:
    left = progress.left
    rest = f", about {spell(timedelta(seconds=progress.seconds))} left" if progress.seconds is not None else ""
    return f"{left.read:,} of {left.read + left.waiting:,} documents read{rest}; {left.new_entries:,} new items"


@app.command()
def reprocess(
    feed: Annotated[str | None, typer.Option("--feed", help="Only entries of this feed (its id).")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=DATE_FORMATS, help="First seen on or after.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="First seen before.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    topics_only: Annotated[
        bool, typer.Option("--topics", help="Judge stored documents by the topics file anew; extract nothing.")
    ] = False,
    examples: Annotated[int, typer.Option("--examples", min=0, help="Differences to show.")] = 5,
    as_json: JsonOption = False,
    topics: Annotated[Path | None, typer.Option("--topics-file", help="File of topics (NEWS_TOPICS).")] = None,
) -> None:
    """Extract stored pages anew, after a change of rules; articles keep their ids, former texts become revisions."""
    from ingest.landing.land import LandCounts
    from ingest.landing.land import land as stage
    from ingest.reprocessing.reprocess import reprocess as work

    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    selection = ledger.Selection(feed, *(moment and moment.replace(tzinfo=UTC) for moment in (since, until)))
    with opened_database(settings) as database, database.connect(repeatable=True) as connection:
        if feed is not None and not health_rows(connection, [feed]):
            raise ConfigError(f"no feed {feed!r}; `ingest feeds list` shows their ids")
        if topics_only:
            _rejudge(connection, settings, topic_set, selection, dry_run, as_json)
            return
        total, without = ledger.count_with_pages(connection, selection)
        with stop_on_signal() as stopping, counting("reprocessing", total) as on_progress:
            found = work(
                connection, settings, utc_now, selection, dry_run=dry_run, examples=examples, stopping=stopping,
                on_progress=on_progress,
            )  # fmt: skip
            stopped = stopping()
        landed = LandCounts() if dry_run else stage(connection, settings, utc_now, topic_set)
    if as_json:
        print_json(asdict(found) | {"pages_no_longer_stored": without, "dry_run": dry_run, "landing": vars(landed)})
    else:
        _print_reprocessed(found, without, dry_run, landed)
    if stopped:
        raise IngestError(f"{total - found.pages:,} pages are left; run it again")


def _rejudge(
    connection: Connection, settings: Settings, topic_set: TopicSet, selection: ledger.Selection, dry_run: bool,
    as_json: bool,
) -> None:  # fmt: skip
    from ingest.landing.land import LandCounts
    from ingest.landing.land import land as stage
    from ingest.reprocessing.rejudge import rejudge as work

    total = documents.count_to_judge(connection, selection)
    with stop_on_signal() as stopping, counting("judging", total) as on_progress:
        found = work(
            connection, utc_now, topic_set, selection, dry_run=dry_run, stopping=stopping, on_progress=on_progress
        )
        stopped = stopping()
    landed = LandCounts() if dry_run else stage(connection, settings, utc_now, topic_set)
    if as_json:
        print_json(vars(found) | {"dry_run": dry_run, "landing": vars(landed)})
    else:
        output.print(
            f"{found.documents:,} documents judged: {found.newly:,} newly on a topic, {found.no_longer:,} no longer, "
            f"{found.about:,} as before, {found.off_topic:,} off topic as before; "
            f"{found.wanted:,} items that were not fetched are wanted now"
            + (" (dry run: nothing was changed)" if dry_run else "")
        )
    if stopped:
        raise IngestError(f"{total - found.documents:,} documents are left; run it again")


def _print_reprocessed(found: "Reprocessed", without: int, dry_run: bool, landed: "LandCounts") -> None:
    would = "would be " if dry_run else ""
    output.print(
        f"{found.pages:,} stored pages extracted anew: {found.unchanged:,} unchanged, "
        f"{found.changed:,} {would}changed, {found.gained:,} {would}gained, {found.lost:,} {would}lost, "
        f"{found.still_none:,} hold no article as before, {found.failed:,} failed"
    )
    respects = ", ".join(f"{count:,} {name}" for name, count in found.differences.items() if count)
    if respects:
        output.print(f"differences: {respects}")
    if without:
        output.print(f"{without:,} documents have no stored page any more and stay as they are")
    for example in found.examples:
        output.print()
        output.print(example.url)
        for line in example.lines:
            output.print(f"  {line}")
    if not dry_run:
        outcomes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in vars(landed).items() if count)
        output.print(f"landing: {outcomes or 'nothing to do'}")


@app.command()
def status(
    as_json: JsonOption = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is wrong, and exit with 1 while anything is; for monitoring.")
    ] = False,
) -> None:
    """Show the health of the feeds and what became of their entries."""
    settings = load_settings()
    with opened_database(settings) as database, database.connect() as connection:
        wrong = alerts.look(connection, utc_now())
        if check:
            _check(wrong, as_json)
            return
        rows = health(connection, utc_now())
        entries = ledger.statistics(connection)
        count, last_landed_at = articles.count_and_last(connection)
    if as_json:
        for row in rows:
            usual = row.pop("rhythm").usual
            row["usual_gap_seconds"] = usual and usual.total_seconds()
        known = {"entries": entries, "articles": count, "last_landed_at": last_landed_at}
        print_json({"feeds": rows, "alerts": [asdict(alert) for alert in wrong]} | known)
        return
    table = make_table("feed", "outlet", "health", "last success", "last new", "entries", "landed", "what is wrong")
    for row in rows:
        add_row(table,
            row["feed"], row["outlet"], row["health"], ago(row["last_success_at"]), ago(row["last_new_at"]),
            f"{row['entries']:,}", f"{row['landed']:,}", row["last_error"] or row["dates"] or "",
        )  # fmt: skip
    output.print(table)
    for alert in wrong:
        output.print(_line(alert))
    outcome = ", ".join(f"{count:,} {name}" for name, count in sorted(entries.items(), key=lambda item: -item[1]))
    output.print(f"entries: {outcome or 'none'}")
    output.print(f"articles: {count:,}, last landed {ago(last_landed_at)}")


def _check(wrong: list[alerts.Alert], as_json: bool) -> None:
    if as_json:
        print_json({"alerts": [asdict(alert) for alert in wrong]})
    else:
        for alert in wrong:
            output.print(_line(alert))
        if not wrong:
            output.print("nothing is wrong")
    if wrong:
        raise typer.Exit(1)


def _line(alert: alerts.Alert) -> str:
    return f"{alerts.named(alert)}: {alert.kind} since {ago(alert.started_at)}: {alert.said}"
