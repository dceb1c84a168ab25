"""The table `entries`, the ledger: each item seen in a feed and what became of it.

An entry goes discovered -> fetched -> extracted -> landed, or ends earlier. `moves` has all the ways it may take.
"""

from ingest.store.ledger.claims import (
    ExtractJob,
    FetchJob,
    LandJob,
    claim_to_extract,
    claim_to_fetch,
    claim_to_land,
    give_back,
    lock_claimed,
    next_fetch_at,
    retry,
)
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
from ingest.store.ledger.moves import (
    MOVES,
    End,
    advance,
    credit,
    end,
    end_landing,
    end_unchanged,
    guard_sql,
    land_again,
    let_through,
    refetch,
    reject,
    reopen,
    set_off_topic,
    settle_waiting,
    take_up_rechecks,
    work_again,
)
from ingest.store.ledger.ranks import BACKFILL, LIVE, RECHECK
from ingest.store.ledger.selection import (
    SELECTED,
    Gated,
    Selection,
    count_with_pages,
    delete_without_article,
    kept_by_gate,
    with_pages,
)
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
    "BACKFILL", "FEED_DATE", "LIVE", "LONGEST_TURN", "MOVES", "RECHECK", "SELECTED", "Change", "Due", "End",
    "ExtractJob", "FetchJob", "Gated", "KnownItem", "LandJob", "NewEntry", "Selection", "advance", "announce",
    "anything_due", "anything_expected", "anything_ready", "backlog", "by_status", "claim_to_extract",
    "claim_to_fetch", "claim_to_land", "count_with_pages", "credit", "delete_without_article", "due", "end",
    "end_landing", "end_unchanged", "frequent_reasons", "funnel", "give_back", "guard_sql", "kept_by_gate",
    "known_items", "land_again", "let_through", "lock_claimed", "neglected", "next_due_at", "next_fetch_at",
    "note_changes", "outcomes", "promote", "record", "refetch", "reject", "reopen", "retry", "set_off_topic",
    "settle_waiting", "statistics", "take_up_rechecks", "waiting", "wake", "weekly_outcomes", "with_pages",
    "work_again",
]  # fmt: skip
