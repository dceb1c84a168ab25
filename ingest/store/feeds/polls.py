"""Record polls and pushes, and the state of the feeds after them."""

from collections.abc import Sequence
from datetime import datetime

from db import Connection
from ingest.model.outcomes import PollOutcome
from ingest.store.feeds.state import FeedState, PollRecord

__all__ = ["save_polls", "save_push"]

# The columns of `feeds` that a poll sets, with their types; skip_hours and skip_days come as array literals.
_SET_BY_POLL = {
    "next_poll_at": "timestamptz",
    "failures": "int",
    "failure": "text",
    "host": "text",
    "poll_interval": "interval",
    "asked_wait": "interval",
    "skip_hours": "smallint[]",
    "skip_days": "smallint[]",
    "last_full_at": "timestamptz",
    "distrust": "text",
    "moved_to": "text",
    "moved_polls": "int",
    "hub": "text",
    "topic": "text",
    "etag": "text",
    "last_modified": "text",
    "body_hash": "bytea",
}
# And those of `feed_polls`, with what a PollRecord calls them.
_POLL = {
    "polled_at": "timestamptz",
    "outcome": "text",
    "status": "smallint",
    "entries": "int",
    "new_entries": "int",
    "body_bytes": "bigint",
    "took_ms": "int",
    "error": "text",
    "failure": "text",
}
_PASSED = {"feed": "bigint", "health": "text"} | _SET_BY_POLL | _POLL


def save_polls(connection: Connection, polls: Sequence[tuple[FeedState, PollRecord]]) -> None:
    """Record polls and the feeds' new states. Feeds that another session has claimed since are left alone."""
    ordered = sorted(polls, key=lambda item: item[0].id)
    records = [poll for _, poll in ordered]
    columns = {name: [getattr(poll, name) for poll in records] for name in _PASSED if name != "feed"}
    for name in ("skip_hours", "skip_days"):
        # Arrays of arrays must be rectangular.
        columns[name] = [None if part is None else "{" + ",".join(map(str, part)) + "}" for part in columns[name]]
    # One statement for all of them: most polls bring nothing, and cost little but this.
    connection.execute(
        f"""
        WITH passed AS (
            SELECT * FROM unnest({", ".join(f"%({name})s::{_plain(kind)}[]" for name, kind in _PASSED.items())})
                AS passed({", ".join(_PASSED)})
        ), polled AS (
            UPDATE news.feeds f SET
                {", ".join(f"{name} = p.{name}::{kind}" for name, kind in _SET_BY_POLL.items())},
                lease_holder = NULL, last_polled_at = p.polled_at, last_error = p.error,
                last_success_at = CASE WHEN p.error IS NULL THEN p.polled_at ELSE f.last_success_at END,
                last_new_at = CASE WHEN p.new_entries > 0 THEN p.polled_at ELSE f.last_new_at END,
                health = CASE WHEN f.enabled THEN p.health ELSE f.health END
            FROM passed p WHERE f.id = p.feed AND f.lease_holder = news.lease()
            RETURNING {", ".join(f"p.{name}" for name in ("feed", *_POLL))}
        )
        INSERT INTO news.feed_polls (feed_id, {", ".join(name.replace("body_bytes", "bytes") for name in _POLL)})
        SELECT * FROM polled
        """,
        columns | {"feed": [feed.id for feed, _ in ordered]},
    )


def _plain(kind: str) -> str:
    return "text" if kind.endswith("[]") else kind


def save_push(
    connection: Connection, feed: FeedState, at: datetime, *, entries: int, new_entries: int, body_bytes: int
) -> None:
    """Record that a hub sent news of a feed. Its polling state does not change. Does not commit."""
    outcome = PollOutcome.NEW if new_entries else PollOutcome.UNCHANGED
    connection.execute(
        "UPDATE news.feeds SET last_new_at = CASE WHEN %s > 0 THEN %s ELSE last_new_at END WHERE id = %s",
        [new_entries, at, feed.id],
    )
    connection.execute(
        "INSERT INTO news.feed_polls (feed_id, polled_at, outcome, entries, new_entries, bytes, took_ms, pushed)"
        " VALUES (%s, %s, %s, %s, %s, %s, 0, true)",
        [feed.id, at, outcome, entries, new_entries, body_bytes],
    )
