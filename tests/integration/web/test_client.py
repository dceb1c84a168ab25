"""The guarded client, against a real server."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable

import brotli
import pytest
import zstandard
from aiohttp import web as server

from ingest.config.settings import Settings
from ingest.web.client import Answer, RequestFailed, Web
from tests.conftest import free_port

Handler = Callable[[server.Request], Awaitable[server.StreamResponse]]


def ask(settings: Settings, handler: Handler, path: str = "/", host: str = "127.0.0.1") -> Answer:
    """GET a path from a server with one handler; returns the answer or raises."""
    port = free_port()

    async def run() -> Answer:
        application = server.Application()
        application.router.add_get("/{path:.*}", handler)
        runner = server.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await server.TCPSite(runner, "127.0.0.1", port).start()
        try:
            async with Web(settings) as web:
                return await web.get(f"http://{host}:{port}{path}")
        finally:
            await runner.cleanup()

    return asyncio.run(run())


async def hello(request: server.Request) -> server.Response:
    return server.Response(text=request.headers["User-Agent"])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_no_connection_reaches_a_private_address(settings: Settings, host: str) -> None:
    reached = []

    async def handler(request: server.Request) -> server.Response:
        reached.append(request.path)
        return server.Response()

    with pytest.raises(RequestFailed):
        ask(settings.model_copy(update={"allow_networks": ()}), handler, host=host)
    assert reached == []


def test_the_user_agent_names_a_contact(settings: Settings) -> None:
    named = settings.model_copy(update={"contact": "mailto:desk@news.example"})
    assert ask(named, hello).body == b"iraq-withdrawal-news/0.1 (+mailto:desk@news.example)"


def test_the_size_is_counted_after_decompression(settings: Settings) -> None:
    async def bomb(_: server.Request) -> server.Response:
        return server.Response(body=gzip.compress(bytes(5_000_000)), headers={"Content-Encoding": "gzip"})

    with pytest.raises(RequestFailed, match="larger than 1000000 bytes"):
        ask(settings.model_copy(update={"max_body_bytes": 1_000_000}), bomb)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("encoding", PACKERS)
def test_compressed_answers_are_asked_for_and_unpacked(settings: Settings, encoding: str) -> None:
    async def handler(request: server.Request) -> server.Response:
        assert encoding in request.headers["Accept-Encoding"]
        return server.Response(body=PACKERS[encoding](b"hello " * 100), headers={"Content-Encoding": encoding})

    assert ask(settings, handler).body == b"hello " * 100


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_compressed_answer_that_is_cut_short_is_not_taken_for_whole(settings: Settings, encoding: str) -> None:
    async def handler(_: server.Request) -> server.Response:
        body = PACKERS[encoding](bytes(range(256)) * 400)
        # The Content-Length is right for what is sent.
        return server.Response(body=body[: len(body) // 2], headers={"Content-Encoding": encoding})

    with pytest.raises(RequestFailed, match="broke off") as failure:
        ask(settings, handler)
    assert failure.value.kind == "connection"


@pytest.mark.parametrize("status", [204, 304, 200])
def test_an_answer_without_a_body_has_nothing_to_unpack(settings: Settings, status: int) -> None:
    async def handler(_: server.Request) -> server.Response:
        return server.Response(status=status, headers={"Content-Encoding": "gzip"})

    assert ask(settings, handler).body == b""


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_that_grows_out_of_proportion_is_refused(settings: Settings, encoding: str) -> None:
    async def bomb(_: server.Request) -> server.Response:
        return server.Response(body=PACKERS[encoding](bytes(8_000_000)), headers={"Content-Encoding": encoding})

    with pytest.raises(RequestFailed, match="more than 200 times") as failure:
        ask(settings, bomb)
    assert failure.value.kind == "too_large"


def test_headers_without_end_are_refused(settings: Settings) -> None:
    async def handler(_: server.Request) -> server.Response:
        return server.Response(headers={f"X-{n}": "x" * 1000 for n in range(300)})

    with pytest.raises(RequestFailed) as failure:
        ask(settings, handler)
    assert failure.value.kind == "connection"


def test_a_redirect_brings_no_user_name_along(settings: Settings) -> None:
    async def handler(request: server.Request) -> server.Response:
        if request.path == "/end":
            return server.Response(text=request.headers.get("Authorization", "none"))
        raise server.HTTPFound(f"http://user:secret@{request.host}/end")

    answer = ask(settings, handler, "/start")
    assert (answer.body, "secret" in answer.url) == (b"none", False)


def test_redirects_are_followed_to_the_end(settings: Settings) -> None:
    async def handler(request: server.Request) -> server.Response:
        if request.path == "/end":
            return server.Response(text="here")
        raise server.HTTPMovedPermanently("/end?a=1#part")

    answer = ask(settings, handler, "/start")
    assert answer.body == b"here"
    assert answer.url.endswith("/end?a=1#part")


def test_many_redirects_and_long_headers_are_read(settings: Settings) -> None:
    async def handler(request: server.Request) -> server.Response:
        hop = int(request.path.strip("/"))
        if hop < 9:
            raise server.HTTPFound(f"/{hop + 1}")
        return server.Response(text="here", headers={"Content-Security-Policy": "x" * 20_000})

    answer = ask(settings, handler, "/0")
    assert (answer.body, len(answer.headers["content-security-policy"])) == (b"here", 20_000)


def test_a_slow_drip_is_cut_off(settings: Settings) -> None:
    async def drip(request: server.Request) -> server.StreamResponse:
        response = server.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    with pytest.raises(RequestFailed) as failure:
        ask(settings.model_copy(update={"request_timeout": 0.5}), drip)
    assert failure.value.kind == "timeout"
    # Not the hundred seconds it would take.
    assert failure.value.took_ms < 20_000


def test_an_unknown_name_is_named(settings: Settings) -> None:
    with pytest.raises(RequestFailed) as failure:
        ask(settings, hello, host="no-such-host.invalid")
    assert failure.value.kind == "dns"
    assert "no-such-host.invalid" in str(failure.value)


def test_a_refused_connection_is_named(settings: Settings) -> None:
    async def run() -> None:
        async with Web(settings) as web:
            await web.get(f"http://127.0.0.1:{free_port()}/")

    with pytest.raises(RequestFailed) as failure:
        asyncio.run(run())
    assert failure.value.kind == "refused"


def test_headers_outside_utf8_are_made_storable(settings: Settings) -> None:
    async def raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "\xe9"\r\nContent-Type: text/\xff\r\n\r\n')
        await writer.drain()
        writer.close()

    async def run() -> Answer:
        port = free_port()
        async with await asyncio.start_server(raw, "127.0.0.1", port), Web(settings) as web:
            return await web.get(f"http://127.0.0.1:{port}/")

    headers = asyncio.run(run()).headers
    assert "".join(headers.values()).encode()
    assert headers["etag"] == '"?"'
