"""Tables about the operation of the pipeline itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, number, one_of

FEED_ALERT_KINDS = ("nothing_new", "unchanged", "blocked", "failing", "no_entries", "no_text", "filtered")
OWN_ALERT_KINDS = ("configuration", "stalled", "workers", "backlog")


class Alert(Base):
    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint(one_of("kind", FEED_ALERT_KINDS + OWN_ALERT_KINDS), name="kind"),
        CheckConstraint(f"(feed_id IS NULL) = ({one_of('kind', OWN_ALERT_KINDS)})", name="feed_id"),
        Index(
            "alerts_open_idx",
            "feed_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        {"comment": "Something that is wrong with a source, or with the pipeline: since when, until when, and why."},
    )
    id: Mapped[int] = number("Number of the alert.")
    feed_id: Mapped[int | None] = mapped_column(
        ForeignKey("news.feeds.id"), comment="The feed (feeds.id); null for the pipeline itself."
    )
    kind: Mapped[str] = mapped_column(
        comment="nothing_new (other answers, but no new entries), unchanged (the same answer again and again), blocked "
        "(the server refuses us), failing (other failures), no_entries (answers without entries), no_text (nothing can "
        "be extracted from its pages), filtered (everything it brings is off topic). Of the pipeline: configuration (a "
        "file is broken and the last good one is used), stalled (work is due and nothing is done), workers (worker "
        "processes die and no page is to blame), backlog (work waits for hours)."
    )
    started_at: Mapped[datetime] = mapped_column(
        comment="Since when: the last find, success or landed article before it."
    )
    noticed_at: Mapped[datetime] = mapped_column(comment="When it was noticed.")
    ended_at: Mapped[datetime | None] = mapped_column(comment="When it was over; null while it lasts.")
    said: Mapped[str] = mapped_column(comment="A sentence that says what is wrong.")
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="The numbers it rests on.")


class Lease(Base):
    __tablename__ = "leases"
    __table_args__ = (
        {"comment": "A session that works on rows (their lease_holder), and until when it counts as alive."},
    )
    token: Mapped[int] = mapped_column(
        Integer, Identity(always=True, cycle=True), primary_key=True, comment="Number of the lease, never used twice."
    )
    pid: Mapped[int] = mapped_column(Integer, comment="Backend process id of the session.")
    alive_until: Mapped[datetime] = mapped_column(
        comment="When others may take its rows, unless it says before that it is alive."
    )


class Lock(Base):
    __tablename__ = "locks"
    __table_args__ = ({"comment": "What only one session does at a time: it locks the row. Readers cannot."},)
    name: Mapped[str] = mapped_column(primary_key=True, comment="What the lock is for.")


class Configuration(Base):
    __tablename__ = "configurations"
    __table_args__ = (
        {"comment": "The configuration files as they were last understood, and what is wrong with them now."},
    )
    file: Mapped[str] = mapped_column(primary_key=True, comment="feeds or topics.")
    content: Mapped[str | None] = mapped_column(comment="The file as it was last understood.")
    content_hash: Mapped[str | None] = mapped_column(comment="SHA-256 of that, in hexadecimal.")
    understood_at: Mapped[datetime | None] = mapped_column(comment="When it was first read in this form.")
    problem: Mapped[str | None] = mapped_column(comment="What is wrong with the file now; null where nothing is.")
    problem_since: Mapped[datetime | None] = mapped_column(comment="Since when.")


class WorkerDeath(Base):
    __tablename__ = "worker_deaths"
    __table_args__ = (
        Index("worker_deaths_died_at_idx", "died_at"),
        {"comment": "A worker process that died without a page being to blame."},
    )
    id: Mapped[int] = number("Number of the death.")
    died_at: Mapped[datetime] = mapped_column(comment="When it was noticed.")
    said: Mapped[str] = mapped_column(comment="How it died.")


class PeriodicWork(Base):
    __tablename__ = "periodic_work"
    __table_args__ = ({"comment": "What is done now and then, by whichever worker comes by."},)
    task: Mapped[str] = mapped_column(primary_key=True, comment="Name of the task.")
    done_at: Mapped[datetime] = mapped_column(comment="When it was last begun.")
