"""Foreign words are found in their other spellings, and search vectors are kept uncompressed."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UP = """
CREATE OR REPLACE FUNCTION news.word_skeleton(letters text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN translate(letters, 'جگطظصثذژڤپاويء', 'غغتضسسززفب');
CREATE OR REPLACE FUNCTION news.sought_lemma(lemmas text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN CASE WHEN starts_with(lemmas[cardinality(lemmas)], '~') THEN lemmas[cardinality(lemmas)] ELSE lemmas[1] END;
DROP INDEX news.words_lemma_idx;
CREATE INDEX words_lemma_idx ON news.words (news.sought_lemma(lemmas));
CREATE INDEX lexicon_skeleton_idx ON news.lexicon (news.word_skeleton(key));

-- Compressing a vector takes a quarter of the time of writing it, and reading it again twice as long.
ALTER TABLE news.articles ALTER COLUMN search SET STORAGE EXTERNAL;
"""


def upgrade() -> None:
    op.execute(UP)
