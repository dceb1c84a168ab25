"""Airflow's components, each under a watchdog that ends all of its processes, and the order in which they end."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ingest.airflow.standalone import logs, processes
from ingest.config.errors import IngestError

__all__ = [
    "API_SERVER",
    "COMPONENTS",
    "DAG_PROCESSOR",
    "MIGRATION",
    "SCHEDULER",
    "TRIGGERER",
    "Component",
    "Kind",
    "end",
]

# After the grace period, a watchdog needs a moment to kill processes and to check that none is left.
WATCHDOG_SECONDS = 5.0
# A component that ends is restarted. One that keeps ending takes everything down.
MOST_RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 600.0


@dataclass(frozen=True)
class Kind:
    """The name of a component, its arguments, and how long it may take to end.

    After `grace` seconds its remaining processes are killed. If the run is killed, it goes on for `linger` seconds.
    """

    name: str
    arguments: tuple[str, ...]
    grace: float
    linger: float = 0.0


# The API server goes on while tasks finish their work, so that they can report. Its own shutdown takes a second; after
# that the interpreter needs some more to clean up.
API_SERVER = Kind("api-server", ("api-server",), grace=3, linger=10)
SCHEDULER = Kind("scheduler", ("scheduler", "--skip-serve-logs"), grace=10)
DAG_PROCESSOR = Kind("dag-processor", ("dag-processor",), grace=10)
# A triggerer that is killed blocks its triggers for half a minute before the next one can take them. Log servers are
# not needed: on one machine, the API server reads the log files itself.
TRIGGERER = Kind("triggerer", ("triggerer", "--skip-serve-logs"), grace=10)
# In starting order: the scheduler's first tasks need the API server.
COMPONENTS = (API_SERVER, DAG_PROCESSOR, TRIGGERER, SCHEDULER)
MIGRATION = Kind("migrate", ("db", "migrate"), grace=10)


@dataclass
class Component:
    """A running component, with its output in a log file."""

    kind: Kind
    environment: dict[str, str]
    logs: Path
    restarts: list[float] = field(default_factory=list)
    started_at: float = field(default=0.0, init=False)
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def log_file(self) -> Path:
        return self.logs / f"{self.name}.log"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def start(self) -> None:
        """Start it under a watchdog, which notices through a pipe when this process is gone."""
        self.logs.mkdir(parents=True, exist_ok=True)
        logs.rotate(self.log_file)
        self.started_at = time.time()
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "ingest.airflow.standalone.watchdog",
                    "--grace",
                    str(self.kind.grace),
                    "--linger",
                    str(self.kind.linger),
                    "--",
                    airflow_program(),
                    *self.kind.arguments,
                ],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                # Ctrl-C must reach only the run, which then ends its components in order.
                start_new_session=True,
            )

    def ask_to_end(self) -> None:
        """Tell the watchdog to end it."""
        if self.process is not None:
            self.process.terminate()

    def await_end(self) -> None:
        """Wait until it has ended; kill it if it takes too long."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.kind.grace + WATCHDOG_SECONDS)
        if self.process.poll() is None:
            watchdog = processes.living().get(self.process.pid)
            processes.end([watchdog] if watchdog else [])
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def restart(self) -> None:
        """Start it again after it has ended. Raises IngestError if it keeps ending."""
        now = time.monotonic()
        self.restarts = [at for at in self.restarts if now - at < RESTARTS_WITHIN_SECONDS]
        if len(self.restarts) >= MOST_RESTARTS:
            raise IngestError(f"Airflow's {self.name} keeps ending; its log is {self.log_file}:\n{self.last_words()}")
        self.restarts.append(now)
        self.await_end()
        self.start()

    def last_words(self) -> str:
        """Return the end of its log, for an error message."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-8:])


def end(components: Sequence[Component]) -> None:
    """End all components at once, but the API server after the scheduler: tasks still report their results to it."""
    by_kind = {component.kind: component for component in components}
    for component in components:
        if component.kind is not API_SERVER:
            component.ask_to_end()
    by_kind[SCHEDULER].await_end()
    by_kind[API_SERVER].ask_to_end()
    for component in components:
        component.await_end()


def airflow_program() -> str:
    """Return the path of this environment's program `airflow`."""
    return str(Path(sys.executable).with_name("airflow"))
