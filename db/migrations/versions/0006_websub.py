"""WebSub: hubs of feeds, and subscriptions at them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FEED_COLUMNS: list[sa.Column[Any]] = [
    sa.Column("hub", sa.Text(), nullable=True,
              comment="Hub that announces news of the feed, as the feed names it (WebSub)."),
    sa.Column("topic", sa.Text(), nullable=True, comment="Address under which the hub knows the feed."),
    sa.Column("pushed_until", sa.DateTime(timezone=True), nullable=True,
              comment="End of the subscription at the hub; until then the feed is polled less often."),
]  # fmt: skip


def upgrade() -> None:
    for column in FEED_COLUMNS:
        op.add_column("feeds", column, schema="news")
    op.add_column(
        "feed_polls",
        sa.Column("pushed", sa.Boolean(), server_default=sa.text("false"), nullable=False,
                  comment="Whether a hub sent the document without being asked (WebSub)."),
        schema="news",
    )  # fmt: skip
    op.create_table(
        "websub_subscriptions",
        sa.Column("feed_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The feed (feeds.id)."),
        sa.Column("hub", sa.Text(), nullable=False, comment="Address of the hub."),
        sa.Column("topic", sa.Text(), nullable=False, comment="Address of the feed at the hub."),
        sa.Column("token", sa.Text(), nullable=False,
                  comment="Last part of the address to which the hub sends news."),
        sa.Column("secret", sa.Text(), nullable=False, comment="Key with which the hub signs what it sends."),
        sa.Column("status", sa.Text(), nullable=False,
                  comment="requested (the hub has not confirmed it yet), active, denied (by the hub), failed (no usable "
                          "answer)."),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False, comment="When the hub was last asked."),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True,
                  comment="When the subscription ends unless it is renewed."),
        sa.Column("next_request_at", sa.DateTime(timezone=True), nullable=False,
                  comment="When the hub is asked next: at half of the lease, or after a failure."),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False,
                  comment="Requests in a row that came to nothing."),
        sa.Column("error", sa.Text(), nullable=True, comment="What went wrong with the last request."),
        sa.Column("last_push_at", sa.DateTime(timezone=True), nullable=True, comment="When the hub last sent news."),
        sa.CheckConstraint("status IN ('requested', 'active', 'denied', 'failed')",
                           name=op.f("websub_subscriptions_status_check")),
        sa.ForeignKeyConstraint(["feed_id"], ["news.feeds.id"], ondelete="CASCADE",
                                name=op.f("websub_subscriptions_feed_id_fkey")),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("websub_subscriptions_pkey")),
        sa.UniqueConstraint("token", name=op.f("websub_subscriptions_token_key")),
        schema="news",
        comment="A subscription to a feed at its hub (WebSub). It holds secrets, and is not for news_reader.",
    )  # fmt: skip
    op.create_index("websub_subscriptions_next_request_idx", "websub_subscriptions", ["next_request_at"], schema="news")
