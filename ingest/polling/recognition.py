"""Decides which items of a feed are new, and which of the known ones have changed. Pure: no clock, no I/O.

A feed identifies its items by guids, but some feeds use the same guid for different items, or a new one for the same
item each time. An address that no other item shares then identifies the item.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.store.ledger import Change, KnownItem, NewEntry

__all__ = ["Recognised", "recognise"]


@dataclass(frozen=True)
class Recognised:
    """The new items, and the known ones that have changed."""

    new: tuple[NewEntry, ...]
    changed: tuple[Change, ...]


def recognise(entries: Sequence[NewEntry], known: Sequence[KnownItem]) -> Recognised:
    """Return which of `entries`, the items of one feed document, are new or changed.

    `known` are the feed's items in the ledger that share a guid or an address with them. A known guid identifies an
    item, unless both its address and its title differ from those of the known item. An item with an unknown guid is
    identified by its address, unless another item of the document has the same address.
    """
    by_identity = {item.identity: item for item in known}
    by_url: dict[str | None, KnownItem] = {item.canonical_url: item for item in known if item.canonical_url}
    shared = Counter(entry.canonical_url for entry in entries)
    named = {entry.identity for entry in entries}
    new: dict[str, NewEntry] = {}
    changed: dict[int, Change] = {}
    for entry in entries:
        item = by_identity.get(entry.identity)
        at_url = by_url.get(entry.canonical_url)
        if item is None and at_url is not None and shared[entry.canonical_url] == 1 and at_url.identity not in named:
            item = at_url
        elif item is not None and _is_another(item, entry):
            item = at_url
            if item is None:
                entry = replace(entry, identity=f"{entry.identity[:500]} {entry.canonical_url}")  # noqa: PLW2901
        if item is None or (item.canonical_url is None and entry.url is not None):
            new.setdefault(entry.identity, entry)
        elif _has_changed(item, entry):
            refetch = entry.status == "discovered" or item.status in ("landed", "duplicate")
            changed.setdefault(item.id, Change(item.id, entry, refetch and entry.url is not None))
    return Recognised(tuple(new.values()), tuple(changed.values()))


def _is_another(item: KnownItem, entry: NewEntry) -> bool:
    """Return whether `entry` is a different item with the same guid as `item`."""
    if item.canonical_url is None or entry.canonical_url is None:
        return False
    return item.canonical_url != entry.canonical_url and item.title != entry.title


def _has_changed(item: KnownItem, entry: NewEntry) -> bool:
    # A value that was missing before (in a sitemap, or in items stored by older versions) is not a change.
    return any(
        before is not None and now is not None and before != now
        for before, now in (
            (item.title, entry.title),
            (item.summary, entry.summary),
            (item.updated_at, entry.updated_at),
        )
    )
