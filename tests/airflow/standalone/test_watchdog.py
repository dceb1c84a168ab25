"""The watchdog above each of Airflow's components, with small programs in their place."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.airflow.standalone import processes
from ingest.airflow.standalone.record import Record
from tests.waiting import until

WATCHDOG = [sys.executable, "-m", "ingest.airflow.standalone.watchdog"]
# A daemon as they are written: two forks, a session of its own; and a child that ignores SIGTERM.
SPREADING = "trap '' TERM; (setsid sh -c 'sleep 300 & sleep 300' &); sleep 300 & sleep 300"


class Marked:
    """Processes known by a variable in their environment, which all that descends from them inherits."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self.environment = os.environ | {"TEST_MARK": self.mark}

    def start(self, *command: str, **options: object) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, env=self.environment, **options)  # type: ignore[call-overload, no-any-return]

    def watch(self, *command: str, grace: float = 5, linger: float = 0) -> "subprocess.Popen[bytes]":
        return self.start(
            *WATCHDOG, "--grace", str(grace), "--linger", str(linger), "--", *command, stdin=subprocess.PIPE
        )

    def living(self) -> list[int]:
        found = []
        for pid in processes.living():
            with suppress(OSError):
                if self.mark.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(pid)
        return found


@pytest.fixture
def marked() -> Iterator[Marked]:
    found = Marked()
    yield found
    for pid in found.living():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end(watchdog: "subprocess.Popen[bytes]") -> int:
    assert watchdog.stdin is not None
    watchdog.stdin.close()
    return watchdog.wait(60)


def test_nothing_is_left_when_the_program_above_is_killed(marked: Marked) -> None:
    above = marked.start(
        sys.executable,
        "-c",
        "import subprocess, sys, time\n"
        "subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)\n"
        "time.sleep(300)",
        *[*WATCHDOG, "--grace", "0.5", "--", "sh", "-c", SPREADING],
    )
    # The program, the watchdog, the shell, three that sleep and the shell of the daemon.
    until(lambda: len(marked.living()) == 8)
    above.kill()
    above.wait()
    until(lambda: not marked.living())


def test_it_goes_on_for_a_while_for_the_sake_of_others(marked: Marked) -> None:
    watchdog = marked.watch("sleep", "300", linger=1.5)
    until(lambda: len(marked.living()) == 2)
    began = time.monotonic()
    end(watchdog)
    # Not for the five minutes that the program would take.
    assert 1.5 <= time.monotonic() - began < 60
    assert not marked.living()


def test_sigterm_is_passed_on_and_the_exit_code_back(marked: Marked, tmp_path: Path) -> None:
    watchdog = marked.watch("sh", "-c", f"trap 'echo in order > {tmp_path}/said; exit 3' TERM; sleep 300 & wait")
    until(lambda: len(marked.living()) == 3)
    watchdog.terminate()
    assert watchdog.wait(60) == 3
    assert (tmp_path / "said").read_text() == "in order\n"
    assert not marked.living()
    end(watchdog)


def test_what_does_not_end_is_killed_after_its_grace(marked: Marked) -> None:
    watchdog = marked.watch("sh", "-c", SPREADING, grace=0.5)
    until(lambda: len(marked.living()) == 7)
    watchdog.terminate()
    assert watchdog.wait(60) == 128 + signal.SIGKILL
    assert not marked.living()
    end(watchdog)


def test_what_a_component_leaves_when_it_ends_by_itself_is_ended(marked: Marked) -> None:
    watchdog = marked.watch("sh", "-c", "(sleep 300 &); exit 4")
    assert watchdog.wait(60) == 4
    assert not marked.living()
    end(watchdog)


def test_a_task_is_told_once_it_can_hear(marked: Marked, tmp_path: Path) -> None:
    """SIGTERM ends a process that has no handler for it yet; Airflow then counts a failed attempt."""
    task = (
        "import os, signal, sys, time\n"
        "os.setpgid(0, 0)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        f"open('{tmp_path}/begun', 'w').close()\n"
        f"while not os.path.exists('{tmp_path}/go'): time.sleep(0.02)\n"
        "def told(*_):\n"
        f"    open('{tmp_path}/told', 'w').close()\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, told)\n"
        "time.sleep(300)\n"
    )
    component = (
        "import signal, subprocess, sys\n"
        f"task = subprocess.Popen([sys.executable, '-c', {task!r}])\n"
        f"signal.signal(signal.SIGTERM, lambda *_: open('{tmp_path}/asked', 'w').close())\n"
        "sys.exit(task.wait())\n"
    )
    watchdog = marked.watch(sys.executable, "-c", component, grace=20)
    until(lambda: (tmp_path / "begun").exists())
    watchdog.terminate()
    until(lambda: (tmp_path / "asked").exists())
    (tmp_path / "go").touch()
    assert watchdog.wait(60) == 0
    assert (tmp_path / "told").exists()
    end(watchdog)


def test_the_embedded_server_is_left_to_its_own_guard(marked: Marked) -> None:
    watchdog = marked.watch("bash", "-c", "(exec -a postgres sleep 300) & sleep 300")
    until(lambda: len(marked.living()) == 4)
    end(watchdog)
    (server,) = marked.living()
    assert Path(f"/proc/{server}/cmdline").read_bytes().startswith(b"postgres\0")


def test_a_component_dies_with_its_watchdog_and_the_rest_is_on_record(marked: Marked, tmp_path: Path) -> None:
    watchdog = marked.watch("sh", "-c", SPREADING)
    until(lambda: len(marked.living()) == 7)
    record = Record(tmp_path / "processes.json")
    record.keep([processes.living()[watchdog.pid], *processes.family([watchdog.pid])])
    bystander = marked.watch("sleep", "300")
    watchdog.kill()
    watchdog.wait()
    until(lambda: len(record.left()) == 5)
    record.end_strays([])
    until(lambda: len(marked.living()) == 2)
    assert record.left() == []
    end(bystander)
    end(watchdog)


def test_the_next_run_ends_what_is_on_record_and_nothing_else(marked: Marked, tmp_path: Path) -> None:
    left, other = marked.start("sleep", "300"), marked.start("sleep", "300")
    living = processes.living()
    # The id of the second one, as if it had been given to it after another had ended.
    former = replace(living[other.pid], started=living[other.pid].started - 1)
    Record(tmp_path / "processes.json").keep([living[left.pid], former])
    Record(tmp_path / "processes.json").end_left(seconds=0.2)
    assert left.wait(5) == -signal.SIGKILL
    processes.send(former, signal.SIGKILL)
    assert other.poll() is None
    other.kill()
    other.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"boot": "another", "processes": [[1, 1]]}'])
def test_a_record_that_says_nothing_is_no_reason_to_end_anything(tmp_path: Path, content: str) -> None:
    path = tmp_path / "processes.json"
    path.write_text(content)
    assert Record(path).left() == []
