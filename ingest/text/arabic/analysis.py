"""Readings of a word: what it may be a form of, the likeliest first.

A reading takes particles off the front and endings off the back, and finds what remains in the lexicon. Its cost is
that of the form, of what was taken off, and of spelling the form in this way: how unlikely the three are. So a particle
is taken off only where what remains is a word, and more likely one than the whole. A word that no reading explains is
its own lemma.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ingest.text.arabic.affixes import NOUN, PREFIXES, SEEN, SUFFIXES, Prefix, Suffix
from ingest.text.arabic.lexicon import LEAST_SKELETON, Lexicon, read_lexicon
from ingest.text.arabic.spelling import distance, is_arabic, key, skeleton
from ingest.text.folding import unify

__all__ = ["Analyser", "Analysis", "Reading", "shared_analyser"]

# The cost of a word that is in no list.
UNKNOWN = 1950
# A word as it stands in the lexicon is likelier to be that than another word with particles or endings.
WHOLE = -60
# Readings that cost so little more than the best one are kept beside it: one in three is right.
CLOSE = 100
# A text with a word nobody listed is also found by what the word might be, if that costs at most so much more.
CLOSE_TO_UNKNOWN = 400
# Letters that what remains must have: of a word in the lexicon, of a noun that has endings, and of other words.
LEAST_LETTERS, LEAST_WITH_ENDING, LEAST_UNKNOWN = 2, 3, 3
# Stands before the skeleton of an unknown word, by which its other spellings are found.
SKELETON_MARK = "~"
# No word is longer, and no affix.
MOST_LETTERS = 40
_LONGEST_PREFIX = max(len(prefix.letters) for prefix in PREFIXES)
_LONGEST_SUFFIX = max(len(suffix.letters) for suffix in SUFFIXES)
# The particles that may stand in front of a word nobody listed.
ARTICLES = tuple(sorted((prefix for prefix in PREFIXES if prefix.definite), key=lambda prefix: -len(prefix.letters)))
PARTICLES = ("و", "ف", "ب", "ل", "ك")
# Letters that Arabic does not have, those of Kurdish apart, and endings of the plural, definiteness and attribution.
KURDISH, PERSIAN = frozenset("ەۆێڕڵڤھ"), frozenset("پچژگکی")
KURDISH_ENDINGS = ("ەكانی", "ەكان", "ەكەی", "ەكە", "ێك", "انی", "ان", "ی")
PERSIAN_ENDINGS = ("هایی", "های", "ها", "ی")
# Endings of adjectives of relation, behind their ya.
RELATIVE_ENDINGS = ("ة", "ه", "ات", "ين", "ون")


@dataclass(frozen=True, order=True)
class Reading:
    """What a word may be: `cost`, the lemma, the wider lemma or "", and what was taken off in front and behind.

    `known` if the lexicon has the word, and not only seen it.
    """

    cost: int
    lemma: str
    wider: str
    prefix: str
    suffix: str
    known: bool

    def is_lemma(self, letters: str) -> bool:
        """Return whether a word with this key, as it stands, is the lemma."""
        return not self.prefix and not self.suffix and key(self.lemma) == letters


@dataclass(frozen=True)
class Analysis:
    """The lemma that a word stands for, and all lemmas under which a text that contains it is found (it included).

    Of a word nobody listed, the last of these is its skeleton, behind a mark.

    `likely` are those that it is a form of: without the country of an adjective, and without what is only possible.
    """

    lemma: str
    lemmas: tuple[str, ...]
    likely: frozenset[str]


class Analyser:
    """Analyses words with a lexicon. Remembers words, because news repeats them."""

    def __init__(self, lexicon: Lexicon, remember: int = 200_000) -> None:
        self.lexicon = lexicon
        self._remember = remember
        self._known: dict[str, Analysis] = {}
        self._prefixes: dict[str, list[Prefix]] = defaultdict(list)
        for prefix in PREFIXES:
            self._prefixes[key(prefix.letters)].append(prefix)
        self._suffixes: dict[str, list[Suffix]] = defaultdict(list)
        for suffix in SUFFIXES:
            self._suffixes[key(suffix.letters)].append(suffix)

    def knows(self, spelled: str) -> bool:
        """Return whether a word is analysed here: it is Arabic, or a name in Latin letters."""
        return is_arabic(spelled) or bool(self.lexicon.find(spelled))

    def analyse(self, spelled: str) -> Analysis:
        """Return the analysis of a word as `ingest.text.folding.spell` returns it."""
        known = self._known.get(spelled)
        if known is None:
            readings = self.readings(spelled)
            alike = [] if readings[0].known else self._alike(spelled, readings[0].cost)
            known = _analysis(spelled, readings, alike)
            if len(self._known) >= self._remember:
                self._known.clear()
            self._known[spelled] = known
        return known

    def readings(self, spelled: str) -> list[Reading]:
        """Return all readings of a word in Arabic letters, or of a name in Latin ones, the likeliest first."""
        if is_arabic(spelled):
            return sorted({*self._explained(spelled), *_unexplained(spelled)})
        found = [Reading(form.cost, form.lemma, form.wider, "", "", True) for form in self.lexicon.find(spelled)]
        return sorted(found) or [Reading(UNKNOWN, unify(spelled), "", "", "", known=False)]

    def _explained(self, spelled: str) -> Iterator[Reading]:
        letters = key(spelled)
        for prefix, start, end, suffix in self._cuts(letters):
            yield from self._between(spelled, letters, prefix, start, end, suffix)

    def _cuts(self, letters: str) -> Iterator[tuple[Prefix, int, int, Suffix]]:
        """Yield what may be in front and behind, with the places between which the rest stands."""
        size = len(letters)
        if size > MOST_LETTERS:
            return
        ends = [
            (size - behind, suffix)
            for behind in range(min(_LONGEST_SUFFIX, size - 1) + 1)
            for suffix in self._suffixes.get(letters[size - behind :], ())
        ]
        for start in range(min(_LONGEST_PREFIX, size - 1) + 1):
            for prefix in self._prefixes.get(letters[:start], ()):
                for end, suffix in ends:
                    if start < end and not (prefix.definite and suffix.pronoun):
                        yield prefix, start, end, suffix

    def _alike(self, spelled: str, most: int) -> list[str]:
        """Return the lemmas that a word nobody listed may be another spelling of, the likeliest first, at `most`."""
        letters = key(spelled) if is_arabic(spelled) else ""
        costs: dict[str, int] = {}
        for prefix, start, end, suffix in self._cuts(letters):
            for form in self.lexicon.find_alike(letters[start:end] + key(suffix.replacement)):
                if form.kind in prefix.kinds and form.kind in suffix.kinds:
                    cost = prefix.cost + form.cost + suffix.cost
                    if cost <= most:
                        costs[form.lemma] = min(cost, costs.get(form.lemma, cost))
        best = min(costs.values(), default=0)
        return sorted(
            (lemma for lemma, cost in costs.items() if cost <= best + CLOSE), key=lambda each: (costs[each], each)
        )

    def _between(
        self, spelled: str, letters: str, prefix: Prefix, start: int, end: int, suffix: Suffix
    ) -> Iterator[Reading]:
        sought = letters[start:end] + key(suffix.replacement)
        if len(sought) < LEAST_LETTERS:
            return
        for form in self.lexicon.find(sought):
            if form.kind not in prefix.kinds or form.kind not in suffix.kinds:
                continue
            if suffix.letters and not suffix.pronoun and form.kind == NOUN and len(sought) < LEAST_WITH_ENDING:
                continue
            stem, last = form.spelling[: end - start], form.spelling[end - start :]
            spelling = distance(spelled, prefix.letters + stem + suffix.letters) + distance(suffix.replacement, last)
            whole = WHOLE if not prefix.letters and not suffix.letters and form.kind != SEEN else 0
            cost = prefix.cost + form.cost + suffix.cost + spelling + whole
            yield Reading(cost, form.lemma, form.wider, prefix.letters, suffix.letters, known=form.kind != SEEN)


@lru_cache(maxsize=1)
def shared_analyser() -> Analyser:
    """Return the analyser of this process, with the lexicon that ships with the program."""
    return Analyser(read_lexicon())


def _unexplained(spelled: str) -> Iterator[Reading]:
    """Yield the readings of a word nobody listed: as it is, and without the article."""
    for article in ARTICLES:
        if spelled.startswith(article.letters) and len(spelled) >= len(article.letters) + LEAST_UNKNOWN:
            bare = unify(_relative(spelled.removeprefix(article.letters)))
            yield Reading(UNKNOWN + article.cost, bare, "", "", "", known=False)
            return
    yield Reading(UNKNOWN, unify(_foreign_stem(spelled)), "", "", "", known=False)


def _foreign_stem(spelled: str) -> str:
    letters = set(spelled)
    if not letters & (KURDISH | PERSIAN):
        return _relative(spelled)
    endings = KURDISH_ENDINGS if letters & KURDISH else PERSIAN_ENDINGS
    written = spelled.replace("ک", "ك")
    for ending in endings:
        if written.endswith(ending) and len(spelled) >= len(ending) + LEAST_UNKNOWN:
            return spelled[: len(spelled) - len(ending)]
    return spelled


def _relative(word: str) -> str:
    """Return an adjective of relation without its endings: انقلابي for انقلابية and انقلابيين. Other words stay."""
    for ending in RELATIVE_ENDINGS:
        relative = word.removesuffix(ending)
        if relative != word and relative.endswith("ي") and len(relative) > LEAST_UNKNOWN:
            return relative
    return word


def _analysis(spelled: str, readings: list[Reading], alike: list[str]) -> Analysis:
    best = readings[0]
    letters = key(spelled)
    # Beside a lemma as it stands, only others that are spelled so.
    alone = best.known and best.is_lemma(letters)
    likely = [
        reading
        for reading in readings
        if reading.known and reading.cost <= best.cost + CLOSE and (reading.is_lemma(letters) or not alone)
    ]
    possible, bare, sound = likely, list[str](), []
    if best.cost >= UNKNOWN:
        # Perhaps a rare form of a word, or a name with particles: the text is found by these as well.
        possible = [reading for reading in readings if reading.known and reading.cost <= best.cost + CLOSE_TO_UNKNOWN]
        rest = best.lemma if is_arabic(spelled) else ""
        while rest[:1] in PARTICLES and len(rest) > LEAST_UNKNOWN:
            rest = rest[1:]
            bare.append(rest)
        # And by its skeleton, as names nobody listed have many spellings.
        skeleton_of_it = skeleton(key(best.lemma)) if is_arabic(spelled) else ""
        if len(skeleton_of_it) >= LEAST_SKELETON:
            sound.append(SKELETON_MARK + skeleton_of_it)
    wide = [lemma for reading in possible for lemma in (reading.lemma, reading.wider) if lemma]
    return Analysis(
        best.lemma,
        tuple(dict.fromkeys((best.lemma, *wide, *bare, *alike, *sound))),
        frozenset((best.lemma, *(reading.lemma for reading in likely), *bare)),
    )
