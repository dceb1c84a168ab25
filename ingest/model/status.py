"""The status of a ledger entry."""

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["FINAL", "IN_FLIGHT", "MOVES", "WITHOUT_ARTICLE", "Status", "guard_sql"]


class Status(StrEnum):
    """The values of `entries.status`. The first three are in flight, the others final."""

    DISCOVERED = "discovered"
    FETCHED = "fetched"
    EXTRACTED = "extracted"
    LANDED = "landed"
    DUPLICATE = "duplicate"
    OFF_TOPIC = "off_topic"
    REJECTED = "rejected"
    DEAD = "dead"


IN_FLIGHT = (Status.DISCOVERED, Status.FETCHED, Status.EXTRACTED)
FINAL = (Status.LANDED, Status.DUPLICATE, Status.OFF_TOPIC, Status.REJECTED, Status.DEAD)
# Final, and no article depends on the entry.
WITHOUT_ARTICLE = (Status.OFF_TOPIC, Status.REJECTED, Status.DEAD)

# Allowed transitions. Final statuses change when a page is fetched again, when rules have changed, or when another
# entry of the same text or page takes the credit.
MOVES: Mapping[Status, frozenset[Status]] = {
    # To landed and back if a page that is fetched again has not changed; off topic along with the judged twin.
    Status.DISCOVERED: frozenset(
        {Status.FETCHED, Status.LANDED, Status.DUPLICATE, Status.OFF_TOPIC, Status.REJECTED, Status.DEAD}
    ),
    Status.FETCHED: frozenset({Status.EXTRACTED, Status.LANDED, Status.DUPLICATE, Status.REJECTED, Status.DEAD}),
    Status.EXTRACTED: frozenset({Status.LANDED, Status.DUPLICATE, Status.OFF_TOPIC, Status.REJECTED, Status.DEAD}),
    Status.LANDED: frozenset(
        {Status.DISCOVERED, Status.EXTRACTED, Status.DUPLICATE, Status.OFF_TOPIC, Status.REJECTED}
    ),
    Status.DUPLICATE: frozenset(
        {Status.DISCOVERED, Status.EXTRACTED, Status.LANDED, Status.OFF_TOPIC, Status.REJECTED}
    ),
    Status.OFF_TOPIC: frozenset({Status.DISCOVERED, Status.FETCHED, Status.EXTRACTED, Status.REJECTED}),
    Status.REJECTED: frozenset({Status.DISCOVERED, Status.FETCHED, Status.EXTRACTED, Status.OFF_TOPIC}),
    Status.DEAD: frozenset({Status.DISCOVERED, Status.FETCHED, Status.EXTRACTED}),
}


def guard_sql() -> str:
    """Return MOVES as the body of the SQL function `news.may_move`, which is in db/sql/moves.sql."""
    lines = [
        f"    WHEN '{before}' THEN after IN ({', '.join(repr(str(status)) for status in Status if status in allowed)})"
        for before, allowed in MOVES.items()
    ]
    return "\n".join(["CASE before", *lines, "    ELSE false", "END"])
