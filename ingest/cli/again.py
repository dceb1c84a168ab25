"""The commands that work on the past: backfill and reprocess."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
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
    configuration,
    counting,
    errors,
    opened_database,
    output,
    print_json,
    stop_on_signal,
    sync_feeds,
)
from ingest.config.errors import ConfigError, IngestError
from ingest.config.settings import Settings, load_settings
from ingest.runtime.clock import spell, utc_now
from ingest.store import documents, ledger
from ingest.store.feeds import health_rows
from ingest.topics.topics import TopicSet, load_topics

if TYPE_CHECKING:
    from ingest.backfilling.backfill import Progress
    from ingest.landing.land import LandCounts
    from ingest.reprocessing.reprocess import Reprocessed


__all__ = ["app"]

app = typer.Typer()


@app.command()
def backfill(
    feed: Annotated[str, typer.Argument(help="Id of a feed.")],
    since: Annotated[datetime, typer.Option("--since", formats=DATE_FORMATS, help="First day, such as 2024-01-01.")],
    until: Annotated[
        datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="Day before which; today.")
    ] = None,
    sitemap: Annotated[list[str] | None, typer.Option("--sitemap", help="Sitemap to read; repeatable.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Repeat a backfill that is finished.")] = False,
    feeds: FeedsOption = None,
    topics: TopicsOption = None,
) -> None:
    """Find what a feed's site published in the past. Its pages are then fetched after all new ones."""
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
    """Show the progress of a backfill: a live line on a terminal, else a line every ten seconds."""
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
        bool, typer.Option("--topics", help="Judge stored documents by the topics file again; extract nothing.")
    ] = False,
    examples: Annotated[int, typer.Option("--examples", min=0, help="Differences to show.")] = 5,
    as_json: JsonOption = False,
    topics: Annotated[Path | None, typer.Option("--topics-file", help="File of topics (NEWS_TOPICS).")] = None,
) -> None:
    """Extract stored pages again after a change of rules. Articles keep their ids, former texts become revisions."""
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
                connection,
                settings,
                utc_now,
                selection,
                dry_run=dry_run,
                examples=examples,
                stopping=stopping,
                on_progress=on_progress,
            )
            stopped = stopping()
        landed = LandCounts() if dry_run else stage(connection, settings, utc_now, topic_set)
    if as_json:
        print_json(asdict(found) | {"pages_no_longer_stored": without, "dry_run": dry_run, "landing": vars(landed)})
    else:
        _print_reprocessed(found, without, dry_run, landed)
    if stopped:
        raise IngestError(f"{total - found.pages:,} pages are left; run it again")


def _rejudge(
    connection: Connection,
    settings: Settings,
    topic_set: TopicSet,
    selection: ledger.Selection,
    dry_run: bool,
    as_json: bool,
) -> None:
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
        f"{found.pages:,} stored pages extracted again: {found.unchanged:,} unchanged, "
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
