-- Search that understands Arabic inflection and English. Index and query go through the same functions.

-- Arabic words without the particles, pronouns and endings that are written together with them (light stemming, after
-- Larkey, Ballesteros and Connell 2002); what remains is the same for all forms of a word, and need not be one.
-- Words of other scripts stay as they are.
CREATE OR REPLACE FUNCTION news.stem(folded text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
DECLARE
    words text := folded COLLATE "C";
BEGIN
    IF words !~ '[ء-ي]' THEN
        RETURN words;
    END IF;
    -- One word in two spellings, the most frequent of all here.
    words := replace(words, 'اميرك', 'امريك');
    -- And, so, with, like, for and the article; pronouns; then particles of one letter, where enough of a word is left.
    words := regexp_replace(words, '\m[وف]?(?:[بك]?ال|لل)(?=[ء-ي]{3})', '', 'g');
    words := regexp_replace(words, '([ء-ي]{3})(?:ها|هما?|هن|نا|كما?)\M', '\1', 'g');
    words := regexp_replace(words, '\m[وفبلك]{1,3}(?=[ء-ي]{4})', '', 'g');
    words := regexp_replace(words, '\mو(?=[ء-ي]{3})', '', 'g');
    -- Endings of plurals, duals and relations, up to two behind each other; the feminine one is ta before a pronoun.
    words := regexp_replace(words, '([ء-ي]{3})(?:ات|ان|ون|ين|يه|يت|وا|و|ه|ي|ا)\M', '\1', 'g');
    RETURN regexp_replace(words, '([ء-ي]{3})(?:ات|ان|ون|ين|ي|ه|ت)\M', '\1', 'g');
END
$function$;

COMMENT ON FUNCTION news.stem(text) IS
    'A folded text (news.fold) with Arabic words without the particles, pronouns and endings written with them.';

CREATE OR REPLACE FUNCTION news.search_vector(title text, body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    -- A tsvector takes a megabyte; no news article is as long as that.
    SELECT setweight(to_tsvector('english'::regconfig, news.stem(news.fold(left(coalesce(title, ''), 2000)))), 'A')
        || to_tsvector('english'::regconfig, news.stem(news.fold(left(body, 200000))))
$function$;

COMMENT ON FUNCTION news.search_vector(text, text) IS
    'What articles.search is made of: the stems of title (weight A) and of the first 200,000 characters of the text '
    '(weight D), English ones by Snowball.';

CREATE OR REPLACE FUNCTION news.search_query(query text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    -- Each word becomes its stem, one of several parts (us-led) a phrase; quotes, minus and OR stay.
    SELECT websearch_to_tsquery('english'::regconfig, coalesce(string_agg(
        CASE WHEN piece[3] = 'OR' THEN 'OR'
             WHEN words = '' THEN ''
             ELSE coalesce(nullif(piece[1], ''), '') || '"' || words || '"' END, ' ' ORDER BY place), ''))
    FROM (
        SELECT piece, place, news.stem(news.fold(coalesce(piece[2], piece[3]))) AS words
        FROM regexp_matches(query, '(-?)(?:"([^"]*)"|([^\s"]+))', 'g') WITH ORDINALITY AS found(piece, place)
    ) AS pieces
$function$;

COMMENT ON FUNCTION news.search_query(text) IS
    'What articles.search is compared with (@@): words that must all occur, "phrases", OR, and - before what must not.';

-- The part of a text in which words of a query occur first, these between <b> and </b>.
CREATE OR REPLACE FUNCTION news.snippet(title text, body text, found tsvector, lexemes text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    WITH words AS (
        SELECT array_remove(string_to_array(translate(body, E'\n\r\t', '   '), ' '), '') AS all_words
    ), place AS (
        -- Positions count the words of the title first. Without a word of the query, the text's beginning.
        SELECT greatest(coalesce(min(position), 0) - 12
            - CASE WHEN title IS NULL THEN 0 ELSE length(to_tsvector('simple'::regconfig, title)) END, 1) AS start
        FROM unnest(found) AS lexeme(word, positions, weights),
             unnest(lexeme.positions, lexeme.weights) AS at(position, weight)
        WHERE lexeme.word = ANY (lexemes) AND at.weight = 'D'
    ), shown AS (
        SELECT number, word FROM words, place, unnest(all_words[start : start + 44]) WITH ORDINALITY AS u(word, number)
    ), stems AS (
        -- Stemmed at once, each word behind a mark that no word is, so that they can be told apart again.
        SELECT to_tsvector('english'::regconfig,
                           news.stem(news.fold(string_agg('zqz ' || word, ' ' ORDER BY number)))) AS vector
        FROM shown
    ), positions AS (
        SELECT lexeme.word, position FROM stems, unnest(vector) AS lexeme(word, positions, weights),
               unnest(lexeme.positions) AS position
    ), hits AS (
        SELECT DISTINCT (SELECT count(*) FROM positions AS mark WHERE mark.word = 'zqz' AND mark.position < p.position)
               AS number
        FROM positions AS p WHERE p.word = ANY (lexemes)
    )
    SELECT CASE WHEN (SELECT start FROM place) > 1 THEN '… ' ELSE '' END
        || coalesce(string_agg(CASE WHEN hits.number IS NULL THEN word ELSE '<b>' || word || '</b>' END, ' '
                               ORDER BY shown.number), '')
        || CASE WHEN (SELECT cardinality(all_words) > start + 44 FROM words, place) THEN ' …' ELSE '' END
    FROM shown LEFT JOIN hits USING (number)
$function$;

COMMENT ON FUNCTION news.snippet(text, text, tsvector, text[]) IS
    'The part of a text where words of a query stand, marked with <b>; used by news.search.';

CREATE OR REPLACE FUNCTION news.search(
    query text, language text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
    outlets text[] DEFAULT NULL, rows integer DEFAULT 20
) RETURNS TABLE (
    article_id bigint, rank real, title text, snippet text, outlet text, published_at timestamptz, url text, story_id bigint
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- The plan depends on how frequent the words are.
SET plan_cache_mode = force_custom_plan
SET search_path = pg_catalog
AS $function$
#variable_conflict use_column
DECLARE
    sought tsquery := news.search_query(search.query);
    lexemes text[] := tsvector_to_array(to_tsvector('english'::regconfig, news.stem(news.fold(search.query))));
BEGIN
    IF numnode(sought) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH newest AS MATERIALIZED (
        -- Of words that thousands of articles have, the newest are ranked: reading all would take seconds.
        SELECT a.id FROM news.articles a
        WHERE a.search @@ sought
          AND (search.language IS NULL OR a.language = search.language)
          AND (search.since IS NULL OR a.published_at >= search.since)
          AND (search.until IS NULL OR a.published_at < search.until)
          AND (search.outlets IS NULL OR a.outlet = ANY (search.outlets))
        ORDER BY a.published_at DESC NULLS LAST
        LIMIT 300
    ), best AS MATERIALIZED (
        SELECT a.id, ts_rank_cd('{0.1, 0.2, 0.4, 1}', a.search, sought, 1) AS rank, a.published_at
        FROM newest JOIN news.articles a USING (id)
        ORDER BY rank DESC, a.published_at DESC NULLS LAST, a.id
        LIMIT search.rows
    )
    SELECT a.id, best.rank, a.title, news.snippet(a.title, a.text, a.search, lexemes), a.outlet, a.published_at, a.url,
           a.story_id
    FROM best JOIN news.articles a USING (id)
    ORDER BY best.rank DESC, a.published_at DESC NULLS LAST, a.id;
END
$function$;

COMMENT ON FUNCTION news.search(text, text, timestamptz, timestamptz, text[], integer) IS
    'Articles that match a query (words, "phrases", OR, -without), the best first; since is inclusive, until exclusive. '
    'Words are found in all their Arabic and English forms; the title counts ten times. Of more than 300 matches, the '
    'newest 300 are ranked.';
