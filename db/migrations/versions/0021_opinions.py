"""Each topic of an article says what the rules alone and the meaning alone say."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE news.article_topics ADD COLUMN rules real, ADD COLUMN meaning real;
COMMENT ON COLUMN news.article_topics.rules IS 'The score of the rules alone; null for topics without rules.';
COMMENT ON COLUMN news.article_topics.meaning IS 'How likely the text is about the topic by its meaning alone, 0 to 1; null if that was not asked.';
"""


def upgrade() -> None:
    op.execute(UP)
