"""What operating from Airflow needs: news of new entries, a role that only reads, indexes for the news page."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


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
    sql = Path(__file__).parents[2] / "sql"
    op.get_bind().exec_driver_sql((sql / "notify.sql").read_text().replace("%", "%%"))


def downgrade() -> None:
    op.execute("DROP TRIGGER announce_entries ON news.entries")
    op.execute("DROP FUNCTION news.announce_entries()")
    op.drop_index("articles_title_words_idx", "articles", schema="news")
    op.drop_index("feed_polls_new_idx", "feed_polls", schema="news")
    op.drop_index("entries_ended_idx", "entries", schema="news")
