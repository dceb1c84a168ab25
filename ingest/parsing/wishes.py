"""Polling wishes stated in a feed document."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.runtime.backoff import MAX_WAIT

__all__ = ["Wishes", "day_number", "wishes_of"]

# The hours and days to skip are near the start of a feed.
WISHES_WITHIN_BYTES = 20_000
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


@dataclass(frozen=True)
class Wishes:
    """What a feed document asks of pollers.

    `wait` is the longest of `<ttl>` (RSS 2.0) and `sy:updatePeriod` with `sy:updateFrequency` (RSS 1.0 syndication
    module), but for the hour that WordPress writes by default. `skip_hours` and `skip_days` are those of RSS 2.0: hours
    of the day and days of the week (0 is Monday), in UTC.
    """

    wait: timedelta = timedelta(0)
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


def wishes_of(feed: Any, body: bytes) -> Wishes:
    """Return the wishes of a feed, from feedparser's result and the document. Invalid values are skipped."""
    waits = [timedelta(0)]
    with suppress(ValueError, OverflowError):
        waits.append(timedelta(minutes=int(feed.get("ttl", ""))))
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    if period is not None:
        with suppress(ValueError, ZeroDivisionError, OverflowError):
            wait = period / int(feed.get("sy_updatefrequency") or 1)
            # WordPress writes this into every feed, whatever is published.
            if wait != _PERIODS["hourly"] or "wordpress" not in str(feed.get("generator", "")).lower():
                waits.append(wait)
    hours = {int(hour) for hour in _listed(body, b"skipHours", b"hour") if hour.isdigit()}
    days = {day_number(day) for day in _listed(body, b"skipDays", b"day")}
    # RSS 0.91 counts hours from 1 to 24.
    return Wishes(
        min(max(waits), MAX_WAIT),
        frozenset(hour % 24 for hour in hours if hour <= 24),
        frozenset(day for day in days if day is not None),
    )


def _listed(body: bytes, group: bytes, item: bytes) -> list[str]:
    """The texts of the items in a group, which feedparser skips. The group comes before the first feed item."""
    head = body[:WISHES_WITHIN_BYTES]
    match = re.search(rb"<%b>(.{0,2000}?)</%b>" % (group, group), head, re.DOTALL | re.IGNORECASE)
    if match is None:
        return []
    found = re.findall(rb"<%b>([^<]{1,20})</%b>" % (item, item), match[1], re.IGNORECASE)
    return [text.decode("ascii", errors="replace").strip() for text in found]


def day_number(name: str) -> int | None:
    """Return the number of an English weekday (0 is Monday), None for anything else."""
    lowered = name.strip().lower()
    return _DAYS.index(lowered) if lowered in _DAYS else None
