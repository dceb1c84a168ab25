"""Cells that no spreadsheet runs, and back."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.text.printable import without_controls
from ingest.text.spreadsheets import cells, from_cell, to_cell

TEXTS = st.text(st.one_of(st.sampled_from("'=+-@\t\r\n \u200f\ufeff＝,;\"a"), st.characters(exclude_categories=["Cs"])))


@given(TEXTS)
def test_every_value_comes_back(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow(cells([text, 1, None, text]))
    file.seek(0)
    (row,) = csv.reader(file, strict=True)
    assert [from_cell(cell) for cell in row] == [without_controls(text), "1", "", without_controls(text)]


@given(TEXTS)
@example(" \t")
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert not to_cell(text).lstrip(" \n\u00a0\u200b\u200e\u200f\u2060\ufeff").startswith(tuple("=+-@\t\r＝＋－＠"))


@pytest.mark.parametrize("cell", ["'quoted' word", "'", "'x", "it's", "''tis", "'' "])
def test_apostrophes_of_others_stay(cell: str) -> None:
    # Of two, the first may be ours.
    assert from_cell(cell) == (cell[1:] if cell.startswith("''") else cell)


def test_numbers_are_no_formulas() -> None:
    assert cells([-1, 2.5, None, "-1"]) == [-1, 2.5, None, "'-1"]
