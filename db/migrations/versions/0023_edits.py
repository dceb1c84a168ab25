"""Revisions say what kind of edit ended them, and documents how much of their page's prose they hold."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE news.article_revisions
    ADD COLUMN edit text,
    ADD CONSTRAINT article_revisions_edit_check
        CHECK (edit IN ('headline', 'typing', 'numbers', 'wording', 'extended', 'cut', 'rewritten'));
COMMENT ON COLUMN news.article_revisions.edit IS 'What kind of change led to the next version: headline, typing, numbers, wording, extended, cut or rewritten; null for changes before this was recorded.';
ALTER TABLE news.documents ADD COLUMN taken real;
COMMENT ON COLUMN news.documents.taken IS 'How much of the prose on the page the text is: less than 1 if some was left out, more if it has lists and headings; null where that is not known.';
"""


def upgrade() -> None:
    op.execute(UP)
