"""Make foreign text safe to show in terminals, logs and spreadsheets. Pure.

What a server, a feed or a page says may hold characters that are no letters but orders: to clear the screen, to name
the window, to write the rest of the line backwards, to begin a new line of the log. Here they are taken out. Letters
stay, and so does what joins or parts them (ZWNJ and ZWJ, which Persian and Kurdish need).
"""

import logging
import re
from contextlib import suppress

__all__ = ["clean_log_records", "escaped_json", "printable", "without_controls"]

# What begins a new line somewhere: in terminals, in Python's str.splitlines, in log viewers (Unicode 5.8); and tabs.
_BREAKS = "\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029"
# The other characters of the category Cc: ESC begins orders to terminals, and so do those from U+0080 on (ECMA-48).
_CONTROLS = "\0-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"
# Embeddings, overrides and isolates of the bidirectional algorithm (UAX 9, 2), which reach beyond the text they are in.
_DIRECTIONS = "\u202a-\u202e\u2066-\u2069"
# Marks of direction, and characters that show nothing and part nothing: in a name they hide a difference.
_UNSEEN = "\u061c\u180e\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_SURROGATES = "\ud800-\udfff"

_BREAK = re.compile(f"[{_BREAKS}]+")
_NOT_SHOWN = re.compile(f"[{_CONTROLS}{_DIRECTIONS}{_UNSEEN}]+")
_ORDERS = re.compile(f"[{_CONTROLS}\v\f\x1c-\x1e\x85\u2028\u2029]")
_REACHING = re.compile(f"[{_DIRECTIONS}]+")
_SURROGATE = re.compile(f"[{_SURROGATES}]")
_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029{_DIRECTIONS}{_UNSEEN}{_SURROGATES}]")

# Whose log records are cleaned: the packages' own, and what `make run` says under the name `run`.
_OURS = ("ingest", "db", "dags", "run")


def printable(text: str) -> str:
    """Return `text` as one line that a terminal or a log shows and does not obey.

    Line breaks and tabs become a space; control characters, directions and unseen characters are left out; lone
    surrogates become question marks, since nothing can write them.
    """
    if text.isprintable():
        return text
    return _SURROGATE.sub("?", _NOT_SHOWN.sub("", _BREAK.sub(" ", text)))


def without_controls(text: str) -> str:
    """Return `text` for a cell of a spreadsheet, where it may have lines.

    Control characters become a space, as they count for one when texts are compared (`ingest.text.folding.fold`).
    Directions that reach beyond the cell are left out; the marks that put Arabic punctuation in its place stay.
    """
    if text.isprintable():
        return text
    return _SURROGATE.sub("?", _REACHING.sub("", _ORDERS.sub(" ", text)))


def escaped_json(document: str) -> str:
    """Return a JSON document that means the same (RFC 8259, 7) and holds nothing that `printable` takes out."""
    return _IN_JSON.sub(lambda match: _escaped(ord(match[0])), document)


def _escaped(code: int) -> str:
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def clean_log_records() -> None:
    """Make what the packages log `printable`, by whatever handler it is written: Airflow's, too.

    By the factory of log records, because a filter on a logger does not see what the loggers below it say. Doing so
    twice changes nothing.
    """
    before = logging.getLogRecordFactory()
    if getattr(before, "cleans", False):
        return

    def clean(name: str | None, *args: object, **kwargs: object) -> logging.LogRecord:
        record = before(name, *args, **kwargs)
        # `logging.makeLogRecord`, by which formatters of others copy records, asks for one without a name first.
        if name is not None and name.partition(".")[0] in _OURS:
            # A message that does not fit its values is left to the handler, which says so; work goes on.
            with suppress(TypeError, ValueError, KeyError):
                record.msg, record.args = printable(record.getMessage()), ()
        return record

    clean.cleans = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(clean)
