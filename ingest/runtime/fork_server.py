"""Starts worker processes from a small server process that has their imports loaded (multiprocessing's forkserver).

Workers need nothing from the program's main module, and Airflow's takes seconds to import. In a Celery worker, the
parent is a daemonic process: it may not have children (ours end with it anyway), and its authentication key cannot be
passed on. So workers are started as if from a bare program.
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
    """A parent without state, like the one `multiprocessing` creates on import before it deletes the class."""

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
    """A process that inherits nothing from its parent's identity."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with _bare_parent():
            super().__init__(*args, **kwargs)

    def start(self) -> None:
        """Start the process, and first the server if it is not running."""
        with _bare_parent():
            super().start()


class Context(ForkServerContext):
    """Creates worker processes. The server imports the modules in `preload` once, when it starts."""

    Process = WorkerProcess

    def __init__(self, preload: tuple[str, ...]) -> None:
        super().__init__()
        self.set_forkserver_preload(["ingest.runtime.fork_server_signals", *preload])
