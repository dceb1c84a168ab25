"""Make untrusted text safe to show in terminals, logs and spreadsheets. Pure.

Text from a server, a feed or a page may contain control characters that clear the screen, set the window title, reverse
the rest of the line, or start a new log line. They are removed here. Letters stay, and so do the characters that join
or separate them (ZWNJ and ZWJ, which Persian and Kurdish need).
"""

import logging
import re
from contextlib import suppress

__all__ = ["clean_log_records", "escaped_json", "printable", "without_controls"]

# Characters that start a new line somewhere: terminals, Python's str.splitlines, log viewers (Unicode 5.8); and tabs.
_BREAKS = "\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029"
# The other characters of category Cc. ESC and those from U+0080 on start terminal commands (ECMA-48).
_CONTROLS = "\0-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"
# Embeddings, overrides and isolates of the bidirectional algorithm (UAX 9, 2). They affect text beyond their own.
_DIRECTIONS = "\u202a-\u202e\u2066-\u2069"
# Direction marks, and characters that are invisible and separate nothing. In a name, they hide a difference.
_UNSEEN = "\u061c\u180e\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_SURROGATES = "\ud800-\udfff"

_BREAK = re.compile(f"[{_BREAKS}]+")
_NOT_SHOWN = re.compile(f"[{_CONTROLS}{_DIRECTIONS}{_UNSEEN}]+")
_ORDERS = re.compile(f"[{_CONTROLS}\v\f\x1c-\x1e\x85\u2028\u2029]")
_REACHING = re.compile(f"[{_DIRECTIONS}]+")
_SURROGATE = re.compile(f"[{_SURROGATES}]")
_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029{_DIRECTIONS}{_UNSEEN}{_SURROGATES}]")

# Loggers whose records are cleaned: the packages' own, and `run`, which `make run` uses.
_OURS = ("ingest", "db", "dags", "run")


def printable(text: str) -> str:
    """Return `text` as one line that is safe to show in a terminal or a log.

    Line breaks and tabs become a space. Control characters, directions and unseen characters are removed. Lone
    surrogates become question marks, because they cannot be encoded.
    """
    if text.isprintable():
        return text
    return _SURROGATE.sub("?", _NOT_SHOWN.sub("", _BREAK.sub(" ", text)))


def without_controls(text: str) -> str:
    """Return `text` for a spreadsheet cell, which may have several lines.

    Control characters become a space, because text comparison treats them as one (`ingest.text.folding.fold`).
    Direction controls that reach beyond the cell are removed; the marks that position Arabic punctuation stay.
    """
    if text.isprintable():
        return text
    return _SURROGATE.sub("?", _REACHING.sub("", _ORDERS.sub(" ", text)))


def escaped_json(document: str) -> str:
    """Return an equivalent JSON document (RFC 8259, 7) without any characters that `printable` removes."""
    return _IN_JSON.sub(lambda match: _escaped(ord(match[0])), document)


def _escaped(code: int) -> str:
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def clean_log_records() -> None:
    """Make the packages' log messages `printable`, whatever handler writes them, including Airflow's.

    This sets the log record factory, because a filter on a logger does not see records of its child loggers. Calling it
    twice changes nothing.
    """
    before = logging.getLogRecordFactory()
    if getattr(before, "cleans", False):
        return

    def clean(name: str | None, *args: object, **kwargs: object) -> logging.LogRecord:
        record = before(name, *args, **kwargs)
        # `logging.makeLogRecord`, which other formatters use to copy records, first asks for one without a name.
        if name is not None and name.partition(".")[0] in _OURS:
            # If a message does not match its arguments, the handler reports it and work goes on.
            with suppress(TypeError, ValueError, KeyError):
                record.msg, record.args = printable(record.getMessage()), ()
        return record

    clean.cleans = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(clean)
