"""What operating from Airflow needs: news of new entries, a role that only reads, indexes for the news page."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As it was when this revision was released.
SQL = Path(__file__).parent / "sql"


def upgrade() -> None:
    op.create_index(
        "entries_ended_idx", "entries", ["discovered_at", "feed_id", "status"], schema="news",
        postgresql_where=sa.text("next_attempt_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "feed_polls_new_idx", "feed_polls", ["feed_id", "polled_at"], schema="news",
        postgresql_where=sa.text("outcome = 'new'"),
    )  # fmt: skip
    op.create_index(
        "articles_title_words_idx", "articles", [sa.text("to_tsvector('simple'::regconfig, news.fold(title))")],
        schema="news", postgresql_using="gin",
    )  # fmt: skip
    op.get_bind().exec_driver_sql((SQL / "0002_notify.sql").read_text(encoding="utf-8").replace("%", "%%"))
