"""`make run`: the whole pipeline under Airflow on one machine.

Starts the embedded PostgreSQL with the databases `news` and `airflow`, and Airflow's four components on LocalExecutor,
bound to 127.0.0.1; watches over them; ends them in order on Ctrl-C or SIGTERM.

`airflow standalone` starts the same four, but opens log servers on all interfaces, goes on when a component is dead,
and leaves two behind when it is ended (see docs/decisions.md).
"""

import argparse
import base64
import ctypes
import fcntl
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
from psycopg import sql

from db import Database, DatabaseError
from db.engine import open_database
from ingest import articles
from ingest.errors import ConfigError, IngestError
from ingest.feeds_file import load_feeds
from ingest.settings import Settings, load_settings
from ingest.topics import load_topics

__all__ = ["main"]

log = logging.getLogger("run")

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
METADATA = "airflow"
# The scheduler goes first, so that its tasks can still report to the API server.
COMPONENTS = ("api-server", "dag-processor", "triggerer", "scheduler")
# Without log servers: the API server reads the log files themselves on one machine.
OPTIONS = {"triggerer": ["--skip-serve-logs"], "scheduler": ["--skip-serve-logs"]}
READY_SECONDS = 180
STOP_SECONDS = 20
LOOK_SECONDS = 5.0
# A component that ended is started again; one that keeps ending takes everything down.
MOST_RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 600.0
# A few runs at a time, each with a handful of tasks; every slot is a process of 150 MB.
PARALLELISM = 8


def main() -> None:
    """Run until told to stop; exits with 0, 1 (failed) or 2 (wrong configuration)."""
    parser = argparse.ArgumentParser(prog="make run", description="Run the pipeline under Airflow on this machine.")
    parser.add_argument("--port", type=int, default=8080, help="port of the Airflow UI (default 8080)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    log.setLevel(logging.INFO)
    try:
        run(load_settings(), options.port)
    except ConfigError as error:
        sys.exit(_said(error, 2))
    except (IngestError, DatabaseError) as error:
        sys.exit(_said(error, 1))


def run(settings: Settings, port: int) -> None:
    """Start everything, and return when it has ended. Raises IngestError when something cannot be started."""
    load_feeds(settings.feeds)
    load_topics(settings.topics)
    home = settings.data_dir.absolute() / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    # Passwords, secrets and logs lie here.
    home.chmod(0o700)
    with _alone(home, port):
        _require_free(port)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        log.info("starting the database")
        with open_database(settings.database_url, settings.data_dir) as database:
            environment = _environment(settings, database, home, port)
            log.info("preparing Airflow's database")
            _migrate(environment, home, stop)
            components = [Component(name, environment, home / "logs") for name in COMPONENTS]
            try:
                for component in components:
                    component.start()
                if not stop.is_set() and _await_ready(components, port, stop):
                    _welcome(settings, database, home, port)
                    _watch(components, database, stop)
            finally:
                log.info("stopping; what is in hand goes back to the ledger")
                for component in reversed(components):
                    component.stop()
        log.info("stopped")


@dataclass
class Component:
    """A component of Airflow as a process group of its own, with its output in a log file."""

    name: str
    environment: dict[str, str]
    logs: Path
    restarts: list[float] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log_file(self) -> Path:
        return self.logs / f"{self.name}.log"

    def start(self) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                [_airflow(), self.name, *OPTIONS.get(self.name, [])],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it calls one C function
            )

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End the whole group: first asked to, then, what is left of it, killed."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        # Its tasks are groups of their own in its session, and may still be finishing what they have in hand.
        deadline = time.monotonic() + STOP_SECONDS
        while (left := _session(self.process.pid)) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            time.sleep(0.2)
        for pid in _session(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def last_words(self) -> str:
        """Return the end of its log, for an error message."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-8:])


def _environment(settings: Settings, database: Database, home: Path, port: int) -> dict[str, str]:
    """Return the environment of Airflow's processes. What the caller's environment says about Airflow wins."""
    address = f"http://{HOST}:{port}"
    bundles = [
        {
            "name": name,
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(path), "refresh_interval": 10},
        }
        for name, path in (("news", ROOT / "dags"), ("own", home / "dags"))
    ]
    (home / "dags").mkdir(exist_ok=True)
    ours = {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        # Each hop from task to task waits for the scheduler's next look.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        # Tasks that were killed are noticed after this many seconds without a sign of life.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    metadata = _metadata_url(database)
    forced = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        # What Airflow derives by itself would need asyncpg; psycopg does both.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "NEWS_DATABASE_URL": database.url,
        "NEWS_DATA_DIR": str(settings.data_dir.absolute()),
        "NEWS_FEEDS": str(settings.feeds.absolute()),
        "NEWS_TOPICS": str(settings.topics.absolute()),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }
    if settings.reader_url is None and database.server is not None:
        forced["NEWS_READER_URL"] = database.server.url(user="news_reader")
    return ours | _secrets(home) | dict(os.environ) | forced


def _metadata_url(database: Database) -> str:
    """Return the SQLAlchemy URL of Airflow's own database, which is made when missing."""
    server = database.server
    if server is None:
        configured = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
        if configured is None:
            raise ConfigError(
                "with NEWS_DATABASE_URL, Airflow needs a database of its own: set AIRFLOW__DATABASE__SQL_ALCHEMY_CONN "
                "to postgresql+psycopg://user:password@host:5432/airflow"
            )
        return configured
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        # A role of its own: Airflow's database and the news have nothing to say to each other.
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [METADATA]).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(METADATA)))
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [METADATA]).fetchone() is None:
            name = sql.Identifier(METADATA)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
            connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    return f"postgresql+psycopg://{METADATA}@/{METADATA}?host={quote(str(server.socket_dir), safe='/')}"


def _secrets(home: Path) -> dict[str, str]:
    """Return the secrets that Airflow's processes share, drawn once per data directory."""
    path = home / "secrets.json"
    if not path.exists():
        drawn = {
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(64),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        }
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(drawn))
        fresh.rename(path)
    values: dict[str, str] = json.loads(path.read_text())
    return values


def _migrate(environment: dict[str, str], home: Path, stop: threading.Event) -> None:
    log_file = home / "logs" / "migrate.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as output:
        result = subprocess.run(
            [_airflow(), "db", "migrate"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            check=False, start_new_session=True, preexec_fn=_end_with_parent,
        )  # fmt: skip
    if result.returncode != 0 and not stop.is_set():
        said = "\n".join(log_file.read_text(errors="replace").splitlines()[-8:])
        raise IngestError(f"Airflow's database could not be prepared; the log is {log_file}:\n{said}")


def _await_ready(components: list[Component], port: int, stop: threading.Event) -> bool:
    """Wait until all components report that they are healthy. Returns False when told to stop meanwhile."""
    log.info("starting Airflow")
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if stop.wait(0.5):
            return False
        for component in components:
            if not component.running:
                raise IngestError(
                    f"Airflow's {component.name} did not start; its log is {component.log_file}:\n"
                    f"{component.last_words()}"
                )
        if all(_health(port).get(name) == "healthy" for name in ("scheduler", "triggerer", "dag_processor")):
            return True
    raise IngestError(f"Airflow was not ready within {READY_SECONDS} s; its logs are in {components[0].logs}")


def _health(port: int) -> dict[str, str | None]:
    """Return the status of each component. The address answers 200 whatever they are, so the body is read."""
    try:
        answer = httpx.get(f"http://{HOST}:{port}/api/v2/monitor/health", timeout=5, trust_env=False)
        return {name: part["status"] for name, part in answer.json().items()}
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return {}


def _welcome(settings: Settings, database: Database, home: Path, port: int) -> None:
    password_file = home / "passwords.json"
    shown = f"in {password_file}"
    with suppress(OSError, ValueError, KeyError):
        password_file.chmod(0o600)
        # Not into files and pipes: logs are read by others.
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
            "host": HOST, "port": port, "shown": shown, "query": query, "feeds": settings.feeds,
            "dags": home / "dags", "logs": home / "logs",
        },
    )  # fmt: skip


def _watch(components: list[Component], database: Database, stop: threading.Event) -> None:
    """Until told to stop: start again what ended, and say what landed."""
    landed: int | None = None
    while not stop.wait(LOOK_SECONDS):
        for component in components:
            if component.running:
                continue
            now = time.monotonic()
            component.restarts = [at for at in component.restarts if now - at < RESTARTS_WITHIN_SECONDS]
            if len(component.restarts) >= MOST_RESTARTS:
                raise IngestError(
                    f"Airflow's {component.name} ended again and again; its log is {component.log_file}:\n"
                    f"{component.last_words()}"
                )
            component.restarts.append(now)
            log.warning("Airflow's %s ended, starting it again; its log is %s", component.name, component.log_file)
            component.stop()
            component.start()
        try:
            # This also starts the embedded server again, should it have crashed.
            with database.connect() as connection:
                count, _ = articles.count_and_last(connection)
        except (DatabaseError, psycopg.OperationalError) as error:
            log.warning("the database is away: %s", str(error).splitlines()[0])
            continue
        if landed is not None and count > landed:
            log.info("%d articles landed, %d in all", count - landed, count)
        elif landed is None and count:
            log.info("%d articles so far", count)
        landed = count


@contextmanager
def _alone(home: Path, port: int) -> Iterator[None]:
    """Hold the data directory's lock. Raises IngestError when another run has it."""
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


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As the server will: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise IngestError(
                f"port {port} cannot be used ({os.strerror(error.errno or 0).lower()}): "
                "choose another with `make run PORT=8081`"
            ) from error


def _session(leader: int) -> list[int]:
    """Return the living processes of a session, from /proc/PID/stat (proc(5)): field 3 is the state, 6 the session."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(directory.name))
    return found


def _end_with_parent() -> None:
    """In a component: be told to end when this program is killed, which cannot tell it any more."""
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG of prctl(2).
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _airflow() -> str:
    return str(Path(sys.executable).with_name("airflow"))


def _said(error: Exception, code: int) -> int:
    print(f"error: {error}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    main()
