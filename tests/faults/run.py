"""One run: the pipeline as processes, faults at their moments, then peace, and what must hold afterwards."""

import contextlib
import functools
import heapq
import ipaddress
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

import psycopg

from db import Connection, Database
from db.embedded import ROLE
from ingest.config.feeds_file import load_feeds
from ingest.config.settings import Settings
from ingest.pipeline import Pipeline
from ingest.runtime.clock import utc_now
from ingest.store import feeds
from ingest.topics.topics import TopicSet, load_topics
from tests.conftest import ROOT, Clock, free_port
from tests.faults import invariants, poison
from tests.faults.cluster import Cluster, children, command_line, running_cluster
from tests.faults.plan import JUMPS, LIES, STATUSES, Fault, Plan
from tests.newsroom import Faults, Newsroom, RunningNewsroom, serve
from tests.rules_only import RULES_ONLY
from tests.runs import Landed, curated, landed, outcomes, true_places

__all__ = ["Lab", "Result", "Run"]

FEEDS, ENTRIES, UPCOMING = 5, 44, 6
# No clock of a run goes back before what is published, nor so far ahead that it is old.
PUBLISHED_BEFORE = timedelta(days=2)
# Longer than any wait that faults lead to, shorter than the time after which landed pages are fetched again.
FIRST_ROUND, ROUND, ROUNDS = timedelta(minutes=11), timedelta(minutes=80), 16
REQUEST_SECONDS = 2.0
# Programs send their first request after some such time, or later.
START_SECONDS, LATE_START_SECONDS = 0.8, 15.0
# So often is looked again for what a fault is to hit, a tenth of a second apart.
TRIES = 10
# What ended is started again after this time.
RESTART_SECONDS = 0.2
# A run of `--once` may end by itself for so long, then it is told to; and a process that was told ends within this.
OWN_END_SECONDS = 0.6
END_SECONDS = 15.0
BUSY_LOOPS = 10
APART_SECONDS = 4 * 3600


_TRACEBACK = re.compile(r"^Traceback", re.MULTILINE)
# A worker that is still starting when its pool ends complains about what is no more.
_WORKER_TRACEBACK = re.compile(r'^Traceback .*\n +File ".*forkserver\.py"', re.MULTILINE)


@dataclass(frozen=True)
class Truth:
    """What an undisturbed run makes of a newsroom."""

    landed: Landed
    curated: set[tuple[object, ...]]
    outcomes: set[tuple[object, ...]]
    entries: int


@dataclass
class Result:
    """What came of a run: what was done to it and when, and what is wrong, by kind."""

    plan: Plan
    fired: list[tuple[float, str]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0
    log: str = ""

    @property
    def problems(self) -> list[str]:
        """All that is wrong, in words."""
        return [
            f"{kind}: {problem}" for kind in ("lost", "doubled", "stuck", "broken") for problem in getattr(self, kind)
        ]

    def __str__(self) -> str:
        lines = [str(self.plan), *(f"  {at:6.2f} s: {what}" for at, what in self.fired)]
        return "\n".join([*lines, *(f"  {problem}" for problem in self.problems)]) + (
            f"\n{self.log}" if self.log else ""
        )


class Lab:
    """What runs share: a database server, newsrooms, and what undisturbed runs make of those. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster: Cluster
        self.topics: TopicSet = load_topics(RULES_ONLY)
        self._stack = ExitStack()
        self._rooms: dict[int, RunningNewsroom] = {}
        self._truths: dict[int, Truth] = {}
        self._first = utc_now().replace(microsecond=0) - PUBLISHED_BEFORE

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.cluster = stack.enter_context(running_cluster(self.folder / "disk"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def room(self, number: int) -> RunningNewsroom:
        """Return a newsroom that behaves, as it is at the beginning of a run."""
        if number not in self._rooms:
            world = Newsroom.build(
                seed=number + 1, feeds=FEEDS, entries=ENTRIES, upcoming=UPCOMING, now=self._first, port=free_port()
            )
            room = self._stack.enter_context(_quiet(serve(world)))
            room.render()
            self._rooms[number] = room
        room = self._rooms[number]
        room.faults.clear()
        room.robots.clear()
        room.log.clear()
        room.world.now = self._first
        return room

    def settings(self) -> Settings:
        """Return the settings of runs in this process."""
        return Settings(
            allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
            host_delay=0,
            request_timeout=10,
            extract_processes=1,
        )

    def truth(self, number: int) -> Truth:
        """Return what an undisturbed run makes of a newsroom."""
        if number not in self._truths:
            room = self.room(number)
            publish(room)
            database = Database(self.cluster.fresh("undisturbed"))
            path = self.folder / "undisturbed.yaml"
            path.write_text(room.world.feeds_yaml(), encoding="utf-8")
            with database.connect() as connection:
                feeds.sync(connection, load_feeds(path), utc_now())
                Pipeline(database, self.settings(), self.topics).once()
                problems = [*invariants.half_done(connection), *invariants.leases(connection)]
                assert problems == []
                self._truths[number] = Truth(
                    landed(connection), curated(connection), outcomes(connection), len(outcomes(connection))
                )
            # A pipeline that does without faults what it should not do is no measure.
            assert self._truths[number].landed == true_places(room.world)
            self.cluster.drop("undisturbed")
        return self._truths[number]

    def run(self, plan: Plan) -> Result:
        """Carry out a plan."""
        return Run(self, plan).result()


@contextlib.contextmanager
def _quiet(context: AbstractContextManager[RunningNewsroom]) -> Iterator[RunningNewsroom]:
    """The same newsroom, without aiohttp's complaints about what its faults do to connections."""
    import logging

    for name in ("aiohttp.server", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with context as room:
        yield room


def publish(room: RunningNewsroom) -> None:
    """Let all news that is still to come appear."""
    room.world.advance(timedelta(minutes=UPCOMING + 1))


class Program:
    """One process of the pipeline: started again when it ends, as its supervisor would."""

    def __init__(self, folder: Path, name: str, command: str, environment: dict[str, str]) -> None:
        self.clock = folder / f"{name}.clock"
        self.set_clock(0)
        self.log = folder / f"{name}.log"
        self.log.write_text("")
        self._command = command
        self._environment = environment | {"FAULTS_CLOCK": str(self.clock)}
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._told = False
        # Exit codes of what ended by itself, with what it said.
        self.ends: list[tuple[int, str]] = []
        self._said = 0
        self._ended_at = 0.0

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.program", "run", self._command],
                env=self._environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._killed = self._told = False

    @property
    def pid(self) -> int | None:
        """The process id, None when there is no process."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def set_clock(self, seconds: float) -> None:
        """Let the process see a time that is `seconds` ahead of the true one."""
        new = self.clock.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.clock)

    def kill(self) -> bool:
        """Kill the process; returns whether there was one."""
        if self.pid is None:
            return False
        self._killed = True
        self.send(signal.SIGKILL)
        return True

    def send(self, number: signal.Signals) -> None:
        if self.pid is not None and self._process is not None:
            self._process.send_signal(number)

    def start_again(self) -> None:
        """Start what has ended, after a moment."""
        if self._process is None and time.monotonic() > self._ended_at + RESTART_SECONDS:
            self.start()

    def supervise(self) -> None:
        """Note the end of the process, by itself or not, when it has ended."""
        if self._process is None or self._process.poll() is None:
            return
        said = self.log.read_text(errors="replace")
        if not self._killed:
            self.ends.append((self._process.returncode, said[self._said :]))
        self._said = len(said)
        self._process = None
        self._ended_at = time.monotonic()

    def tell(self) -> None:
        """Let it finish what it has in hand, and no more. Twice would mean at once."""
        if not self._told:
            self._told = True
            self.send(signal.SIGTERM)

    def end(self) -> str | None:
        """Wait for the end of what was told to, or killed; returns what is wrong when it does not end."""
        if self._process is None:
            return None
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGUSR1)
            time.sleep(0.5)
            self.kill()
            self._process.wait()
            self.supervise()
            return f"`ingest run {self._command}` did not end within {END_SECONDS:g} s of SIGTERM"
        self.supervise()
        return None


class Run:
    """Carries out one plan."""

    def __init__(self, lab: Lab, plan: Plan) -> None:
        self._lab = lab
        self._cluster = lab.cluster
        self._plan = plan
        self._truth = lab.truth(plan.world)
        self._room = lab.room(plan.world)
        self._result = Result(plan)
        self._started = 0.0
        self._folder = lab.folder / f"run{plan.seed}"
        self._folder.mkdir(exist_ok=True)
        self._poison = self._folder / "poison"
        shutil.copy(RULES_ONLY, self._folder / "topics.yaml")
        self._name = ROLE if plan.embedded else "faults"
        self._database = Database(self._cluster.fresh(self._name))
        every = "2s" if plan.command == "--follow" else "10m"
        (self._folder / "feeds.yaml").write_text(self._room.world.feeds_yaml(every), encoding="utf-8")
        self._programs = [
            Program(self._folder, f"program{number}", plan.command, self._environment())
            for number in range(plan.processes)
        ]
        # What must not outlast the run, whatever becomes of it.
        self._undo = ExitStack()
        # What is to happen: when, in which order, what, and how it is called.
        self._agenda: list[tuple[float, int, Callable[[], str | None], str]] = []
        self._numbers = itertools.count()

    def _environment(self) -> dict[str, str]:
        database = (
            {"NEWS_DATA_DIR": str(self._cluster.disk.folder)}
            if self._plan.embedded
            else {"NEWS_DATABASE_URL": self._database.url}
        )
        clean = {name: value for name, value in os.environ.items() if not name.startswith("NEWS_")}
        return (
            clean
            | database
            | {
                "NEWS_FEEDS": str(self._folder / "feeds.yaml"),
                "NEWS_TOPICS": str(self._folder / "topics.yaml"),
                poison.FLAG: str(self._poison),
                "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
                "NEWS_HOST_DELAY": str(self._plan.host_delay),
                "NEWS_REQUEST_TIMEOUT": str(REQUEST_SECONDS),
                "NEWS_EXTRACT_PROCESSES": "2",
            }
        )

    def result(self) -> Result:
        """Return what came of it."""
        began = time.monotonic()
        try:
            self._disturb()
        finally:
            self._heal()
        self._note("peace")
        self._settle()
        self._note("settled")
        self._result.seconds = time.monotonic() - began
        if self._result.problems:
            logs = [(program.log.name, program.log.read_text(errors="replace")[-6000:]) for program in self._programs]
            self._result.log = "\n".join(f"--- {name}\n{text}" for name, text in logs)
        return self._result

    # -- faults

    def _disturb(self) -> None:
        for program in self._programs:
            program.start()
        self._started = time.monotonic() + START_SECONDS
        for fault in self._plan.faults:
            self._at(fault.at, functools.partial(self._fire, fault), fault.kind)
        self._at(self._plan.publish_at, lambda: publish(self._room), "more news")
        # Time counts from the first request; where something comes before that, from when it was to be expected.
        early = any(fault.at < 0 for fault in self._plan.faults)
        latest = self._started + (0 if early else LATE_START_SECONDS)
        while time.monotonic() < latest and (early or not self._room.log):
            self._pass(min(time.monotonic() - self._started, -0.01))
            time.sleep(0.01)
        self._started = time.monotonic()
        while self._agenda:
            self._pass(time.monotonic() - self._started)
            time.sleep(0.01)
        self._resume()
        deadline = time.monotonic() + (OWN_END_SECONDS if self._plan.command == "--once" else 0.1)
        while any(program.pid for program in self._programs) and time.monotonic() < deadline:
            time.sleep(0.02)
        self._note("told to end")
        for program in self._programs:
            program.tell()
        for program in self._programs:
            hung = program.end()
            if hung:
                self._result.stuck.append(hung)
            self._judge_ends(program)
        self._note("ended")

    def _note(self, what: str) -> None:
        self._result.fired.append((time.monotonic() - self._started, what))

    def _at(self, moment: float, what: Callable[[], str | None], name: str) -> None:
        heapq.heappush(self._agenda, (moment, next(self._numbers), what, name))

    def _pass(self, now: float) -> None:
        """Do what is due."""
        for program in self._programs:
            program.supervise()
            program.start_again()
        while self._agenda and self._agenda[0][0] <= now:
            _, _, what, name = heapq.heappop(self._agenda)
            at = time.monotonic() - self._started
            detail = what()
            self._result.fired.append((at, f"{name}{f' ({detail})' if detail else ''}"))

    def _later(self, fault: Fault, undo: Callable[[], None], name: str) -> None:
        self._at(max(time.monotonic() - self._started, fault.at) + fault.lasts, undo, name)

    def _fire(self, fault: Fault, tries: int = 0) -> str | None:
        detail = self._inject(fault)
        if detail is None or not detail.startswith("0 "):
            self._result.kinds.append(fault.kind)
        elif tries < TRIES:
            # What is to be hit is not there yet, or has just gone.
            self._at(
                time.monotonic() - self._started + 0.1, functools.partial(self._fire, fault, tries + 1), fault.kind
            )
        return detail

    def _inject(self, fault: Fault) -> str | None:
        program = self._programs[fault.target % len(self._programs)]
        cluster = self._cluster
        match fault.kind:
            case "kill the pipeline":
                return "1 of 1" if program.kill() else "0 there"
            case "kill a worker":
                workers = [pid for server in _fork_servers(program.pid) for pid in children(server)]
                return _kill(workers, fault.amount)
            case "kill the fork server":
                return _kill(_fork_servers(program.pid), fault.amount)
            case "freeze the pipeline":
                program.send(signal.SIGSTOP)
                self._later(fault, lambda: program.send(signal.SIGCONT), "thaw")
            case "kill a backend":
                return _kill(cluster.backends(self._name), fault.amount)
            case "kill the postmaster":
                cluster.kill_postmaster()
                self._revive_later(fault)
            case "stop the database":
                cluster.halt("fast")
                self._revive_later(fault)
            case "crash the database":
                cluster.halt("immediate")
                self._revive_later(fault)
            case "cut a connection":
                return f"{cluster.cut(self._name, fault.amount)} of them"
            case "cut all connections":
                return f"{cluster.cut(self._name, None)} of them"
            case "disk full":
                if cluster.disk.refusal is not None:
                    return f"0 times: {cluster.disk.refusal}"
                cluster.disk.fill()

                def clear() -> None:
                    cluster.disk.clear()
                    # Without room for its log, it has crashed and stays down.
                    if not self._plan.embedded:
                        cluster.revive()

                self._later(fault, clear, "room on the disk")
            case "frozen worker":
                return self._freeze_worker(fault, program)
            case "lease lost":
                # As if the machine were lost, and came back.
                program.send(signal.SIGSTOP)
                self._later(fault, lambda: program.send(signal.SIGCONT), "thaw")
                return f"{cluster.expire_leases(self._name)} of them"
            case "busy machine":
                loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY_LOOPS)]
                self._undo.callback(_end_all, loops)
                self._later(fault, lambda: _end_all(loops), "machine quiet")
            case "poisonous page":
                self._poison.touch()
                self._later(fault, lambda: self._poison.unlink(missing_ok=True), "no poison")
            case "broken configuration":
                self._break_configuration(fault)
            case "power loss":
                if not cluster.lose_power():
                    return "0 there"
                if not self._plan.embedded:
                    cluster.revive()
            case "clocks hours apart":
                for number, each in enumerate(self._programs):
                    each.set_clock(APART_SECONDS * (1 if number % 2 else -1))

                def together() -> None:
                    for each in self._programs:
                        each.set_clock(0)

                self._later(fault, together, "clocks right")
            case "analyst's transaction":
                return self._read_for_long(fault)
            case "clock ahead" | "clock behind":
                jump = JUMPS[fault.amount % len(JUMPS)] * (1 if fault.kind == "clock ahead" else -1)
                program.set_clock(jump)
                self._later(fault, lambda: program.set_clock(0), "clock right")
                return f"by {jump} s"
            case _:
                return self._misbehave(fault)
        return None

    def _freeze_worker(self, fault: Fault, program: Program) -> str:
        workers = [pid for server in _fork_servers(program.pid) for pid in children(server)]
        if not workers:
            return "0 there"
        pid = workers[fault.amount % len(workers)]

        def thaw() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        self._undo.callback(thaw)
        self._later(fault, thaw, "thaw")
        return f"1 of {len(workers)}"

    def _break_configuration(self, fault: Fault) -> None:
        path = self._folder / ("feeds.yaml" if fault.amount % 2 else "topics.yaml")
        whole = path.read_text(encoding="utf-8")

        def mend() -> None:
            path.write_text(whole, encoding="utf-8")

        path.write_text(whole[: len(whole) // 2] + "\n  :{[", encoding="utf-8")
        self._undo.callback(mend)
        self._later(fault, mend, "file mended")

    def _read_for_long(self, fault: Fault) -> str:
        """Hold what an analyst may hold: a transaction on all tables of articles, and locks with any number."""
        try:
            reader = self._cluster.superuser(self._name)
            reader.execute("SET ROLE news_reader")
            reader.execute(
                "SELECT count(*) FROM news.articles, news.entries, news.feeds, news.stories, news.feed_polls"
            )
            # Another reader of this run may hold them.
            reader.execute("SELECT pg_try_advisory_lock(7300215902), pg_try_advisory_lock(1852797811)")
        except psycopg.Error:
            return "0 there"
        self._undo.callback(reader.close)
        self._later(fault, reader.close, "reader gone")
        return "1 of 1"

    def _revive_later(self, fault: Fault) -> None:
        # An embedded server is started again by whoever needs it.
        if not self._plan.embedded:
            self._later(fault, self._cluster.revive, "database started")

    def _misbehave(self, fault: Fault) -> str:
        outlets = self._room.world.outlets
        number, amount = fault.target % (len(outlets) + 1), fault.amount
        hosts = [outlet.host for outlet in (outlets if number == len(outlets) else outlets[number : number + 1])]
        faults, what = _server_faults(fault.kind, amount)
        for host in hosts:
            self._room.faults[host] = faults

        def behave() -> None:
            for host in hosts:
                self._room.faults.pop(host, None)

        self._later(fault, behave, "server behaves")
        return f"{what}, {'all hosts' if number == len(outlets) else hosts[0]}"

    def _resume(self) -> None:
        """End what still goes on, without judging what it led to."""
        self._undo.close()
        self._poison.unlink(missing_ok=True)
        self._cluster.disk.clear()
        self._room.faults.clear()
        for program in self._programs:
            program.send(signal.SIGCONT)
            program.set_clock(0)
        if not self._plan.embedded:
            self._cluster.revive()

    def _judge_ends(self, program: Program) -> None:
        for code, said in program.ends:
            # A program that cannot start, or breaks off as its database goes away, says so and returns 1.
            following = self._plan.command == "--follow" and "following" in said
            # Nor does it listen to signals before it works.
            early = code == -signal.SIGTERM and not following
            surprised = len(_TRACEBACK.findall(said)) > len(_WORKER_TRACEBACK.findall(said))
            # Nor does it start with a file that is broken, where it has no other.
            if code == 2 and "broken configuration" in self._result.kinds:
                continue
            if (code not in (0, 1) and not early) or surprised or (following and code != 0):
                self._result.broken.append(f"`ingest run {self._plan.command}` ended with {code}")

    # -- peace

    def _heal(self) -> None:
        self._resume()
        for program in self._programs:
            program.kill()
            program.end()
        self._cluster.revive()
        self._room.world.now = max(self._room.world.now, self._lab._first + timedelta(minutes=UPCOMING + 1))

    def _settle(self) -> None:
        # Feeds that were read before the faults are due again, and so is what failed once.
        result, clock, settled = self._result, Clock(utc_now() + FIRST_ROUND), False
        with self._database.connect() as connection:
            result.broken += invariants.half_done(connection)
            connection.rollback()
            result.stuck += invariants.unsettled(connection, clock.now + timedelta(seconds=max(JUMPS)))
            feeds.sync(connection, load_feeds(self._folder / "feeds.yaml"), clock.now)
            # Not by their times, as those are of clocks that were wrong.
            row = connection.execute("SELECT coalesce(max(id), 0) FROM news.feed_polls").fetchone()
            assert row is not None
            last_poll: int = row[0]
            connection.rollback()
            for number in range(ROUNDS):
                Pipeline(self._database, self._lab.settings(), self._lab.topics, clock).once()
                if number == 0:
                    result.stuck += invariants.leases(connection)
                    connection.rollback()
                if settled := _is_settled(connection, last_poll):
                    break
                clock.advance(seconds=ROUND.total_seconds())
            if not settled:
                result.stuck += _unsettled(connection, last_poll)
            result.broken += invariants.half_done(connection)
            result.doubled += invariants.doubles(connection)
            connection.rollback()
            places = landed(connection)
            result.lost += [f"{place} has not landed" for place in sorted(self._truth.landed - places)]
            result.doubled += [f"{place} is too many" for place in sorted(places - self._truth.landed)]
            if not result.lost and not result.doubled:
                result.broken += _differences("article", self._truth.curated, curated(connection))
                result.broken += _differences("entry", self._truth.outcomes, outcomes(connection))


def _fork_servers(pid: int | None) -> list[int]:
    return [child for child in children(pid) if "forkserver" in command_line(child)] if pid is not None else []


def _kill(pids: list[int], amount: int) -> str:
    if not pids:
        return "0 there"
    pid = pids[amount % len(pids)]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return f"1 of {len(pids)}"


def _end_all(processes: list["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.kill()
        process.wait()


def _server_faults(kind: str, amount: int) -> tuple[Faults, str]:
    match kind:
        case "server fails":
            status = STATUSES[amount % len(STATUSES)]
            # Short enough to be waited for, or long enough not to be.
            wait = (None, "1", "120", "3600")[amount // 10 % 4]
            return Faults(status=status, retry_after=wait), f"HTTP {status}, Retry-After {wait}"
        case "server is slow":
            seconds = (0.2, 0.5, 1.0)[amount % 3]
            return Faults(slow_seconds=seconds), f"{seconds} s"
        case "server hangs":
            return Faults(slow_seconds=REQUEST_SECONDS * 2), "for longer than is waited"
        case "server breaks off":
            early = amount % 2 == 0
            return Faults(truncated=not early, reset=early), "before the answer" if early else "in the answer"
    lie = LIES[amount % len(LIES)]
    lies = {
        "length": Faults(promised_bytes=1000),
        "compression": Faults(half_compressed=True),
        "unasked 304": Faults(status=304),
        "no HTTP": Faults(no_http=True),
        "charset": Faults(declared_charset=("iso-8859-1", "windows-1256", "utf-16")[amount // 10 % 3]),
        "empty": Faults(body=b"", paths=("/news/", ".xml")),
        "not a feed": Faults(body=b"<!doctype html><html><p>Back soon</p></html>", paths=(".xml",)),
        "robots.txt": Faults(status=503, paths=("robots.txt",)),
    }
    return lies[lie], lie


# Feeds that have not been read since a poll, or not well.
_UNREAD = """
    FROM news.feeds f WHERE f.enabled AND (f.failures > 0 OR NOT EXISTS (
        SELECT FROM news.feed_polls p WHERE p.feed_id = f.id AND p.id > %s AND p.outcome <> 'failed'))"""


def _is_settled(connection: Connection, last_poll: int) -> bool:
    """Whether nothing is on its way, and every feed has been read since the faults were over."""
    row = connection.execute(
        "SELECT NOT EXISTS (SELECT FROM news.entries WHERE next_attempt_at IS NOT NULL)"
        f" AND NOT EXISTS (SELECT {_UNREAD})",
        [last_poll],
    ).fetchone()
    connection.rollback()
    assert row is not None
    return bool(row[0])


def _unsettled(connection: Connection, last_poll: int) -> list[str]:
    rows = connection.execute(
        "SELECT format('entry %%s is %%s after %%s attempts (%%s), due %%s', id, status, attempts, reason,"
        " next_attempt_at) FROM news.entries WHERE next_attempt_at IS NOT NULL"
        " UNION ALL SELECT format('feed %%s failed %%s times (%%s), is due %%s', slug, failures, last_error,"
        f" next_poll_at) {_UNREAD}",
        [last_poll],
    ).fetchall()
    connection.rollback()
    return [row[0] for row in rows]


def _differences(what: str, expected: set[tuple[object, ...]], found: set[tuple[object, ...]]) -> list[str]:
    missing, added = sorted(map(str, expected - found)), sorted(map(str, found - expected))
    return [f"{what} expected: {one[:300]}" for one in missing[:3]] + [
        f"{what} found: {one[:300]}" for one in added[:3]
    ]
