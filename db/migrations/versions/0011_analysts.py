"""What analysts and operators need: views, alerts, a role for the pipeline that owns nothing."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# As it was when this revision was released.
SQL = Path(__file__).parent / "sql"


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Number of the alert."),
        sa.Column("feed_id", sa.BigInteger(), nullable=False, comment="The feed (feeds.id)."),
        sa.Column(
            "kind", sa.Text(), nullable=False,
            comment="nothing_new (other answers, but no new entries), unchanged (the same answer again and again), blocked "
            "(the server refuses us), failing (other failures), no_entries (answers without entries), no_text (nothing "
            "can be extracted from its pages), filtered (everything it brings is off topic).",
        ),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), nullable=False,
            comment="Since when: the last find, success or landed article before it.",
        ),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False, comment="When it was noticed."),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="When it was over; null while it lasts."),
        sa.Column("said", sa.Text(), nullable=False, comment="A sentence that says what is wrong."),
        sa.Column("evidence", JSONB(), nullable=False, comment="The numbers it rests on."),
        sa.CheckConstraint(
            "kind IN ('nothing_new', 'unchanged', 'blocked', 'failing', 'no_entries', 'no_text', 'filtered')",
            name="alerts_kind_check",
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["news.feeds.id"], name="alerts_feed_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="alerts_pkey"),
        schema="news",
        comment="A source that has fallen silent: since when, until when, and why.",
    )  # fmt: skip
    op.create_index(
        "alerts_open_idx", "alerts", ["feed_id", "kind"], unique=True, schema="news",
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "periodic_work",
        sa.Column("task", sa.Text(), nullable=False, comment="Name of the task."),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False, comment="When it was last begun."),
        sa.PrimaryKeyConstraint("task", name="periodic_work_pkey"),
        schema="news",
        comment="What is done now and then, by whichever worker comes by.",
    )
    op.create_index(
        "articles_published_on_idx", "articles", [sa.text("((published_at AT TIME ZONE 'UTC')::date)")], schema="news"
    )
    # Only then does the planner know how the days are spread.
    op.execute("ANALYZE news.articles")
    for name in ("0011_retention", "0011_views"):
        op.get_bind().exec_driver_sql((SQL / f"{name}.sql").read_text(encoding="utf-8").replace("%", "%%"))
