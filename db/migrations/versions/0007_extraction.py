"""Dates that pages state, beside those that were believed, and the dates that were refused; causes of revisions."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS: list[sa.Column[Any]] = [
    sa.Column("stated_at", sa.DateTime(timezone=True), nullable=True,
              comment="The date that the page gives for programs (JSON-LD, meta elements), whichever was taken."),
    sa.Column("published_note", sa.Text(), nullable=True,
              comment="Dates on the page that were refused, with source and reason, such as jsonld: future: "
                      "2031-01-01T00:00:00+0000."),
]  # fmt: skip

REVISIONS = "A former text or title of an article, in whose place there is another now. `articles` has the present one."
FORMERLY = (
    "A former text or title of an article, which its publisher has changed since. `articles` has the present one."
)


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("documents", column, schema="news")
    op.add_column(
        "article_revisions",
        sa.Column("cause", sa.Text(), server_default="publisher", nullable=False,
                  comment="Who has put another text or title in its place: the publisher, or extraction by later rules."),
        schema="news",
    )  # fmt: skip
    op.create_check_constraint(
        op.f("article_revisions_cause_check"),
        "article_revisions",
        "cause IN ('publisher', 'extraction')",
        schema="news",
    )
    op.execute(f"COMMENT ON TABLE news.article_revisions IS '{REVISIONS}'")
