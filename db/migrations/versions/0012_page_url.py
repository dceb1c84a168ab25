"""The address that a page states as its own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "documents",
        sa.Column(
            "page_url", sa.Text(), nullable=True,
            comment="Address that the page states as its own (rel=canonical), where it is one of the same site.",
        ),
        schema="news",
    )  # fmt: skip
