"""Sixteen bands a text instead of forty-eight, and a search index that takes words in by the thousand.

The new bands are worked out by `ingest db upgrade`, as for articles from before there were any.
"""

from alembic import op

from db.schema import SQL

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sign_anew("six", "Hashes of its MinHash values")
    op.execute("ALTER INDEX news.articles_search_idx RESET (fastupdate)")
    op.execute("ALTER INDEX news.articles_search_idx SET (gin_pending_list_limit = 16384)")
    op.get_bind().exec_driver_sql((SQL / "settle.sql").read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    _sign_anew("three", "Hashes of pairs of its MinHash values")
    op.execute("ALTER INDEX news.articles_search_idx RESET (gin_pending_list_limit)")
    op.execute("ALTER INDEX news.articles_search_idx SET (fastupdate = off)")
    op.execute("DROP FUNCTION news.settle_search()")


def _sign_anew(words: str, bands: str) -> None:
    op.execute("TRUNCATE news.article_signatures")
    op.create_table_comment(
        "article_signatures", f"What finds texts that are alike (MinHash over runs of {words} folded words).",
        schema="news",
    )  # fmt: skip
    op.alter_column(
        "article_signatures", "bands", schema="news",
        comment=f"{bands}; two texts that are alike share some. Empty for short texts.",
    )  # fmt: skip
