"""Text from outside, in what the program prints."""

import os
import subprocess
import unicodedata
from pathlib import Path

import pytest

from tests.conftest import INGEST, ROOT, Serve
from tests.newsroom import Faults

# Persian and Kurdish need these.
JOINERS = "\u200c\u200d"


def is_order(character: str) -> bool:
    """Whether a character is none to be shown, by its category."""
    return character not in JOINERS and unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def ingest(*arguments: str | bytes, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    # Not as text, which would turn line ends into others.
    return subprocess.run(
        [INGEST, *arguments], env=os.environ | environment, capture_output=True, check=False, cwd=ROOT
    )


@pytest.mark.parametrize(
    "arguments", [("feeds", "check"), ("feeds", "check", "--json"), ("--verbose", "feeds", "check")]
)
def test_a_hostile_feed_does_not_reach_the_terminal(
    newsroom: Serve, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    room = newsroom(feeds=1, entries=1)
    feed = room.world.feeds[0]
    title = "Iraq \u009b2J&#x9b;31m \u202ekcart \u2067x &#x202e; \u200etitle \u061c\u0085 &lt;ESC&gt;"
    item = f"<item><title>{title}</title><link>/1</link></item>"
    body = f"<rss version='2.0'><channel><title>x</title>{item}</channel></rss>"
    room.faults[feed.outlet.host] = Faults(body=body.encode())
    (tmp_path / "feeds.yaml").write_text(f"feeds: ['{feed.url}']")
    result = ingest(*arguments, NEWS_FEEDS=str(tmp_path / "feeds.yaml"), NEWS_ALLOW_NETWORKS="127.0.0.0/8")
    shown = result.stdout.decode()
    assert "title" in shown
    assert [c for c in shown + result.stderr.decode() if is_order(c) and c != "\n"] == []
    assert not set(shown) & set("\u202e\u2067\u200e\u061c")


@pytest.mark.parametrize(
    "arguments",
    [
        ("feeds", "add", b"http://a.example/\xff"), ("topics", "explain", b"\xff text"), ("search", b"\xed\xa0\x80"),
        ("export", b"/tmp/\xff"), ("feeds", "add", "http://a.example/", "--outlet", b"\xff"),
    ],
)  # fmt: skip
def test_arguments_that_are_no_text_are_wrong_usage(arguments: tuple[str | bytes, ...]) -> None:
    result = ingest(*arguments)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode().startswith("error: argument")
    assert result.stderr.count(b"\n") == 1
