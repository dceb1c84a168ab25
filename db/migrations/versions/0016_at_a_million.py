"""The ledger is vacuumed after some ten thousand changes, not after a fifth of its size, and its indexes each time.

What is due is found by small indexes, in which every entry that was due once is passed over until a vacuum.

The index for search gathers up to 16 MB of words in mass landings, and can be settled when they are over.

Searches for words that are neither rare nor frequent go by the index for search.
"""

from alembic import op

from db.schema import SQL

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Left alone, vacuum spares the indexes where few pages of the table have changed (vacuum_index_cleanup).
    op.execute(
        "ALTER TABLE news.entries SET (autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0.01,"
        " vacuum_index_cleanup = on)"
    )
    # Signatures are of 64 bits now; `ingest db upgrade` makes them anew.
    op.execute("TRUNCATE news.article_signatures")
    op.execute("ALTER INDEX news.articles_search_idx SET (gin_pending_list_limit = 16384)")
    for name in ("settle.sql", "search.sql"):
        op.get_bind().exec_driver_sql((SQL / name).read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    op.execute("DROP FUNCTION news.settle_search()")
    op.execute("ALTER INDEX news.articles_search_idx RESET (gin_pending_list_limit)")
    op.execute("TRUNCATE news.article_signatures")
    op.execute(
        "ALTER FUNCTION news.search(text, text, timestamptz, timestamptz, text[], integer)"
        " RESET cpu_tuple_cost RESET max_parallel_workers_per_gather RESET jit"
    )
    op.execute(
        "ALTER TABLE news.entries RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,"
        " vacuum_index_cleanup)"
    )
