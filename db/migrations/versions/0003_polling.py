"""Adaptive polling, kinds of failure, distrust of 304, and feeds that moved."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HEALTH = "health IN ('waiting', 'ok', 'failing', 'gone', 'disabled')"
FAILURE_COMMENT = (
    "Kind of the last failure: dns, refused, tls, timeout, connection, redirects, blocked, too_large, "
    "http_4xx, http_5xx, gone, not_a_feed; null after a success."
)


def upgrade() -> None:
    columns: list[sa.Column[Any]] = [
        sa.Column("poll_within", sa.Interval(), server_default=sa.text("interval '1 hour'"), nullable=False,
                  comment="Configured longest time between two polls of a quiet feed."),
        sa.Column("poll_interval", sa.Interval(), nullable=True,
                  comment="Time between two polls that the feed's own rhythm suggests, within those bounds."),
        sa.Column("asked_wait", sa.Interval(), nullable=True,
                  comment="Time between two polls that the feed document asks for (ttl, sy:updatePeriod)."),
        sa.Column("skip_hours", postgresql.ARRAY(sa.SmallInteger()), nullable=True,
                  comment="Hours of the day (UTC) in which the feed asks not to be polled."),
        sa.Column("skip_days", postgresql.ARRAY(sa.SmallInteger()), nullable=True,
                  comment="Days of the week (0 is Monday) on which the feed asks not to be polled."),
        sa.Column("failure", sa.Text(), nullable=True, comment=FAILURE_COMMENT),
        sa.Column("last_full_at", sa.DateTime(timezone=True), nullable=True,
                  comment="When the server last sent the whole document; it is asked for once a day, whatever a 304 "
                          "would say."),
        sa.Column("distrust", sa.Text(), nullable=True,
                  comment="Why the server's 304 is not believed: how it was caught. Such a feed is always asked for "
                          "as a whole."),
        sa.Column("moved_to", sa.Text(), nullable=True,
                  comment="Address that permanent redirects (301, 308) lead to."),
        sa.Column("moved_polls", sa.Integer(), server_default=sa.text("0"), nullable=False,
                  comment="Polls in a row that led there; from the fifth on it is used."),
    ]  # fmt: skip
    for column in columns:
        op.add_column("feeds", column, schema="news")
    op.add_column(
        "feed_polls", sa.Column("failure", sa.Text(), nullable=True, comment="Kind of the failure, as in feeds.failure."),
        schema="news",
    )  # fmt: skip
    op.create_index(
        "feeds_leased_idx", "feeds", ["host"], schema="news", postgresql_where=sa.text("lease_holder IS NOT NULL")
    )
    op.drop_constraint("feeds_health_check", "feeds", schema="news")
    op.create_check_constraint(op.f("feeds_health_check"), "feeds", HEALTH, schema="news")
    op.alter_column(
        "feeds", "health", schema="news",
        comment="waiting (not polled yet), ok, failing (last poll failed), gone (the server says it is: 410), "
        "disabled (not in the configuration).",
    )  # fmt: skip
    op.alter_column("feeds", "poll_every", schema="news", comment="Configured shortest time between two polls.")
