"""Decides when to poll a feed next, from its own rhythm and from what it asks for. Pure: no clock, no I/O.

Each poll that brings nothing lengthens the interval a little, up to a bound. New items shorten it again: the interval
is halved, or drops at once to what suits the items' own rhythm, which is two polls per item. So a feed is polled often
while it brings something, whatever the dates in it say.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from ingest.parsing.wishes import Wishes
from ingest.runtime.backoff import MAX_WAIT

__all__ = ["header_wish", "interval_of", "narrowed", "next_poll", "pushed", "widened"]

# Fewest and most dated items: fewer show no rhythm, more would make it react slowly.
RHYTHM_ITEMS = (3, 20)
POLLS_PER_ITEM = 2
# Ten polls that find nothing lengthen ten minutes to an hour.
WIDENING = 1.2
# A feed that a hub pushes is polled this much less often than a quiet one, in case the hub forgets about it.
PUSHED_FACTOR = 4
PUSHED_AT_MOST = timedelta(hours=6)
# Spreads out feeds that were added together.
JITTER = 0.1


def interval_of(published: Iterable[datetime], now: datetime, shortest: timedelta, longest: timedelta) -> timedelta:
    """Return the time between polls that suits items published at these times, within the bounds.

    Without enough dates it is the shortest, as there is no reason to wait.
    """
    fewest, most = RHYTHM_ITEMS
    newest = sorted((moment for moment in published if moment <= now), reverse=True)[:most]
    if len(newest) < fewest:
        return shortest
    # Measured up to now, because a feed whose items stopped coming has slowed down.
    gap = (now - newest[-1]) / len(newest)
    return min(max(gap / POLLS_PER_ITEM, shortest), longest)


def narrowed(
    interval: timedelta | None, published: Iterable[datetime], now: datetime, shortest: timedelta, longest: timedelta
) -> timedelta:
    """Return the next interval after a poll that found items published at these times.

    It is half the last one, or what suits the items if that is less. At a feed's first poll it is the shortest.
    """
    if interval is None:
        return shortest
    return min(interval_of(published, now, shortest, longest), max(interval / 2, shortest))


def widened(interval: timedelta, shortest: timedelta, longest: timedelta) -> timedelta:
    """Return the next interval after a poll that found nothing new."""
    return min(max(interval * WIDENING, shortest), longest)


def pushed(interval: timedelta, longest: timedelta) -> timedelta:
    """Return the interval of a feed that is pushed. `longest` is the bound for feeds that are not."""
    return max(interval, longest, min(longest * PUSHED_FACTOR, PUSHED_AT_MOST))


def header_wish(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Return how long an answer says it stays fresh (RFC 9111, 4.2.1): max-age, else Expires, else 0."""
    control = headers.get("cache-control", "")
    age = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})", control, re.IGNORECASE)
    if age:
        return min(timedelta(seconds=int(age[1])), MAX_WAIT)
    if "expires" in headers:
        try:
            moment = parsedate_to_datetime(headers["expires"])
        except (ValueError, TypeError, OverflowError):
            # "0" and the like mean that it is stale already.
            return timedelta(0)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max(moment - now, timedelta(0)), MAX_WAIT)
    return timedelta(0)


def next_poll(now: datetime, interval: timedelta, wishes: Wishes, name: str) -> datetime:
    """Return when to poll again: after the interval, not before the feed wants it, and at an hour and day it allows.

    No wish counts for more than a day. The wait is stretched by up to a tenth. The stretch depends only on the feed's
    `name` and on `now`.
    """
    wait = max(interval, min(wishes.wait, MAX_WAIT))
    share = zlib.crc32(f"{name} {now.timestamp()}".encode()) / 0xFFFFFFFF
    moment = now + wait * (1 + JITTER * share)
    return _not_skipped(moment, wishes)


def _not_skipped(moment: datetime, wishes: Wishes) -> datetime:
    later = moment
    while later - moment < MAX_WAIT:
        if later.weekday() in wishes.skip_days:
            later = (later + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        elif later.hour in wishes.skip_hours:
            later = (later + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
        else:
            return later
    # The feed excludes all hours or days.
    return moment + MAX_WAIT
