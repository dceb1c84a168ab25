"""Limits of what is searched, undated articles behind dated ones, dates of places, addresses that pages state."""

import sqlalchemy as sa
from alembic import op

from db.schema import SQL

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql((SQL / "search.sql").read_text(encoding="utf-8").replace("%", "%%"))
    views = (SQL / "views.sql").read_text(encoding="utf-8")
    start = views.index("CREATE VIEW news.article_places")
    changed = views[start : views.index(";", start) + 1].replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
    connection.exec_driver_sql(changed.replace("%", "%%"))
    op.create_index(
        "documents_page_url_idx", "documents", ["page_url"], schema="news",
        postgresql_where=sa.text("page_url IS NOT NULL"),
    )  # fmt: skip
    op.drop_index("articles_published_at_idx", "articles", schema="news")
    op.create_index("articles_published_at_idx", "articles", [sa.text("published_at DESC NULLS LAST")], schema="news")


def downgrade() -> None:
    op.drop_index("articles_published_at_idx", "articles", schema="news")
    op.create_index("articles_published_at_idx", "articles", ["published_at"], schema="news")
    op.drop_index("documents_page_url_idx", "documents", schema="news")
