"""Decompresses the bodies of HTTP responses (Content-Encoding; RFC 9110, 8.4.1).

aiohttp could do this, but accepts a truncated stream as complete. Here a stream must end where its format says that it
ends.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

import brotli
from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdDecompressor, ZstdError

__all__ = ["Unpacker", "UnusableBody"]

# The size of output pieces, so that a caller who counts them can stop before a bomb has grown.
PIECE_BYTES = 1 << 18
# The limit on concatenated streams (RFC 1952, 2.2; RFC 8878, 3.1). Servers send one, or a few if they join files. Each
# one costs a copy of the rest of the data.
MOST_MEMBERS = 1000
# The type stubs of isal declare its exception as an instance.
_DAMAGED: tuple[type[Exception], ...] = (cast("type[Exception]", isal_zlib.error), brotli.error, ZstdError, EOFError)


class UnusableBody(ValueError):
    """The compressed body is truncated or damaged."""


class Unpacker:
    """Decompresses a body as it comes in. A body in an unknown encoding is passed through.

    Supports gzip, deflate (with and without the header of RFC 1950, because servers send both), br and zstd.
    """

    def __init__(self, encoding: str | None) -> None:
        name = (encoding or "").strip().lower()
        self._unpack: Callable[[bytes], Iterator[bytes]] = _as_it_is
        self._stream: _Brotli | _Members | None = None
        if name in ("gzip", "x-gzip"):
            self._stream = _Members(_gzip, _from_zlib, 2, lambda start: start == b"\x1f\x8b")
        elif name == "deflate":
            self._stream = _Members(_deflate, _from_zlib, 1, lambda _: False)
        elif name == "zstd":
            self._stream = _Members(lambda _: ZstdDecompressor(), _from_zstd, 4, _begins_zstd_frame)
        elif name == "br":
            self._stream = _Brotli()
        if self._stream is not None:
            self._unpack = self._stream.unpack

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Decompress `data`, the next bytes of the body, and yield it in pieces. Raises UnusableBody if damaged."""
        try:
            yield from self._unpack(data)
        except _DAMAGED as error:
            raise UnusableBody(f"it cannot be unpacked: {error}") from error

    def end(self) -> None:
        """Mark the end of the input. Raises UnusableBody if the body is incomplete."""
        if self._stream is not None and not self._stream.complete:
            raise UnusableBody("it ends before its compressed stream does")


def _as_it_is(data: bytes) -> Iterator[bytes]:
    yield data


class _Members:
    """Concatenated streams. Anything after the last one that is not a stream (padding, a line break) is ignored."""

    def __init__(
        self,
        new: Callable[[bytes], Any],
        pieces: Callable[[Any, bytes], Iterator[bytes]],
        start: int,
        begins: Callable[[bytes], bool],
    ) -> None:
        self._new, self._pieces, self._start, self._begins = new, pieces, start, begins
        self._current: Any = None
        self._members = 0
        self._waiting = b""
        self._over = False

    @property
    def complete(self) -> bool:
        """Whether the body may end here. It may also be empty."""
        return self._current is None and (self._members > 0 or not self._waiting)

    def unpack(self, data: bytes) -> Iterator[bytes]:
        data, self._waiting = self._waiting + data, b""
        while data and not self._over:
            if self._current is None:
                if len(data) < self._start:
                    self._waiting = data
                    return
                if self._members and not self._begins(data[: self._start]):
                    self._over = True
                    return
                if self._members == MOST_MEMBERS:
                    raise UnusableBody(f"it has more than {MOST_MEMBERS} compressed streams")
                self._current = self._new(data[: self._start])
                self._members += 1
            yield from self._pieces(self._current, data)
            if not self._current.eof:
                return
            data, self._current = self._current.unused_data, None


def _gzip(_: bytes) -> Any:
    return isal_zlib.decompressobj(wbits=16 + isal_zlib.MAX_WBITS)


def _deflate(start: bytes) -> Any:
    # RFC 1950, 2.2: with a header, the method in the first four bits is 8.
    return isal_zlib.decompressobj(wbits=isal_zlib.MAX_WBITS if start[0] & 0xF == 8 else -isal_zlib.MAX_WBITS)


def _begins_zstd_frame(start: bytes) -> bool:
    # RFC 8878, 3.1.1 and 3.1.2: a frame, or a skippable frame.
    return start == b"\x28\xb5\x2f\xfd" or (start[0] & 0xF0 == 0x50 and start[1:] == b"\x2a\x4d\x18")


def _from_zlib(stream: Any, data: bytes) -> Iterator[bytes]:
    while not stream.eof:
        piece = stream.decompress(data, PIECE_BYTES)
        if piece:
            yield piece
        # Input not consumed yet is fed again. When nothing is left inside, nothing comes out.
        data = stream.unconsumed_tail
        if not piece and not stream.eof:
            return


def _from_zstd(stream: Any, data: bytes) -> Iterator[bytes]:
    while not stream.eof:
        piece = stream.decompress(data, PIECE_BYTES)
        if piece:
            yield piece
        data = b""
        if stream.needs_input:
            return


class _Brotli:
    """A single brotli stream (RFC 7932)."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._begun = False

    @property
    def complete(self) -> bool:
        return not self._begun or self._stream.is_finished()

    def unpack(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        while not self._stream.is_finished():
            piece = self._stream.process(data, output_buffer_limit=PIECE_BYTES)
            if piece:
                yield piece
            data = b""
            if not piece:
                return
