"""Which port the Airflow UI may listen on."""

import os
import socket

from ingest.errors import IngestError

__all__ = ["HOST", "require_free"]

HOST = "127.0.0.1"


def require_free(port: int) -> None:
    """Raise IngestError when nothing can listen on this port."""
    with socket.socket() as probe:
        # As the server will: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise IngestError(
                f"port {port} cannot be used ({os.strerror(error.errno or 0).lower()}): "
                "choose another with `make run PORT=8081`"
            ) from error
