"""Curators label articles, and models of topics are fitted to these labels."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE news.topic_labels (
    id bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL,
    entry_id bigint NOT NULL,
    url text NOT NULL,
    event text NOT NULL,
    language text,
    title text,
    text text NOT NULL,
    label text NOT NULL,
    labelled_by text NOT NULL,
    labelled_at timestamptz NOT NULL,
    CONSTRAINT topic_labels_pkey PRIMARY KEY (id),
    CONSTRAINT topic_labels_label_check CHECK (label IN ('about', 'mention', 'no'))
);
CREATE INDEX topic_labels_url_idx ON news.topic_labels (topic, url, id);
COMMENT ON TABLE news.topic_labels IS 'What curators said of articles: whether they are about a topic. The last label of an address counts.';
COMMENT ON COLUMN news.topic_labels.id IS 'Number of the label.';
COMMENT ON COLUMN news.topic_labels.topic IS 'Name of the topic.';
COMMENT ON COLUMN news.topic_labels.entry_id IS 'The entry that was labelled (entries.id); it may be gone.';
COMMENT ON COLUMN news.topic_labels.url IS 'Its address, in the form in which addresses are compared.';
COMMENT ON COLUMN news.topic_labels.event IS 'What it tells of: texts of one event are not used to judge one another.';
COMMENT ON COLUMN news.topic_labels.language IS 'Its language.';
COMMENT ON COLUMN news.topic_labels.title IS 'Its title when it was labelled.';
COMMENT ON COLUMN news.topic_labels.text IS 'Its text when it was labelled.';
COMMENT ON COLUMN news.topic_labels.label IS 'about, mention or no.';
COMMENT ON COLUMN news.topic_labels.labelled_by IS 'Who labelled it.';
COMMENT ON COLUMN news.topic_labels.labelled_at IS 'When.';
"""


def upgrade() -> None:
    op.execute(UP)
