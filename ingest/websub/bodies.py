"""Reads request bodies from hubs with bounded memory.

Anyone who knows the address of a subscription can send as much as they like, as often and as slowly as they like. So
the bytes of all requests together are bounded, and a request that cannot be signed is not read at all.
"""

import asyncio
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from ingest.websub.protocol import SignatureCheck

__all__ = ["Budget", "Full", "NotRead", "Share", "read_body"]


class Full(Exception):
    """Other requests use up the budget."""


@dataclass
class NotRead(Exception):
    """The body was not read. `status` is the HTTP status to answer with."""

    status: int


@dataclass
class Budget:
    """The bytes that all requests together may hold (`most`), and how many they hold now."""

    most: int
    held: int = 0


class Share:
    """One request's share of a budget, until it is released."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size = 0

    def grow_to(self, size: int) -> None:
        """Grow the share to `size` bytes; it never shrinks. Raises Full and stays as it was if there is no room."""
        more = max(size - self.size, 0)
        if self._budget.held + more > self._budget.most:
            raise Full
        self._budget.held += more
        self.size += more

    def release(self) -> None:
        """Return all bytes to the budget."""
        self._budget.held -= self.size
        self.size = 0


async def read_body(
    request: web.Request, share: Share, check: SignatureCheck, *, most: int, seconds: float
) -> list[bytes]:
    """Return the body of a request in pieces, after passing them to `check`. Holds at most `most` bytes.

    `share` grows at once to the size in Content-Length. If that is missing or too small, `share` grows as the body
    comes in. Raises Full, or NotRead if the body is too large, arrives too slowly or breaks off.
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
