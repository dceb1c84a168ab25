-- Written by ingest.text.arabic.sql.sql_definition(); a test compares the two. From a word as it is spelled
-- (news.spell) to what it is a form of, over the table news.lexicon.
CREATE OR REPLACE FUNCTION news.word_key(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN translate(spelled, 'أإآٱىیةکؤئ', 'ااااييهكءء');

COMMENT ON FUNCTION news.word_key(text) IS
    'The letters by which a word is looked up in news.lexicon: the same for all its usual spellings.';

CREATE OR REPLACE FUNCTION news.spelling_distance(written text, meant text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    SELECT CASE WHEN written = meant COLLATE "C" THEN 0 ELSE (
        SELECT sum(CASE substr(written, place, 1) || substr(meant, place, 1)
        WHEN 'اأ' THEN 40
        WHEN 'اإ' THEN 40
        WHEN 'اآ' THEN 60
        WHEN 'اٱ' THEN 0
        WHEN 'ٱا' THEN 0
        WHEN 'هة' THEN 120
        WHEN 'ةه' THEN 500
        WHEN 'ىي' THEN 200
        WHEN 'يى' THEN 450
        WHEN 'یي' THEN 0
        WHEN 'یى' THEN 0
        WHEN 'کك' THEN 0
        WHEN 'ئؤ' THEN 150
        WHEN 'ؤئ' THEN 150
        WHEN 'ءئ' THEN 60
        WHEN 'ءؤ' THEN 60
        WHEN 'ئء' THEN 60
        WHEN 'ؤء' THEN 60
        ELSE 350 END)
        FROM generate_series(1, length(written)) AS place
        WHERE substr(written, place, 1) <> substr(meant, place, 1) COLLATE "C"
    ) END
$function$;

COMMENT ON FUNCTION news.spelling_distance(text, text) IS
    'What it costs to read a spelling as another one with the same news.word_key; used by news.readings.';

-- Whether two words differ by one letter: another one, one more or less, or two that changed places.
CREATE OR REPLACE FUNCTION news.one_letter_apart(one text, other text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    WITH sizes AS (
        SELECT length(one) AS first, length(other) AS second, least(length(one), length(other)) AS shorter
    ), alike AS (
        SELECT first, second, shorter,
               (SELECT coalesce(min(n) - 1, shorter) FROM generate_series(1, shorter) AS n
                WHERE substr(one, n, 1) <> substr(other, n, 1) COLLATE "C") AS front,
               (SELECT coalesce(min(n) - 1, shorter) FROM generate_series(1, shorter) AS n
                WHERE substr(one, first - n + 1, 1) <> substr(other, second - n + 1, 1) COLLATE "C") AS back
        FROM sizes
    )
    SELECT one <> other COLLATE "C" AND abs(first - second) <= 1 AND (
        front + back >= greatest(first, second) - 1
        OR first = second AND front + back = first - 2
           AND substr(one, front + 1, 2) = reverse(substr(other, front + 1, 2)) COLLATE "C")
    FROM alike
$function$;

COMMENT ON FUNCTION news.one_letter_apart(text, text) IS
    'Whether one letter makes the difference between two words: another, one more or less, or two that changed places.';

CREATE OR REPLACE FUNCTION news.word_skeleton(letters text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN translate(letters, 'جگطظصثذژڤپاويء', 'غغتضسسززفب');

COMMENT ON FUNCTION news.word_skeleton(text) IS
    'The letters of a news.word_key that foreign words keep in all their spellings: without long vowels.';

-- What nothing explains: the word without the article, or without a simple ending of Kurdish or Persian.
CREATE OR REPLACE FUNCTION news.unexplained(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN CASE
    WHEN spelled !~ '^[\u0620-\u06ff]' THEN news.unify(spelled)
    WHEN spelled ~ '^(?:وبال|وكال|فبال|فكال|بال|كال|وال|ولل|فال|فلل|ال|لل).{3,}$' THEN
        news.unify(regexp_replace(regexp_replace(spelled, '^(?:وبال|وكال|فبال|فكال|بال|كال|وال|ولل|فال|فلل|ال|لل)', ''), '^(.{3,}ي)(?:ة|ه|ات|ين|ون)$', '\1'))
    WHEN spelled ~ '[ڕڤڵھۆێە]' THEN
        news.unify(regexp_replace(spelled, '^(.{3,}?)(?:ە[كک]انی|ە[كک]ان|ە[كک]ەی|ە[كک]ە|ێ[كک]|انی|ان|ی)$', '\1'))
    WHEN spelled ~ '[پچژکگی]' THEN
        news.unify(regexp_replace(spelled, '^(.{3,}?)(?:هایی|های|ها|ی)$', '\1'))
    ELSE news.unify(regexp_replace(spelled, '^(.{3,}ي)(?:ة|ه|ات|ين|ون)$', '\1'))
END;

COMMENT ON FUNCTION news.unexplained(text) IS
    'The lemma of a word that is in no lexicon: itself, without the article or a simple ending of Kurdish or Persian.';

CREATE OR REPLACE FUNCTION news.cuts(spelled text)
RETURNS TABLE (before text, behind text, before_kinds text, behind_kinds text, cost integer, replacement text,
               ending boolean, stem integer, sought text)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 20
SET search_path = pg_catalog
AS $function$
    WITH prefixes (letters, key, kinds, cost, definite) AS (VALUES
        ('', '', 'nbrpfvws', 0, false), ('ب', 'ب', 'nbrpf', 300, false), ('ل', 'ل', 'nbrpf', 300, false), ('ك', 'ك', 'nbrpf', 520, false),
        ('ال', 'ال', 'nbfs', 90, true), ('بال', 'بال', 'nbfs', 390, true), ('لل', 'لل', 'nbfs', 390, true), ('كال', 'كال', 'nbfs', 610, true),
        ('ي', 'ي', 'i', 60, false), ('سي', 'سي', 'i', 310, false), ('لي', 'لي', 'i', 360, false), ('ت', 'ت', 'i', 70, false),
        ('ست', 'ست', 'i', 320, false), ('لت', 'لت', 'i', 370, false), ('ن', 'ن', 'i', 250, false), ('سن', 'سن', 'i', 500, false),
        ('لن', 'لن', 'i', 550, false), ('أ', 'ا', 'i', 350, false), ('سأ', 'سا', 'i', 600, false), ('و', 'و', 'nbrpfvw', 280, false),
        ('وب', 'وب', 'nbrpf', 580, false), ('ول', 'ول', 'nbrpf', 580, false), ('وك', 'وك', 'nbrpf', 800, false), ('وال', 'وال', 'nbfs', 370, true),
        ('وبال', 'وبال', 'nbfs', 670, true), ('ولل', 'ولل', 'nbfs', 670, true), ('وكال', 'وكال', 'nbfs', 890, true), ('وي', 'وي', 'i', 340, false),
        ('وسي', 'وسي', 'i', 590, false), ('ولي', 'ولي', 'i', 640, false), ('وت', 'وت', 'i', 350, false), ('وست', 'وست', 'i', 600, false),
        ('ولت', 'ولت', 'i', 650, false), ('ون', 'ون', 'i', 530, false), ('وسن', 'وسن', 'i', 780, false), ('ولن', 'ولن', 'i', 830, false),
        ('وأ', 'وا', 'i', 630, false), ('وسأ', 'وسا', 'i', 880, false), ('ف', 'ف', 'nbrpfvw', 480, false), ('فب', 'فب', 'nbrpf', 780, false),
        ('فل', 'فل', 'nbrpf', 780, false), ('فك', 'فك', 'nbrpf', 1000, false), ('فال', 'فال', 'nbfs', 570, true), ('فبال', 'فبال', 'nbfs', 870, true),
        ('فلل', 'فلل', 'nbfs', 870, true), ('فكال', 'فكال', 'nbfs', 1090, true), ('في', 'في', 'i', 540, false), ('فسي', 'فسي', 'i', 790, false),
        ('فلي', 'فلي', 'i', 840, false), ('فت', 'فت', 'i', 550, false), ('فست', 'فست', 'i', 800, false), ('فلت', 'فلت', 'i', 850, false),
        ('فن', 'فن', 'i', 730, false), ('فسن', 'فسن', 'i', 980, false), ('فلن', 'فلن', 'i', 1030, false), ('فأ', 'فا', 'i', 830, false),
        ('فسأ', 'فسا', 'i', 1080, false)
    ), suffixes (letters, key, kinds, cost, replacement, pronoun) AS (VALUES
        ('', '', 'nbrpfviws', 0, '', false), ('ه', 'ه', 'nbr', 200, '', true), ('يه', 'يه', 'r', 200, 'ى', true), ('ته', 'ته', 'n', 170, 'ة', true),
        ('ته', 'ته', 'n', 320, '', true), ('اه', 'اه', 'n', 250, 'ى', true), ('اته', 'اته', 'n', 450, '', true), ('اته', 'اته', 'n', 400, 'ة', true),
        ('وه', 'وه', 'n', 600, '', true), ('يه', 'يه', 'n', 550, '', true), ('ها', 'ها', 'nbr', 200, '', true), ('يها', 'يها', 'r', 200, 'ى', true),
        ('تها', 'تها', 'n', 170, 'ة', true), ('تها', 'تها', 'n', 320, '', true), ('اها', 'اها', 'n', 250, 'ى', true), ('اتها', 'اتها', 'n', 450, '', true),
        ('اتها', 'اتها', 'n', 400, 'ة', true), ('وها', 'وها', 'n', 600, '', true), ('يها', 'يها', 'n', 550, '', true), ('هم', 'هم', 'nbr', 350, '', true),
        ('يهم', 'يهم', 'r', 350, 'ى', true), ('تهم', 'تهم', 'n', 320, 'ة', true), ('تهم', 'تهم', 'n', 470, '', true), ('اهم', 'اهم', 'n', 400, 'ى', true),
        ('اتهم', 'اتهم', 'n', 600, '', true), ('اتهم', 'اتهم', 'n', 550, 'ة', true), ('وهم', 'وهم', 'n', 750, '', true), ('يهم', 'يهم', 'n', 700, '', true),
        ('هما', 'هما', 'nbr', 600, '', true), ('يهما', 'يهما', 'r', 600, 'ى', true), ('تهما', 'تهما', 'n', 570, 'ة', true), ('تهما', 'تهما', 'n', 720, '', true),
        ('اهما', 'اهما', 'n', 650, 'ى', true), ('اتهما', 'اتهما', 'n', 850, '', true), ('اتهما', 'اتهما', 'n', 800, 'ة', true), ('وهما', 'وهما', 'n', 1000, '', true),
        ('يهما', 'يهما', 'n', 950, '', true), ('هن', 'هن', 'nbr', 700, '', true), ('يهن', 'يهن', 'r', 700, 'ى', true), ('تهن', 'تهن', 'n', 670, 'ة', true),
        ('تهن', 'تهن', 'n', 820, '', true), ('اهن', 'اهن', 'n', 750, 'ى', true), ('اتهن', 'اتهن', 'n', 950, '', true), ('اتهن', 'اتهن', 'n', 900, 'ة', true),
        ('وهن', 'وهن', 'n', 1100, '', true), ('يهن', 'يهن', 'n', 1050, '', true), ('ك', 'ك', 'nbr', 650, '', true), ('يك', 'يك', 'r', 650, 'ى', true),
        ('تك', 'تك', 'n', 620, 'ة', true), ('تك', 'تك', 'n', 770, '', true), ('اك', 'اك', 'n', 700, 'ى', true), ('اتك', 'اتك', 'n', 900, '', true),
        ('اتك', 'اتك', 'n', 850, 'ة', true), ('وك', 'وك', 'n', 1050, '', true), ('يك', 'يك', 'n', 1000, '', true), ('كم', 'كم', 'nbr', 700, '', true),
        ('يكم', 'يكم', 'r', 700, 'ى', true), ('تكم', 'تكم', 'n', 670, 'ة', true), ('تكم', 'تكم', 'n', 820, '', true), ('اكم', 'اكم', 'n', 750, 'ى', true),
        ('اتكم', 'اتكم', 'n', 950, '', true), ('اتكم', 'اتكم', 'n', 900, 'ة', true), ('وكم', 'وكم', 'n', 1100, '', true), ('يكم', 'يكم', 'n', 1050, '', true),
        ('نا', 'نا', 'nbr', 450, '', true), ('ينا', 'ينا', 'r', 450, 'ى', true), ('تنا', 'تنا', 'n', 420, 'ة', true), ('تنا', 'تنا', 'n', 570, '', true),
        ('انا', 'انا', 'n', 500, 'ى', true), ('اتنا', 'اتنا', 'n', 700, '', true), ('اتنا', 'اتنا', 'n', 650, 'ة', true), ('ونا', 'ونا', 'n', 850, '', true),
        ('ينا', 'ينا', 'n', 800, '', true), ('ي', 'ي', 'nbr', 550, '', true), ('يي', 'يي', 'r', 550, 'ى', true), ('تي', 'تي', 'n', 520, 'ة', true),
        ('تي', 'تي', 'n', 670, '', true), ('اي', 'اي', 'n', 600, 'ى', true), ('اتي', 'اتي', 'n', 800, '', true), ('اتي', 'اتي', 'n', 750, 'ة', true),
        ('ه', 'ه', 'v', 300, '', true), ('ته', 'ته', 'v', 400, '', true), ('وه', 'وه', 'v', 550, '', true), ('ه', 'ه', 'i', 300, '', true),
        ('وه', 'وه', 'i', 550, '', true), ('ونه', 'ونه', 'i', 550, '', true), ('ها', 'ها', 'v', 300, '', true), ('تها', 'تها', 'v', 400, '', true),
        ('وها', 'وها', 'v', 550, '', true), ('ها', 'ها', 'i', 300, '', true), ('وها', 'وها', 'i', 550, '', true), ('ونها', 'ونها', 'i', 550, '', true),
        ('هم', 'هم', 'v', 450, '', true), ('تهم', 'تهم', 'v', 550, '', true), ('وهم', 'وهم', 'v', 700, '', true), ('هم', 'هم', 'i', 450, '', true),
        ('وهم', 'وهم', 'i', 700, '', true), ('ونهم', 'ونهم', 'i', 700, '', true), ('هما', 'هما', 'v', 700, '', true), ('تهما', 'تهما', 'v', 800, '', true),
        ('وهما', 'وهما', 'v', 950, '', true), ('هما', 'هما', 'i', 700, '', true), ('وهما', 'وهما', 'i', 950, '', true), ('ونهما', 'ونهما', 'i', 950, '', true),
        ('هن', 'هن', 'v', 800, '', true), ('تهن', 'تهن', 'v', 900, '', true), ('وهن', 'وهن', 'v', 1050, '', true), ('هن', 'هن', 'i', 800, '', true),
        ('وهن', 'وهن', 'i', 1050, '', true), ('ونهن', 'ونهن', 'i', 1050, '', true), ('ك', 'ك', 'v', 750, '', true), ('تك', 'تك', 'v', 850, '', true),
        ('وك', 'وك', 'v', 1000, '', true), ('ك', 'ك', 'i', 750, '', true), ('وك', 'وك', 'i', 1000, '', true), ('ونك', 'ونك', 'i', 1000, '', true),
        ('كم', 'كم', 'v', 800, '', true), ('تكم', 'تكم', 'v', 900, '', true), ('وكم', 'وكم', 'v', 1050, '', true), ('كم', 'كم', 'i', 800, '', true),
        ('وكم', 'وكم', 'i', 1050, '', true), ('ونكم', 'ونكم', 'i', 1050, '', true), ('نا', 'نا', 'v', 550, '', true), ('تنا', 'تنا', 'v', 650, '', true),
        ('ونا', 'ونا', 'v', 800, '', true), ('نا', 'نا', 'i', 550, '', true), ('ونا', 'ونا', 'i', 800, '', true), ('وننا', 'وننا', 'i', 800, '', true),
        ('ني', 'ني', 'v', 600, '', true), ('تني', 'تني', 'v', 700, '', true), ('وني', 'وني', 'v', 850, '', true), ('ني', 'ني', 'i', 600, '', true),
        ('وني', 'وني', 'i', 850, '', true), ('ونني', 'ونني', 'i', 850, '', true), ('ة', 'ه', 'n', 120, '', false), ('ات', 'ات', 'n', 200, '', false),
        ('ين', 'ين', 'n', 200, '', false), ('ون', 'ون', 'n', 250, '', false), ('ان', 'ان', 'n', 320, '', false), ('ا', 'ا', 'nb', 330, '', false),
        ('ي', 'ي', 'n', 480, '', false), ('و', 'و', 'n', 480, '', false), ('تين', 'تين', 'n', 420, '', false), ('تان', 'تان', 'n', 480, '', false),
        ('ات', 'ات', 'n', 150, 'ة', false), ('تين', 'تين', 'n', 380, 'ة', false), ('تان', 'تان', 'n', 420, 'ة', false), ('تي', 'تي', 'n', 500, 'ة', false),
        ('تا', 'تا', 'n', 550, 'ة', false), ('ت', 'ت', 'v', 60, '', false), ('وا', 'وا', 'v', 150, '', false), ('ا', 'ا', 'v', 400, '', false),
        ('تا', 'تا', 'v', 500, '', false), ('نا', 'نا', 'v', 350, '', false), ('تم', 'تم', 'v', 600, '', false), ('ن', 'ن', 'v', 600, '', false),
        ('ت', 'ت', 'v', 60, 'ا', false), ('وا', 'وا', 'v', 150, 'ا', false), ('تا', 'تا', 'v', 500, 'ا', false), ('ته', 'ته', 'v', 400, 'ا', true),
        ('تها', 'تها', 'v', 400, 'ا', true), ('تهم', 'تهم', 'v', 550, 'ا', true), ('تهما', 'تهما', 'v', 800, 'ا', true), ('تهن', 'تهن', 'v', 900, 'ا', true),
        ('تك', 'تك', 'v', 850, 'ا', true), ('تكم', 'تكم', 'v', 900, 'ا', true), ('تنا', 'تنا', 'v', 650, 'ا', true), ('ت', 'ت', 'v', 60, 'ى', false),
        ('وا', 'وا', 'v', 150, 'ى', false), ('تا', 'تا', 'v', 500, 'ى', false), ('ته', 'ته', 'v', 400, 'ى', true), ('تها', 'تها', 'v', 400, 'ى', true),
        ('تهم', 'تهم', 'v', 550, 'ى', true), ('تهما', 'تهما', 'v', 800, 'ى', true), ('تهن', 'تهن', 'v', 900, 'ى', true), ('تك', 'تك', 'v', 850, 'ى', true),
        ('تكم', 'تكم', 'v', 900, 'ى', true), ('تنا', 'تنا', 'v', 650, 'ى', true), ('ي', 'ي', 'v', 350, 'ا', false), ('اه', 'اه', 'v', 300, 'ى', true),
        ('اها', 'اها', 'v', 300, 'ى', true), ('اهم', 'اهم', 'v', 450, 'ى', true), ('اهما', 'اهما', 'v', 700, 'ى', true), ('اهن', 'اهن', 'v', 800, 'ى', true),
        ('اك', 'اك', 'v', 750, 'ى', true), ('اكم', 'اكم', 'v', 800, 'ى', true), ('انا', 'انا', 'v', 550, 'ى', true), ('ون', 'ون', 'i', 130, '', false),
        ('وا', 'وا', 'i', 200, '', false), ('ان', 'ان', 'i', 350, '', false), ('ا', 'ا', 'i', 350, '', false), ('ن', 'ن', 'i', 500, '', false),
        ('ين', 'ين', 'i', 500, '', false), ('ي', 'ي', 'i', 600, '', false), ('ون', 'ون', 'i', 130, 'ى', false), ('وا', 'وا', 'i', 200, 'ى', false),
        ('ون', 'ون', 'i', 130, 'ي', false), ('وا', 'وا', 'i', 200, 'ي', false), ('ون', 'ون', 'i', 130, 'و', false), ('وا', 'وا', 'i', 200, 'و', false)
    ), word AS (
        SELECT news.word_key(spelled) AS letters, length(spelled) AS size
        WHERE length(spelled) <= 40
    )
    SELECT p.letters, s.letters, p.kinds, s.kinds, p.cost + s.cost, s.replacement, s.letters <> '' AND NOT s.pronoun,
           w.size - length(p.letters) - length(s.letters),
           substr(w.letters, length(p.letters) + 1, w.size - length(p.letters) - length(s.letters))
           || news.word_key(s.replacement)
    FROM word AS w
    JOIN prefixes AS p ON starts_with(w.letters, p.key)
    JOIN suffixes AS s ON right(w.letters, length(s.key)) = s.key COLLATE "C"
    WHERE spelled ~ '^[\u0620-\u06ff]' AND NOT (p.definite AND s.pronoun)
      AND w.size - length(p.letters) - length(s.letters) > 0
$function$;

COMMENT ON FUNCTION news.cuts(text) IS
    'What may be written in front of and behind a word, each way with its cost and the key of what remains.';

CREATE OR REPLACE FUNCTION news.readings(spelled text)
RETURNS TABLE (cost integer, lemma text, wider text, prefix text, suffix text, known boolean)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 3
SET search_path = pg_catalog
AS $function$
    WITH found AS (
        SELECT c.cost + f.cost
               + news.spelling_distance(spelled, c.before || left(f.spelling, c.stem) || c.behind)
               + news.spelling_distance(c.replacement, substr(f.spelling, c.stem + 1))
               + CASE WHEN c.before = '' AND c.behind = '' AND f.kind <> 's'
                      THEN -60 ELSE 0 END AS cost,
               f.lemma, f.wider, c.before, c.behind, f.kind <> 's'
        FROM news.cuts(spelled) AS c
        JOIN news.lexicon AS f ON f.key = c.sought AND strpos(c.before_kinds, f.kind) > 0
                              AND strpos(c.behind_kinds, f.kind) > 0
        WHERE length(c.sought) >= 2
          AND NOT (c.ending AND f.kind = 'n' AND length(c.sought) < 3)
        UNION
        SELECT f.cost, f.lemma, f.wider, '', '', true FROM news.lexicon AS f
        WHERE f.key = spelled AND spelled !~ '^[\u0620-\u06ff]'
    )
    SELECT r.* FROM (
    SELECT * FROM found
    UNION
    SELECT 1950 + CASE substring(spelled from '^(وبال|وكال|فبال|فكال|بال|كال|وال|ولل|فال|فلل|ال|لل).{3,}$')
            WHEN 'وبال' THEN 670
            WHEN 'وكال' THEN 890
            WHEN 'فبال' THEN 870
            WHEN 'فكال' THEN 1090
            WHEN 'بال' THEN 390
            WHEN 'كال' THEN 610
            WHEN 'وال' THEN 370
            WHEN 'ولل' THEN 670
            WHEN 'فال' THEN 570
            WHEN 'فلل' THEN 870
            WHEN 'ال' THEN 90
            WHEN 'لل' THEN 390
            ELSE 0 END,
           news.unexplained(spelled), '', '', '', false
    WHERE spelled ~ '^[\u0620-\u06ff]' OR NOT EXISTS (SELECT FROM found)
    ) AS r (cost, lemma, wider, prefix, suffix, known)
    ORDER BY r.cost, r.lemma COLLATE "C", r.wider COLLATE "C", r.prefix COLLATE "C", r.suffix COLLATE "C", r.known
$function$;

COMMENT ON FUNCTION news.readings(text) IS
    'What a word, as news.spell returns it, may be a form of: the likeliest reading first.';

CREATE OR REPLACE FUNCTION news.alike(spelled text, most integer) RETURNS TABLE (lemma text, cost integer)
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1
SET search_path = pg_catalog
AS $function$
    WITH found AS (
        SELECT f.lemma, min(c.cost + f.cost) AS cost
        FROM news.cuts(spelled) AS c
        JOIN news.lexicon AS f ON news.word_skeleton(f.key) = news.word_skeleton(c.sought)
                              AND strpos(c.before_kinds, f.kind) > 0 AND strpos(c.behind_kinds, f.kind) > 0
        WHERE length(news.word_skeleton(c.sought)) >= 5
          AND strpos('nbfs', f.kind) > 0 AND news.one_letter_apart(c.sought, f.key)
          AND c.cost + f.cost <= most
        GROUP BY f.lemma
    )
    SELECT lemma, cost FROM found WHERE cost <= (SELECT min(cost) FROM found) + 100
    ORDER BY cost, lemma COLLATE "C"
$function$;

COMMENT ON FUNCTION news.alike(text, integer) IS
    'The lemmas that a word which nobody listed may be another spelling of, the likeliest first, at a cost of most.';

CREATE OR REPLACE FUNCTION news.lemmas_of(spelled text) RETURNS text[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    WITH readings AS MATERIALIZED (
        SELECT r.*, row_number() OVER () AS place,
               r.prefix = '' AND r.suffix = '' AND news.word_key(r.lemma) = news.word_key(spelled) AS is_lemma
        FROM news.readings(spelled) AS r
    ), best AS (
        SELECT * FROM readings WHERE place = 1
    ), candidates AS (
        SELECT 0 AS place, 0 AS part, lemma FROM best
        UNION ALL
        SELECT r.place, part, found.lemma
        FROM best, readings AS r, LATERAL (VALUES (1, r.lemma), (2, r.wider)) AS found (part, lemma)
        WHERE r.known AND CASE
            WHEN best.cost >= 1950 THEN r.cost <= best.cost + 400
            ELSE r.cost <= best.cost + 100 AND (r.is_lemma OR NOT (best.known AND best.is_lemma)) END
        UNION ALL
        SELECT 1000 + number, 3, substr(best.lemma, number + 1)
        FROM best, generate_series(1, length(best.lemma) - 3) AS number
        WHERE best.cost >= 1950 AND left(best.lemma, number) ~ '^[وفبلك]+$'
          AND spelled ~ '^[\u0620-\u06ff]'
        UNION ALL
        SELECT 2000 + row_number() OVER (), 3, a.lemma
        FROM best, news.alike(spelled, best.cost) AS a
        WHERE NOT best.known
        UNION ALL
        SELECT 3000, 3, '~' || news.word_skeleton(news.word_key(best.lemma))
        FROM best
        WHERE best.cost >= 1950 AND spelled ~ '^[\u0620-\u06ff]'
          AND length(news.word_skeleton(news.word_key(best.lemma))) >= 5
    ), ordered AS (
        SELECT lemma, min((place, part)) AS place FROM candidates WHERE lemma <> '' GROUP BY lemma
    )
    SELECT array_agg(lemma ORDER BY place) FROM ordered
$function$;

COMMENT ON FUNCTION news.lemmas_of(text) IS
    'The lemma a word stands for, first, and the other lemmas under which a text that contains it is found. Of a word '
    'nobody listed, the last is its skeleton behind ~, by which other spellings are found.';

CREATE OR REPLACE FUNCTION news.sought_lemma(lemmas text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN CASE WHEN starts_with(lemmas[cardinality(lemmas)], '~') THEN lemmas[cardinality(lemmas)]
       ELSE lemmas[1] END;

COMMENT ON FUNCTION news.sought_lemma(text[]) IS
    'The one of the lemmas of a word (news.analyse) that a search for the word looks for.';
