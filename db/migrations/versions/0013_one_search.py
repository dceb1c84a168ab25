"""The index of titles goes: the news page searches as everybody does."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("articles_title_words_idx", "articles", schema="news")
