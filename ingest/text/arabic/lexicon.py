"""The lexicon: which words there are, in which forms, and how frequent each form is.

Two files, one line per word or form. `lexicon.txt` is written by hand: function words, countries, names and whatever
else the other file lacks or has wrongly; docs/curators.md describes it. `forms.tsv` is written by
`ingest.text.arabic.compile`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ingest.text.arabic import affixes
from ingest.text.arabic.spelling import is_arabic, key, one_letter_apart, skeleton
from ingest.text.folding import spell

__all__ = [
    "COUNTED",
    "FOLDER",
    "LEAST_SKELETON",
    "LIKENED",
    "Form",
    "Lexicon",
    "LexiconError",
    "Line",
    "forms_by_hand",
    "overridden",
    "read_lexicon",
    "read_lines",
]

FOLDER = Path(__file__).parent
# What an unknown word may be another spelling of: words of these kinds, with so many letters beside long vowels. Words
# with roots of three letters are made from each other by vowels.
LIKENED, LEAST_SKELETON = affixes.NOUN + affixes.PLURAL + affixes.NAME + affixes.SEEN, 5
# A row of forms.tsv that says how frequent a form of lexicon.txt is.
COUNTED = "c"
# What a form costs that no list has counted.
UNCOUNTED = 1100
# A word that somebody has looked at is right, unless much speaks against it.
BY_HAND = -100
_KINDS = {
    "particle": affixes.PARTICLE, "preposition": affixes.PREPOSITION, "noun": affixes.NOUN, "verb": affixes.VERB,
    "country": affixes.NAME, "name": affixes.NAME,
}  # fmt: skip


class LexiconError(ValueError):
    """A line of lexicon.txt cannot be read. The message says which, and why."""


@dataclass(frozen=True)
class Form:
    """A form of a word: how it is spelled, its kind (`affixes`), its lemma, and its cost (minus log of its frequency).

    `wider` is a lemma that also finds this form: the country of an adjective.
    """

    spelling: str
    kind: str
    lemma: str
    cost: int
    wider: str = ""

    @cached_property
    def key(self) -> str:
        return key(self.spelling)


@dataclass(frozen=True)
class Line:
    """A line of lexicon.txt: the kind, the lemma, its other forms or spellings, and its adjectives."""

    number: int
    kind: str
    lemma: str
    forms: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()


class Lexicon:
    """Forms by key, and the long ones by skeleton."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self.forms = forms
        self._by_key: dict[str, list[Form]] = {}
        self._by_skeleton: dict[str, list[Form]] = {}
        for form in forms:
            self._by_key.setdefault(form.key, []).append(form)
            letters = skeleton(form.key)
            if form.kind in LIKENED and len(letters) >= LEAST_SKELETON:
                self._by_skeleton.setdefault(letters, []).append(form)

    def find(self, sought: str) -> Sequence[Form]:
        """Return the forms with a key."""
        return self._by_key.get(sought, ())

    def find_alike(self, sought: str) -> Iterator[Form]:
        """Yield forms that a key is another spelling of: one letter apart, and with the same skeleton."""
        letters = skeleton(sought)
        if len(letters) >= LEAST_SKELETON:
            for form in self._by_skeleton.get(letters, ()):
                if one_letter_apart(sought, form.key):
                    yield form


def read_lexicon() -> Lexicon:
    """Return the lexicon that ships with the program."""
    rows = list(_read_forms(FOLDER / "forms.tsv"))
    counted = {form.spelling: form.cost for form in rows if form.kind == COUNTED}
    by_hand = forms_by_hand(counted)
    theirs = overridden(by_hand)
    listed = [form for form in rows if form.kind != COUNTED and (form.spelling, form.kind) not in theirs]
    return Lexicon(sorted({*by_hand, *listed}, key=lambda form: (form.spelling, form.kind, form.lemma)))


def forms_by_hand(counted: Mapping[str, int]) -> list[Form]:
    """Return the forms of lexicon.txt, with the costs in `counted` as far as it has them."""
    return list(_forms_of(read_lines(FOLDER / "lexicon.txt"), counted))


def _read_forms(path: Path) -> Iterator[Form]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            spelling, kind, lemma, cost = line.split("\t")
            yield Form(spelling, kind, lemma or spelling, int(cost))


def read_lines(path: Path) -> list[Line]:
    """Return the lines of a file like lexicon.txt. Raises LexiconError."""
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        written = text.partition("#")[0].strip()
        if written:
            found.append(_parse_line(path.name, number, written))
    return found


def _parse_line(file: str, number: int, text: str) -> Line:
    kind, _, rest = text.partition(" ")
    if kind not in _KINDS:
        raise LexiconError(f"{file}:{number}: {kind!r} is no kind of word; the kinds are {', '.join(_KINDS)}")
    rest, _, adjectives = rest.partition("|")
    lemma, _, forms = rest.partition(":")
    lemma, *others = (spell(word) for word in (lemma, *_listed(forms), *_listed(adjectives)))
    number_of_forms = len(_listed(forms))
    for word in (lemma, *others):
        if not word or " " in word:
            raise LexiconError(f"{file}:{number}: {word!r} is not one word")
    if len(others) > number_of_forms and kind != "country":
        raise LexiconError(f"{file}:{number}: only a country has adjectives")
    return Line(number, kind, lemma, tuple(others[:number_of_forms]), tuple(others[number_of_forms:]))


# Kinds of the list that a form written by hand overrides, where they are spelled alike.
_OVERRIDES = {
    affixes.NOUN: affixes.NOUN + affixes.PLURAL + affixes.SEEN + affixes.AS_IT_IS,
    affixes.PLURAL: affixes.NOUN + affixes.PLURAL + affixes.SEEN + affixes.AS_IT_IS,
    affixes.VERB: affixes.VERB + affixes.AS_IT_IS,
    affixes.IMPERFECT: affixes.IMPERFECT,
}
_ALL_KINDS = affixes.NOUN + affixes.PLURAL + affixes.VERB + affixes.IMPERFECT + affixes.AS_IT_IS + affixes.SEEN


def overridden(by_hand: Sequence[Form]) -> set[tuple[str, str]]:
    """Return the spellings and kinds of forms of the list in whose place there are those written by hand."""
    return {
        (spelling, kind)
        for form in by_hand
        for spelling in regular_forms(form)
        for kind in _OVERRIDES.get(form.kind, _ALL_KINDS)
    }


def regular_forms(form: Form) -> tuple[str, ...]:
    """Return the spelling of a form, and of an adjective also its feminine and plurals, which rules find."""
    endings = ("", "ة", "ات", "ون", "ين") if form.wider and form.kind == affixes.NOUN else ("",)
    return tuple(form.spelling + ending for ending in endings)


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _forms_of(lines: Sequence[Line], counted: Mapping[str, int]) -> Iterator[Form]:
    def cost(spelling: str) -> int:
        # Whoever wrote it down has met it more often than the list.
        return min(counted.get(spelling, UNCOUNTED), UNCOUNTED)

    for line in lines:
        kind = _KINDS[line.kind]
        for spelling in spellings_of(line):
            if is_arabic(spelling) and not (line.kind == "verb" and spelling in line.forms):
                # The lemma of a noun takes endings, and needs no help.
                is_noun = kind == affixes.NOUN
                helped = BY_HAND if spelling != line.lemma or not is_noun else 0
                its_kind = affixes.PLURAL if is_noun and spelling != line.lemma else kind
                yield Form(spelling, its_kind, line.lemma, cost(spelling) + helped)
            elif not is_arabic(spelling):
                yield Form(spelling, affixes.AS_IT_IS, line.lemma, UNCOUNTED + BY_HAND)
        if line.kind == "verb":
            for spelling in line.forms:
                # The imperfect, without the letter of the person.
                yield Form(spelling[1:], affixes.IMPERFECT, line.lemma, cost(spelling))
        for adjective in line.adjectives:
            lemma = line.adjectives[0]
            kind = affixes.NOUN if is_arabic(adjective) else affixes.AS_IT_IS
            yield Form(adjective, kind, lemma, cost(adjective) + BY_HAND, line.lemma)


def spellings_of(line: Line) -> Iterator[str]:
    """Yield the lemma and forms of a line, and names that begin with the article without it where they may lack it."""
    for spelling in (line.lemma, *line.forms):
        yield spelling
        if line.kind == "country" and spelling.startswith("ال") and len(spelling) > 4:
            yield spelling.removeprefix("ال")
