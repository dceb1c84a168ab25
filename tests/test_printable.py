"""Text from outside: what terminals and logs are shown of it, and that nothing that shows it goes past this."""

import io
import json
import logging
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cli.shared import CleanConsole, CleanFormatter, add_row, make_table
from ingest.text.folding import fold
from ingest.text.printable import clean_log_records, escaped_json, printable, without_controls
from tests.conftest import INGEST, ROOT, Serve
from tests.newsroom import Faults

# Persian and Kurdish need these.
JOINERS = "\u200c\u200d"
HOSTILE = "a\x1b[31m\x1b]0;x\x07b\x9b2Jc\u202ed\u2066e\u200ff\u061cg\u200bh\ufeffi\r\nj\x85k\u2028l\x7fm\tn\0o\udc9bp"


def is_order(character: str) -> bool:
    """Whether a character is none to be shown, by its category."""
    return character not in JOINERS and unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def test_what_orders_is_taken_out() -> None:
    assert printable(HOSTILE) == "a[31m]0;xb2Jcdefghi j k lm no?p"


@given(st.text(st.characters()))
def test_one_line_without_orders_is_left(text: str) -> None:
    shown = printable(text)
    assert [character for character in shown if is_order(character)] == []
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown
    shown.encode()
    # Letters, digits and signs all stay.
    assert [c for c in shown if c.isalnum()] == [c for c in text if c.isalnum()]


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text == without_controls(text)


@pytest.mark.parametrize(
    "text",
    ["می\u200cخواهم", "لە\u200cناو", "\U0001f469\u200d\U0001f467", "قال: «نعم»", "\u0600\u06dd", "e\u0301", "a\u00adb"],
)
def test_what_joins_and_parts_letters_stays(text: str) -> None:
    assert printable(text) == without_controls(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cell_keeps_its_lines_and_means_the_same(text: str) -> None:
    cell = without_controls(text)
    assert [c for c in cell if is_order(c) and c not in "\t\r\n"] == []
    assert fold(cell) == fold(text)


def test_a_cell_keeps_the_marks_that_place_punctuation() -> None:
    assert without_controls("(\u200fقال\u200e)\n\u202e\u2067x\u2069\u202c\x1b\x9b") == "(\u200fقال\u200e)\nx  "


@given(st.text(st.characters(), max_size=20))
def test_json_means_the_same(text: str) -> None:
    document = escaped_json(json.dumps({"text": text}, ensure_ascii=False))
    assert [c for c in document if is_order(c)] == []
    assert json.loads(document) == json.loads(json.dumps({"text": text}))


def test_every_record_of_the_packages_is_clean_and_others_are_not_touched(caplog: pytest.LogCaptureFixture) -> None:
    clean_log_records()
    with caplog.at_level(logging.INFO):
        logging.getLogger("ingest.any.module").info("feed %s: %s", "x", "down\r\nINFO feed y: fine \x1b[2J 100%")
        logging.getLogger("other").info("%s", "as\nit is")
    assert caplog.messages == ["feed x: down INFO feed y: fine [2J 100%", "as\nit is"]


def test_a_message_that_does_not_fit_its_values_stops_no_work() -> None:
    logging.getLogRecordFactory()("ingest.x", logging.INFO, "x.py", 1, "%d", ("no number",), None)


def test_it_needs_nothing_but_the_package() -> None:
    program = "import logging, ingest; logging.basicConfig(); logging.getLogger('ingest.x').error('a%sb', chr(27))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stderr == "ERROR:ingest.x:ab\n"


def test_logs_of_other_libraries_are_cleaned_as_they_are_written() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(CleanFormatter("%(message)s"))
    try:
        raise ValueError("broken\x1b[2J\u202e")
    except ValueError:
        handler.emit(logging.getLogger("aiohttp").makeRecord("aiohttp", 40, "x", 1, "a\n%s", ("\x9b",), sys.exc_info()))
    lines = written.getvalue().splitlines()
    assert lines[0] == "a "
    assert lines[-1] == "ValueError: broken[2J"


def test_consoles_show_nothing_that_orders() -> None:
    written = io.StringIO()
    console = CleanConsole(file=written, force_terminal=True, width=200, color_system=None, markup=False)
    console.print(HOSTILE)
    table = make_table("one", "two")
    add_row(table, HOSTILE, "x")
    # As if somebody forgot.
    table.add_row(HOSTILE, "y")
    console.print(table, HOSTILE)
    shown = written.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert [c for c in shown if is_order(c) and c != "\n"] == []
    assert shown.count("\n") == shown.count("\n") == len(shown.splitlines())


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
