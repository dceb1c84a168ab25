"""The commands that run the pipeline: all stages together, or one of them."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from db import Connection, Database
from ingest.cli.shared import (
    FeedsOption,
    TopicsOption,
    configuration,
    current_configuration,
    errors,
    log_at,
    opened_database,
    output,
    stop_on_signal,
    sync_feeds,
)
from ingest.config.errors import IngestError
from ingest.config.settings import load_settings
from ingest.runtime.clock import utc_now
from ingest.store import ledger
from ingest.topics.topics import load_topics

if TYPE_CHECKING:
    from ingest.pipeline import Pipeline

app = typer.Typer()


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="Work until nothing is due.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Work forever; SIGTERM ends it in order.")] = False,
    feeds: FeedsOption = None,
    topics: TopicsOption = None,
) -> None:
    """Poll, fetch, extract and land, with all stages in parallel."""
    if once == follow:
        raise typer.BadParameter("say either --once or --follow")
    from ingest.extraction.extract import extraction_pool
    from ingest.pipeline import Pipeline

    settings = load_settings(feeds=feeds, topics=topics)
    if follow:
        log_at(logging.INFO)
    else:
        # A person is there to fix broken files, so fail early.
        configuration(feeds, topics)
    # The workers start while the database does.
    with extraction_pool(settings) as pool, opened_database(settings) as database:
        configured, topic_set = current_configuration(database, settings)
        pipeline = Pipeline(database, settings, topic_set, pool=pool)
        with stop_on_signal(pipeline.stop), _live(pipeline, hidden=follow):
            if follow:
                logging.getLogger(__name__).info("following %d feeds; Ctrl-C or SIGTERM ends in order", len(configured))
                pipeline.follow()
            else:
                pipeline.once()
        _summary(pipeline, database)
        if once and pipeline.stopped:
            raise IngestError("stopped before everything that was due was done; run it again to go on")


@app.command()
def poll(feeds: FeedsOption = None, topics: TopicsOption = None) -> None:
    """Poll the feeds that are due for new entries."""
    from ingest.polling.poll import poll as stage

    settings, configured, topic_set = configuration(feeds, topics)
    with opened_database(settings) as database:
        sync_feeds(database, configured)
        _run_stage(database, lambda connection: stage(connection, settings, utc_now, topic_set, due=utc_now()))


@app.command()
def fetch() -> None:
    """Fetch the pages of new entries."""
    from ingest.fetching.fetch import fetch as stage

    settings = load_settings()
    with opened_database(settings) as database:
        _run_stage(database, lambda connection: stage(connection, settings, utc_now))


@app.command()
def extract() -> None:
    """Extract the articles from fetched pages."""
    from ingest.extraction.extract import extract as stage

    settings = load_settings()
    with opened_database(settings) as database:
        _run_stage(database, lambda connection: stage(connection, settings, utc_now))


@app.command()
def land(topics: TopicsOption = None) -> None:
    """Put the extracted articles that are on a topic into the table articles."""
    from ingest.landing.land import LandCounts
    from ingest.landing.land import land as stage
    from ingest.store import articles

    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)

    def land_all(connection: Connection) -> LandCounts:
        counts = stage(connection, settings, utc_now, topic_set)
        articles.settle_search(connection)
        return counts

    with opened_database(settings) as database:
        _run_stage(database, land_all)


def _run_stage(database: Database, stage: Callable[[Connection], Any]) -> None:
    started = time.monotonic()
    with database.connect(repeatable=True) as connection:
        counts = vars(stage(connection))
    parts = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in counts.items())
    output.print(f"{parts}; {time.monotonic() - started:.1f} s")


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


# The live line, short enough for 80 columns: each label with the outcomes that it adds up.
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


@app.command()
def websub(feeds: FeedsOption = None, topics: TopicsOption = None) -> None:
    """Subscribe to feeds at their hubs and take in what the hubs send, until told to stop."""
    from ingest.websub.service import WebSubService

    settings = load_settings(feeds=feeds, topics=topics)
    log_at(logging.INFO)
    with opened_database(settings) as database:
        _, topic_set = current_configuration(database, settings)

        async def serve() -> None:
            service = WebSubService(database, settings, topic_set, utc_now)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, service.stop)
            await service.run()

        asyncio.run(serve())
