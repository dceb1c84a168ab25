"""The whole pipeline in one process: each stage runs in its own thread, with its own connection.

The stages overlap: each saves its results as they come and notifies the next one. Nothing is handed over in memory.
A missed notification does no harm: the ledger lists all work, and every stage checks it once a second.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from db import SESSION_LOST, Connection, Database
from ingest.config.errors import ConfigError
from ingest.config.settings import Settings
from ingest.extraction.extract import extract, extraction_pool
from ingest.fetching.fetch import fetch
from ingest.landing.land import land
from ingest.monitoring import alerts
from ingest.polling.poll import poll
from ingest.runtime.clock import utc_now
from ingest.runtime.workers import WorkerPool
from ingest.stage import OnOutcome
from ingest.store import articles, configurations, feeds, ledger, readers
from ingest.store.hosts import LONGEST_WAIT
from ingest.topics.topics import TopicSet

__all__ = ["STAGES", "Pipeline"]

log = logging.getLogger(__name__)

STAGES = ("poll", "fetch", "extract", "land")
# Outcomes of a stage that give another stage work.
WAKES = {
    ("poll", "new_entries"): "fetch",
    ("poll", "changed_entries"): "fetch",
    ("fetch", "fetched"): "extract",
    ("extract", "extracted"): "land",
}
LOOK_SECONDS = 1.0
GATHER_SECONDS = 0.1
POLL_SECONDS = 30.0
LONGEST_RECONNECT_SECONDS = 30.0
# How long work in progress may take to finish when the pipeline is told to stop. Stages use at most half of it.
STOP_SECONDS = 8.0


def _changed_at(path: Path) -> int | None:
    """Return when a file was last changed, in ns, or None if it is missing."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


@dataclass
class Pipeline:
    """A run of all stages. `totals` counts outcomes by (stage, outcome) while it runs.

    Without a `pool` of workers (`extraction_pool`), it creates one for the run.
    """

    database: Database
    settings: Settings
    topics: TopicSet
    now: Callable[[], datetime] = utc_now
    pool: WorkerPool | None = None
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _work: dict[str, threading.Event] = field(default_factory=lambda: {stage: threading.Event() for stage in STAGES})
    _errors: list[BaseException] = field(default_factory=list)
    # How many articles had landed when the search index was last settled.
    _settled: int = 0

    def stop(self) -> None:
        """Let the stages finish their current work and start nothing new. May be called from a signal handler."""
        self._stop.set()
        for event in self._work.values():
            event.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def once(self) -> None:
        """Poll each feed that is due now, then work until nothing is due any more."""
        started = self.now()
        polling = True
        with self._workers() as pool, self.database.connect() as connection:
            while polling or ledger.anything_due(connection, self.now(), LONGEST_WAIT):
                connection.commit()
                self._overlap(pool, due=started if polling else None)
                polling = False
                if self.stopped:
                    return
            connection.commit()
            self._watch(connection)

    def follow(self) -> None:
        """Work until `stop` is called. Reloads feeds and topics files when they change; broken ones have no effect."""
        with self._workers() as pool:
            self._run_threads(
                {
                    "poll": lambda: self._follow_feeds(pool),
                    **{stage: self._follower(stage, pool) for stage in STAGES[1:]},
                }
            )

    def _workers(self) -> AbstractContextManager[WorkerPool]:
        return nullcontext(self.pool) if self.pool else extraction_pool(self.settings)

    def _overlap(self, pool: WorkerPool, due: datetime | None) -> None:
        """Run the stages in parallel until each has found nothing to do after the one before it ended."""
        ended = {stage: threading.Event() for stage in STAGES}

        def poll_due() -> None:
            try:
                if due is not None:
                    with self.database.connect(repeatable=True) as connection:
                        self._stage(connection, "poll", pool, due)
            finally:
                ended["poll"].set()
                self._work["fetch"].set()

        def rest(stage: str, before: str) -> Callable[[], None]:
            def work() -> None:
                try:
                    with self.database.connect(repeatable=True) as connection:
                        while not self.stopped:
                            last = ended[before].is_set()
                            self._work[stage].clear()
                            self._stage(connection, stage, pool)
                            if last:
                                break
                            self._await_work(stage)
                        if stage == "land":
                            self._settle(connection)
                finally:
                    ended[stage].set()
                    if stage != STAGES[-1]:
                        self._work[STAGES[STAGES.index(stage) + 1]].set()

            return work

        self._run_threads({"poll": poll_due} | {stage: rest(stage, before) for before, stage in pairwise(STAGES)})

    def _follower(self, stage: str, pool: WorkerPool) -> Callable[[], None]:
        def work(connection: Connection) -> None:
            self._work[stage].clear()
            self._stage(connection, stage, pool)

        return lambda: self._keep_working(stage, work)

    def _follow_feeds(self, pool: WorkerPool) -> None:
        seen: tuple[int | None, ...] = ()

        def work(connection: Connection) -> None:
            nonlocal seen
            changed = tuple(map(_changed_at, (self.settings.feeds, self.settings.topics)))
            if changed != seen:
                self.read_configuration(connection)
                seen = changed
            # Feeds come due all the time, so stop polling now and then to check the files.
            ends = time.monotonic() + POLL_SECONDS
            self._stage(connection, "poll", pool, stopping=lambda: self.stopped or time.monotonic() >= ends)
            self._watch(connection)

        self._keep_working("poll", work)

    def read_configuration(self, connection: Connection) -> None:
        now = self.now()
        # These functions also record what is wrong with a file, so that alerts show it.
        with suppress(ConfigError):
            feeds.sync(connection, configurations.current_feeds(connection, self.settings, now), now)
        with suppress(ConfigError):
            self.topics = configurations.current_topics(connection, self.settings, now)

    def _watch(self, connection: Connection) -> None:
        readers.end_overdue(connection)
        text = alerts.said(alerts.watch_at_times(connection, self.now()))
        for line in (text or "").splitlines():
            log.warning("%s", line)

    def _keep_working(self, stage: str, work: Callable[[Connection], None]) -> None:
        """Repeat `work` until stopped. If the database goes away, wait for it to come back."""
        wait = LOOK_SECONDS
        while not self.stopped:
            try:
                with self.database.connect(repeatable=True) as connection:
                    while not self.stopped:
                        work(connection)
                        wait = LOOK_SECONDS
                        if not self.stopped and not self._await_work(stage) and stage == "land":
                            self._settle(connection)
            except SESSION_LOST as error:
                said = (str(error).splitlines() or ["connection lost"])[0]
                log.error("%s: the database is away, next try in %g s: %s", stage, wait, said)
                self._stop.wait(wait)
                wait = min(wait * 2, LONGEST_RECONNECT_SECONDS)

    def _await_work(self, stage: str) -> bool:
        """Wait until the stage is notified of work or must check the ledger. Returns whether it was notified."""
        came = self._work[stage].wait(LOOK_SECONDS)
        if came and stage == "land":
            # Landing is quick, and cheaper per article when several land at once.
            self._stop.wait(GATHER_SECONDS)
        return came

    def _settle(self, connection: Connection) -> None:
        landed = self.totals["land", "landed"] + self.totals["land", "revised"]
        if landed != self._settled:
            articles.settle_search(connection)
            self._settled = landed

    def _stage(
        self,
        connection: Connection,
        stage: str,
        pool: WorkerPool | None,
        due: datetime | None = None,
        stopping: Callable[[], bool] | None = None,
    ) -> None:
        stopping = stopping or self._stop.is_set
        counted, leaving = self._counter(stage), self._stop.is_set
        match stage:
            case "poll":
                poll(
                    connection,
                    self.settings,
                    self.now,
                    self.topics,
                    due=due,
                    pool=pool,
                    stopping=stopping,
                    leaving=leaving,
                    on_outcome=counted,
                )
            case "fetch":
                fetch(connection, self.settings, self.now, stopping=stopping, leaving=leaving, on_outcome=counted)
            case "extract":
                extract(
                    connection,
                    self.settings,
                    self.now,
                    pool=pool,
                    stopping=stopping,
                    leaving=leaving,
                    on_outcome=counted,
                )
            case "land":
                land(connection, self.settings, self.now, self.topics, stopping=stopping, on_outcome=counted)

    def _counter(self, stage: str) -> OnOutcome:
        def counted(outcome: str, count: int) -> None:
            self.totals[stage, outcome] += count
            woken = WAKES.get((stage, outcome))
            if woken is not None and count:
                self._work[woken].set()

        return counted

    def _run_threads(self, bodies: dict[str, Callable[[], None]]) -> None:
        def guarded(body: Callable[[], None]) -> None:
            try:
                body()
            except BaseException as error:  # noqa: BLE001 - raised again by the main thread
                self._errors.append(error)
                self.stop()

        # Daemon threads, so that a second signal does not wait for them.
        threads = [
            threading.Thread(target=guarded, args=[body], name=name, daemon=True) for name, body in bodies.items()
        ]
        for thread in threads:
            thread.start()
        stops_at = float("inf")
        # Join with a timeout, so that signals reach the main thread.
        while any(thread.is_alive() for thread in threads) and time.monotonic() < stops_at:
            for thread in threads:
                thread.join(0.2)
            if self.stopped:
                stops_at = min(stops_at, time.monotonic() + STOP_SECONDS)
        if self._errors:
            raise self._errors[0]
        if left := [thread.name for thread in threads if thread.is_alive()]:
            log.warning("stopped in the middle; the next run takes up the work again: %s", ", ".join(left))
