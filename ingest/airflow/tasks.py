"""The bodies of the DAGs' tasks. Each is safe to clear and run again, because the ledger records what is done.

As in `ingest.pipeline`, the stages of a run work at the same time and hand work on through the ledger: `extract` keeps
going while `fetch` may still produce pages. Each stage has a time budget. The next run takes whatever is left.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from db import Connection
from ingest.airflow.connection import news_database
from ingest.airflow.notifier import AlertNotifier
from ingest.config.errors import ConfigError
from ingest.config.settings import Settings, load_settings
from ingest.monitoring import alerts
from ingest.runtime.clock import spell, utc_now
from ingest.store import configurations, feeds, leases, ledger, readers, retention
from ingest.store.hosts import LONGEST_WAIT
from ingest.text.arabic import LexiconError

if TYPE_CHECKING:
    from ingest.backfilling.backfill import Progress

__all__ = [
    "backfill",
    "check_feeds",
    "delete_old",
    "extract",
    "fetch",
    "hand_over",
    "land",
    "poll",
    "prepare",
    "reopen",
    "reprocess",
]

log = logging.getLogger(__name__)

# How often a stage checks for new work from the stage before it.
LOOK_SECONDS = 0.25
# How often long work logs its progress.
SAY_SECONDS = 30.0
# How many differences the log of a reprocessing shows.
EXAMPLES = 10

Counts = dict[str, int]


def poll(feed_ids: list[str], context: Any = None) -> Counts:
    """Bring the table of feeds in line with feeds.yaml, then poll the feeds that are due and those in `feed_ids`.

    Besides the stage's counts, returns as `neglected` how many entries are due while no session works on any: their
    announcement was lost. A broken feeds.yaml or topics.yaml does not stop the polling: the last good version is used,
    and an alert says so. Also checks the feeds and the pipeline for other problems, and sends alerts of what changed.
    """
    from ingest.polling.poll import poll as stage

    with _working() as (settings, connection):
        topics = configurations.current_topics(connection, settings, utc_now())
        _sync(connection, settings)
        if feed_ids:
            unknown = sorted(set(feed_ids) - feeds.make_due(connection, feed_ids, utc_now()))
            if unknown:
                raise ConfigError(f"no enabled feed {unknown[0]!r}; `ingest feeds list` shows their ids")
        counts = vars(
            stage(connection, settings, utc_now, topics, stopping=_budget(settings), leaving=_told_to_end.is_set)
        )
        counts["neglected"] = ledger.neglected(connection, utc_now())
        readers.end_overdue(connection)
        _alert(alerts.said(alerts.watch_at_times(connection, utc_now())), settings, context)
    _log_counts("poll", counts)
    return counts


def fetch(shard: int, shards: int) -> Counts:
    """Fetch the due pages of this shard's hosts."""
    from ingest.fetching.fetch import fetch as stage

    with _working() as (settings, connection):
        counts = vars(
            stage(
                connection,
                settings,
                utc_now,
                shard=(shard, shards),
                stopping=_budget(settings),
                leaving=_told_to_end.is_set,
            )
        )
    _log_counts("fetch", counts)
    return counts


def extract() -> Counts:
    """Extract fetched pages for as long as more may come."""
    from ingest.extraction.extract import ExtractCounts, extraction_pool
    from ingest.extraction.extract import extract as stage

    with _working() as (settings, connection), ExitStack() as pools:
        stopping, counts, pool = _budget(settings), vars(ExtractCounts()), None
        for _ in _rounds(connection, "extract", stopping):
            # The worker processes take a second to start, so start them while the first page is being fetched.
            pool = pool or pools.enter_context(extraction_pool(settings))
            _add(
                counts,
                vars(stage(connection, settings, utc_now, pool=pool, stopping=stopping, leaving=_told_to_end.is_set)),
            )
    _log_counts("extract", counts)
    return counts


def land() -> Counts:
    """Land extracted documents for as long as more may come."""
    from ingest.landing.land import LandCounts
    from ingest.landing.land import land as stage
    from ingest.store import articles

    with _working() as (settings, connection):
        topics = configurations.current_topics(connection, settings, utc_now())
        stopping, counts = _budget(settings), vars(LandCounts())
        for _ in _rounds(connection, "land", stopping):
            _add(counts, vars(stage(connection, settings, utc_now, topics, stopping=stopping)))
        articles.settle_search(connection)
    _log_counts("land", counts)
    return counts


def hand_over() -> Counts:
    """Wake the next run if this one left entries that are due. Returns how many entries are still in progress."""
    with _working() as (_, connection):
        leases.release_dead(connection)
        on_their_way, due_at = ledger.waiting(connection)
        if ledger.anything_due(connection, utc_now(), LONGEST_WAIT):
            ledger.wake(connection, on_their_way)
            log.info("%d entries are still on their way, some due: the next run takes them", on_their_way)
        elif due_at is not None:
            log.info("%d entries wait, the first until %s", on_their_way, due_at.isoformat(timespec="seconds"))
        else:
            log.info("nothing is left")
    return {"on_their_way": on_their_way}


def reopen(feed: str | None, since: datetime | None, until: datetime | None, reason: str | None) -> Counts:
    """Put entries that ended without an article back to work."""
    with _working() as (_, connection):
        selection = _selection(connection, feed, since, until)
        reopened = ledger.reopen(connection, utc_now(), selection, reason=reason)
    log.info("%d entries reopened", reopened)
    return {"reopened": reopened}


def reprocess(feed: str | None, since: datetime | None, until: datetime | None, dry_run: bool) -> Counts:
    """Extract stored pages again; `ingest_articles` then lands what has changed. The log shows some of the differences.

    Running it again goes through all pages, but those already brought up to date no longer differ.
    """
    from ingest.reprocessing.reprocess import reprocess as stage

    said = _SayAtTimes()
    with _working() as (settings, connection):
        selection = _selection(connection, feed, since, until)
        total, without = ledger.count_with_pages(connection, selection)
        found = stage(
            connection,
            settings,
            utc_now,
            selection,
            dry_run=dry_run,
            examples=EXAMPLES,
            stopping=_told_to_end.is_set,
            on_progress=lambda done: said(f"{done} of {total} pages"),
        )
        reopened = 0 if dry_run else found.changed + found.gained
        if reopened:
            ledger.wake(connection, reopened)
    for example in found.examples:
        log.info("%s\n  %s", example.url, "\n  ".join(example.lines))
    if without:
        log.info("%d documents have no stored page any more and stay as they are", without)
    if _told_to_end.is_set():
        raise AirflowException(f"{total - found.pages} pages are left")
    counts = {name: value for name, value in vars(found).items() if isinstance(value, int)}
    _log_counts("reprocess, dry run" if dry_run else "reprocess", counts)
    return counts | {"reopened": reopened}


def backfill(feed: str, since: datetime, until: datetime | None, sitemaps: list[str]) -> Counts:
    """Walk through a feed's past to the end, or until the task is told to stop. A new run resumes there."""
    from ingest.backfilling.backfill import Request
    from ingest.backfilling.backfill import backfill as stage

    with _working() as (settings, connection):
        _sync(connection, settings)
        topics = configurations.current_topics(connection, settings, utc_now())
        request = Request(feed, since, until, tuple(sitemaps))
        left = stage(
            connection, settings, utc_now, topics, request, stopping=_told_to_end.is_set, on_progress=_say_at_times()
        )
    if left.waiting:
        raise AirflowException(f"{left.waiting} documents are left; the next attempt goes on there")
    counts = {"read": left.read, "failed": left.failed, "items": left.items, "new_entries": left.new_entries}
    _log_counts("backfill", counts)
    return counts


def _say_at_times() -> "Callable[[Progress], None]":
    said = _SayAtTimes()

    def say(progress: "Progress") -> None:
        left = progress.left
        rest = f", about {spell(timedelta(seconds=progress.seconds))} left" if progress.seconds else ""
        said(f"{left.read} of {left.read + left.waiting} documents read{rest}; {left.new_entries} new items")

    return say


class _SayAtTimes:
    """Logs the texts it is called with, at most once every SAY_SECONDS."""

    def __init__(self) -> None:
        self._said_at = -SAY_SECONDS

    def __call__(self, text: str) -> None:
        if time.monotonic() - self._said_at >= SAY_SECONDS:
            self._said_at = time.monotonic()
            log.info("%s", text)


def delete_old() -> Counts:
    """Delete pages and poll records that have outlived the retention time in the settings."""
    with _working() as (settings, connection):
        counts = vars(retention.delete_old(connection, settings, utc_now()))
    _log_counts("delete_old", counts)
    return counts


def prepare() -> Counts:
    """Create the partitions of the coming months, and refresh the planner's statistics."""
    with _working() as (_, connection):
        made = retention.prepare_months(connection, utc_now())
        retention.analyze(connection)
    log.info("%d partitions made ahead, statistics refreshed", made)
    return {"partitions_made": made}


def check_feeds(context: Any) -> dict[str, str]:
    """Send an alert that lists the feeds that are silent now. Returns them with the reason for each."""
    with _working() as (settings, connection):
        # Only what is over: alerts that have just begun are listed below, with those that continue.
        over = alerts.said(alerts.Changes([], alerts.watch(connection, utc_now()).over))
        silent = {alert.feed: alert.said for alert in alerts.open_alerts(connection) if alert.feed is not None}
    _alert(over, settings, context)
    if not silent:
        log.info("no feed is silent for longer than its own rhythm explains")
        return {}
    lines = [f"{len(silent)} news feed{'s' if len(silent) > 1 else ''} gone silent:"]
    lines += [f"{feed}: {said}" for feed, said in sorted(silent.items())]
    _alert("\n".join(lines), settings, context)
    return silent


def _alert(text: str | None, settings: Settings, context: Any) -> None:
    if text is not None:
        AlertNotifier(text, settings.alert_webhook)(context or {})


# Set when the task is told to stop. It finishes what it is working on, and another run takes the rest.
_told_to_end = threading.Event()


@contextmanager
def _working() -> "Iterator[tuple[Settings, Connection]]":
    """Yield the settings and a connection. An error that only a person can fix fails the task without retries."""
    try:
        settings = load_settings()
        with _ending_in_order(), news_database(settings) as database, database.connect(repeatable=True) as connection:
            yield settings, connection
    except (ConfigError, LexiconError) as error:
        raise AirflowFailException(str(error)) from error


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Treat SIGTERM as the end of the time budget. Replaces Airflow's own handler, which lets the task go on."""
    _told_to_end.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: _told_to_end.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _selection(
    connection: Connection, feed: str | None, since: datetime | None, until: datetime | None
) -> ledger.Selection:
    if feed is not None and not feeds.health_rows(connection, [feed]):
        raise ConfigError(f"no feed {feed!r}; `ingest feeds list` shows their ids")
    return ledger.Selection(feed, since, until)


def _sync(connection: Connection, settings: Settings) -> None:
    feeds.sync(connection, configurations.current_feeds(connection, settings, utc_now()), utc_now())


def _budget(settings: Settings) -> Callable[[], bool]:
    """Return a function that tells whether the task's time is up."""
    ends = time.monotonic() + settings.task_seconds
    return lambda: _told_to_end.is_set() or time.monotonic() >= ends


def _rounds(connection: Connection, stage: str, stopping: Callable[[], bool]) -> Iterator[None]:
    """Yield for as long as the stage may find work, now or because the stages before it are still running."""
    while True:
        expected = ledger.anything_expected(connection, stage, utc_now(), LONGEST_WAIT)
        if expected or ledger.anything_ready(connection, stage, utc_now()):
            yield
        if not expected or stopping():
            return
        time.sleep(LOOK_SECONDS)


def _add(counts: Counts, more: Counts) -> None:
    for outcome, count in more.items():
        counts[outcome] += count


def _log_counts(stage: str, counts: Counts) -> None:
    said = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in counts.items() if count)
    log.info("%s: %s", stage, said or "nothing to do")
