"""HTTP client for untrusted servers: guarded, bounded and spaced.

Every address is checked when its socket is created, after name resolution and on each redirect. So a name gains nothing
by resolving to a public address first and to a private one on connection.
"""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from ingest.config.settings import Network, Settings
from ingest.model.outcomes import FailureKind
from ingest.text.storable import storable
from ingest.text.urls import absolute_url
from ingest.web.addresses import is_in, is_refused_address
from ingest.web.unpacking import Unpacker, UnusableBody

__all__ = ["Answer", "RequestFailed", "Web", "is_header_value", "validators"]

# RFC 9110 asks for a limit. Browsers follow 20; six have been seen on the way to a feed.
MAX_REDIRECTS = 10
# The longest line of a header, in bytes: browsers take a quarter of a megabyte.
MAX_HEADER_BYTES = 65_536
CONNECT_SECONDS = 10.0
# A server that sends nothing for this long will not send the rest.
IDLE_SECONDS = 15.0
# The most repetitive text shrinks to a fiftieth. A body that grows by more than this ratio is a decompression bomb.
# Below the size, it does no harm.
MAX_RATIO = 200
RATIO_FROM_BYTES = 1_000_000

_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
# Other ports have other services, and a request could trigger actions in some of them.
WEB_PORTS = (80, 443, 8080, 8443)
MAX_HEADER_VALUE = 500

BeforeRedirect = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True)
class Answer:
    """A server's response. `body` is decoded (no gzip), header names are in lower case.

    `moved_to` is where permanent redirects alone (301, 308; RFC 9110, 15.4) led, or None if there were none.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    took_ms: int
    moved_to: str | None = None


@dataclass
class RequestFailed(Exception):
    """No usable response was received, or no request was sent."""

    kind: FailureKind
    detail: str
    took_ms: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.detail


class AddressRefused(OSError):
    """The address is not on the public Internet."""


# A poller contacts the same hosts all day.
@lru_cache(maxsize=65_536)
def _refusal(address: str, port: int, allowed: tuple[Network, ...]) -> str | None:
    """Why connections to an address and port are refused, or None if they are allowed."""
    if is_refused_address(address, allowed):
        return f"address {address} is not on the public Internet"
    if port not in WEB_PORTS and not is_in(ipaddress.ip_address(address.partition("%")[0]), allowed):
        return f"port {port} is none of those web servers use"
    return None


def validators(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return the headers that make a request conditional (RFC 9110, 13.1) on validators from an earlier response."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value and is_header_value(value)}


def is_header_value(value: str) -> bool:
    """Return whether a value from a server is safe to send back: it must not break a header or be too long."""
    return 0 < len(value) <= MAX_HEADER_VALUE and value.isascii() and value.isprintable()


class Web:
    """An HTTP client for a whole run. Use it as an asynchronous context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                # The stages limit their own concurrency.
                limit=0,
                socket_factory=self._socket,
                ttl_dns_cache=60,
            ),
            timeout=aiohttp.ClientTimeout(
                total=settings.request_timeout,
                sock_connect=min(CONNECT_SECONDS, settings.request_timeout),
                sock_read=min(IDLE_SECONDS, settings.request_timeout),
            ),
            headers={"User-Agent": settings.user_agent},
            # Cookies would link requests to each other, and can cause redirect loops.
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            # See ingest.web.unpacking.
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._session is not None
        await self._session.close()

    def _socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        refusal = _refusal(address[0], address[1], self._settings.allow_networks)
        if refusal is not None:
            raise AddressRefused(refusal)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        before_redirect: BeforeRedirect | None = None,
        max_bytes: int | None = None,
        cut: bool = False,
    ) -> Answer:
        """Send a GET request to `url`, follow redirects, and return the response.

        `before_redirect` is awaited before a redirect is followed, with the URLs it leads from and to, and may raise.
        At most `max_bytes` (default: the setting max_body_bytes) are read after decompression. A longer body is
        refused, or truncated with `cut`. Raises RequestFailed.
        """
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.request_timeout if before_redirect is None else None):
                return await self._follow(
                    url, headers or {}, before_redirect, max_bytes or self._settings.max_body_bytes, cut, started
                )
        except RequestFailed as failure:
            failure.took_ms = _elapsed_ms(started)
            raise
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, UnicodeError) as error:
            raise _failure(error, url, self._settings.request_timeout, _elapsed_ms(started)) from error

    async def post(self, url: str, form: Mapping[str, str], *, before_redirect: BeforeRedirect | None = None) -> Answer:
        """Send a POST request with a form and return the response. Follows redirects that keep the method (307, 308).

        Redirects from https to http are not followed. `before_redirect` is as for `get`. Raises RequestFailed.
        """
        assert self._session is not None
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.request_timeout if before_redirect is None else None):
                for _ in range(MAX_REDIRECTS + 1):
                    async with self._session.post(url, data=dict(form), allow_redirects=False) as response:
                        target = absolute_url(response.headers.get("Location", ""), url)
                        if response.status not in (307, 308) or target is None:
                            body = await _read(response, self._settings.max_body_bytes, cut=True)
                            return Answer(url, response.status, _lowered(response), body, _elapsed_ms(started))
                    if url.startswith("https:") and not target.startswith("https:"):
                        raise RequestFailed(FailureKind.REDIRECTS, "redirected from https to http")
                    if before_redirect is not None:
                        await before_redirect(url, target)
                    url = target
        except RequestFailed:
            raise
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, UnicodeError) as error:
            raise _failure(error, url, self._settings.request_timeout, _elapsed_ms(started)) from error
        raise RequestFailed(FailureKind.REDIRECTS, f"more than {MAX_REDIRECTS} redirects, last to {url}")

    async def _follow(
        self,
        url: str,
        headers: Mapping[str, str],
        before_redirect: BeforeRedirect | None,
        max_bytes: int,
        cut: bool,
        started: float,
    ) -> Answer:
        assert self._session is not None
        moved_to: str | None = None
        permanent = True
        for _ in range(MAX_REDIRECTS + 1):
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status in _REDIRECTS and location:
                    target = absolute_url(location, url)
                    if target is None:
                        raise RequestFailed(
                            FailureKind.REDIRECTS, f"redirected to {location[:200]!r}, which is no web address"
                        )
                    before, url = url, target
                    permanent = permanent and response.status in _PERMANENT
                    moved_to = target if permanent else moved_to
                else:
                    body = await _read(response, max_bytes, cut)
                    return Answer(url, response.status, _lowered(response), body, _elapsed_ms(started), moved_to)
            if before_redirect is not None:
                await before_redirect(before, url)
        raise RequestFailed(FailureKind.REDIRECTS, f"more than {MAX_REDIRECTS} redirects, last to {url}")


def _lowered(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The headers by lower-case name. Repeated headers are joined into one list (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in response.headers.items():
        # Bytes outside UTF-8 arrive as lone surrogates.
        said = storable(value)
        found[name.lower()] = (
            f"{found[name.lower()]}, {said}" if name.lower() == "link" and name.lower() in found else said
        )
    return found


async def _read(response: aiohttp.ClientResponse, max_bytes: int, cut: bool) -> bytes:
    """The decompressed body. Raises RequestFailed if it is too large, UnusableBody if it is incomplete."""
    unpacker = Unpacker(response.headers.get("Content-Encoding"))
    pieces: list[bytes] = []
    received = size = 0
    async for chunk in response.content.iter_any():
        received += len(chunk)
        for piece in unpacker.unpack(chunk):
            size += len(piece)
            if size > max_bytes and cut:
                return b"".join([*pieces, piece])[:max_bytes]
            if size > max_bytes:
                raise RequestFailed(FailureKind.TOO_LARGE, f"body larger than {max_bytes} bytes")
            if size > max(RATIO_FROM_BYTES, MAX_RATIO * received):
                raise RequestFailed(
                    FailureKind.TOO_LARGE, f"body grows to more than {MAX_RATIO} times its size when decompressed"
                )
            pieces.append(piece)
    unpacker.end()
    return b"".join(pieces)


def _failure(error: Exception, url: str, timeout: float, took_ms: int) -> RequestFailed:
    host = urlsplit(url).netloc.rpartition("@")[2]
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return RequestFailed(FailureKind.BLOCKED, f"{host}: {cause}; see NEWS_ALLOW_NETWORKS", took_ms)
        cause = getattr(cause, "os_error", None) or cause.__cause__
    match error:
        case TimeoutError():
            return RequestFailed(FailureKind.TIMEOUT, f"{host}: no complete answer within {timeout:g} s", took_ms)
        case aiohttp.ClientConnectorDNSError():
            return RequestFailed(
                FailureKind.DNS, f"{host}: the name does not resolve ({error.os_error.strerror})", took_ms
            )
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
            return RequestFailed(FailureKind.TLS, f"{host}: TLS failed ({_first_line(error)})", took_ms)
        case aiohttp.ClientConnectorError():
            refused = isinstance(error.os_error, ConnectionRefusedError)
            return RequestFailed(
                FailureKind.REFUSED if refused else FailureKind.CONNECTION,
                f"{host}: {_reason(error.os_error)}",
                took_ms,
            )
        case aiohttp.ClientPayloadError() | UnusableBody():
            return RequestFailed(
                FailureKind.CONNECTION, f"{host}: the body broke off or is damaged ({_first_line(error)})", took_ms
            )
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return RequestFailed(FailureKind.CONNECTION, f"{host}: the server closed the connection", took_ms)
        case aiohttp.InvalidURL():
            return RequestFailed(FailureKind.BLOCKED, f"{host}: not a valid address", took_ms)
        case _:
            return RequestFailed(FailureKind.CONNECTION, f"{host}: {_first_line(error)}", took_ms)


def _reason(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return f"no connection ({error.strerror or error})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _elapsed_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
