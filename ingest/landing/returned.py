"""Pages that were fetched again land again: their articles are revised or stay unchanged.

If the text or title of such a page has changed, the article that describes it keeps its id and takes over the new ones;
the old ones become a revision. A copy at another place that has changed is separated: it becomes an article of its own,
or a sighting of the article whose text it now has.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from db import Connection
from ingest.model.status import Status
from ingest.store import articles
from ingest.store.articles import Landing, Present
from ingest.store.ledger import End
from ingest.text.similarity import Comparable

__all__ = ["Returned", "settle_returned"]

log = logging.getLogger(__name__)


@dataclass
class Returned:
    """The outcome for pages that were fetched again: the ends of entries, sightings, and how many articles changed."""

    ends: list[End] = field(default_factory=list)
    sightings: list[tuple[int, Landing]] = field(default_factory=list)
    revised: int = 0
    texts: dict[int, Comparable] = field(default_factory=dict)
    corrected: list[int] = field(default_factory=list)


def settle_returned(
    connection: Connection, again: list[Landing], before: dict[int, Present], known: dict[str, Present], now: datetime
) -> Returned:
    """Settle pages that were fetched again, except copies that have become separate texts.

    `before` has the articles of their entries, `known` has articles by content. `known` is updated with the current
    texts of revised articles.
    """
    returned = Returned()
    latest = {present.id: present for present in before.values()}
    # Entries that articles describe come first, so that their copies find the article's current text.
    credited = {present.place.entry_id for present in before.values()}
    order = sorted(again, key=lambda landing: (landing.document.entry_id not in credited, landing.document.entry_id))
    for landing in order:
        document = landing.document
        present = latest[before[document.entry_id].id]
        same = known.get(landing.content_hash)
        own_page = document.canonical_url == present.place.canonical_url
        if not own_page and landing.matches and (same is None or same.id != present.id):
            continue
        # An article whose new text is that of another article is not revised, because each text exists only once.
        if own_page and (same is None or same.id == present.id) and _has_changed(landing, present):
            present = articles.revise(connection, present, landing, now)
            latest[present.id] = present
            # Its former texts must also lead to the article as it is now.
            for content_hash, other in known.items():
                if other.id == present.id:
                    known[content_hash] = present
            known[landing.content_hash] = present
            returned.revised += 1
            returned.texts[present.id] = Comparable(present.title, landing.folded)
            log.info("revised %s: %s", document.canonical_url, (document.title or "")[:100])
        if own_page:
            articles.correct(connection, present, landing)
            returned.corrected.append(present.id)
        returned.sightings.append((present.id, landing))
        score = landing.mention.score if landing.mention else None
        if document.entry_id == present.place.entry_id:
            end = End(document.entry_id, Status.LANDED, None, score)
        else:
            end = End(document.entry_id, Status.DUPLICATE, "same page" if own_page else "same text", score)
        returned.ends.append(end)
    return returned


def _has_changed(landing: Landing, present: Present) -> bool:
    """Return whether a page differs from its article. Of several entries for it, the credited one sets the title."""
    if landing.content_hash != present.content_hash:
        return True
    credited = landing.document.entry_id == present.place.entry_id
    return credited and landing.document.title is not None and landing.document.title != present.title
