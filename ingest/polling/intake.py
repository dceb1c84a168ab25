"""What a feed document lists goes into the ledger, however the document came: polled, pushed, or from the past."""

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
    """The identities of the items that were new, and how many known ones are fetched again as they have changed."""

    new: tuple[str, ...]
    changed: int


def take_in(
    connection: Connection, feed_id: int, entries: Sequence[NewEntry], now: datetime, priority: int = LIVE
) -> TakenIn:
    """Record the items of a document that are new, and note what has changed about the others. Does not commit.

    New items of pages that other feeds have listed before take over what became of those.
    """
    if not entries:
        return TakenIn((), 0)
    hosts.register(connection, {entry.host for entry in entries if entry.host}, now)
    seen = recognise(entries, ledger.known_items(connection, feed_id, entries))
    new = ledger.record(connection, feed_id, seen.new, now, priority)
    # What is listed about the past is no news.
    changed = ledger.note_changes(connection, seen.changed, now) if priority == LIVE else 0
    urls = [entry.canonical_url for entry in entries if entry.canonical_url]
    if priority == LIVE:
        ledger.promote(connection, urls)
    articles.settle_twins(connection, urls, now)
    return TakenIn(tuple(new.values()), changed)
