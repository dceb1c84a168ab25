"""Dates in feeds: which moment they mean, and how far to trust them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from time import struct_time

from ingest.text.dates import EARLIEST, FUTURE_TOLERANCE
from ingest.text.moments import Moment, read_moment

__all__ = ["FeedDate", "judged", "read_feed_date"]

_TIME_OF_DAY = re.compile(r"\d:\d\d")
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d|\b[A-Z]{1,5})(?:\s*\([^)]*\))?\s*$", re.IGNORECASE)
# Letters of languages whose dates we do not read: neither Latin nor Arabic.
_FOREIGN = re.compile("[\u0370-\u05ff\u0900-\u1fff\u3040-\ud7ff]")


@dataclass(frozen=True)
class FeedDate:
    """A moment in UTC, or None if no plausible one was given, and any doubts about it, as noted in `entries`."""

    at: datetime | None
    note: str | None = None


def read_feed_date(text: str | None, now: datetime, zone: tzinfo = UTC, parsed: struct_time | None = None) -> FeedDate:
    """Return the moment given by a feed's date: raw `text` as `read_moment` reads it, or as feedparser does.

    `parsed` is feedparser's result (in UTC; it takes a missing zone for UTC). A date without a zone is read in `zone`.
    A date without a time of day means its first minute, and this is noted.
    """
    moment = _moment(text, parsed, zone)
    if moment is None:
        return FeedDate(None)
    if moment.at.tzinfo is not None:
        return judged(moment.at, now)
    found = judged(moment.at.replace(tzinfo=zone), now)
    return FeedDate(found.at, found.note or ("no zone" if moment.has_time else "no time"))


def judged(moment: datetime, now: datetime) -> FeedDate:
    """Return an aware moment in the form that is stored: in UTC, at most `now`, and not before 1990.

    A date more than an hour ahead is noted as `future`, with the original date.
    """
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        # The first and last representable days: programs write them for "unknown".
        return FeedDate(None, f"too old: {moment:%Y-%m-%d}" if moment.year < EARLIEST.year else "future: without end")
    if moment < EARLIEST:
        return FeedDate(None, f"too old: {moment:%Y-%m-%d}")
    if moment > now + FUTURE_TOLERANCE:
        return FeedDate(now, f"future: {moment:%Y-%m-%dT%H:%M:%SZ}")
    return FeedDate(min(moment, now))


def _moment(text: str | None, parsed: struct_time | None, zone: tzinfo) -> Moment | None:
    """The moment, aware if the text has a zone. feedparser is believed only in languages that we do not read."""
    if text and ((found := read_moment(text, zone)) is not None or not _FOREIGN.search(text)):
        return found
    if parsed is None:
        return None
    try:
        moment = datetime(*parsed[:6])  # noqa: DTZ001 - its zone is decided here
    except (ValueError, OverflowError):
        return None
    has_time = text is None or _TIME_OF_DAY.search(text) is not None
    has_zone = text is None or (has_time and _ZONE.search(text) is not None)
    return Moment(moment.replace(tzinfo=UTC) if has_zone else moment, has_time)
