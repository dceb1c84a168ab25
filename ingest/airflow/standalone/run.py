"""Starts the pipeline under Airflow on one machine, supervises it, and stops it in order on Ctrl-C or SIGTERM.

It consists of the embedded PostgreSQL with the databases `news` and `airflow`, and Airflow's four components on
LocalExecutor, bound to 127.0.0.1. `airflow standalone` starts the same four, but opens log servers on all interfaces,
keeps running when a component is dead, and leaves two behind when it ends (see docs/decisions.md).
"""

import argparse
import fcntl
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from db import Database, DatabaseError
from db.engine import open_database
from ingest.airflow.standalone import health, logs, processes
from ingest.airflow.standalone.components import API_SERVER, COMPONENTS, MIGRATION, Component, end
from ingest.airflow.standalone.environment import airflow_environment
from ingest.airflow.standalone.ports import HOST, parse_port, require_free
from ingest.airflow.standalone.processes import Process
from ingest.airflow.standalone.record import Record
from ingest.config.errors import ConfigError, IngestError
from ingest.config.feeds_file import load_feeds
from ingest.config.settings import Settings, load_settings
from ingest.store import articles
from ingest.topics.topics import load_topics

__all__ = ["main", "run"]

log = logging.getLogger("run")

READY_SECONDS = 180.0
LOOK_SECONDS = 1.0
# How often the running processes are recorded and articles are counted.
WRITE_SECONDS = 5.0


def main() -> None:
    """Run until told to stop; exits with 0, 1 (failed) or 2 (wrong configuration)."""
    parser = argparse.ArgumentParser(prog="make run", description="Run the pipeline under Airflow on this machine.")
    parser.add_argument("--port", default="8080", help="port of the Airflow UI (default 8080)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    log.setLevel(logging.INFO)
    try:
        run(load_settings(), parse_port(options.port))
    except ConfigError as error:
        sys.exit(_said(error, 2))
    except (IngestError, DatabaseError) as error:
        sys.exit(_said(error, 1))


def run(settings: Settings, port: int) -> None:
    """Start everything, and return when it has ended. Raises IngestError if something cannot be started."""
    load_feeds(settings.feeds)
    load_topics(settings.topics)
    home = settings.data_dir.absolute() / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    # This folder holds passwords, secrets and logs.
    home.chmod(0o700)
    with _alone(home, port):
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        record = Record(home / "processes.json")
        if record.left():
            log.info("ending processes left by a run that was killed")
            record.end_left()
        require_free(port)
        log.info("starting the database")
        with open_database(settings.database_url, settings.data_dir) as database:
            environment = airflow_environment(settings, database, home, port)
            running = Running([Component(kind, environment, home / "logs") for kind in COMPONENTS], record, port, stop)
            log.info("preparing Airflow's database")
            _migrate(Component(MIGRATION, environment, home / "logs"), record)
            try:
                if running.start():
                    _welcome(settings, database, home, port)
                    running.watch(database)
            finally:
                stop.set()
                log.info("stopping; unfinished work goes back to the ledger")
                running.end()
        log.info("stopped")


class Running:
    """The components, from their start until the run is told to stop."""

    def __init__(self, components: Sequence[Component], record: Record, port: int, stop: threading.Event) -> None:
        self._components = components
        self._record = record
        self._port = port
        self._stop = stop

    def start(self) -> bool:
        """Start the API server, then the others once it answers. Returns False if told to stop in the meantime.

        The scheduler starts tasks immediately, and they fail if no API server accepts their reports.
        """
        log.info("starting Airflow")
        deadline = time.monotonic() + READY_SECONDS
        for component in self._components:
            if component.kind is API_SERVER:
                component.start()
        if not self._await(deadline, lambda: health.answers(self._port)):
            return False
        for component in self._components:
            if component.kind is not API_SERVER:
                component.start()
        since = {component.name: component.started_at for component in self._components}
        return self._await(deadline, lambda: health.all_healthy(self._port, since))

    def watch(self, database: Database) -> None:
        """Until told to stop, restart components that ended, and log how many articles landed."""
        landed: int | None = None
        write_at = 0.0
        while not self._stop.wait(LOOK_SECONDS):
            for component in self._components:
                if not component.running:
                    self._restart(component)
            if time.monotonic() >= write_at:
                for component in self._components:
                    logs.rotate(component.log_file)
                self._keep_record()
                landed = _count(database, landed)
                write_at = time.monotonic() + WRITE_SECONDS

    def end(self) -> None:
        """End everything in order."""
        end(self._components)
        self._record.end_strays([])
        self._record.keep([])

    def _restart(self, component: Component) -> None:
        log.warning("Airflow's %s ended, starting it again; its log is %s", component.name, component.log_file)
        self._record.end_strays(self._processes())
        component.restart()

    def _await(self, deadline: float, true: Callable[[], bool]) -> bool:
        while time.monotonic() < deadline:
            if self._stop.wait(0.5):
                return False
            self._keep_record()
            for component in self._components:
                if component.process is not None and not component.running:
                    raise IngestError(
                        f"Airflow's {component.name} did not start; its log is {component.log_file}:\n"
                        f"{component.last_words()}"
                    )
            if true():
                return True
        raise IngestError(
            f"Airflow was not ready within {READY_SECONDS:g} s; its logs are in {self._components[0].logs}"
        )

    def _processes(self) -> list[Process]:
        watchdogs = [component.process.pid for component in self._components if component.process is not None]
        living = processes.living()
        return [living[pid] for pid in watchdogs if pid in living] + processes.family(watchdogs)

    def _keep_record(self) -> None:
        self._record.keep(self._processes())


def _migrate(component: Component, record: Record) -> None:
    """Migrate Airflow's own database to its current version. Raises IngestError with the end of the log."""
    component.start()
    assert component.process is not None
    record.keep([process for process in [processes.living().get(component.process.pid)] if process is not None])
    # Not interrupted when told to stop: it takes seconds, and a half-migrated database would be worse.
    code = component.process.wait()
    component.await_end()
    if code != 0:
        raise IngestError(
            f"Airflow's database could not be prepared; the log is {component.log_file}:\n{component.last_words()}"
        )


def _count(database: Database, before: int | None) -> int | None:
    """Log how many articles have landed since there were `before`. Returns the current number."""
    try:
        # This also restarts the embedded server if it has crashed.
        with database.connect() as connection:
            count, _ = articles.count_and_last(connection)
    except (DatabaseError, psycopg.OperationalError) as error:
        log.warning("the database is away: %s", str(error).splitlines()[0])
        return before
    if before is not None and count > before:
        log.info("%d articles landed, %d in all", count - before, count)
    elif before is None and count:
        log.info("%d articles so far", count)
    return count


def _welcome(settings: Settings, database: Database, home: Path, port: int) -> None:
    password_file = home / "passwords.json"
    shown = f"in {password_file}"
    with suppress(OSError, ValueError, KeyError):
        password_file.chmod(0o600)
        # Not into files and pipes: other people read logs.
        if sys.stderr.isatty():
            shown = json.loads(password_file.read_text())["admin"]
    query = 'psql "$(.venv/bin/ingest db url)"' if database.server is not None else "psql with NEWS_DATABASE_URL"
    log.info(
        "ready\n\n"
        "  Airflow      http://%(host)s:%(port)d\n"
        "  news page    http://%(host)s:%(port)d/news/\n"
        "  log in as    admin, password %(shown)s\n"
        "  database     %(query)s\n"
        "  feeds        %(feeds)s (read again every minute)\n"
        "  own DAGs     %(dags)s\n"
        "  logs         %(logs)s\n\n"
        "Ctrl-C ends it.\n",
        {
            "host": HOST,
            "port": port,
            "shown": shown,
            "query": query,
            "feeds": settings.feeds,
            "dags": home / "dags",
            "logs": home / "logs",
        },
    )


@contextmanager
def _alone(home: Path, port: int) -> Iterator[None]:
    """Hold the data directory's lock. Raises IngestError if another run holds it."""
    path = home / "run.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IngestError(f"it is running already: {path.read_text().strip()}") from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()}, http://{HOST}:{port}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _said(error: Exception, code: int) -> int:
    print(f"error: {error}", file=sys.stderr)  # noqa: T201
    return code
