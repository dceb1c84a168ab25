"""Compressed bodies: what is whole is unpacked, what is not is told."""

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest.web.unpacking import MOST_MEMBERS, PIECE_BYTES, Unpacker, UnusableBody


def _raw_deflate(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", _raw_deflate),
    "brotli": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
}
packers = pytest.mark.parametrize(("encoding", "pack"), PACKERS.values(), ids=PACKERS)


def unpacked(encoding: str | None, body: bytes, at_once: int = 1 << 16) -> bytes:
    unpacker = Unpacker(encoding)
    pieces: list[bytes] = []
    for start in range(0, len(body), at_once):
        pieces += unpacker.unpack(body[start : start + at_once])
    unpacker.end()
    return b"".join(pieces)


@packers
@given(data=st.binary(max_size=2000), at_once=st.integers(1, 300))
def test_it_unpacks_what_arrives_in_parts(
    encoding: str, pack: Callable[[bytes], bytes], data: bytes, at_once: int
) -> None:
    assert unpacked(encoding, pack(data), at_once) == data


@packers
def test_wherever_it_is_cut_it_is_not_whole(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(bytes(range(256)) * 2)
    for end in range(1, len(body)):
        with pytest.raises(UnusableBody):
            unpacked(encoding, body[:end])
    assert unpacked(encoding, b"") == b""


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
def test_streams_one_after_another_are_one_body(encoding: str, at_once: int) -> None:
    pack = PACKERS[encoding][1]
    body = b"".join(pack(part) for part in (b"one ", b"", b"two ", bytes(1000)))
    assert unpacked(encoding, body, at_once) == b"one two " + bytes(1000)
    with pytest.raises(UnusableBody, match="ends before"):
        unpacked(encoding, body[:-1], at_once)


@pytest.mark.parametrize("name", ["gzip", "deflate", "deflate without a header", "zstd"])
@pytest.mark.parametrize("tail", [b"\n", bytes(512), b"\x1f", b"<!-- cached -->"])
@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_what_follows_the_end_is_passed_over(name: str, tail: bytes, at_once: int) -> None:
    encoding, pack = PACKERS[name]
    assert unpacked(encoding, pack(b"text") + tail, at_once) == b"text"


@packers
def test_what_is_not_compressed_at_all_is_damaged(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnusableBody):
        unpacked(encoding, b"<html>plain</html>")


@packers
def test_it_comes_out_in_pieces(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    pieces = list(Unpacker(encoding).unpack(pack(bytes(3_000_000))))
    assert sum(map(len, pieces)) == 3_000_000
    assert max(map(len, pieces)) <= 2 * PIECE_BYTES


def test_streams_without_end_are_refused() -> None:
    assert unpacked("gzip", gzip.compress(b"x") * MOST_MEMBERS) == b"x" * MOST_MEMBERS
    with pytest.raises(UnusableBody, match="compressed streams"):
        unpacked("gzip", gzip.compress(b"x") * (MOST_MEMBERS + 1))


@pytest.mark.parametrize("encoding", [None, "", "identity", "utf-8", "gzip, br"])
def test_other_encodings_are_left_as_they_are(encoding: str | None) -> None:
    assert unpacked(encoding, b"as it is") == b"as it is"
