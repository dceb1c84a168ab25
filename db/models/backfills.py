"""Backfills: what was published before a feed was added."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, feed_key, number, one_of

PART_STATUSES = ("waiting", "done", "failed", "skipped")


class Backfill(Base):
    __tablename__ = "backfills"
    __table_args__ = (
        UniqueConstraint("feed_id", "since", "until"),
        CheckConstraint("since < until", name="period"),
        {"comment": "A walk through what a feed's site published in the past, see `ingest backfill`."},
    )
    id: Mapped[int] = number("Number of the backfill.")
    feed_id: Mapped[int] = feed_key()
    since: Mapped[datetime] = mapped_column(comment="Items published at or after this time are wanted.")
    until: Mapped[datetime] = mapped_column(comment="Items published before this time are wanted.")
    started_at: Mapped[datetime] = mapped_column(comment="When it was first started.")
    finished_at: Mapped[datetime | None] = mapped_column(
        comment="When its last document was read; null while there are some left."
    )
    lease_holder: Mapped[int | None] = mapped_column(
        Integer, comment="Token of the session that works on it (leases.token)."
    )


class BackfillPart(Base):
    __tablename__ = "backfill_parts"
    __table_args__ = (
        UniqueConstraint("backfill_id", "url"),
        CheckConstraint(one_of("status", PART_STATUSES), name="status"),
        Index("backfill_parts_waiting_idx", "backfill_id", "id", postgresql_where=text("status = 'waiting'")),
        {"comment": "A document that a backfill reads: a sitemap, a sitemap index, a page of a feed."},
    )
    id: Mapped[int] = number("Number of the part, in the order in which parts were found.")
    backfill_id: Mapped[int] = mapped_column(
        ForeignKey("news.backfills.id", ondelete="CASCADE"), comment="The backfill (backfills.id)."
    )
    url: Mapped[str] = mapped_column(comment="Address of the document.")
    status: Mapped[str] = mapped_column(
        server_default="waiting",
        comment="waiting, done, failed (with error), skipped (it cannot hold anything of the period).",
    )
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Failed attempts to read it.")
    next_attempt_at: Mapped[datetime] = mapped_column(comment="When it may be asked for, while it waits.")
    items: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Items of the period in it.")
    new_entries: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Of those, items that were not in the ledger."
    )
    undated: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Items without any date, which are passed over."
    )
    error: Mapped[str | None] = mapped_column(comment="Why it could not be read.")
    read_at: Mapped[datetime | None] = mapped_column(comment="When it was read, or given up.")
