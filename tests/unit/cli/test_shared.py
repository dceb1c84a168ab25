"""Whatever the program writes has passed the filter for text from outside."""

import io
import logging
import sys
import unicodedata

from ingest.cli.shared import CleanConsole, CleanFormatter, add_row, make_table

# Persian and Kurdish need these.
JOINERS = "\u200c\u200d"
HOSTILE = "a\x1b[31m\x1b]0;x\x07b\x9b2Jc\u202ed\u2066e\u200ff\u061cg\u200bh\ufeffi\r\nj\x85k\u2028l\x7fm\tn\0o\udc9bp"


def is_order(character: str) -> bool:
    """Whether a character is none to be shown, by its category."""
    return character not in JOINERS and unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


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
