"""Write and read cells of CSV files that are safe in spreadsheets. Pure.

A spreadsheet runs a cell that looks like a formula, whoever wrote it: `=HYPERLINK(...)` in a title sends the cells
beside it to a stranger (OWASP, CSV Injection). An apostrophe in front makes it text. The same rule decides which values
get an apostrophe and which apostrophes are removed on reading, so every value survives the round trip.
"""

import re
from collections.abc import Iterable

from ingest.text.printable import without_controls

__all__ = ["ENCODING", "cells", "from_cell", "to_cell"]

# With a byte order mark. Without one, Excel assumes the machine's encoding and garbles Arabic.
ENCODING = "utf-8-sig"
# Values that get an apostrophe: those that begin with a line break; with an apostrophe, to tell it from ours; or, after
# anything that spreadsheets skip, with a formula sign, even a full-width one, or with a tab or carriage return, which
# end a cell in some.
_MARKED = re.compile(r"['\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def to_cell(text: str) -> str:
    """Return a cell for `text` that no spreadsheet runs, without control characters (`without_controls`)."""
    shown = without_controls(text)
    return f"'{shown}" if _MARKED.match(shown) else shown


def from_cell(cell: str) -> str:
    """Return the text of a cell. Apostrophes that `to_cell` did not add stay."""
    return cell[1:] if cell.startswith("'") and _MARKED.match(cell, 1) else cell


def cells(values: Iterable[object]) -> list[object]:
    """Return a row with its texts as cells. Numbers and dates cannot run."""
    return [to_cell(value) if isinstance(value, str) else value for value in values]
