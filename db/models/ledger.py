"""The ledger: each item seen in a feed and what became of it."""

from datetime import datetime

from sqlalchemy import REAL, CheckConstraint, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, feed_key, number, one_of

IN_FLIGHT_STATUSES = ("discovered", "fetched", "extracted")
FINAL_STATUSES = ("landed", "duplicate", "off_topic", "rejected", "dead")


class Entry(Base):
    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("feed_id", "identity"),
        CheckConstraint(one_of("status", IN_FLIGHT_STATUSES + FINAL_STATUSES), name="status"),
        CheckConstraint(
            f"({one_of('status', IN_FLIGHT_STATUSES)}) = (next_attempt_at IS NOT NULL)", name="next_attempt_at"
        ),
        CheckConstraint("lease_holder IS NULL OR next_attempt_at IS NOT NULL", name="lease_holder"),
        CheckConstraint(
            f"reason IS NOT NULL OR NOT ({one_of('status', ('off_topic', 'rejected', 'dead'))})", name="reason"
        ),
        CheckConstraint(
            "(url IS NOT NULL AND canonical_url IS NOT NULL AND host IS NOT NULL) OR status = 'rejected'", name="url"
        ),
        CheckConstraint("attempts >= 0", name="attempts"),
        # Three partial indexes that only contain entries in flight, one per kind of claim.
        Index(
            "entries_to_fetch_idx",
            "host",
            "priority",
            "next_attempt_at",
            "id",
            postgresql_where=text("status = 'discovered'"),
        ),
        Index("entries_to_extract_idx", "next_attempt_at", "id", postgresql_where=text("status = 'fetched'")),
        Index("entries_to_land_idx", "next_attempt_at", "id", postgresql_where=text("status = 'extracted'")),
        Index("entries_recheck_idx", "recheck_at", postgresql_where=text("recheck_at IS NOT NULL")),
        # Entries in flight per host, and those left behind by dead sessions.
        Index("entries_leased_idx", "host", "status", postgresql_where=text("lease_holder IS NOT NULL")),
        Index("entries_canonical_url_idx", "canonical_url"),
        # For deletion by age and for the outcomes of a period. Rows are inserted in the order of this column.
        Index("entries_discovered_at_idx", "discovered_at", postgresql_using="brin"),
        # Counts outcomes by feed and time without reading the table. Written once per entry, when it ends.
        Index(
            "entries_ended_idx",
            "discovered_at",
            "feed_id",
            "status",
            postgresql_where=text("next_attempt_at IS NULL"),
        ),
        {
            "comment": "The ledger: each item seen in a feed and what became of it. Not partitioned, because an item "
            "must be known again however old it is; deleted by age through entries_discovered_at_idx."
        },
    )
    id: Mapped[int] = number("Number of the entry.")
    feed_id: Mapped[int] = feed_key()
    identity: Mapped[str] = mapped_column(
        comment="What names the item within its feed: its guid, else its URL, else a hash of title and summary."
    )
    url: Mapped[str | None] = mapped_column(comment="Address of the article as the feed gives it, made absolute.")
    canonical_url: Mapped[str | None] = mapped_column(
        comment="The address without tracking parameters and fragment, for recognising the same page."
    )
    host: Mapped[str | None] = mapped_column(comment="Host and port of the address, the unit of politeness.")
    title: Mapped[str | None] = mapped_column(comment="Title in the feed, as plain text.")
    summary: Mapped[str | None] = mapped_column(comment="Summary in the feed, as plain text.")
    content: Mapped[str | None] = mapped_column(comment="Full text in the feed (content:encoded), as HTML.")
    author: Mapped[str | None] = mapped_column(comment="Author in the feed.")
    published_at: Mapped[datetime | None] = mapped_column(comment="Publication time in the feed.")
    published_note: Mapped[str | None] = mapped_column(
        comment="What is doubtful about published_at: future (with what the feed says; published_at is when it was "
        "seen), no zone (taken for the time of the feed's country), no time (its first minute), lastmod (only the last "
        "change is known), too old (null)."
    )
    updated_at: Mapped[datetime | None] = mapped_column(comment="Time of the last change in the feed.")
    discovered_at: Mapped[datetime] = mapped_column(comment="When the item was first seen.")
    status: Mapped[str] = mapped_column(
        server_default="discovered",
        comment="discovered, fetched, extracted (in flight); landed, duplicate, off_topic, rejected, dead (final).",
    )
    reason: Mapped[str | None] = mapped_column(comment="Why the entry ended as it did, or why it is tried again.")
    attempts: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Failed or interrupted attempts at the present stage."
    )
    next_attempt_at: Mapped[datetime | None] = mapped_column(
        comment="When the next stage may take the entry; null when final."
    )
    lease_holder: Mapped[int | None] = mapped_column(
        Integer,
        comment="Token of the session that works on the entry (leases.token); it ends with that session.",
    )
    priority: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("0"),
        comment="Rank among the entries of its host that wait to be fetched: 0 new in a feed, 1 fetched again to see "
        "whether it changed, 2 from a backfill.",
    )
    recheck_at: Mapped[datetime | None] = mapped_column(
        comment="When the page is fetched again to see whether it changed; null when that is done or not intended."
    )
    rechecks: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("0"), comment="How often the page was fetched again for that."
    )
    topic_score: Mapped[float | None] = mapped_column(
        REAL, comment="Score of the best topic of one that ended as off_topic for mentioning it only."
    )
