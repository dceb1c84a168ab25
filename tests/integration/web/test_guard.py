"""Ways to make a server-side client ask machines it should not: none may reach the one that listens."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ingest.config.settings import Settings
from ingest.web.client import RequestFailed, Web
from tests.conftest import Serve, free_port
from tests.newsroom import Faults
from tests.waiting import until

PORT = free_port()
HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "0177.1",
    "017700000001", "127.0.0.1.", "127.000.000.001", "0", "0.0.0.0", "127.255.255.254", "localhost", "LOCALHOST",
    "localhost.", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[::1%25lo]", "[fe80::1%25lo]", "１２７.０.０.１", "①②⑦.⓪.⓪.①", "127。0。0。1",
    "%31%32%37.0.0.1", "0x7f.0x0.0x0.0x1", "00000177.0.0.1", "127.0.0.1%00.news.invalid",
]  # fmt: skip
URLS = [
    *(f"http://{host}:{PORT}/" for host in HOSTS),
    f"http://news.invalid@127.0.0.1:{PORT}/", f"http://127.0.0.1:{PORT}#@news.invalid/",
    f"http://127.0.0.1:{PORT}?@news.invalid/", f"http://127.0.0.1:{PORT}\\@news.invalid/",
    f"http://news.invalid:80@127.0.0.1:{PORT}/", f"http:127.0.0.1:{PORT}/", f"http:///127.0.0.1:{PORT}/",
    f"//127.0.0.1:{PORT}/", f"https://127.0.0.1:{PORT}/", f"ftp://127.0.0.1:{PORT}/", f"gopher://127.0.0.1:{PORT}/_x",
    f"dict://127.0.0.1:{PORT}/", "file:///etc/passwd", f"data:text/html,<script src=http://127.0.0.1:{PORT}/>",
    f"jar:http://127.0.0.1:{PORT}!/", f"http://127.0.0.1:{PORT}/\r\nHost: news.invalid",
]  # fmt: skip


@contextmanager
def listener() -> Iterator[list[Any]]:
    """Listens on every address of this machine, IPv4 and IPv6, and remembers who came."""
    reached: list[Any] = []
    server = socket.create_server(("", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    server.settimeout(0.1)
    ended = threading.Event()

    def accept() -> None:
        while not ended.is_set():
            try:
                connection, peer = server.accept()
            except TimeoutError:
                continue
            reached.append(peer)
            connection.close()

    thread = threading.Thread(target=accept)
    thread.start()
    yield reached
    # Whoever came before this one has been accepted when it is.
    with socket.create_connection(("127.0.0.1", PORT)) as last:
        until(lambda: [peer for peer in reached if peer[1] == last.getsockname()[1]])
    reached.pop()
    ended.set()
    thread.join()
    server.close()


def get(settings: Settings, url: str) -> str:
    """Return the kind of failure of a request, or "answered"."""

    async def ask() -> str:
        async with Web(settings) as web:
            try:
                await web.get(url)
            except RequestFailed as failure:
                return failure.kind
            return "answered"

    return asyncio.run(ask())


def test_no_address_leads_to_this_machine(settings: Settings) -> None:
    guarded = settings.model_copy(update={"allow_networks": (), "request_timeout": 5})
    with listener() as reached:
        kinds = {url: get(guarded, url) for url in URLS}
        # The listener does listen.
        socket.create_connection(("127.0.0.1", PORT)).close()
    assert len(URLS) >= 50
    assert "answered" not in kinds.values()
    assert len(reached) == 1


def test_no_redirect_leads_to_this_machine(newsroom: Serve, settings: Settings) -> None:
    room = newsroom(feeds=1, entries=1, first_host=77)
    host = room.world.outlets[0].host
    only_the_newsroom = (ipaddress.ip_network(f"{host.partition(':')[0]}/32"),)
    guarded = settings.model_copy(update={"allow_networks": only_the_newsroom, "request_timeout": 5})
    with listener() as reached:
        for url in URLS:
            if "\r" not in url:
                room.faults[host] = Faults(redirect_to=url)
                assert get(guarded, f"http://{host}/") != "answered"
    assert reached == []


def test_a_name_that_changes_its_address_gains_nothing(
    newsroom: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = newsroom(feeds=1, entries=1, first_host=78)
    address, _, port = room.world.outlets[0].host.partition(":")
    guarded = settings.model_copy(update={"allow_networks": (ipaddress.ip_network(f"{address}/32"),)})
    answers = iter([address, "127.0.0.1", "127.0.0.1"])

    async def rebinding(_self: Any, _host: Any, wanted: Any, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), wanted))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebinding)
    with listener() as reached:
        assert get(guarded, f"http://rebinding.invalid:{port}/") == "answered"
        assert get(guarded, f"http://rebinding.invalid:{PORT}/") == "blocked"
    assert reached == []


@pytest.mark.parametrize(("port", "kind"), [(25, "blocked"), (6379, "blocked"), (22, "blocked"), (8080, "refused")])
def test_ports_of_other_services_are_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, port: int, kind: str
) -> None:
    # As if this machine were on the public Internet.
    monkeypatch.setattr("ingest.web.client.is_refused_address", lambda *_: False)
    guarded = settings.model_copy(update={"allow_networks": ()})
    assert get(guarded, f"http://127.0.0.99:{port}/") == kind
