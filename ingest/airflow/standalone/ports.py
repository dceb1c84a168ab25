"""Which port the Airflow UI may listen on."""

import errno
import os
import socket

from ingest.config.errors import ConfigError

__all__ = ["HOST", "parse_port", "require_free"]

HOST = "127.0.0.1"
ADVICE = "choose another with `make run PORT=8081`"
# What a bind may fail with that another port mends, in plain words.
REASONS = {
    errno.EADDRINUSE: "something listens there already",
    errno.EACCES: "ports below 1024 are for the administrator",
}


def parse_port(text: str) -> int:
    """Return the number of a port. Raises ConfigError when it is none."""
    # In ASCII only: int() takes digits of any script, signs and underscores.
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535 and len(text) <= 5):
        raise ConfigError(f"the port is a number from 1 to 65535, not {text!r}: {ADVICE}")
    return int(text)


def require_free(port: int) -> None:
    """Raise ConfigError when nothing can listen on this port."""
    with socket.socket() as probe:
        # As the server will: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = REASONS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
            raise ConfigError(f"port {port} cannot be used, {reason}: {ADVICE}") from error
