"""Starts worker processes from a small server process that has imported what they need (multiprocessing's forkserver).

They need nothing of this program's main module, and Airflow's takes seconds to import. In a Celery worker, the parent
is daemonic, which may have no children (ours end with it by themselves), and has a key that cannot be handed over. So
processes are started as if from a bare program.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import process
from multiprocessing.context import ForkServerContext, ForkServerProcess
from types import ModuleType
from typing import Any

__all__ = ["Context", "WorkerProcess"]


class _BareProgram(process.BaseProcess):
    """A parent without a past, as `multiprocessing` makes one when it is imported, and then deletes the class."""

    def __init__(self) -> None:
        self._identity = ()
        self._name = "MainProcess"
        self._parent_pid = None
        self._popen = None
        self._closed = False
        self._config = {"authkey": process.AuthenticationString(os.urandom(32)), "semprefix": "/mp"}  # type: ignore[attr-defined]


_starting = threading.RLock()


@contextmanager
def _bare_parent() -> Iterator[None]:
    with _starting:
        main, current = sys.modules["__main__"], process._current_process  # type: ignore[attr-defined]
        sys.modules["__main__"] = ModuleType("__main__")
        process._current_process = _BareProgram()  # type: ignore[attr-defined]
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            process._current_process = current  # type: ignore[attr-defined]


class WorkerProcess(ForkServerProcess):
    """A process whose parent says nothing about itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with _bare_parent():
            super().__init__(*args, **kwargs)

    def start(self) -> None:
        """Start the process, and the server before it where there is none."""
        with _bare_parent():
            super().start()


class Context(ForkServerContext):
    """Makes worker processes; the server imports the modules `preload` once, when it starts."""

    Process = WorkerProcess

    def __init__(self, preload: tuple[str, ...]) -> None:
        super().__init__()
        self.set_forkserver_preload(["ingest.runtime.fork_server_signals", *preload])
