"""The analyser in SQL: writes the functions that `db/sql/words.sql` consists of, so that both follow one definition."""

import hashlib

from ingest.text.arabic import affixes, analysis, lexicon, spelling
from ingest.text.arabic.lexicon import Lexicon

__all__ = ["sql_definition", "version_of"]


def _text(value: str) -> str:
    return f"'{value}'"


def _translate(letters: dict[str, str]) -> str:
    return f"translate(spelled, '{''.join(letters)}', '{''.join(letters.values())}')"


def _rows(rows: list[tuple[object, ...]]) -> str:
    """Write the rows of a VALUES list, several to a line."""
    written = [
        "(" + ", ".join(_text(each) if isinstance(each, str) else str(each).lower() for each in row) + ")"
        for row in rows
    ]
    return ",\n        ".join(", ".join(written[start : start + 4]) for start in range(0, len(written), 4))


def version_of(words: Lexicon) -> str:
    """Return sixteen hexadecimal digits that change with the forms, and with the rules by which words are read."""
    digest = hashlib.sha256(sql_definition().encode())
    for form in words.forms:
        digest.update(f"{form.spelling}\t{form.kind}\t{form.lemma}\t{form.cost}\t{form.wider}\n".encode())
    return digest.hexdigest()[:16]


def sql_definition() -> str:
    """Return the SQL that defines the analyser: the same readings as `Analyser.readings` and `Analyser.analyse`."""
    prefixes = _rows([(p.letters, spelling.key(p.letters), p.kinds, p.cost, p.definite) for p in affixes.PREFIXES])
    suffixes = _rows(
        [(s.letters, spelling.key(s.letters), s.kinds, s.cost, s.replacement, s.pronoun) for s in affixes.SUFFIXES]
    )
    distances = "\n".join(f"        WHEN '{a}{b}' THEN {cost}" for a, b, cost in spelling.DISTANCES)
    articles = "|".join(prefix.letters for prefix in analysis.ARTICLES)
    article_costs = "\n".join(f"            WHEN '{prefix.letters}' THEN {prefix.cost}" for prefix in analysis.ARTICLES)
    return f"""\
-- Written by ingest.text.arabic.sql.sql_definition(); a test compares the two. From a word as it is spelled
-- (news.spell) to what it is a form of, over the table news.lexicon.
CREATE OR REPLACE FUNCTION news.word_key(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN {_translate(spelling.KEYS)};

COMMENT ON FUNCTION news.word_key(text) IS
    'The letters by which a word is looked up in news.lexicon: the same for all its usual spellings.';

CREATE OR REPLACE FUNCTION news.spelling_distance(written text, meant text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
    SELECT CASE WHEN written = meant COLLATE "C" THEN 0 ELSE (
        SELECT sum(CASE substr(written, place, 1) || substr(meant, place, 1)
{distances}
        ELSE {spelling.OTHER_LETTER} END)
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
RETURN translate(letters, '{"".join(spelling.ALIKE)}{spelling.VOWELS}', '{"".join(spelling.ALIKE.values())}');

COMMENT ON FUNCTION news.word_skeleton(text) IS
    'The letters of a news.word_key that foreign words keep in all their spellings: without long vowels.';

-- What nothing explains: the word without the article, or without a simple ending of Kurdish or Persian.
CREATE OR REPLACE FUNCTION news.unexplained(spelled text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN {_unexplained(articles)};

COMMENT ON FUNCTION news.unexplained(text) IS
    'The lemma of a word that is in no lexicon: itself, without the article or a simple ending of Kurdish or Persian.';

CREATE OR REPLACE FUNCTION news.cuts(spelled text)
RETURNS TABLE (before text, behind text, before_kinds text, behind_kinds text, cost integer, replacement text,
               ending boolean, stem integer, sought text)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 20
SET search_path = pg_catalog
AS $function$
    WITH prefixes (letters, key, kinds, cost, definite) AS (VALUES
        {prefixes}
    ), suffixes (letters, key, kinds, cost, replacement, pronoun) AS (VALUES
        {suffixes}
    ), word AS (
        SELECT news.word_key(spelled) AS letters, length(spelled) AS size
        WHERE length(spelled) <= {analysis.MOST_LETTERS}
    )
    SELECT p.letters, s.letters, p.kinds, s.kinds, p.cost + s.cost, s.replacement, s.letters <> '' AND NOT s.pronoun,
           w.size - length(p.letters) - length(s.letters),
           substr(w.letters, length(p.letters) + 1, w.size - length(p.letters) - length(s.letters))
           || news.word_key(s.replacement)
    FROM word AS w
    JOIN prefixes AS p ON starts_with(w.letters, p.key)
    JOIN suffixes AS s ON right(w.letters, length(s.key)) = s.key COLLATE "C"
    WHERE spelled ~ '^[\\u0620-\\u06ff]' AND NOT (p.definite AND s.pronoun)
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
               + CASE WHEN c.before = '' AND c.behind = '' AND f.kind <> '{affixes.SEEN}'
                      THEN {analysis.WHOLE} ELSE 0 END AS cost,
               f.lemma, f.wider, c.before, c.behind, f.kind <> '{affixes.SEEN}'
        FROM news.cuts(spelled) AS c
        JOIN news.lexicon AS f ON f.key = c.sought AND strpos(c.before_kinds, f.kind) > 0
                              AND strpos(c.behind_kinds, f.kind) > 0
        WHERE length(c.sought) >= {analysis.LEAST_LETTERS}
          AND NOT (c.ending AND f.kind = '{affixes.NOUN}' AND length(c.sought) < {analysis.LEAST_WITH_ENDING})
        UNION
        SELECT f.cost, f.lemma, f.wider, '', '', true FROM news.lexicon AS f
        WHERE f.key = spelled AND spelled !~ '^[\\u0620-\\u06ff]'
    )
    SELECT r.* FROM (
    SELECT * FROM found
    UNION
    SELECT {analysis.UNKNOWN} + CASE substring(spelled from '^({articles}).{{{analysis.LEAST_UNKNOWN},}}$')
{article_costs}
            ELSE 0 END,
           news.unexplained(spelled), '', '', '', false
    WHERE spelled ~ '^[\\u0620-\\u06ff]' OR NOT EXISTS (SELECT FROM found)
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
        WHERE length(news.word_skeleton(c.sought)) >= {lexicon.LEAST_SKELETON}
          AND strpos('{lexicon.LIKENED}', f.kind) > 0 AND news.one_letter_apart(c.sought, f.key)
          AND c.cost + f.cost <= most
        GROUP BY f.lemma
    )
    SELECT lemma, cost FROM found WHERE cost <= (SELECT min(cost) FROM found) + {analysis.CLOSE}
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
            WHEN best.cost >= {analysis.UNKNOWN} THEN r.cost <= best.cost + {analysis.CLOSE_TO_UNKNOWN}
            ELSE r.cost <= best.cost + {analysis.CLOSE} AND (r.is_lemma OR NOT (best.known AND best.is_lemma)) END
        UNION ALL
        SELECT 1000 + number, 3, substr(best.lemma, number + 1)
        FROM best, generate_series(1, length(best.lemma) - {analysis.LEAST_UNKNOWN}) AS number
        WHERE best.cost >= {analysis.UNKNOWN} AND left(best.lemma, number) ~ '^[{"".join(analysis.PARTICLES)}]+$'
          AND spelled ~ '^[\\u0620-\\u06ff]'
        UNION ALL
        SELECT 2000 + row_number() OVER (), 3, a.lemma
        FROM best, news.alike(spelled, best.cost) AS a
        WHERE NOT best.known
        UNION ALL
        SELECT 3000, 3, '{analysis.SKELETON_MARK}' || news.word_skeleton(news.word_key(best.lemma))
        FROM best
        WHERE best.cost >= {analysis.UNKNOWN} AND spelled ~ '^[\\u0620-\\u06ff]'
          AND length(news.word_skeleton(news.word_key(best.lemma))) >= {lexicon.LEAST_SKELETON}
    ), ordered AS (
        SELECT lemma, min((place, part)) AS place FROM candidates WHERE lemma <> '' GROUP BY lemma
    )
    SELECT array_agg(lemma ORDER BY place) FROM ordered
$function$;

COMMENT ON FUNCTION news.lemmas_of(text) IS
    'The lemma a word stands for, first, and the other lemmas under which a text that contains it is found. Of a word '
    'nobody listed, the last is its skeleton behind {analysis.SKELETON_MARK}, by which other spellings are found.';

CREATE OR REPLACE FUNCTION news.sought_lemma(lemmas text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
RETURN CASE WHEN starts_with(lemmas[cardinality(lemmas)], '{analysis.SKELETON_MARK}') THEN lemmas[cardinality(lemmas)]
       ELSE lemmas[1] END;

COMMENT ON FUNCTION news.sought_lemma(text[]) IS
    'The one of the lemmas of a word (news.analyse) that a search for the word looks for.';
"""


def _unexplained(articles: str) -> str:
    least = analysis.LEAST_UNKNOWN
    return f"""CASE
    WHEN spelled !~ '^[\\u0620-\\u06ff]' THEN news.unify(spelled)
    WHEN spelled ~ '^(?:{articles}).{{{least},}}$' THEN
        news.unify({_relative("regexp_replace(spelled, '^(?:" + articles + ")', '')")})
    {_ending(analysis.KURDISH, analysis.KURDISH_ENDINGS)}
    {_ending(analysis.PERSIAN, analysis.PERSIAN_ENDINGS)}
    ELSE news.unify({_relative("spelled")})
END"""


def _relative(word: str) -> str:
    endings = "|".join(analysis.RELATIVE_ENDINGS)
    return f"regexp_replace({word}, '^(.{{{analysis.LEAST_UNKNOWN},}}ي)(?:{endings})$', '\\1')"


def _ending(letters: frozenset[str], endings: tuple[str, ...]) -> str:
    # Kaf is written with either letter.
    tried = "|".join(endings).replace("ك", "[كک]")
    return (
        f"WHEN spelled ~ '[{''.join(sorted(letters))}]' THEN\n        "
        f"news.unify(regexp_replace(spelled, '^(.{{{analysis.LEAST_UNKNOWN},}}?)(?:{tried})$', '\\1'))"
    )
