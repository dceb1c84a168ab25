"""robots.txt (RFC 9309): may a page be fetched, and how far apart must requests be?"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from protego import Protego

from ingest.store.hosts import Robots
from ingest.text.charset import decode

__all__ = ["ROBOTS_MAX_BYTES", "RobotsRules", "is_fresh", "robots_text", "rules"]

# RFC 9309, 2.4: do not use a copy for more than 24 hours, unless robots.txt is unreachable.
FRESH = timedelta(days=1)
# After a failure, retry much sooner, because nothing may be fetched from the site until then.
FRESH_AFTER_FAILURE = timedelta(minutes=10)
# RFC 9309, 2.5: crawlers must read at least 500 KiB.
ROBOTS_MAX_BYTES = 512_000
# A longer Crawl-delay would effectively forbid the site, and there is Disallow for that.
MAX_CRAWL_DELAY = timedelta(hours=1)
PRODUCT = "iraq-withdrawal-news"
# A User-agent line, as Protego reads it: the colon may be missing.
_USER_AGENT = re.compile(r"\s*user(?:-|\s*)agent\s*[:\s]\s*([^#]*)", re.IGNORECASE)


@dataclass(frozen=True)
class RobotsRules:
    """The robots.txt rules for this crawler. `available` is False if nothing may be fetched for now."""

    parsed: Protego
    available: bool
    crawl_delay: timedelta | None

    @property
    def sitemaps(self) -> list[str]:
        """The sitemaps it lists (sitemaps.org), in order."""
        return list(self.parsed.sitemaps)

    def allows(self, url: str) -> bool:
        return bool(self.parsed.can_fetch(url, PRODUCT))


def robots_text(body: bytes) -> str:
    """Return the text of a robots.txt, without byte order mark.

    It is UTF-8 (RFC 9309, 2.2). Editors that write a byte order mark, or UTF-16, meant the same rules.
    """
    return decode(body, None)


def is_fresh(robots: Robots, now: datetime) -> bool:
    """Return whether `robots` may still be used."""
    failed = _is_away(robots.status)
    return now - robots.fetched_at < (FRESH_AFTER_FAILURE if failed else FRESH)


def rules(robots: Robots) -> RobotsRules:
    """Interpret a robots.txt by RFC 9309, 2.3.1: 4xx means no rules; 5xx or no response means fetch nothing.

    So does 429: a server that rejects a request as too frequent says nothing about its rules.
    """
    status = robots.status
    parsed = Protego.parse(_that_concerns_us(robots.text) if status is not None and 200 <= status < 300 else "")
    delay = parsed.crawl_delay(PRODUCT)
    crawl_delay = timedelta(seconds=min(float(delay), MAX_CRAWL_DELAY.total_seconds())) if delay else None
    return RobotsRules(parsed, available=not _is_away(status), crawl_delay=crawl_delay)


def _that_concerns_us(text: str) -> str:
    """The robots.txt with a single name for all other crawlers.

    Protego stores a group's rules once for each crawler it names, so half a megabyte of names and rules would take
    gigabytes of memory.
    """
    # Text stored by earlier versions may begin with a byte order mark.
    return "\n".join(_without_others(line) for line in text.lstrip("\ufeff").splitlines())


def _without_others(line: str) -> str:
    named = _USER_AGENT.match(line)
    if named is None:
        return line
    name = named[1].strip().lower()
    ours = name == "*" or PRODUCT.startswith(name.replace("*", ""))
    return line if ours else "User-agent: others"


def _is_away(status: int | None) -> bool:
    return status is None or status >= 500 or status == 429
