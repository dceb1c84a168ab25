"""Serves a newsroom on loopback, remembers every request, and misbehaves where told to."""

import asyncio
import gzip
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from tests.newsroom.render import render_feed, render_page, render_sitemap
from tests.newsroom.world import Item, Newsroom

__all__ = ["Faults", "Request", "RunningNewsroom", "serve"]


@dataclass
class Faults:
    """How a host misbehaves; nothing by default. `paths` limits it to paths that contain one of these strings."""

    status: int | None = None
    retry_after: str | None = None
    slow_seconds: float = 0.0
    truncated: bool = False
    charset: str | None = None
    redirect_to: str | None = None
    redirect_loop: bool = False
    huge_bytes: int = 0
    body: bytes | None = None
    # The connection is cut before an answer, or instead of one come bytes that are no HTTP.
    reset: bool = False
    no_http: bool = False
    # The right body under a Content-Length that promises more, or compressed and cut to a half under the right one.
    promised_bytes: int = 0
    half_compressed: bool = False
    # What Content-Type says of the charset, whatever it is.
    declared_charset: str | None = None
    paths: tuple[str, ...] = ()
    # How many requests are answered so; afterwards the host behaves.
    times: int | None = None

    def applies(self, path: str) -> bool:
        if self.paths and not any(part in path for part in self.paths):
            return False
        if self.times is not None:
            if self.times <= 0:
                return False
            self.times -= 1
        return True


@dataclass(frozen=True)
class Request:
    """A request as the server saw it; `at` is a monotonic clock, in seconds."""

    at: float
    host: str
    path: str
    conditional: bool
    status: int
    user_agent: str


@dataclass
class RunningNewsroom:
    """A newsroom that is being served. `faults` and `robots` are by host; `log` holds the requests."""

    world: Newsroom
    port: int
    log: list[Request] = field(default_factory=list)
    faults: dict[str, Faults] = field(default_factory=dict)
    robots: dict[str, str] = field(default_factory=dict)
    # Items that a feed shows at once; all of them where it is not given.
    page_size: int | None = None
    # Address of the hub that feeds name in a Link header.
    hub: str | None = None
    # Rendered and compressed once, as a cache in front of a real site does.
    pages: dict[tuple[int, int], tuple[str, bytes, bytes]] = field(default_factory=dict)

    def requests(self, contains: str = "") -> list[Request]:
        return [request for request in list(self.log) if contains in request.path]

    def render(self) -> None:
        """Render all pages now instead of at their first request."""
        for item in self.world.items.values():
            self._rendered(item)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        response = await self._respond(request)
        conditional = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
        agent = request.headers.get("User-Agent", "")
        self.log.append(Request(at, request.host, request.path, conditional, response.status, agent))
        return response

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        faults = self.faults.get(request.host)
        if faults is None or not faults.applies(request.path):
            return self._behave(request, None)
        response = await self._misbehave(request, faults)
        return response if response is not None else await self._lie(request, self._behave(request, faults), faults)

    def _behave(self, request: web.Request, faults: Faults | None) -> web.Response:
        host, path = request.host, request.path
        if path == "/robots.txt":
            text = self.robots.get(host)
            return web.Response(text=text) if text is not None else web.Response(status=404)
        for feed in self.world.feeds:
            if feed.outlet.host == host and feed.path == path:
                page = request.query.get("paged", "1")
                kind, body = render_feed(self.world, feed, self.page_size, int(page))
                if page != "1" and b"<link>http" not in body.partition(b"<item>")[2]:
                    return web.Response(status=404)
                response = self._conditional(request, kind, body)
                if self.hub:
                    response.headers.add("Link", f'<{self.hub}>; rel="hub"')
                    response.headers.add("Link", f"<{feed.url}>; rel=self")
                return response
        sitemap = re.fullmatch(r"/sitemap(?:-(\d{4}-\d\d))?\.xml", path)
        if sitemap:
            outlet = next(outlet for outlet in self.world.outlets if outlet.host == host)
            return self._conditional(request, "application/xml", render_sitemap(self.world, outlet, sitemap[1]))
        found = self._page(host, path)
        if found is None:
            return web.Response(status=404, text="not found")
        kind, body, compressed = found
        if faults is not None and faults.charset:
            text = body.decode()
            return web.Response(
                body=text.encode(faults.charset, errors="replace"),
                headers={"Content-Type": "text/html; charset=utf-8"},
            )
        return self._conditional(request, kind, body, compressed)

    def _page(self, host: str, path: str) -> tuple[str, bytes, bytes] | None:
        number = path.rpartition("/")[2]
        item = self.world.items.get(int(number)) if number.isdigit() else None
        if item is None or item.outlet.host != host or item.path != path or item.published_at > self.world.now:
            return None
        return self._rendered(item)

    def _rendered(self, item: Item) -> tuple[str, bytes, bytes]:
        key = (item.number, item.revision)
        if key not in self.pages:
            kind, body = render_page(self.world, item)
            self.pages[key] = kind, body, gzip.compress(body)
        return self.pages[key]

    def _conditional(
        self, request: web.Request, kind: str, body: bytes, compressed: bytes | None = None
    ) -> web.Response:
        etag = '"' + hashlib.sha256(body).hexdigest()[:20] + '"'
        headers = {"Content-Type": kind, "ETag": etag, "Last-Modified": format_datetime(self.world.now)}
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = compressed or gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    async def _misbehave(self, request: web.Request, faults: Faults) -> web.StreamResponse | None:
        if faults.status is not None:
            headers = {"Retry-After": faults.retry_after} if faults.retry_after else {}
            return web.Response(status=faults.status, headers=headers, text="go away")
        if faults.redirect_loop:
            return web.Response(status=302, headers={"Location": request.path + "x"})
        if faults.redirect_to is not None:
            return web.Response(status=302, headers={"Location": faults.redirect_to})
        if faults.body is not None:
            return web.Response(body=faults.body, headers={"Content-Type": "text/html; charset=utf-8"})
        if faults.huge_bytes:
            return await self._stream(request, b"<p>" + b"word " * 200, faults.huge_bytes, 0)
        if faults.reset or faults.no_http:
            assert request.transport is not None
            if faults.no_http:
                request.transport.write(b"\0\1 this is not HTTP\r\n\r\n")
                await asyncio.sleep(0.01)
            request.transport.abort()
            return web.Response(status=500)
        if faults.slow_seconds:
            await asyncio.sleep(faults.slow_seconds)
            return None
        if faults.truncated:
            response = web.StreamResponse(headers={"Content-Type": "text/html", "Content-Length": "100000"})
            await response.prepare(request)
            await response.write(b"<html><body><p>It breaks off")
            assert request.transport is not None
            request.transport.abort()
            return response
        return None

    async def _lie(self, request: web.Request, response: web.Response, faults: Faults) -> web.StreamResponse:
        """Answer rightly, but for what `faults` makes of it."""
        body = response.body
        if not isinstance(body, bytes) or response.status != 200:
            return response
        headers = {"Content-Type": response.headers["Content-Type"]}
        encoding = response.headers.get("Content-Encoding")
        if faults.declared_charset is not None:
            headers["Content-Type"] = f"{response.content_type}; charset={faults.declared_charset}"
        elif faults.half_compressed and encoding is not None:
            body = body[: len(body) // 2]
        elif faults.promised_bytes:
            lying = web.StreamResponse(headers=headers)
            lying.content_length = len(body) + faults.promised_bytes
            if encoding is not None:
                lying.headers["Content-Encoding"] = encoding
            await lying.prepare(request)
            await lying.write(body)
            assert request.transport is not None
            request.transport.close()
            return lying
        else:
            return response
        if encoding is not None:
            headers["Content-Encoding"] = encoding
        return web.Response(body=body, headers=headers)

    async def _stream(self, request: web.Request, chunk: bytes, size: int, pause: float) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        sent = 0
        while sent < size:
            await response.write(chunk * 50)
            sent += len(chunk) * 50
            await asyncio.sleep(pause)
        return response


async def start(running: RunningNewsroom, bind: str | None = None) -> web.AppRunner:
    """Serve on every host of the world, or on the address `bind` for all of them; returns what to clean up."""
    runner = web.AppRunner(running.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    places = {tuple(outlet.host.rpartition(":")[::2]) for outlet in running.world.outlets}
    for address, port in sorted({(bind or name, port) for name, port in places}):
        await web.TCPSite(runner, address, int(port), backlog=1024).start()
    return runner


@contextmanager
def serve(world: Newsroom) -> Iterator[RunningNewsroom]:
    """Serve `world` from a thread while the context lasts."""
    running = RunningNewsroom(world, int(world.outlets[0].host.rpartition(":")[2]))
    loop = asyncio.new_event_loop()
    runner: Any = loop.run_until_complete(start(running))
    thread = threading.Thread(target=loop.run_forever, name="newsroom", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
