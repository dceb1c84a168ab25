"""Text from outside: what terminals and logs are shown of it."""

import json
import logging
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.text.folding import fold
from ingest.text.printable import clean_log_records, escaped_json, printable, without_controls
from tests.conftest import ROOT

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


def test_records_can_be_copied() -> None:
    clean_log_records()
    record = logging.getLogRecordFactory()("ingest.x", logging.INFO, "x.py", 1, "a%s", ("\x1b[2J",), None)
    assert logging.makeLogRecord(record.__dict__).getMessage() == "a[2J"


def test_it_needs_nothing_but_the_package() -> None:
    program = "import logging, ingest; logging.basicConfig(); logging.getLogger('ingest.x').error('a%sb', chr(27))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stderr == "ERROR:ingest.x:ab\n"
