"""Sixteen bands a text instead of forty-eight, and a search index that takes words in by the thousand.

The new bands are worked out by `ingest db upgrade`, as for articles from before there were any.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("TRUNCATE news.article_signatures")
    op.create_table_comment(
        "article_signatures", "What finds texts that are alike (MinHash over runs of six folded words).", schema="news"
    )
    op.alter_column(
        "article_signatures", "bands", schema="news",
        comment="Hashes of its MinHash values; two texts that are alike share some. Empty for short texts.",
    )  # fmt: skip
    op.execute("ALTER INDEX news.articles_search_idx RESET (fastupdate)")
