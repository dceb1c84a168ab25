"""The command `ingest`, in processes that need not import it first.

A start of `ingest` takes half a second of a processor, nearly all of it for imports, and the tests start it hundreds of
times. `ForkedProgram` starts a process that has imported it, and which forks for each call. What is called is a process
of its own all the same, with arguments, environment, files and exit code as from a shell. Tests that are about starts
and signals (tests/integration/test_kill.py) run the installed program.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parent.parent


class ForkedProgram:
    """Runs `ingest`, one call after another. A context manager; `folder` takes what calls print."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The process that is forked has one thread.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_program"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment, bufsize=0,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
    ) -> "subprocess.CompletedProcess[str]":
        """Call `ingest` and return what came of it, as `subprocess.run` does."""
        files = [self._folder / "stdout", self._folder / "stderr"]
        request = {
            "arguments": list(arguments), "environment": dict(environment), "folder": str(folder),
            "files": [str(file) for file in files],
        }  # fmt: skip
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        pipe.write(json.dumps(request).encode() + b"\n")
        pid = int(answers.readline())
        late = not select.select([answers], [], [], seconds)[0]
        if late:
            os.kill(pid, signal.SIGKILL)
        code = int(answers.readline())
        out, err = (file.read_text(encoding="utf-8", errors="backslashreplace") for file in files)
        if late:
            raise subprocess.TimeoutExpired(["ingest", *arguments], seconds, out, err)
        return subprocess.CompletedProcess(["ingest", *arguments], code, out, err)


def serve() -> dict[str, Any]:
    """Fork for each request; say its process id, then its exit code. Returns the request, in the process for it."""
    for line in sys.stdin.buffer:
        request: dict[str, Any] = json.loads(line)
        pid = os.fork()
        if pid == 0:
            return request
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    sys.exit()


def become(request: dict[str, Any]) -> None:
    """Give this process the arguments, environment, folder and files of a request."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["ingest", *request["arguments"]]
    inputs = os.open(os.devnull, os.O_RDONLY)
    outputs = [os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for file in request["files"]]
    for number, file in enumerate([inputs, *outputs]):
        os.dup2(file, number)
        os.close(file)


if __name__ == "__main__":
    import ingest.cli

    become(serve())
    ingest.cli.main()
