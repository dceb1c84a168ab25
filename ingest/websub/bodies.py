"""Reading what hubs send without holding more of it than there is room for.

Whoever knows the address of a subscription can send as much as he likes, as often as he likes, and as slowly. So the
bytes of all requests together are bounded, and what cannot be signed is not read at all.
"""

import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from ingest.websub.protocol import SignatureCheck

__all__ = ["Budget", "Full", "NotRead", "Share", "read_body"]


class Full(Exception):
    """Other requests hold what may be held."""


@dataclass
class NotRead(Exception):
    """The body was not taken: the HTTP status to answer with."""

    status: int


@dataclass
class Budget:
    """The bytes that all requests together may hold, and what they hold now."""

    most: int
    held: int = 0


class Share:
    """What one request holds of a budget, until it is released."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size = 0

    def grow_to(self, size: int) -> None:
        """Hold `size` bytes, or what is held already if that is more. Raises Full, and then holds what it held."""
        more = max(size - self.size, 0)
        if self._budget.held + more > self._budget.most:
            raise Full
        self._budget.held += more
        self.size += more

    def release(self) -> None:
        """Hold nothing any more."""
        self._budget.held -= self.size
        self.size = 0


async def read_body(
    request: web.Request, share: Share, check: SignatureCheck, *, most: int, seconds: float
) -> list[bytes]:
    """Return the body of a request in pieces, having shown them to `check`; at most `most` bytes are held.

    `share` grows at once by the size that the request states (Content-Length), and as the body comes in where that is
    more or not stated. Raises Full, or NotRead for one that is too large, comes too slowly or breaks off.
    """
    stated = request.content_length or 0
    if stated > most:
        raise NotRead(413)
    share.grow_to(stated)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > most:
                    raise NotRead(413)
                share.grow_to(size)
                check.update(piece)
                pieces.append(piece)
    except TimeoutError:
        raise NotRead(408) from None
    except (aiohttp.ClientError, ConnectionError, web.RequestPayloadError, aiohttp.http.HttpProcessingError):
        raise NotRead(400) from None
    return pieces
