"""Dates in feeds: which moment they mean, and how far to trust them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from time import struct_time

from ingest.text.dates import EARLIEST, FUTURE_TOLERANCE

__all__ = ["FeedDate", "judged", "read_feed_date"]

_TIME_OF_DAY = re.compile(r"\d:\d\d")
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d|\b[A-Z]{1,5})(?:\s*\([^)]*\))?\s*$", re.IGNORECASE)
_SLASHES = re.compile(r"^(\d{4})/(\d\d)/(\d\d)\b")
_AM_PM = re.compile(r"\b[AP]M\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class FeedDate:
    """A moment in UTC, or None if no plausible one was given, and any doubts about it, as noted in `entries`."""

    at: datetime | None
    note: str | None = None


def read_feed_date(text: str | None, now: datetime, zone: tzinfo = UTC, parsed: struct_time | None = None) -> FeedDate:
    """Return the moment given by a feed's date: raw `text` in RFC 3339, RFC 5322 or a format feedparser reads.

    `parsed` is feedparser's result (in UTC; it takes a missing zone for UTC). A date without a zone is read in `zone`.
    A date without a time of day means its first minute, and this is noted.
    """
    moment = _moment(text, parsed)
    if moment is None:
        return FeedDate(None)
    if moment.tzinfo is not None:
        return judged(moment, now)
    found = judged(moment.replace(tzinfo=zone), now)
    without = "no zone" if text and _TIME_OF_DAY.search(text) else "no time"
    return FeedDate(found.at, found.note or without)


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


def _moment(text: str | None, parsed: struct_time | None) -> datetime | None:
    """The moment, aware if the text has a zone."""
    if text:
        for read in (_rfc3339, parsedate_to_datetime):
            try:
                return read(text.strip())
            except (ValueError, TypeError, OverflowError, IndexError):
                continue
    if parsed is None:
        return None
    try:
        moment = datetime(*parsed[:6])  # noqa: DTZ001 - its zone is decided here
    except (ValueError, OverflowError):
        return None
    has_zone = text is None or (_TIME_OF_DAY.search(text) and _ZONE.search(text) and not _AM_PM.search(text.rstrip()))
    return moment.replace(tzinfo=UTC) if has_zone else moment


def _rfc3339(text: str) -> datetime:
    # With slashes, feedparser takes the year for a time zone.
    return datetime.fromisoformat(_SLASHES.sub(r"\1-\2-\3", text, count=1))
