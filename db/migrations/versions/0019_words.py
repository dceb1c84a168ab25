"""Articles are found by the lemmas of their words, which a lexicon says, and by the words as they are spelled."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UP = """
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA news;

CREATE TABLE news.lexicon (
    key text NOT NULL,
    spelling text NOT NULL,
    kind text NOT NULL,
    lemma text NOT NULL,
    wider text NOT NULL,
    cost integer NOT NULL,
    CONSTRAINT lexicon_pkey PRIMARY KEY (key, spelling, kind, lemma)
);
COMMENT ON TABLE news.lexicon IS 'Forms of words: what news.readings looks up. Loaded by `ingest db upgrade`.';
COMMENT ON COLUMN news.lexicon.key IS 'The letters it is looked up by: news.word_key(spelling).';
COMMENT ON COLUMN news.lexicon.spelling IS 'The form as it is spelled.';
COMMENT ON COLUMN news.lexicon.kind IS 'What may be written together with it: n noun or adjective, b broken plural, r preposition, p particle, f name, v verb, i imperfect without its first letter, w as it is, s seen only.';
COMMENT ON COLUMN news.lexicon.lemma IS 'The word it is a form of.';
COMMENT ON COLUMN news.lexicon.wider IS 'Another lemma that finds it: the country of an adjective; empty where there is none.';
COMMENT ON COLUMN news.lexicon.cost IS 'How rare it is: minus the logarithm of its share of all words, in hundredths.';

CREATE TABLE news.words (
    word text NOT NULL,
    lemmas text[] NOT NULL,
    CONSTRAINT words_pkey PRIMARY KEY (word)
);
COMMENT ON TABLE news.words IS 'Every word that articles have or had, as it is spelled, with its analysis.';
COMMENT ON COLUMN news.words.word IS 'The word, as news.words_of returns it.';
COMMENT ON COLUMN news.words.lemmas IS 'The lemma it stands for, first, and other lemmas under which its articles are found; empty for words such as the, of.';
CREATE OR REPLACE FUNCTION news.exact_key(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN translate(spelled, 'أإآٱیک', 'ااااىك');
CREATE INDEX words_exact_idx ON news.words (news.exact_key(word));
CREATE INDEX words_lemma_idx ON news.words ((lemmas[1]));

CREATE TABLE news.analysis (
    id integer NOT NULL,
    version text NOT NULL,
    done_to bigint NOT NULL,
    until bigint NOT NULL,
    CONSTRAINT analysis_pkey PRIMARY KEY (id),
    CONSTRAINT analysis_id_check CHECK (id = 1)
);
COMMENT ON TABLE news.analysis IS 'The lexicon by which articles are analysed for search, and how far those from before it have been brought over. One row.';
COMMENT ON COLUMN news.analysis.id IS 'Always 1.';
COMMENT ON COLUMN news.analysis.version IS 'Version of the lexicon in news.lexicon; empty if none was loaded yet.';
COMMENT ON COLUMN news.analysis.done_to IS 'Articles with an id up to this one have been analysed with it.';
COMMENT ON COLUMN news.analysis.until IS 'The last article that had landed when it was loaded; those after it need nothing.';
INSERT INTO news.analysis (id, version, done_to, until) VALUES (1, '', 0, 0);

CREATE OR REPLACE FUNCTION news.ascii_key(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN translate(spelled, 'ابتثجحخدذرزسشصضطظعغفقكلمنهويءپچژگڕڵڤۆێەھأإآٱىیةکؤئ',
                 'abcdefghijklmnopqrstuvwxyz234bekvjwt23zzaaaa33zv44');

DO $do$
BEGIN
    -- The extension may have been there before, in another schema.
    EXECUTE format('CREATE INDEX words_word_idx ON news.words USING gin (news.ascii_key(word) %I.gin_trgm_ops)',
        (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'));
END
$do$;

ALTER TABLE news.articles ALTER COLUMN search DROP EXPRESSION;
COMMENT ON COLUMN news.articles.search IS 'Lemmas of title and text and, behind =, their words, for news.search and news.search_query (@@).';

CREATE OR REPLACE FUNCTION news.fill_search() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog
AS $function$
BEGIN
    -- Landing hands over the vector. Whoever writes a text without it gets it here.
    IF NEW.search IS NULL OR TG_OP = 'UPDATE' AND NEW.search = OLD.search THEN
        NEW.search := news.search_vector(NEW.title, NEW.text);
    END IF;
    RETURN NEW;
END
$function$;
CREATE TRIGGER articles_search_insert BEFORE INSERT ON news.articles
    FOR EACH ROW WHEN (NEW.search IS NULL) EXECUTE FUNCTION news.fill_search();
CREATE TRIGGER articles_search_update BEFORE UPDATE OF title, text ON news.articles
    FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.text <> NEW.text) EXECUTE FUNCTION news.fill_search();

-- Until the upgrade puts the one of today in its place.
CREATE OR REPLACE FUNCTION news.search_vector(title text, body text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    SELECT setweight(to_tsvector('english'::regconfig, news.fold(left(coalesce(title, ''), 2000))), 'A')
        || to_tsvector('english'::regconfig, news.fold(left(body, 100000)))
$function$;
DROP FUNCTION IF EXISTS news.stem(text);
"""


def upgrade() -> None:
    op.execute(UP)
