"""Which ports `make run` takes. The messages as a user sees them are in tests/browser."""

import errno
import socket

import pytest

from ingest.airflow.standalone import ports
from ingest.config.errors import ConfigError
from tests.conftest import free_port


@pytest.mark.parametrize("text", ["1", "80", "8080", "65535"])
def test_a_port_is_a_number(text: str) -> None:
    assert ports.parse_port(text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "0", "00000", "65536", "80801", "-1", "+80", "8_0", "8080.0", " 80", "٨٠", "9" * 5000]
)
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(ConfigError, match="the port is a number from 1 to 65535"):
        ports.parse_port(text)


def test_a_port_where_something_listens() -> None:
    port = free_port()
    ports.require_free(port)
    with socket.socket() as listener:
        listener.bind((ports.HOST, port))
        listener.listen()
        with pytest.raises(ConfigError, match=f"port {port} cannot be used, something listens there already"):
            ports.require_free(port)


def test_a_port_for_which_one_has_no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_socket: socket.socket, _address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    # As tests may run as root, who may use all.
    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ConfigError, match="port 80 cannot be used, ports below 1024 are for the administrator"):
        ports.require_free(80)
