"""Time zones of countries."""

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

__all__ = ["zone_of"]


@cache
def zone_of(country: str | None) -> tzinfo:
    """Return the time zone of a country (ISO 3166-1 alpha-2) that has only one, UTC for any other (CLDR)."""
    if country is None:
        return UTC
    from babel.core import get_global

    zones = get_global("territory_zones").get(country, ())
    return ZoneInfo(zones[0]) if len(zones) == 1 else UTC
