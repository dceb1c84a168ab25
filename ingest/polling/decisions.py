"""Interprets the answers to polls: which items they list, when to poll again, how far to trust the server. Pure.

`decide` takes the feed's state and the answer. It returns the poll's record, which is also the feed's next state, and
the items for the ledger. Only the ledger knows which items are new; `record_of_find` then updates the record.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.model.outcomes import FailureKind, PollOutcome
from ingest.model.status import Status
from ingest.parsing.links import with_link_header
from ingest.parsing.model import NotAFeed, ParsedEntry, ParsedFeed
from ingest.parsing.wishes import Wishes
from ingest.polling.schedule import header_wish, narrowed, next_poll, pushed, widened
from ingest.runtime import backoff
from ingest.runtime.clock import spell
from ingest.store.feeds import ADOPT_AFTER_POLLS, FeedState, PollRecord
from ingest.store.ledger import NewEntry
from ingest.text.urls import canonical_url, host_of, slug_words, without_user_info
from ingest.topics.topics import TopicSet
from ingest.web.blocking import blocked_by
from ingest.web.client import Answer, RequestFailed, is_header_value, validators

__all__ = [
    "ACCEPT",
    "PollResult",
    "decide",
    "failed_poll",
    "for_ledger",
    "kind_of",
    "needs_parsing",
    "record_of_find",
    "request_headers",
    "unwanted",
]

ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json;q=0.9, application/rdf+xml;q=0.9,"
    " application/xml;q=0.8, */*;q=0.5"
)
# How long to believe a server that says nothing has changed before checking.
TRUST_FOR = timedelta(days=1)
# Caches on the way may lag this much without the server being wrong.
CACHES_LAG = timedelta(minutes=15)


@dataclass(frozen=True)
class PollResult:
    """The meaning of an answer: the poll's record and the items for the ledger."""

    record: PollRecord
    entries: tuple[NewEntry, ...] = ()
    pause_host_until: datetime | None = None
    # Identities of items that the server has withheld if they turn out to be new, and how it did so.
    hidden: Mapping[str, str] = field(default_factory=dict)


def request_headers(feed: FeedState, now: datetime) -> dict[str, str]:
    """Return the headers of a poll at `now`: conditional (RFC 9110, 13.1) if the last answer allows it.

    Once a day, and always if the server has been caught giving wrong answers, requests the whole document.
    """
    headers = {"Accept": ACCEPT}
    if feed.language:
        headers["Accept-Language"] = f"{feed.language}, *;q=0.5"
    if feed.distrust or feed.last_full_at is None or now - feed.last_full_at >= TRUST_FOR:
        return headers
    return headers | validators(feed.etag, feed.last_modified)


def needs_parsing(feed: FeedState, answer: Answer | RequestFailed) -> bool:
    """Return whether `answer` brings a document that differs from the last one."""
    return (
        isinstance(answer, Answer)
        and 200 <= answer.status < 300
        and hashlib.sha256(answer.body).digest() != feed.body_hash
    )


def decide(
    feed: FeedState,
    answer: Answer | RequestFailed,
    parsed: ParsedFeed | NotAFeed | None,
    now: datetime,
    topics: TopicSet,
) -> PollResult:
    """Return the meaning of `answer` to a poll of `feed` made at `now`. Pure: no clock, no I/O.

    `parsed` is the parsed document if it `needs_parsing`.
    """
    if isinstance(answer, RequestFailed):
        return failed_poll(feed, now, str(answer), answer.kind, took_ms=answer.took_ms)
    if answer.status == 304 and not (feed.etag or feed.last_modified):
        # Nobody asked whether it has changed. If that were believed, the feed would never be read.
        what = f"{feed.host}: HTTP 304 to a request without conditions"
        return failed_poll(feed, now, what, FailureKind.HTTP_3XX, answer)
    if answer.status == 304:
        return PollResult(_succeeded(feed, answer, now, PollOutcome.NOT_MODIFIED))
    if not 200 <= answer.status < 300:
        wait = None
        if answer.status in (429, 503):
            wait = backoff.retry_after(answer.headers.get("retry-after"), now)
        if wait is not None:
            # The wait counts from the answer.
            wait += timedelta(milliseconds=answer.took_ms + 1)
        what = f"{feed.host}: HTTP {answer.status}{_by_whom(answer)}"
        return failed_poll(feed, now, what, kind_of(answer.status), answer, wait=wait)
    if parsed is None:
        return PollResult(_succeeded(feed, answer, now, PollOutcome.UNCHANGED))
    if isinstance(parsed, NotAFeed):
        return failed_poll(feed, now, f"{feed.host}: {parsed}{_by_whom(answer)}", FailureKind.NOT_A_FEED, answer)
    entries = tuple(for_ledger(feed, entry, now, topics) for entry in parsed.entries)
    # Only the ledger knows whether anything is new: see `ingest.polling.poll`.
    record = _succeeded(
        feed, answer, now, PollOutcome.UNCHANGED, with_link_header(parsed, answer.headers.get("link", ""), answer.url)
    )
    return PollResult(record, entries, hidden=_hidden(feed, answer, parsed))


def record_of_find(feed: FeedState, result: PollResult, new: Sequence[str], now: datetime) -> PollRecord:
    """Return the record of a poll for which the items with the identities `new` were new. Pure.

    Recalculates the feed's own rhythm. A server that hid new items behind a 304, or under the same ETag, is no longer
    trusted.
    """
    record = replace(result.record, outcome=PollOutcome.NEW, new_entries=len(new))
    dates = [entry.published_at for entry in result.entries if entry.published_at is not None]
    interval = narrowed(feed.poll_interval, dates, now, feed.poll_every, feed.poll_within)
    again = _next_poll(feed, interval, record.asked_wait, record.skip_hours, record.skip_days, now)
    record = replace(record, poll_interval=interval, next_poll_at=again)
    are_new = set(new)
    suspected = {identity: why for identity, why in result.hidden.items() if identity in are_new}
    if suspected and feed.distrust is None:
        record = replace(record, distrust=f"{now:%Y-%m-%d}: {next(iter(suspected.values()))}")
    return record


def _hidden(feed: FeedState, answer: Answer, parsed: ParsedFeed) -> dict[str, str]:
    """Return the items that the server has withheld if they turn out to be new, and how it did so."""
    etag = _header(answer, "etag")
    if etag is not None and etag == feed.etag:
        return {entry.identity: "new items under an unchanged ETag" for entry in parsed.entries}
    conditional_since = feed.last_full_at is not None and feed.last_polled_at is not None
    if not conditional_since or feed.last_polled_at == feed.last_full_at:
        return {}
    assert feed.last_full_at is not None
    assert feed.last_polled_at is not None
    # Published between the last whole document and the last 304, with some time for caches on the way.
    latest = feed.last_polled_at - CACHES_LAG
    return {
        entry.identity: "items published before a 304 said that there was nothing new"
        for entry in parsed.entries
        if entry.published_at is not None and feed.last_full_at < entry.published_at < latest
    }


def _succeeded(
    feed: FeedState, answer: Answer, now: datetime, outcome: PollOutcome, parsed: ParsedFeed | None = None
) -> PollRecord:
    modified = outcome != PollOutcome.NOT_MODIFIED
    # The sitemaps in an index can change while the index itself does not.
    index = parsed is not None and bool(parsed.sitemaps)
    wishes = parsed.wishes if parsed else None
    interval = widened(feed.poll_interval or feed.poll_every, feed.poll_every, feed.poll_within)
    asked_wait = max(wishes.wait, header_wish(answer.headers, now)) if wishes else feed.asked_wait
    skip_hours = sorted(wishes.skip_hours) if wishes else feed.skip_hours
    skip_days = sorted(wishes.skip_days) if wishes else feed.skip_days
    return PollRecord(
        polled_at=now,
        outcome=outcome,
        status=answer.status,
        entries=len(parsed.entries) if parsed else 0,
        new_entries=0,
        body_bytes=len(answer.body),
        took_ms=answer.took_ms,
        error=None,
        failure=None,
        next_poll_at=_next_poll(feed, interval, asked_wait, skip_hours, skip_days, now),
        failures=0,
        health="ok",
        # RFC 9111, 4.3.4: a 304 may carry a newer validator.
        etag=None if index else _header(answer, "etag") or (None if modified else feed.etag),
        last_modified=None if index else _header(answer, "last-modified") or (None if modified else feed.last_modified),
        body_hash=None if index else hashlib.sha256(answer.body).digest() if modified else feed.body_hash,
        poll_interval=interval,
        asked_wait=asked_wait,
        skip_hours=skip_hours,
        skip_days=skip_days,
        last_full_at=now if modified else feed.last_full_at,
        distrust=feed.distrust,
        hub=parsed.hub if parsed else feed.hub,
        topic=parsed.topic if parsed else feed.topic,
        **_moved(feed, answer),
    )


def _next_poll(
    feed: FeedState,
    interval: timedelta,
    asked_wait: timedelta | None,
    skip_hours: list[int] | None,
    skip_days: list[int] | None,
    now: datetime,
) -> datetime:
    wishes = Wishes(asked_wait or timedelta(0), frozenset(skip_hours or ()), frozenset(skip_days or ()))
    if feed.pushed_until is not None and feed.pushed_until > now:
        interval = pushed(interval, feed.poll_within)
    return next_poll(now, interval, wishes, feed.slug)


def _moved(feed: FeedState, answer: Answer) -> dict[str, Any]:
    """Return what is known about the feed's new address after a success."""
    if feed.address != feed.url:
        # The feed answers at its new address, or has moved on from there.
        moved_to = answer.moved_to or feed.address
        return {"moved_to": moved_to, "moved_polls": feed.moved_polls, "host": host_of(moved_to)}
    if answer.moved_to is None:
        return {"moved_to": None, "moved_polls": 0, "host": feed.host}
    polls = feed.moved_polls + 1 if answer.moved_to == feed.moved_to else 1
    used = answer.moved_to if polls >= ADOPT_AFTER_POLLS else feed.url
    return {"moved_to": answer.moved_to, "moved_polls": polls, "host": host_of(used)}


def _by_whom(answer: Answer) -> str:
    service = blocked_by(answer.status, answer.headers, answer.body)
    return f", from {service}, which keeps programs out: ask the publisher to let this one in" if service else ""


def kind_of(status: int) -> FailureKind:
    """Return the kind of failure for a status other than 2xx. Pure."""
    if status == 410:
        return FailureKind.GONE
    if 300 <= status < 400:
        return FailureKind.HTTP_3XX
    # An undefined status number is also the server's fault.
    return FailureKind.HTTP_4XX if 400 <= status < 500 else FailureKind.HTTP_5XX


def failed_poll(
    feed: FeedState,
    now: datetime,
    error: str,
    kind: FailureKind,
    answer: Answer | None = None,
    *,
    took_ms: int | None = None,
    wait: timedelta | None = None,
) -> PollResult:
    failures = feed.failures + 1
    first = feed.poll_interval or feed.poll_every
    again = now + max(backoff.after_failures(first, failures), wait or timedelta(0))
    # If the new address of a moved feed fails, go back to the configured one.
    returns = feed.address != feed.url
    record = PollRecord(
        polled_at=now,
        outcome=PollOutcome.FAILED,
        status=answer.status if answer else None,
        entries=0,
        new_entries=0,
        body_bytes=len(answer.body) if answer else 0,
        took_ms=answer.took_ms if answer else took_ms or 0,
        error=without_user_info(error),
        failure=kind,
        next_poll_at=again,
        failures=failures,
        health="gone" if kind is FailureKind.GONE else "failing",
        etag=feed.etag,
        last_modified=feed.last_modified,
        body_hash=feed.body_hash,
        poll_interval=feed.poll_interval,
        asked_wait=feed.asked_wait,
        skip_hours=feed.skip_hours,
        skip_days=feed.skip_days,
        last_full_at=feed.last_full_at,
        distrust=feed.distrust,
        hub=feed.hub,
        topic=feed.topic,
        moved_to=None if returns else feed.moved_to,
        moved_polls=0 if returns else feed.moved_polls,
        host=host_of(feed.url),
    )
    return PollResult(record, pause_host_until=now + wait if wait else None)


def _header(answer: Answer, name: str) -> str | None:
    value = answer.headers.get(name)
    return value if value is not None and is_header_value(value) else None


def unwanted(
    entry: ParsedEntry, scope: str, max_age: timedelta | None, topics: TopicSet, now: datetime
) -> tuple[Status, str] | None:
    """Return the final status and reason of an entry that should not be fetched, or None if it should be. Pure."""
    if entry.url is None:
        return Status.REJECTED, "the item has no usable link"
    if max_age is not None and entry.published_at is not None and entry.published_at < now - max_age:
        return Status.REJECTED, f"published more than {spell(max_age)} before it was seen"
    if scope == "general":
        # Sitemaps give only addresses, whose words are mostly those of the title.
        title = entry.title or slug_words(entry.url)
        if (title or entry.summary) and not topics.passes_gate(title, entry.summary):
            return Status.OFF_TOPIC, "gate"
    return None


def for_ledger(feed: FeedState, entry: ParsedEntry, now: datetime, topics: TopicSet) -> NewEntry:
    """Return an item of `feed` as a ledger entry, with its final status if it should not be fetched. Pure."""
    status, reason = unwanted(entry, feed.scope, feed.max_age, topics, now) or (Status.DISCOVERED, None)
    canonical = canonical_url(entry.url) if entry.url else None
    return NewEntry(
        identity=entry.identity,
        url=entry.url,
        canonical_url=canonical,
        host=host_of(entry.url) if entry.url else None,
        title=entry.title,
        summary=entry.summary,
        content=entry.content,
        author=entry.author,
        published_at=entry.published_at,
        status=status,
        reason=reason,
        published_note=entry.published_note,
        updated_at=entry.updated_at,
    )
