"""Write and read cells of CSV files that are safe in spreadsheets. Pure.

A spreadsheet runs a cell that begins as a formula does, whoever wrote it: `=HYPERLINK(...)` in a title sends what
stands beside it to a stranger (OWASP, CSV Injection). An apostrophe in front makes it text. Which values get one, and
which apostrophes go when a file is read, is decided by the same rule, so that every value comes back as it was.
"""

import re
from collections.abc import Iterable

from ingest.text.printable import without_controls

__all__ = ["ENCODING", "cells", "from_cell", "to_cell"]

# With a byte order mark. Without, Excel takes UTF-8 for the encoding of the machine, and Arabic turns to signs.
ENCODING = "utf-8-sig"
# Values that get an apostrophe: those that begin with the end of a line; with an apostrophe, to tell it from ours; or,
# behind whatever spreadsheets pass over, as a formula does, also in full-width signs, or with a tab or carriage
# return, which end a cell in some.
_MARKED = re.compile(r"['\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def to_cell(text: str) -> str:
    """Return the cell for `text`, which no spreadsheet runs; without control characters (`without_controls`)."""
    shown = without_controls(text)
    return f"'{shown}" if _MARKED.match(shown) else shown


def from_cell(cell: str) -> str:
    """Return the text that a cell stands for. Apostrophes that `to_cell` did not put there stay."""
    return cell[1:] if cell.startswith("'") and _MARKED.match(cell, 1) else cell


def cells(values: Iterable[object]) -> list[object]:
    """Return a row with its texts as cells. Numbers and dates are none that could run."""
    return [to_cell(value) if isinstance(value, str) else value for value in values]
