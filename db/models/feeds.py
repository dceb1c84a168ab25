"""Feeds and their polls."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Integer, PrimaryKeyConstraint, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, feed_key, number, one_of

HEALTHS = ("waiting", "ok", "failing", "gone", "disabled")
SCOPES = ("topic", "general")
POLL_OUTCOMES = ("new", "unchanged", "not_modified", "failed")


class Feed(Base):
    __tablename__ = "feeds"
    __table_args__ = (
        CheckConstraint(one_of("health", HEALTHS), name="health"),
        CheckConstraint(one_of("scope", SCOPES), name="scope"),
        CheckConstraint("failures >= 0", name="failures"),
        # Used to claim due feeds, host by host.
        Index("feeds_due_idx", "host", "next_poll_at", "id", postgresql_where=text("enabled")),
        # Finds the few due feeds among many.
        Index("feeds_next_poll_at_idx", "next_poll_at", "host", postgresql_where=text("enabled")),
        # Hosts with a poll in flight.
        Index("feeds_leased_idx", "host", postgresql_where=text("lease_holder IS NOT NULL")),
        {"comment": "A configured feed and its polling state. Feeds taken out of the configuration stay, disabled."},
    )
    id: Mapped[int] = number("Number of the feed.")
    slug: Mapped[str] = mapped_column(unique=True, comment="The feed's id in feeds.yaml.")
    url: Mapped[str] = mapped_column(unique=True, comment="Address of the feed.")
    host: Mapped[str] = mapped_column(comment="Host and port of the address, the unit of politeness.")
    outlet: Mapped[str] = mapped_column(comment="Name of the publisher.")
    language: Mapped[str | None] = mapped_column(comment="Language of the feed as configured (ISO 639-1).")
    country: Mapped[str | None] = mapped_column(comment="Country of the publisher (ISO 3166-1 alpha-2).")
    scope: Mapped[str] = mapped_column(
        server_default="topic",
        comment="general: only entries that pass the topic's gate by title or summary are fetched; topic: all are.",
    )
    enabled: Mapped[bool] = mapped_column(server_default=text("true"), comment="Whether the feed is polled.")
    poll_every: Mapped[timedelta] = mapped_column(comment="Configured shortest time between two polls.")
    poll_within: Mapped[timedelta] = mapped_column(
        server_default=text("interval '1 hour'"), comment="Configured longest time between two polls of a quiet feed."
    )
    poll_interval: Mapped[timedelta | None] = mapped_column(
        comment="Time between two polls that the feed's own rhythm suggests, within those bounds."
    )
    asked_wait: Mapped[timedelta | None] = mapped_column(
        comment="Time between two polls that the feed document asks for (ttl, sy:updatePeriod)."
    )
    skip_hours: Mapped[list[int] | None] = mapped_column(
        ARRAY(SmallInteger), comment="Hours of the day (UTC) in which the feed asks not to be polled."
    )
    skip_days: Mapped[list[int] | None] = mapped_column(
        ARRAY(SmallInteger), comment="Days of the week (0 is Monday) on which the feed asks not to be polled."
    )
    max_age: Mapped[timedelta | None] = mapped_column(comment="Entries published longer ago than this are not fetched.")
    created_at: Mapped[datetime] = mapped_column(comment="When the feed first appeared in the configuration.")
    next_poll_at: Mapped[datetime] = mapped_column(comment="When the next poll is due; while a poll runs, its lease.")
    lease_holder: Mapped[int | None] = mapped_column(
        Integer, comment="Token of the session that polls the feed right now (leases.token)."
    )
    last_polled_at: Mapped[datetime | None] = mapped_column(comment="When the feed was last polled.")
    last_success_at: Mapped[datetime | None] = mapped_column(comment="When a poll last succeeded.")
    last_new_at: Mapped[datetime | None] = mapped_column(comment="When a poll last found a new entry.")
    failures: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Failed polls since the last success."
    )
    last_error: Mapped[str | None] = mapped_column(comment="Why the last poll failed; null after a success.")
    failure: Mapped[str | None] = mapped_column(
        comment="Kind of the last failure: dns, refused, tls, timeout, connection, redirects, blocked, too_large, "
        "http_3xx, http_4xx, http_5xx, gone, not_a_feed; null after a success."
    )
    health: Mapped[str] = mapped_column(
        server_default="waiting",
        comment="waiting (not polled yet), ok, failing (last poll failed), gone (the server says it is: 410), "
        "disabled (not in the configuration).",
    )
    etag: Mapped[str | None] = mapped_column(comment="ETag of the last answer, sent back as If-None-Match.")
    last_modified: Mapped[str | None] = mapped_column(
        comment="Last-Modified of the last answer, sent back as If-Modified-Since."
    )
    body_hash: Mapped[bytes | None] = mapped_column(
        comment="SHA-256 of the last body, which spares parsing the same body again."
    )
    last_full_at: Mapped[datetime | None] = mapped_column(
        comment="When the server last sent the whole document; it is asked for once a day, whatever a 304 would say."
    )
    distrust: Mapped[str | None] = mapped_column(
        comment="Why the server's 304 is not believed: how it was caught. Such a feed is always asked for as a whole."
    )
    moved_to: Mapped[str | None] = mapped_column(comment="Address that permanent redirects (301, 308) lead to.")
    moved_polls: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Polls in a row that led there; from the fifth on it is used."
    )
    hub: Mapped[str | None] = mapped_column(
        comment="Hub that announces news of the feed, as the feed names it (WebSub)."
    )
    topic: Mapped[str | None] = mapped_column(comment="Address under which the hub knows the feed.")
    pushed_until: Mapped[datetime | None] = mapped_column(
        comment="End of the subscription at the hub; until then the feed is polled less often."
    )


class FeedPoll(Base):
    __tablename__ = "feed_polls"
    __table_args__ = (
        PrimaryKeyConstraint("id", "polled_at"),
        CheckConstraint(one_of("outcome", POLL_OUTCOMES), name="outcome"),
        CheckConstraint("(outcome = 'failed') = (error IS NOT NULL)", name="error"),
        Index("feed_polls_feed_idx", "feed_id", "polled_at"),
        # A feed's rhythm is computed from its last polls with new entries.
        Index("feed_polls_new_idx", "feed_id", "polled_at", postgresql_where=text("outcome = 'new'")),
        {
            "comment": "A poll of a feed and its outcome. Partitioned by month of polled_at.",
            "postgresql_partition_by": "RANGE (polled_at)",
        },
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), comment="Number of the poll.")
    feed_id: Mapped[int] = feed_key()
    polled_at: Mapped[datetime] = mapped_column(comment="When the poll was made.")
    outcome: Mapped[str] = mapped_column(
        comment="new (entries not seen before), unchanged (an answer without), not_modified (304), failed."
    )
    status: Mapped[int | None] = mapped_column(SmallInteger, comment="HTTP status, null when there was no answer.")
    entries: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="Entries in the answer.")
    new_entries: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Entries not seen in this feed before."
    )
    bytes: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="Size of the answer's body, decoded, in bytes."
    )
    took_ms: Mapped[int] = mapped_column(Integer, comment="Duration of the request, in milliseconds.")
    error: Mapped[str | None] = mapped_column(comment="Why the poll failed.")
    failure: Mapped[str | None] = mapped_column(comment="Kind of the failure, as in feeds.failure.")
    pushed: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Whether a hub sent the document without being asked (WebSub)."
    )
