"""The ledger is vacuumed after some ten thousand changes, not after a fifth of its size, and its indexes each time.

What is due is found by small indexes, in which every entry that was due once is passed over until a vacuum.

The index for search gathers up to 16 MB of words in mass landings, and can be settled when they are over.

Searches for words that are neither rare nor frequent go by the index for search.
"""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As it was when this revision was released.
SQL = Path(__file__).parent / "sql"


def upgrade() -> None:
    # Left alone, vacuum spares the indexes where few pages of the table have changed (vacuum_index_cleanup).
    op.execute(
        "ALTER TABLE news.entries SET (autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0.01,"
        " vacuum_index_cleanup = on)"
    )
    # Signatures are of 64 bits now; `ingest db upgrade` makes them anew.
    op.execute("TRUNCATE news.article_signatures")
    op.execute("ALTER INDEX news.articles_search_idx SET (gin_pending_list_limit = 16384)")
    for name in ("0016_settle", "0016_search"):
        op.get_bind().exec_driver_sql((SQL / f"{name}.sql").read_text(encoding="utf-8").replace("%", "%%"))
