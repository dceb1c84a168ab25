"""Other news extractors, in a separate environment: newspaper4k and news-please.

Their dependencies conflict with ours, so they run in a virtual environment that is created on first use
(`.bench/rivals`), as processes that answer page by page.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

__all__ = ["RIVALS", "Answer", "running"]

RIVALS = ("newspaper4k", "news-please")
HOME = Path(__file__).parent.parent / ".bench" / "rivals"
PACKAGES = Path(__file__).with_name("rivals.txt")

# A rival's answer for a page: HTML and address -> `text`, `title`, `date`, and `cpu_ns`, the processor time.
Answer = Callable[[str, str], dict[str, Any]]


@contextmanager
def running() -> Iterator[dict[str, Answer]]:
    """Yield the rivals by name, ready for use. Creates their environment if it is missing."""
    python = _environment()
    log = (HOME / "log.txt").open("w", encoding="utf-8")
    with log, ExitStack() as processes:
        yield {name: _ask(processes, python, name, log) for name in RIVALS}


def _environment() -> Path:
    python, done = HOME / "bin" / "python", HOME / "packages.txt"
    if not done.exists() or done.read_text() != PACKAGES.read_text():
        print(f"making an environment with {', '.join(RIVALS)} in {HOME}", file=sys.stderr)
        venv.create(HOME, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", PACKAGES], check=True)
        done.write_text(PACKAGES.read_text())
    return python


def _ask(processes: ExitStack, python: Path, name: str, log: Any) -> Answer:
    process = processes.enter_context(
        subprocess.Popen(
            [python, Path(__file__).with_name("rivals_worker.py"), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8",
        )
    )  # fmt: skip
    to, answers = process.stdin, process.stdout
    assert to is not None
    assert answers is not None
    processes.callback(to.close)

    def ask(html: str, url: str) -> dict[str, Any]:
        to.write(json.dumps({"html": html, "url": url}) + "\n")
        to.flush()
        line = answers.readline()
        if not line:
            sys.exit(f"{name} ended; see {HOME / 'log.txt'}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    return ask
