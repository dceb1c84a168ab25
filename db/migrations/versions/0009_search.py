"""Search: stems of titles and texts, found in all forms of their words."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# As it was when this revision was released.
SQL = Path(__file__).parent / "sql"


def upgrade() -> None:
    for name in ("0009_fold", "0009_search"):
        op.get_bind().exec_driver_sql((SQL / f"{name}.sql").read_text(encoding="utf-8").replace("%", "%%"))
    op.add_column(
        "articles",
        sa.Column("search", TSVECTOR(), sa.Computed("news.search_vector(title, text)", persisted=True), nullable=True,
                  comment="Stems of title and text, for news.search and news.search_query (@@)."),
        schema="news",
    )  # fmt: skip
    op.create_index(
        "articles_search_idx", "articles", ["search"], schema="news", postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )  # fmt: skip
