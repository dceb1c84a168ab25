"""Feed subscriptions at hubs."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, one_of

SUBSCRIPTION_STATUSES = ("requested", "active", "denied", "failed")


class WebSubSubscription(Base):
    __tablename__ = "websub_subscriptions"
    __table_args__ = (
        CheckConstraint(one_of("status", SUBSCRIPTION_STATUSES), name="status"),
        Index("websub_subscriptions_next_request_idx", "next_request_at"),
        {"comment": "A subscription to a feed at its hub (WebSub). It holds secrets, and is not for news_reader."},
    )
    feed_id: Mapped[int] = mapped_column(
        ForeignKey("news.feeds.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="The feed (feeds.id).",
    )
    hub: Mapped[str] = mapped_column(comment="Address of the hub.")
    topic: Mapped[str] = mapped_column(comment="Address of the feed at the hub.")
    token: Mapped[str] = mapped_column(unique=True, comment="Last part of the address to which the hub sends news.")
    secret: Mapped[str] = mapped_column(comment="Key with which the hub signs what it sends.")
    status: Mapped[str] = mapped_column(
        comment="requested (the hub has not confirmed it yet), active, denied (by the hub), failed (no usable answer)."
    )
    requested_at: Mapped[datetime] = mapped_column(comment="When the hub was last asked.")
    expires_at: Mapped[datetime | None] = mapped_column(comment="When the subscription ends unless it is renewed.")
    next_request_at: Mapped[datetime] = mapped_column(
        comment="When the hub is asked next: at half of the lease, or after a failure."
    )
    failures: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="Requests in a row that came to nothing."
    )
    error: Mapped[str | None] = mapped_column(comment="What went wrong with the last request.")
    last_push_at: Mapped[datetime | None] = mapped_column(comment="When the hub last sent news.")
