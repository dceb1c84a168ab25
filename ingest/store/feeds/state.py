"""The polling state of a feed, and the record of a poll."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.model.outcomes import FailureKind, PollOutcome

__all__ = ["ADOPT_AFTER_POLLS", "FeedState", "PollRecord"]

# A permanent redirect is used as the address after this many polls led there: some are permanent for a day.
ADOPT_AFTER_POLLS = 5


@dataclass(frozen=True)
class FeedState:
    """A feed and its polling state."""

    id: int
    slug: str
    url: str
    host: str
    outlet: str
    language: str | None
    country: str | None
    scope: str
    poll_every: timedelta
    poll_within: timedelta
    max_age: timedelta | None
    poll_interval: timedelta | None
    asked_wait: timedelta | None
    skip_hours: list[int] | None
    skip_days: list[int] | None
    last_polled_at: datetime | None
    last_success_at: datetime | None
    last_full_at: datetime | None
    failures: int
    etag: str | None
    last_modified: str | None
    body_hash: bytes | None
    distrust: str | None
    moved_to: str | None
    moved_polls: int
    hub: str | None
    topic: str | None
    pushed_until: datetime | None

    @property
    def address(self) -> str:
        """Where the feed is asked for: its address, or the one it has moved to for good."""
        return self.moved_to if self.moved_to and self.moved_polls >= ADOPT_AFTER_POLLS else self.url


@dataclass(frozen=True)
class PollRecord:
    """A row of `feed_polls`, and the feed's state after it."""

    polled_at: datetime
    outcome: PollOutcome
    status: int | None
    entries: int
    new_entries: int
    body_bytes: int
    took_ms: int
    error: str | None
    failure: FailureKind | None
    next_poll_at: datetime
    failures: int
    health: str
    etag: str | None
    last_modified: str | None
    body_hash: bytes | None
    poll_interval: timedelta | None
    asked_wait: timedelta | None
    skip_hours: list[int] | None
    skip_days: list[int] | None
    last_full_at: datetime | None
    distrust: str | None
    moved_to: str | None
    moved_polls: int
    host: str
    hub: str | None
    topic: str | None
