"""Interprets the answer to a request for a page. Pure: no clock, no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ingest.model.outcomes import LASTING, NOT_ASKED
from ingest.model.status import Status
from ingest.runtime import backoff
from ingest.store.ledger import FetchJob
from ingest.web.blocking import blocked_by
from ingest.web.client import Answer, RequestFailed

__all__ = ["FetchResult", "decide"]

# First wait after a failure, doubled by each further one: 5 attempts span an hour.
RETRY_AFTER = timedelta(minutes=4)
# Wait if the page was not requested because of its host. Matches how long robots.txt counts as unavailable.
NOT_YET_AFTER = timedelta(minutes=10)
_WEB_PAGES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
# Final at once, because a retry would get the same answer. Any other failure may be temporary.
_LASTING = {400, 401, 402, 404, 405, 406, 410, 414, 451}


Outcome = Literal["fetched", "unchanged", "rejected", "dead", "retried"]


@dataclass(frozen=True)
class FetchResult:
    """The meaning of an answer for the entry.

    `unchanged`: the page was fetched again and matches the stored one. `retried`: the entry is due at `retry_at`.
    """

    outcome: Outcome
    reason: str | None = None
    retry_at: datetime | None = None
    # Whether the attempt counts towards the maximum. It does not if the page itself was never requested.
    counts: bool = True
    pause_host_until: datetime | None = None

    @property
    def end(self) -> Status | None:
        """The entry's final status, or None if it goes on."""
        match self.outcome:
            case "rejected":
                return Status.REJECTED
            case "dead":
                return Status.DEAD
        return None


def decide(job: FetchJob, answer: Answer | RequestFailed, now: datetime, max_attempts: int) -> FetchResult:
    """Return the meaning of `answer` to a request for the entry's page."""
    if isinstance(answer, RequestFailed):
        if answer.kind in LASTING:
            return FetchResult("rejected", str(answer))
        if answer.kind in NOT_ASKED:
            return FetchResult("retried", str(answer), now + NOT_YET_AFTER, counts=False)
        return _again(job, str(answer), now, max_attempts)
    if answer.status == 304 and (job.etag or job.last_modified):
        return FetchResult("unchanged")
    if 200 <= answer.status < 300:
        kind = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
        if kind and kind not in _WEB_PAGES:
            return FetchResult("rejected", f"not a web page but {kind[:100]}")
        if not answer.body.strip():
            return _again(job, "empty page", now, max_attempts)
        return FetchResult("fetched")
    service = blocked_by(answer.status, answer.headers, answer.body)
    reason = f"HTTP {answer.status}" + (f", from {service}, which keeps programs out" if service else "")
    if answer.status in _LASTING:
        return FetchResult("rejected", reason)
    wait = backoff.retry_after(answer.headers.get("retry-after"), now) if answer.status in (429, 503) else None
    return _again(job, reason, now, max_attempts, wait)


def _again(job: FetchJob, reason: str, now: datetime, max_attempts: int, wait: timedelta | None = None) -> FetchResult:
    pause = now + wait if wait else None
    if job.attempts + 1 >= max_attempts:
        return FetchResult("dead", f"gave up after {job.attempts + 1} attempts: {reason}", pause_host_until=pause)
    later = backoff.after_failures(RETRY_AFTER, job.attempts + 1)
    return FetchResult("retried", reason, now + (wait or later), pause_host_until=pause)
