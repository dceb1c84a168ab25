-- Search that knows Arabic and English words. An article's vector holds, for each word, its lemmas and, behind an equals
-- sign, the word as it is spelled; a query asks for one or the other.

CREATE OR REPLACE FUNCTION news.words_of(input text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    -- As ingest.text.words.words_of: numbers without separators of thousands, letters and digits apart (F-16, F16),
    -- names with Abd al- in two words.
    SELECT array_remove(string_to_array(
        regexp_replace(regexp_replace(replace(news.spell(
            regexp_replace(input, '(?<=[0-9٠-٩۰-۹])[,.٬،](?=[0-9٠-٩۰-۹]{3}(?![0-9٠-٩۰-۹]))', '', 'g')), 'عبدال', 'عبد ال'),
            '([^ 0-9])([0-9])', '\1 \2', 'g'), '([0-9])([^ 0-9])', '\1 \2', 'g'), ' '), '')
$function$;

COMMENT ON FUNCTION news.words_of(text) IS
    'The words of a text in order, as news.spell returns them; numbers are written without separators.';

CREATE OR REPLACE FUNCTION news.analyse(spelled text) RETURNS text[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    -- Words that have landed are analysed already.
    SELECT coalesce(
        (SELECT lemmas FROM news.words WHERE word = spelled),
        CASE WHEN spelled ~ '^[\u0620-\u06ff]' OR EXISTS (SELECT FROM news.lexicon WHERE key = spelled)
             THEN news.lemmas_of(spelled)
             ELSE ts_lexize('english_stem'::regdictionary, spelled) END)
$function$;

COMMENT ON FUNCTION news.analyse(text) IS
    'The lemma that a word (news.words_of) stands for, first, and other lemmas under which texts with it are found. English '
    'words have their stem, and none where they say nothing (the, of).';

CREATE OR REPLACE FUNCTION news.search_vector(title text, body text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    -- A tsvector takes a megabyte, and no news article is as long as that. As ingest.store.words writes it.
    WITH placed AS (
        SELECT word, least(place, 16383) AS place, place <= coalesce(cardinality(titles), 0) AS in_title
        FROM (SELECT news.words_of(left(title, 2000))) AS t (titles),
             unnest(titles || news.words_of(left(body, 100000))) WITH ORDINALITY AS u (word, place)
        WHERE length(word) <= 100
    ), lexemes AS (
        SELECT lexeme, place, in_title
        FROM (SELECT word, news.analyse(word) AS lemmas FROM placed GROUP BY word) AS analysed
        JOIN placed USING (word), unnest(array_append(lemmas, '=' || word)) AS lexeme
    )
    SELECT coalesce(string_agg(quote_literal(lexeme) || ':' || places, ' '), '')::tsvector
    FROM (SELECT lexeme, string_agg(place || CASE WHEN in_title THEN 'A' ELSE '' END, ',' ORDER BY place) AS places
          FROM lexemes GROUP BY lexeme) AS grouped
$function$;

COMMENT ON FUNCTION news.search_vector(text, text) IS
    'What articles.search is made of: the lemmas of title (weight A) and of the first 100,000 characters of the text '
    '(weight D), and behind = each word as it is spelled.';

CREATE OR REPLACE FUNCTION news.fill_search() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog
AS $function$
BEGIN
    -- Landing hands over the vector, and knows the words. Whoever writes a text without it gets both here.
    IF NEW.search IS NULL OR TG_OP = 'UPDATE' AND NEW.search = OLD.search THEN
        INSERT INTO news.words (word, lemmas)
        SELECT DISTINCT ON (spelled COLLATE "C") spelled, news.analyse(spelled)
        FROM unnest(news.words_of(left(NEW.title, 2000)) || news.words_of(left(NEW.text, 100000))) AS spelled
        ORDER BY spelled COLLATE "C"
        ON CONFLICT DO NOTHING;
        NEW.search := news.search_vector(NEW.title, NEW.text);
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION news.fill_search() IS 'Trigger function: makes the search vector of an article that comes without.';

CREATE OR REPLACE FUNCTION news.ascii_key(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN translate(spelled, 'ابتثجحخدذرزسشصضطظعغفقكلمنهويءپچژگڕڵڤۆێەھأإآٱىیةکؤئ',
                 'abcdefghijklmnopqrstuvwxyz234bekvjwt23zzaaaa33zv44');

COMMENT ON FUNCTION news.ascii_key(text) IS
    'A word in letters that pg_trgm knows whatever the locale of the database: one letter or digit for each Arabic letter.';

CREATE OR REPLACE FUNCTION news.similar_words(sought text, rows integer DEFAULT 10)
RETURNS TABLE (word text, lemma text, similarity real)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- The extension pg_trgm may stand in any of these.
SET search_path = pg_catalog, news, public
AS $function$
DECLARE
    letters text := news.ascii_key(sought);
BEGIN
    RETURN QUERY
    SELECT w.word, w.lemmas[1], pg_catalog.float4(similarity(news.ascii_key(w.word), letters))
    FROM news.words AS w
    WHERE news.ascii_key(w.word) % letters AND w.word <> sought COLLATE "C" AND cardinality(w.lemmas) > 0
      -- In the same script.
      AND (w.word < U&'\0080' COLLATE "C") = (sought < U&'\0080' COLLATE "C")
    ORDER BY similarity(news.ascii_key(w.word), letters) DESC, w.word COLLATE "C"
    LIMIT similar_words.rows;
END
$function$;

COMMENT ON FUNCTION news.similar_words(text, integer) IS
    'Words of articles that are spelled like one, most alike first (pg_trgm), with the lemma of each.';

CREATE OR REPLACE FUNCTION news.asked_for(spelled text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
#variable_conflict use_column
DECLARE
    lemma text := news.sought_lemma(news.analyse(spelled));
    bare text := news.unexplained(spelled);
    right_word text;
BEGIN
    IF lemma IS NULL OR length(bare) < 3 OR spelled ~ '[0-9]' 
       OR EXISTS (SELECT FROM news.words WHERE news.sought_lemma(lemmas) = lemma) THEN
        RETURN lemma;
    END IF;
    -- No article has it. A typing error: a word that articles have is one letter apart, and this one is none, or rare (two
    -- in a million words), so that twenty of the other are met before one of it.
    SELECT w.lemma INTO right_word
    FROM news.similar_words(spelled, 30) AS w
    WHERE news.one_letter_apart(news.word_key(spelled), news.word_key(w.word))
      -- In a word of three letters, another letter mostly makes another word.
      AND (length(bare) > 3 OR length(spelled) <> length(w.word))
      AND left(bare, 1) = left(news.unexplained(w.word), 1) COLLATE "C"
      AND (SELECT min(r.cost) FROM news.readings(w.word) AS r)
          <= (SELECT min(r.cost) FROM news.readings(spelled) AS r) - 300
      AND (SELECT min(r.cost) FROM news.readings(spelled) AS r) >= 1300
    ORDER BY w.similarity DESC, w.word COLLATE "C"
    LIMIT 1;
    RETURN coalesce(right_word, lemma);
END
$function$;

COMMENT ON FUNCTION news.asked_for(text) IS
    'The lemma a search looks for when it is asked for a word. A word that no article has is taken for a typing error '
    'where another one, one letter apart, is much more frequent.';

CREATE OR REPLACE FUNCTION news.corrections(query text) RETURNS TABLE (word text, lemma text)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1
SET search_path = pg_catalog
AS $function$
    SELECT asked, news.asked_for(asked)
    FROM (SELECT DISTINCT unnest(news.words_of(piece[1])) AS asked
          FROM regexp_matches(query, '(?:^|\s)-?([^-="*\s][^"*\s]*)(?=\s|$)', 'g') AS piece) AS words
    WHERE news.asked_for(asked) IS DISTINCT FROM news.sought_lemma(news.analyse(asked))
    ORDER BY asked COLLATE "C"
$function$;

COMMENT ON FUNCTION news.corrections(text) IS
    'The words of a query that a search takes for typing errors, and the lemma that it looks for in place of each.';

CREATE OR REPLACE FUNCTION news.exact_key(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN translate(spelled, 'أإآٱیک', 'ااااىك');

COMMENT ON FUNCTION news.exact_key(text) IS
    'A word as it is spelled, but for the hamza of an alef and for the Persian letters of ya and kaf.';

CREATE OR REPLACE FUNCTION news.exactly(spelled text) RETURNS tsquery
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    SELECT string_agg(DISTINCT quote_literal('=' || word), ' | ')::tsquery
    FROM (SELECT spelled AS word
          UNION ALL SELECT word FROM news.words WHERE news.exact_key(word) = news.exact_key(spelled)) AS spellings
$function$;

COMMENT ON FUNCTION news.exactly(text) IS 'A query for a word as it is spelled, in all spellings with one news.exact_key.';

-- Words one after the other, each at so many places behind the one before.
CREATE OR REPLACE FUNCTION news.phrase(terms tsquery[]) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
DECLARE
    found tsquery;
    gap integer := 1;
    term tsquery;
BEGIN
    FOREACH term IN ARRAY coalesce(terms, '{}') LOOP
        IF term IS NULL THEN
            -- A word that is not looked for takes its place all the same.
            gap := gap + 1;
        ELSE
            found := CASE WHEN found IS NULL THEN term ELSE tsquery_phrase(found, term, gap) END;
            gap := 1;
        END IF;
    END LOOP;
    RETURN found;
END
$function$;

COMMENT ON FUNCTION news.phrase(tsquery[]) IS
    'A query for terms one behind the other; null stands for any word. Null if nothing is looked for.';

CREATE OR REPLACE FUNCTION news.near(lexemes text[], words integer) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
DECLARE
    wanted text[] := array_remove(lexemes, NULL);
    -- At most a few hundred combinations.
    apart integer := greatest(1, least(words, CASE cardinality(wanted) WHEN 2 THEN 30 WHEN 3 THEN 12 ELSE 5 END));
    one tsquery;
    longer tsquery;
BEGIN
    IF cardinality(wanted) < 2 OR cardinality(wanted) > 4 THEN
        RETURN news.phrase((SELECT array_agg(quote_literal(l)::tsquery ORDER BY n)
                            FROM unnest(lexemes) WITH ORDINALITY AS u (l, n)));
    END IF;
    one := quote_literal(wanted[1])::tsquery;
    FOR place IN 2 .. cardinality(wanted) LOOP
        SELECT string_agg('(' || tsquery_phrase(one, quote_literal(wanted[place])::tsquery, n)::text || ')', ' | ')::tsquery
        INTO longer FROM generate_series(1, apart) AS n;
        one := longer;
    END LOOP;
    IF cardinality(wanted) = 2 THEN
        -- Two words in either order.
        SELECT string_agg('(' || tsquery_phrase(quote_literal(wanted[2])::tsquery, quote_literal(wanted[1])::tsquery, n)::text
                          || ')', ' | ')::tsquery
        INTO longer FROM generate_series(1, apart) AS n;
        one := one || longer;
    END IF;
    RETURN one;
END
$function$;

COMMENT ON FUNCTION news.near(text[], integer) IS
    'A query for lexemes at most so many words apart: two in either order, three or four in theirs.';

CREATE OR REPLACE FUNCTION news.search_query(query text) RETURNS tsquery
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
DECLARE
    -- A minus, an equals sign, a phrase in quotes and its distance, or a word.
    piece text[];
    words text[];
    term tsquery;
    every tsquery;
    found tsquery;
    either boolean := false;
BEGIN
    FOR piece IN SELECT regexp_matches(query, '(-?)(=?)(?:"([^"]*)"(?:~([0-9]{1,2}))?|([^\s"]+))', 'g') LOOP
        IF piece[5] IN ('or', 'OR', '|') AND piece[1] = '' AND piece[2] = '' THEN
            either := every IS NOT NULL;
            CONTINUE;
        END IF;
        words := news.words_of(coalesce(piece[3], piece[5]));
        term := CASE
            WHEN piece[4] IS NOT NULL THEN
                news.near((SELECT array_agg(news.asked_for(w) ORDER BY n) FROM unnest(words) WITH ORDINALITY AS u (w, n)),
                          piece[4]::integer)
            WHEN piece[3] IS NOT NULL OR piece[2] = '=' THEN
                news.phrase((SELECT array_agg(news.exactly(w) ORDER BY n) FROM unnest(words) WITH ORDINALITY AS u (w, n)))
            WHEN right(piece[5], 1) = '*' AND cardinality(words) = 1 THEN
                -- The hamza of an alef in front does not matter here either.
                (SELECT string_agg(quote_literal(mark || first || substr(words[1], 2)) || ':*', ' | ')::tsquery
                 FROM unnest('{"", "="}'::text[]) AS mark,
                      unnest(CASE WHEN words[1] ~ '^[اأإآ]' THEN '{ا,أ,إ,آ}'::text[]
                                  ELSE ARRAY[left(words[1], 1)] END) AS first)
            ELSE
                news.phrase((SELECT array_agg(quote_literal(news.asked_for(w))::tsquery ORDER BY n)
                             FROM unnest(words) WITH ORDINALITY AS u (w, n)))
        END;
        CONTINUE WHEN term IS NULL;
        IF piece[1] = '-' THEN
            term := !!term;
        END IF;
        IF either THEN
            found := CASE WHEN found IS NULL THEN every ELSE found || every END;
            every := term;
            either := false;
        ELSE
            every := CASE WHEN every IS NULL THEN term ELSE every && term END;
        END IF;
    END LOOP;
    RETURN coalesce(CASE WHEN found IS NULL THEN every WHEN every IS NULL THEN found ELSE found || every END, ''::tsquery);
END
$function$;

COMMENT ON FUNCTION news.search_query(text) IS
    'What articles.search is compared with (@@). Words that must all occur, in any form; =word as it is spelled, word* by its '
    'beginning, "words" as a phrase as they are spelled, "words"~5 at most five words apart, OR, and - before what must not.';

-- The part of a text in which words of a query occur first, these between <b> and </b>.
CREATE OR REPLACE FUNCTION news.snippet(title text, body text, found tsvector, sought tsquery) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    WITH asked AS (
        SELECT replace(m[1], '''''', '''') AS lexeme, m[2] IS NOT NULL AS is_prefix
        FROM regexp_matches(sought::text, '''((?:[^'']|'''')+)''(:\*)?', 'g') AS m
    ), all_words AS (
        SELECT array_remove(string_to_array(translate(body, E'\n\r\t', '   '), ' '), '') AS words
    ), place AS (
        -- Positions count the words of the title first. Without a word of the query, the text's beginning.
        SELECT greatest(coalesce(min(position), 0) - 12 - coalesce(cardinality(news.words_of(title)), 0), 1) AS start
        FROM unnest(found) AS lexeme (word, positions, weights)
        JOIN asked ON lexeme.word = asked.lexeme OR asked.is_prefix AND starts_with(lexeme.word, asked.lexeme),
             unnest(lexeme.positions, lexeme.weights) AS at (position, weight)
        WHERE at.weight = 'D'
    ), shown AS (
        SELECT number, word FROM all_words, place, unnest(words[start : start + 44]) WITH ORDINALITY AS u (word, number)
    ), spelled AS (
        -- All at once, each word behind a mark that no word is, so that they can be told apart again.
        SELECT word, count(*) FILTER (WHERE word = 'zqz') OVER (ORDER BY place) AS number
        FROM (SELECT string_agg('zqz ' || word, ' ' ORDER BY number) AS marked FROM shown) AS m,
             unnest(news.words_of(marked)) WITH ORDINALITY AS u (word, place)
    ), hits AS (
        -- What articles have is in news.words.
        SELECT DISTINCT number
        FROM spelled LEFT JOIN news.words AS w USING (word),
             unnest(array_append(w.lemmas, '=' || spelled.word)) AS form
        JOIN asked ON form = asked.lexeme OR asked.is_prefix AND starts_with(form, asked.lexeme)
    )
    SELECT CASE WHEN (SELECT start FROM place) > 1 THEN '… ' ELSE '' END
        || coalesce(string_agg(CASE WHEN hits.number IS NULL THEN word ELSE '<b>' || word || '</b>' END, ' '
                               ORDER BY shown.number), '')
        || CASE WHEN (SELECT cardinality(words) > start + 44 FROM all_words, place) THEN ' …' ELSE '' END
    FROM shown LEFT JOIN hits USING (number)
$function$;

COMMENT ON FUNCTION news.snippet(text, text, tsvector, tsquery) IS
    'The part of a text where words of a query stand, marked with <b>; used by news.search.';

CREATE OR REPLACE FUNCTION news.search(
    query text, language text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
    outlets text[] DEFAULT NULL, rows integer DEFAULT 20, page integer DEFAULT 1
) RETURNS TABLE (
    article_id bigint, rank real, title text, snippet text, outlet text, published_at timestamptz, url text, story_id bigint
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- The plan depends on how frequent the words are.
SET plan_cache_mode = force_custom_plan
-- To see whether an article matches takes reading its vector, which is kept apart from it in pieces: more than a page.
-- The planner counts that as nothing, and goes through the newest articles for words that one in a hundred has.
SET cpu_tuple_cost = 2
-- Words that a hundred thousand articles have must fit, or each of these is read to see whether it matches.
SET work_mem = '64MB'
SET max_parallel_workers_per_gather = 0
SET jit = off
SET search_path = pg_catalog
AS $function$
#variable_conflict use_column
DECLARE
    sought tsquery := news.search_query(search.query);
    -- Of words that thousands of articles have, the newest are ranked: reading all would take seconds.
    ranked CONSTANT integer := 300;
    weights CONSTANT real[] := '{0.1, 0.2, 0.4, 1}';
    skipped bigint := greatest(search.page - 1, 0)::bigint * greatest(search.rows, 0);
BEGIN
    IF numnode(sought) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH newest AS MATERIALIZED (
        SELECT a.id, a.published_at FROM news.articles a
        WHERE a.search @@ sought
          AND (search.language IS NULL OR a.language = search.language)
          AND (search.since IS NULL OR a.published_at >= search.since)
          AND (search.until IS NULL OR a.published_at < search.until)
          AND (search.outlets IS NULL OR a.outlet = ANY (search.outlets))
        ORDER BY a.published_at DESC NULLS LAST, a.id DESC
        LIMIT greatest(ranked, skipped + search.rows)
    ), numbered AS (
        SELECT n.id, n.published_at, row_number() OVER (ORDER BY n.published_at DESC NULLS LAST, n.id DESC) > ranked AS older
        FROM newest n
    ), best AS MATERIALIZED (
        SELECT n.id, n.older, n.published_at,
               CASE WHEN NOT n.older THEN ts_rank_cd(weights, a.search, sought, 1) END AS rank
        FROM numbered n JOIN news.articles a USING (id)
        ORDER BY n.older, rank DESC, n.published_at DESC NULLS LAST, n.id DESC
        OFFSET skipped LIMIT search.rows
    )
    SELECT a.id, coalesce(best.rank, ts_rank_cd(weights, a.search, sought, 1)), a.title,
           news.snippet(a.title, a.text, a.search, sought), a.outlet, a.published_at, a.url, a.story_id
    FROM best JOIN news.articles a USING (id)
    ORDER BY best.older, best.rank DESC, a.published_at DESC NULLS LAST, a.id DESC;
END
$function$;

COMMENT ON FUNCTION news.search(text, text, timestamptz, timestamptz, text[], integer, integer) IS
    'Articles that match a query (news.search_query), so many rows of a page: the newest 300 matches with the best first, '
    'then the others, newest first. since is inclusive, until exclusive; the title counts ten times. news.search_count '
    'says how many there are.';

CREATE OR REPLACE FUNCTION news.search_count(
    query text, language text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
    outlets text[] DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET plan_cache_mode = force_custom_plan
SET cpu_tuple_cost = 2
SET work_mem = '64MB'
SET max_parallel_workers_per_gather = 0
SET jit = off
SET search_path = pg_catalog
AS $function$
#variable_conflict use_column
DECLARE
    sought tsquery := news.search_query(search_count.query);
BEGIN
    RETURN CASE WHEN numnode(sought) = 0 THEN 0 ELSE (
        SELECT count(*) FROM news.articles a
        WHERE a.search @@ sought
          AND (search_count.language IS NULL OR a.language = search_count.language)
          AND (search_count.since IS NULL OR a.published_at >= search_count.since)
          AND (search_count.until IS NULL OR a.published_at < search_count.until)
          AND (search_count.outlets IS NULL OR a.outlet = ANY (search_count.outlets))) END;
END
$function$;

COMMENT ON FUNCTION news.search_count(text, text, timestamptz, timestamptz, text[]) IS
    'How many articles match a query, all of them: what news.search would return on all its pages.';

CREATE OR REPLACE FUNCTION news.suggest(query text) RETURNS TABLE (word text, suggestion text, similarity real)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 5
SET search_path = pg_catalog
AS $function$
    -- For each word the likest of each lemma, of those that are no form of the word itself.
    SELECT asked, w.word, w.similarity
    FROM (SELECT DISTINCT asked FROM unnest(news.words_of(query)) AS asked WHERE length(asked) > 2) AS words,
         LATERAL (SELECT DISTINCT ON (s.lemma) s.word, s.similarity FROM news.similar_words(asked, 30) AS s
                  WHERE s.lemma IS DISTINCT FROM (news.analyse(asked))[1]
                  ORDER BY s.lemma, s.similarity DESC, s.word COLLATE "C") AS w
    ORDER BY w.similarity DESC, asked COLLATE "C", w.word COLLATE "C"
    LIMIT 5
$function$;

COMMENT ON FUNCTION news.suggest(text) IS
    'Words of articles that are spelled like words of a query, most alike first: for when little is found.';

CREATE OR REPLACE FUNCTION news.lemmas(article_id bigint) RETURNS TABLE (lemma text, occurrences integer)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 200
SET search_path = pg_catalog
AS $function$
    SELECT w.lemmas[1], sum(cardinality(f.positions))::integer
    FROM news.articles AS a, unnest(a.search) AS f (lexeme, positions, weights)
    JOIN news.words AS w ON w.word = substr(f.lexeme, 2)
    WHERE a.id = lemmas.article_id AND starts_with(f.lexeme, '=') AND cardinality(w.lemmas) > 0
    GROUP BY w.lemmas[1]
$function$;

COMMENT ON FUNCTION news.lemmas(bigint) IS
    'The lemmas of an article, title included, with how often each occurs (at most 255 times a form): to count words by.';

-- The index for search gathers the words of new articles, and searches look through what is gathered one by one.
CREATE OR REPLACE FUNCTION news.settle_search() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog
AS $function$
    SELECT gin_clean_pending_list('news.articles_search_idx'::regclass)
$function$;

COMMENT ON FUNCTION news.settle_search() IS
    'Puts the words of articles that have landed lately into their places in the index for search, as autovacuum does too.';
