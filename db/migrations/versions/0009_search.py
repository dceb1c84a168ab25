"""Search: stems of titles and texts, found in all forms of their words."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from db.schema import SQL

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for name in ("fold.sql", "search.sql"):
        connection.exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))
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


def downgrade() -> None:
    op.execute("DROP FUNCTION news.search(text, text, timestamptz, timestamptz, text[], integer)")
    op.execute("DROP FUNCTION news.snippet(text, text, tsvector, text[])")
    op.drop_index("articles_search_idx", "articles", schema="news")
    op.drop_column("articles", "search", schema="news")
    for function in ("search_query(text)", "search_vector(text, text)", "stem(text)"):
        op.execute(f"DROP FUNCTION news.{function}")
