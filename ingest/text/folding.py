"""Text folding and content identity: whether two texts are the same text.

`fold` removes what differs between copies of one text and not between texts: letter case, Arabic spelling variants,
vowel marks, invisible characters, digits of other scripts, punctuation and spacing. PostgreSQL has the same function
as `news.fold(text)` (`db/sql/fold.sql`, written by `sql_definition` here), so analysts can search and group by it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.text import unicode_tables

__all__ = [
    "LETTER_FORMS",
    "ContentIdentity",
    "content_identity",
    "fold",
    "fold_all",
    "fold_sentences",
    "identity_of_folded",
    "sql_definition",
    "word_count",
    "words_of_folded",
]

TATWEEL = "\u0640"
# Alef with hamza above, hamza below, madda, and wasla are alef; Persian and final forms are the plain Arabic letter.
LETTER_FORMS = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك"}


def code_ranges(table: str) -> Iterator[tuple[int, int]]:
    for item in table.split():
        first, _, last = item.partition("-")
        yield int(first, 16), int(last or first, 16)


def _digits() -> dict[str, str]:
    """Every decimal digit that is not ASCII, mapped to the ASCII digit of its value."""
    return {
        chr(zero + value): str(value)
        for zero, _ in code_ranges(unicode_tables.DECIMAL_ZEROS)
        if zero != ord("0")
        for value in range(10)
    }


def _python_class(limit: int, *tables: str) -> str:
    return "".join(
        f"\\U{first:08x}-\\U{min(last, limit):08x}"
        for table in tables
        for first, last in code_ranges(table)
        if first <= limit
    )


@dataclass(frozen=True)
class _Patterns:
    unassigned: re.Pattern[str]
    dropped: re.Pattern[str]
    separators: re.Pattern[str]

    @classmethod
    def up_to(cls, limit: int) -> "_Patterns":
        return cls(
            unassigned=re.compile(f"[{_python_class(limit, unicode_tables.UNASSIGNED)}]"),
            dropped=re.compile(f"[{TATWEEL}{_python_class(limit, unicode_tables.MARKS, unicode_tables.FORMATS)}]+"),
            # Single spaces, which most are, stay as they are.
            separators=re.compile(f"[^ 0-9{_python_class(limit, unicode_tables.LETTERS)}]+"),
        )

    def words(self, text: str) -> str:
        """The words of a text with single spaces between them."""
        return " ".join(self.separators.sub(" ", text).split())


# The regular expression engine looks up the Basic Multilingual Plane in a table and walks the ranges beyond it one
# by one, eight times slower: texts without such characters (nearly all) are spared the walk.
_PLANE_0 = _Patterns.up_to(0xFFFF)
_ALL_PLANES = _Patterns.up_to(0x10FFFF)
_UNIFIED = str.maketrans(LETTER_FORMS | _digits())
# Texts in Latin and Arabic letters, which nearly all are, have only these to unify, and no unassigned characters: that
# takes less than half of the time.
_UNUSUAL = re.compile("[^\u0000-\u0377\u0600-\u070d\u2000-\u2064]")
_USUAL_FORMS = tuple((LETTER_FORMS | {char: digit for char, digit in _digits().items() if char <= "\u06f9"}).items())


def _patterns_for(text: str) -> _Patterns:
    return _PLANE_0 if max(text, default="") <= "\uffff" else _ALL_PLANES


def fold(text: str) -> str:
    """Return `text` reduced to lower-case letters, ASCII digits and single spaces.

    In this order: characters unknown to Unicode 14.0 become separators; NFKC (UAX #15); full case folding (Unicode
    3.13); format characters (Cf), combining marks (Mn) and tatweel are dropped; the forms of alef, ya, ta marbuta
    and kaf are unified; decimal digits become ASCII; each run of anything but letters (L) and digits becomes one
    space; the ends are stripped. Empty when the text has neither letter nor digit.
    """
    if text.isascii():
        return _PLANE_0.words(text.lower())
    if not _UNUSUAL.search(text):
        # What is in normal form but for these spaces, as most texts are, is recognised at once.
        folded = unicodedata.normalize("NFKC", text.replace("\u00a0", " ")).casefold()
        folded = _PLANE_0.dropped.sub("", folded)
        for form, plain in _USUAL_FORMS:
            if form in folded:
                folded = folded.replace(form, plain)
        return _PLANE_0.words(folded)
    known = _patterns_for(text).unassigned.sub(" ", text)
    folded = unicodedata.normalize("NFKC", known).casefold()
    # NFKC can lead out of the plane: some compatibility ideographs decompose into plane 2.
    patterns = _patterns_for(folded)
    return patterns.words(patterns.dropped.sub("", folded).translate(_UNIFIED))


# Stands between texts that are folded at once.
_BETWEEN = "zqbetweenqz"


def fold_all(texts: Sequence[str]) -> list[str]:
    """Return each of the texts folded, in a fraction of the time it takes to fold them one by one."""
    usual = [text for text in texts if not _UNUSUAL.search(text)]
    folded = fold(f" {_BETWEEN} ".join(usual)).split(_BETWEEN) if usual else []
    if len(folded) != len(usual):
        # One of them has that word.
        return list(map(fold, texts))
    if len(usual) == len(texts):
        return [text.strip(" ") for text in folded]
    quick = iter(folded)
    return [fold(text) if _UNUSUAL.search(text) else next(quick).strip(" ") for text in texts]


# The sign that ends a sentence and what separates it from the next, unless it is that of an abbreviation (U.S.), and
# line breaks. The sign comes first, since the regular expression engine looks for it eight times as fast.
_SENTENCE_END = re.compile("[.!?\u061f\u06d4\u2026\n](?:(?<=\n)\n*|(?<=[^A-Z.].)[\\s\"'\u201d\u00bb)]+)", re.DOTALL)


def fold_sentences(text: str) -> list[str]:
    """Return the sentences of `text`, each folded, without empty ones; joined by spaces they are `fold(text)`."""
    return list(filter(None, fold_all(_SENTENCE_END.split(text))))


@dataclass(frozen=True)
class ContentIdentity:
    """What names a text: `content_hash`, 64 hex digits, and `content_id`, its first 16."""

    content_hash: str

    @property
    def content_id(self) -> str:
        return self.content_hash[:16]


def content_identity(text: str) -> ContentIdentity:
    """Return the identity of `text`: SHA-256 of its folded form in UTF-8, lower-case hexadecimal."""
    return identity_of_folded(fold(text))


def identity_of_folded(folded: str) -> ContentIdentity:
    """Return the identity of a text that is folded already."""
    return ContentIdentity(hashlib.sha256(folded.encode()).hexdigest())


def word_count(text: str) -> int:
    """Return the number of words in `text`: runs of letters and digits after folding."""
    return words_of_folded(fold(text))


def words_of_folded(folded: str) -> int:
    """Return the number of words in a text that is folded already."""
    return folded.count(" ") + 1 if folded else 0


def _sql_char(code_point: int) -> str:
    return f"\\u{code_point:04x}" if code_point <= 0xFFFF else f"\\U{code_point:08x}"


def _sql_class(*tables: str, within: tuple[tuple[int, int], ...] = ((0, 0x10FFFF),)) -> str:
    pieces = []
    for table in tables:
        for first, last in code_ranges(table):
            for low, high in within:
                start, end = max(first, low), min(last, high)
                # PostgreSQL's text holds neither NUL nor surrogates, and its regular expressions refuse them as bounds.
                if start <= end and not 0xD800 <= first <= 0xDFFF:
                    pieces.append(_sql_char(start) if start == end else f"{_sql_char(start)}-{_sql_char(end)}")
    return "".join(pieces)


# Where the characters of usual texts lead, by NFKC and case folding: Latin, some Greek, Arabic, punctuation.
_USUAL_RANGES = ((0x0, 0x3FF), (0x600, 0x70D), (0x1E00, 0x1EFF), (0x2000, 0x2064), (0x2C60, 0x2C7F))


def _sql_replace(expression: str, forms: dict[str, str]) -> str:
    for char, form in forms.items():
        expression = f"replace({expression}, '{char}', '{form}')"
    return expression


def _sql_replace_if_any(forms: dict[str, str]) -> str:
    return f"""\
        IF folded ~ '[{"".join(forms)}]' THEN
            folded := {_sql_replace("folded", forms)};
        END IF;
"""


def sql_definition() -> str:
    """Return the SQL that defines `news.fold(text)`, the same function as `fold`.

    Usual texts take a short way, a tenth of the long one: regular expressions with the classes of all of Unicode are
    slow, replacing costs by the match, and PostgreSQL's `translate` searches its whole table for every character.
    """
    digits = _digits()
    arabic = {char: digit for char, digit in digits.items() if "\u0660" <= char <= "\u06f9"}
    rare = {char: digit for char, digit in digits.items() if char not in arabic}
    unified = LETTER_FORMS | arabic
    frequent = {char: form for char, form in LETTER_FORMS.items() if char in "أإآىة"}
    seldom = (
        {char: form for char, form in LETTER_FORMS.items() if char not in frequent},
        {char: digit for char, digit in arabic.items() if char < "\u06f0"},
        {char: digit for char, digit in arabic.items() if char >= "\u06f0"},
    )
    tatweel = _sql_char(ord(TATWEEL))
    dropped = _sql_class(unicode_tables.MARKS, unicode_tables.FORMATS) + tatweel
    letters = _sql_class(unicode_tables.LETTERS)
    usual_dropped = _sql_class(unicode_tables.MARKS, unicode_tables.FORMATS, within=_USUAL_RANGES) + tatweel
    usual_letters = _sql_class(unicode_tables.LETTERS, within=_USUAL_RANGES)
    unassigned = _sql_class(unicode_tables.UNASSIGNED)
    return f"""\
-- Written by ingest.text.folding.sql_definition(); a test compares the two. The character classes are those of
-- Unicode {unicode_tables.VERSION} on every server version, so that a content hash never changes its meaning.
CREATE OR REPLACE FUNCTION news.fold(input text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog
AS $function$
DECLARE
    folded text := input COLLATE "C";
BEGIN
    IF folded !~ '[^\\u0001-\\u0377\\u0600-\\u070d\\u2000-\\u2064]' THEN
        -- Latin and Arabic letters and punctuation, as nearly all texts.
        IF folded IS NOT NFKC NORMALIZED THEN
            folded := normalize(folded, NFKC);
        END IF;
        folded := casefold(folded COLLATE "pg_unicode_fast") COLLATE "C";
        folded := regexp_replace(folded, '[{usual_dropped}]+', '', 'g');
        folded := {_sql_replace("folded", frequent)};
{"".join(_sql_replace_if_any(forms) for forms in seldom)}\
        -- What separates words is a single space already, nearly always.
        folded := regexp_replace(folded, '[^ 0-9{usual_letters}]+', ' ', 'g');
        RETURN btrim(regexp_replace(folded, '  +', ' ', 'g'), ' ');
    END IF;
    folded := regexp_replace(folded, '[{unassigned}]', ' ', 'g');
    folded := casefold(normalize(folded, NFKC) COLLATE "pg_unicode_fast") COLLATE "C";
    folded := regexp_replace(folded, '[{dropped}]+', '', 'g');
    folded := translate(folded, '{"".join(unified)}', '{"".join(unified.values())}');
    IF folded ~ '[^\\u0001-\\u06ff]' THEN
        folded := translate(folded, '{"".join(rare)}', '{"".join(rare.values())}');
    END IF;
    RETURN btrim(regexp_replace(folded, '[^0-9{letters}]+', ' ', 'g'), ' ');
END
$function$;

COMMENT ON FUNCTION news.fold(text) IS
    'The text reduced to lower-case letters, ASCII digits and single spaces: case, Arabic spelling variants, '
    'vowel marks, digits of other scripts and punctuation removed. The SHA-256 of it is content_hash.';
"""
