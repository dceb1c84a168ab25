"""The table `entries`, the ledger: each item seen in a feed and what became of it.

An entry moves discovered -> fetched -> extracted -> landed (or ends earlier) by the functions of this package alone.
Those that move claimed entries do not commit: the stage commits its result together with the new status.
"""

from ingest.store.ledger.again import (
    SELECTED,
    Gated,
    Selection,
    count_with_pages,
    forget,
    kept_by_gate,
    land_again,
    let_through,
    reject,
    reopen,
    set_off_topic,
    with_pages,
)  # fmt: skip
from ingest.store.ledger.claims import (
    ExtractJob,
    FetchJob,
    LandJob,
    advance,
    claim_to_extract,
    claim_to_fetch,
    claim_to_land,
    finish,
    finish_landing,
    give_back,
    keep,
    lock_claimed,
    next_fetch_at,
    retry,
    take_up_rechecks,
)  # fmt: skip
from ingest.store.ledger.due import (
    LONGEST_TURN,
    Due,
    announce,
    anything_due,
    anything_expected,
    anything_ready,
    due,
    neglected,
    next_due_at,
    waiting,
    wake,
)  # fmt: skip
from ingest.store.ledger.items import (
    FEED_DATE,
    Change,
    KnownItem,
    NewEntry,
    known_items,
    note_changes,
    promote,
    record,
)
from ingest.store.ledger.ranks import BACKFILL, LIVE, RECHECK
from ingest.store.ledger.statistics import (
    backlog,
    by_status,
    frequent_reasons,
    funnel,
    outcomes,
    statistics,
    weekly_outcomes,
)

__all__ = [
    "BACKFILL", "FEED_DATE", "LIVE", "LONGEST_TURN", "RECHECK", "SELECTED", "Change", "Due", "ExtractJob", "FetchJob",
    "Gated", "KnownItem", "LandJob", "NewEntry", "Selection", "advance", "announce", "anything_due",
    "anything_expected", "anything_ready", "backlog", "by_status", "claim_to_extract", "claim_to_fetch",
    "claim_to_land", "count_with_pages", "due", "finish", "finish_landing", "forget", "frequent_reasons", "funnel",
    "give_back", "keep", "kept_by_gate", "known_items", "land_again", "let_through", "lock_claimed", "neglected",
    "next_due_at", "next_fetch_at", "note_changes", "outcomes", "promote", "record", "reject", "reopen", "retry",
    "set_off_topic", "statistics", "take_up_rechecks", "waiting", "wake", "weekly_outcomes", "with_pages",
]  # fmt: skip
