"""Limits of what is searched, undated articles behind dated ones, dates of places, addresses that pages state."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# As it was when this revision was released.
SQL = Path(__file__).parent / "sql"


def upgrade() -> None:
    for name in ("0014_search", "0014_article_places"):
        op.get_bind().exec_driver_sql((SQL / f"{name}.sql").read_text(encoding="utf-8").replace("%", "%%"))
    op.create_index(
        "documents_page_url_idx", "documents", ["page_url"], schema="news",
        postgresql_where=sa.text("page_url IS NOT NULL"),
    )  # fmt: skip
    op.drop_index("articles_published_at_idx", "articles", schema="news")
    op.create_index("articles_published_at_idx", "articles", [sa.text("published_at DESC NULLS LAST")], schema="news")
