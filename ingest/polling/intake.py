"""Puts the items of a feed document into the ledger, whether it was polled, pushed, or found by a backfill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db import Connection
from ingest.polling.recognition import recognise
from ingest.store import articles, hosts, ledger
from ingest.store.ledger import LIVE, NewEntry

__all__ = ["TakenIn", "take_in"]


@dataclass(frozen=True)
class TakenIn:
    """The identities of the new items, and how many known items have changed and are fetched again."""

    new: tuple[str, ...]
    changed: int


def take_in(
    connection: Connection, feed_id: int, entries: Sequence[NewEntry], now: datetime, priority: int = LIVE
) -> TakenIn:
    """Record the new items of a document, and what has changed in the known ones. Does not commit.

    If another feed has already listed the same page, a new item takes over the outcome of that entry.
    """
    if not entries:
        return TakenIn((), 0)
    hosts.register(connection, {entry.host for entry in entries if entry.host}, now)
    seen = recognise(entries, ledger.known_items(connection, feed_id, entries))
    new = ledger.record(connection, feed_id, seen.new, now, priority)
    # A backfill lists old versions, so it does not report changes.
    changed = ledger.note_changes(connection, seen.changed, now) if priority == LIVE else 0
    urls = [entry.canonical_url for entry in entries if entry.canonical_url]
    if priority == LIVE:
        ledger.promote(connection, urls)
    articles.settle_twins(connection, urls, now)
    return TakenIn(tuple(new.values()), changed)
