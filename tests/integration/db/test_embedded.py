import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from db import DatabaseUnavailable
from db.embedded import EmbeddedServer
from tests.waiting import until


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "data"


Start = Callable[[Path], EmbeddedServer]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers; stops them at the end, whatever happened."""
    started: list[EmbeddedServer] = []

    def acquire(data_dir: Path) -> EmbeddedServer:
        server = EmbeddedServer(data_dir)
        started.append(server)
        server.acquire()
        return server

    yield acquire
    for server in started:
        if server.cluster.exists():
            server.keep_for(-1)
        server.release()


def test_it_starts_answers_and_stops(data_dir: Path, start: Start) -> None:
    server = start(data_dir)
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT current_user, current_setting('listen_addresses')").fetchone()
    assert row == ("news", "")
    server.release()
    assert not server.is_running()


def test_the_pipeline_is_no_superuser(data_dir: Path, start: Start) -> None:
    server = start(data_dir)
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row == (False,)
    server.release()


def test_only_the_owner_can_reach_it(data_dir: Path, start: Start) -> None:
    server = start(data_dir)
    for directory in (server.home, server.cluster, server.socket_dir):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                (server.socket_dir / ".s.PGSQL.5432").stat()
            except PermissionError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    server.release()


def test_it_runs_until_its_last_user_leaves(data_dir: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from db.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(Path(sys.argv[1])); server.acquire(); print('up', flush=True); sys.stdin.read()"
        "; server.release()"
    )
    users = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for user in users:
        assert user.stdout is not None
        assert user.stdout.readline() == "up\n"
    server = EmbeddedServer(data_dir)
    for user in users:
        assert server.is_running()
        user.communicate()
    assert not server.is_running()


def test_it_stops_when_its_users_are_killed(data_dir: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from db.embedded import EmbeddedServer\n"
        "EmbeddedServer(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(data_dir)], check=False)
    assert killed.returncode == -signal.SIGKILL
    until(lambda: not EmbeddedServer(data_dir).is_running())


def test_it_recovers_after_a_crash_of_the_server(data_dir: Path, start: Start) -> None:
    server = start(data_dir)
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS value")
    pid = int((server.cluster / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    second = start(data_dir)
    with psycopg.connect(second.url()) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (1,)
    second.release()
    server.release()


def test_a_server_that_recovers_by_itself_is_not_started_again(data_dir: Path, start: Start) -> None:
    """A session that is killed makes the server end all others and recover; meanwhile it answers nobody."""
    server = start(data_dir)
    postmaster = (server.cluster / "postmaster.pid").read_text().splitlines()[0]
    with psycopg.connect(server.url()) as victim, psycopg.connect(server.url()) as other:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        # Told when the server has noticed.
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT pg_sleep(10)")
    server.ensure_running()
    assert (server.cluster / "postmaster.pid").read_text().splitlines()[0] == postmaster
    psycopg.connect(server.url()).close()
    server.release()


def guards(data_dir: Path) -> int:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # Processes come and go.
        with suppress(OSError):
            lines.append(path.read_bytes())
    wanted = f"db.embedded\0{data_dir}\0".encode()
    return sum(line.endswith(wanted) for line in lines)


@pytest.mark.slow
def test_each_start_after_a_crash_does_not_leave_one_more_guard(data_dir: Path, start: Start) -> None:
    server = start(data_dir)
    for _ in range(2):
        os.kill(int((server.cluster / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
        until(lambda: not server.is_running())
        server.ensure_running()
    until(lambda: guards(data_dir) == 1)
    server.release()
    assert not server.is_running()


def test_a_url_that_was_handed_out_works_for_a_while(data_dir: Path, start: Start) -> None:
    server = start(data_dir)
    server.keep_for(60)
    server.release()
    assert server.is_running()
    server.keep_for(-1)
    until(lambda: not server.is_running())


def test_a_long_path_is_no_obstacle(data_dir: Path, start: Start) -> None:
    server = start(data_dir / ("x" * 120))
    psycopg.connect(server.url()).close()
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    server.release()


def test_an_unusable_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="NEWS_DATA_DIR"):
        EmbeddedServer(tmp_path / "file").acquire()
