"""The command line's clock, in the form that stages take, and durations in words."""

from datetime import timedelta

from db.clock import utc_now

__all__ = ["spell", "utc_now"]


def spell(duration: timedelta) -> str:
    """Return a duration in the largest unit that fits at least twice: 90 s is "90 s", 50 h "2 d"."""
    seconds = max(int(duration.total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
