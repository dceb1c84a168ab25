"""Backfills: what was published before a feed was added, and how far the walk through it has come."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the backfill."),
        sa.Column("feed_id", sa.BigInteger(), nullable=False, comment="The feed (feeds.id)."),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False,
                  comment="Items published at or after this time are wanted."),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False,
                  comment="Items published before this time are wanted."),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="When it was first started."),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True,
                  comment="When its last document was read; null while there are some left."),
        sa.CheckConstraint("since < until", name=op.f("backfills_period_check")),
        sa.ForeignKeyConstraint(["feed_id"], ["news.feeds.id"], name=op.f("backfills_feed_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("backfills_pkey")),
        sa.UniqueConstraint("feed_id", "since", "until", name=op.f("backfills_feed_id_since_until_key")),
        schema="news",
        comment="A walk through what a feed's site published in the past, see `ingest backfill`.",
    )  # fmt: skip
    op.create_table(
        "backfill_parts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False,
                  comment="Number of the part, in the order in which parts were found."),
        sa.Column("backfill_id", sa.BigInteger(), nullable=False, comment="The backfill (backfills.id)."),
        sa.Column("url", sa.Text(), nullable=False, comment="Address of the document."),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False,
                  comment="waiting, done, failed (with error), skipped (it cannot hold anything of the period)."),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False,
                  comment="Failed attempts to read it."),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False,
                  comment="When it may be asked for, while it waits."),
        sa.Column("items", sa.Integer(), server_default=sa.text("0"), nullable=False,
                  comment="Items of the period in it."),
        sa.Column("new_entries", sa.Integer(), server_default=sa.text("0"), nullable=False,
                  comment="Of those, items that were not in the ledger."),
        sa.Column("undated", sa.Integer(), server_default=sa.text("0"), nullable=False,
                  comment="Items without any date, which are passed over."),
        sa.Column("error", sa.Text(), nullable=True, comment="Why it could not be read."),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True, comment="When it was read, or given up."),
        sa.CheckConstraint("status IN ('waiting', 'done', 'failed', 'skipped')",
                           name=op.f("backfill_parts_status_check")),
        sa.ForeignKeyConstraint(["backfill_id"], ["news.backfills.id"], ondelete="CASCADE",
                                name=op.f("backfill_parts_backfill_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("backfill_parts_pkey")),
        sa.UniqueConstraint("backfill_id", "url", name=op.f("backfill_parts_backfill_id_url_key")),
        schema="news",
        comment="A document that a backfill reads: a sitemap, a sitemap index, a page of a feed.",
    )  # fmt: skip
    op.create_index(
        "backfill_parts_waiting_idx", "backfill_parts", ["backfill_id", "id"], schema="news",
        postgresql_where=sa.text("status = 'waiting'"),
    )  # fmt: skip
    op.add_column(
        "hosts",
        sa.Column("lease_holder", sa.Integer(), nullable=True,
                  comment="Backend process id of the session that has a request to the host in hand without holding an "
                          "entry or a feed of it."),
        schema="news",
    )  # fmt: skip
    op.create_index(
        "hosts_leased_idx", "hosts", ["lease_holder"], schema="news",
        postgresql_where=sa.text("lease_holder IS NOT NULL"),
    )  # fmt: skip
