"""How long to wait after failures, and when a server asks for it."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

__all__ = ["MAX_WAIT", "after_failures", "retry_after"]

# The longest wait, whatever a server asks for and however often it has failed. Nothing is abandoned.
MAX_WAIT = timedelta(days=1)


def after_failures(first: timedelta, failures: int) -> timedelta:
    """Return the wait after `failures` consecutive failures: `first`, doubled each time, at most a day."""
    doublings = min(max(failures - 1, 0), 20)
    return min(first * float(2**doublings), MAX_WAIT)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return the wait a Retry-After header asks for (RFC 9110, 10.2.3), at most a day. None if missing or invalid."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=min(int(value[:9]), 10**8)), MAX_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), MAX_WAIT)
