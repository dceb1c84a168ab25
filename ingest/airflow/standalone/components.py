"""Airflow's components, each below a watchdog that ends all of it; and the order in which they end."""

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

# Beyond its grace a watchdog needs a moment to kill, and to look that nothing is left.
WATCHDOG_SECONDS = 5.0
# A component that ended is started again; one that keeps ending takes everything down.
MOST_RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 600.0


@dataclass(frozen=True)
class Kind:
    """What a component is called, its arguments, and how long it may take to end.

    After `grace` seconds what is left of it is killed. Should the run be killed, it goes on for `linger` seconds.
    """

    name: str
    arguments: tuple[str, ...]
    grace: float
    linger: float = 0.0


# The API server goes on while tasks finish what they have in hand, so that they can report. What it has to do when it
# ends itself is done in a second; then the interpreter takes some more to clear up.
API_SERVER = Kind("api-server", ("api-server",), grace=3, linger=10)
SCHEDULER = Kind("scheduler", ("scheduler", "--skip-serve-logs"), grace=10)
DAG_PROCESSOR = Kind("dag-processor", ("dag-processor",), grace=10)
# One that does not end in order keeps its triggers for half a minute from the next one. Without log servers: the API
# server reads the log files itself on one machine.
TRIGGERER = Kind("triggerer", ("triggerer", "--skip-serve-logs"), grace=10)
# In the order in which they start: the scheduler's first tasks need the API server.
COMPONENTS = (API_SERVER, DAG_PROCESSOR, TRIGGERER, SCHEDULER)
MIGRATION = Kind("migrate", ("db", "migrate"), grace=10)


@dataclass
class Component:
    """A component at work, with its output in a log file."""

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
        """Start it below a watchdog, which knows by a pipe that this process lives."""
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
                # A Ctrl-C is for the run, which ends its components in order.
                start_new_session=True,
            )

    def ask_to_end(self) -> None:
        """Tell the watchdog to end it."""
        if self.process is not None:
            self.process.terminate()

    def await_end(self) -> None:
        """Wait until it has ended, and see to that."""
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
        """Start it again after it has ended. Raises IngestError when it does so again and again."""
        now = time.monotonic()
        self.restarts = [at for at in self.restarts if now - at < RESTARTS_WITHIN_SECONDS]
        if len(self.restarts) >= MOST_RESTARTS:
            raise IngestError(
                f"Airflow's {self.name} ended again and again; its log is {self.log_file}:\n{self.last_words()}"
            )
        self.restarts.append(now)
        self.await_end()
        self.start()

    def last_words(self) -> str:
        """Return the end of its log, for an error message."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-8:])


def end(components: Sequence[Component]) -> None:
    """End all at once, but the API server after the scheduler, as tasks report to it what they have finished."""
    by_kind = {component.kind: component for component in components}
    for component in components:
        if component.kind is not API_SERVER:
            component.ask_to_end()
    by_kind[SCHEDULER].await_end()
    by_kind[API_SERVER].ask_to_end()
    for component in components:
        component.await_end()


def airflow_program() -> str:
    """Return the path of the program `airflow` of this environment."""
    return str(Path(sys.executable).with_name("airflow"))
