"""Checks the port that the Airflow UI is to listen on."""

import errno
import os
import socket

from ingest.config.errors import ConfigError

__all__ = ["HOST", "parse_port", "require_free"]

HOST = "127.0.0.1"
ADVICE = "choose another with `make run PORT=8081`"
# Bind errors that another port would solve, in plain words.
REASONS = {
    errno.EADDRINUSE: "something listens there already",
    errno.EACCES: "ports below 1024 are for the administrator",
}


def parse_port(text: str) -> int:
    """Return a port number. Raises ConfigError if `text` is not one."""
    # ASCII digits only: int() also accepts digits of any script, signs and underscores.
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535 and len(text) <= 5):
        raise ConfigError(f"the port is a number from 1 to 65535, not {text!r}: {ADVICE}")
    return int(text)


def require_free(port: int) -> None:
    """Raise ConfigError when nothing can listen on this port."""
    with socket.socket() as probe:
        # The server does the same: a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = REASONS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
            raise ConfigError(f"port {port} cannot be used, {reason}: {ADVICE}") from error
