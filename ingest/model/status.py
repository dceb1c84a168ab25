"""Where an entry of the ledger stands."""

from enum import StrEnum

__all__ = ["FINAL", "IN_FLIGHT", "WITHOUT_ARTICLE", "Status"]


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
# Final, and no article rests on the entry.
WITHOUT_ARTICLE = (Status.OFF_TOPIC, Status.REJECTED, Status.DEAD)
