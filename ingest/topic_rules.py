"""The rules of a topic, applied to a text sentence by sentence. Pure; its input is folded (`ingest.folding`).

A sentence counts when it has one of the rule's passages, its subject is not somebody else, and it is about the right
place: the one that it names next to the passage, or the last one that was named before. What it counts depends on
where it stands: the title is about the subject, the first sentences nearly always, the rest may be background. A
passage that is a reminder (since the withdrawal) counts less anywhere.

An Arabic word is found with the particles written in front of it (و ف ب ك ل ال and their combinations, س before the
imperfect), the pronouns written behind it, and the endings of its sound plurals.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.folding import fold

__all__ = ["CompiledTopic", "Explanation", "Found", "Sought"]

TITLE_WEIGHT, FIRST_WEIGHT, LEAD_WEIGHT, REST_WEIGHT = 3.0, 3.0, 1.5, 0.5
# Sentences that are the lead; what all others can give together; and what a reminder counts of it all.
LEAD_SENTENCES = 3
REST_AT_MOST = 2.5
REMINDER_SHARE = 0.3
# Words in front of a concept within which a word such as `since` makes it a reminder.
REMINDER_WITHIN = 4
_ARABIC = re.compile("[\u0600-\u06ff]")
# Conjunction, preposition and article, as they combine in writing; future; after folding.
_PREFIX = "(?:[وف]?(?:ال|لل|[بك]ال|[بكل]|س(?=[يتنا]))?)"
_ENDING = "(?:ه|ها|هم|هما|هن|نا|كم|ي|ات|ون|ين|ان|يه|وا)?"

# position of a word, concept, the words
_Hit = tuple[int, str, str]


@dataclass
class Found:
    """The score of a text, and the words that gave it by concept."""

    score: float = 0.0
    matched: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """A sentence with a passage: where it stands, what it counts, and why not more."""

    where: str
    sentence: str
    words: tuple[str, ...]
    points: float
    reason: str


@dataclass(frozen=True)
class Sought:
    """A passage that a rule looks for: its concepts, how close together, its weight, and whether anybody may do it."""

    concepts: Sequence[str]
    within: int
    weight: float
    by_anyone: bool = False


@dataclass(frozen=True)
class _Passage:
    """What a sentence says of the topic: the hits it is made of, how much it says, and why it does not count, if so."""

    hits: tuple[_Hit, ...]
    weight: float
    reason: str = ""


class CompiledTopic:
    """A topic's rule, ready for use."""

    def __init__(
        self, *, words: Mapping[str, Sequence[str]], compounds: Mapping[str, tuple[Sequence[str], int]],
        passages: Sequence[Sought], where: str | None, not_where: str | None,
        not_by: str | None, background: str | None,
    ) -> None:  # fmt: skip
        self._vocabulary = _Vocabulary(words)
        self._compounds = compounds
        self._passages = passages
        self._where, self._not_where, self._not_by, self._background = where, not_where, not_by, background

    def judge(self, title: str, sentences: Sequence[str]) -> Found:
        """Return the score of a text."""
        found = Found()
        rest = 0.0
        for kind, _, passage, points in self._counted(title, sentences):
            if kind == "rest":
                rest += points
            else:
                found.score += points
            if points:
                for _, concept, words in passage.hits:
                    seen = found.matched.setdefault(concept, [])
                    if words not in seen:
                        seen.append(words)
        # Sums of weights such as 0.3 are a hair off what a curator adds up.
        found.score = round(found.score + min(rest, REST_AT_MOST), 2)
        return found

    def explain(self, title: str, sentences: Sequence[str]) -> list[Explanation]:
        """Return the sentences that have a passage of the rule, with what each counts."""
        return [
            Explanation(kind, sentence, tuple(words for _, _, words in passage.hits), points, passage.reason)
            for kind, sentence, passage, points in self._counted(title, sentences)
        ]

    def named(self, words: str) -> set[str]:
        """Return the concepts that the words name."""
        return {concept for _, concept, _ in self._hits(words.split())}

    def _counted(self, title: str, sentences: Sequence[str]) -> Iterator[tuple[str, str, _Passage, float]]:
        """Yield where a sentence with a passage stands, the sentence, the passage, and its points."""
        pieces = [(title, self._hits(title.split()))]
        pieces += [(sentence, self._hits(sentence.split())) for sentence in sentences]
        # What a text that opens without naming a place is about, it names first thereafter.
        place = next((place for _, hits in pieces if (place := self._place_of(hits)) is not None), None)
        for number, (sentence, hits) in enumerate(pieces):
            place = self._place_of(hits) or place
            passage = self._passage(hits, place) if hits else None
            if passage is None:
                continue
            kind, weight = "rest", REST_WEIGHT
            if number == 0:
                kind, weight = "title", TITLE_WEIGHT
            elif number == 1:
                kind, weight = "first", FIRST_WEIGHT
            elif number <= LEAD_SENTENCES:
                kind, weight = "lead", LEAD_WEIGHT
            yield kind, sentence, passage, weight * passage.weight

    def _place_of(self, hits: Sequence[_Hit]) -> str | None:
        """The last place that is named: `where` or `not_where`; None where there is none."""
        named = [concept for _, concept, _ in hits if concept in (self._where, self._not_where)]
        if not named:
            return None
        return self._where if self._where in named else self._not_where

    def _passage(self, hits: Sequence[_Hit], place: str | None) -> _Passage | None:
        """What a sentence says: the best passage of each kind, together not more than everything."""
        best: list[_Passage] = []
        for sought in self._passages:
            of_kind = [
                self._judged(together, hits, place, sought)
                for together in _together(hits, sought.concepts, sought.within)
            ]
            if of_kind:
                best.append(max(of_kind, key=lambda passage: passage.weight))
        if not best:
            return None
        counted = [passage for passage in best if passage.weight] or best[:1]
        return _Passage(
            tuple(dict.fromkeys(hit for passage in counted for hit in passage.hits)),
            min(sum(passage.weight for passage in counted), 1.0),
            "; ".join(dict.fromkeys(passage.reason for passage in counted if passage.reason)),
        )

    def _judged(self, together: tuple[_Hit, ...], hits: Sequence[_Hit], place: str | None, sought: Sought) -> _Passage:
        first, last = min(hit[0] for hit in together), max(hit[0] for hit in together)
        key = together[0][0]
        if self._where is not None:
            here = _distance(hits, self._where, first, last)
            elsewhere = _distance(hits, self._not_where, first, last)
            if here is None and elsewhere is None:
                if place != self._where:
                    return _Passage(together, 0.0, f"not about {self._where}")
            elif elsewhere is not None and (here is None or elsewhere < here):
                return _Passage(together, 0.0, f"{self._not_where} is nearer than {self._where}")
        others = _distance(hits, self._not_by, key, key)
        own = max(abs(position - key) for position, _, _ in together)
        if others is not None and others < own and not sought.by_anyone:
            return _Passage(together, 0.0, f"{self._not_by} is nearer")
        if self._background is not None and any(
            concept == self._background and 0 < key - position - words.count(" ") <= REMINDER_WITHIN
            for position, concept, words in hits
        ):
            return _Passage(together, sought.weight * REMINDER_SHARE, "a reminder")
        return _Passage(together, sought.weight)

    def _hits(self, words: list[str]) -> list[_Hit]:
        hits = self._vocabulary.hits(words)
        if not hits:
            return hits
        for name, (concepts, within) in self._compounds.items():
            for together in _together(hits, concepts, within):
                start, end = min(hit[0] for hit in together), max(hit[0] for hit in together)
                # It stands where its first concept does.
                hits.append((together[0][0], name, " ".join(words[start : end + 1])))
        return sorted(hits)


def _distance(hits: Sequence[_Hit], concept: str | None, first: int, last: int) -> int | None:
    """Words from a stretch to the nearest naming of a concept, 0 within it; None where it is not named."""
    if concept is None:
        return None
    return min(
        (max(first - position, position - last, 0) for position, named, _ in hits if named == concept), default=None
    )


def _together(hits: Sequence[_Hit], concepts: Sequence[str], within: int) -> Iterator[tuple[_Hit, ...]]:
    """Yield hits of the concepts, one of each, that stand within so many words: for each of the first, the nearest."""
    for anchor in hits:
        if anchor[1] != concepts[0]:
            continue
        chosen = [anchor]
        for concept in concepts[1:]:
            near = [hit for hit in hits if hit[1] == concept and hit[0] != anchor[0]]
            # What stands behind is more often the object, or the subject of a verb, than what stands in front.
            near.sort(key=lambda hit: (abs(hit[0] - anchor[0]), hit[0] < anchor[0]))
            if not near:
                break
            chosen.append(near[0])
        else:
            positions = [hit[0] for hit in chosen]
            if max(positions) - min(positions) < within:
                yield tuple(chosen)


class _Vocabulary:
    """Words and phrases of concepts, found in texts."""

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        # A word's pattern, numbered; a term is the numbers of its words; it is looked for where its first word stands.
        self._patterns: list[re.Pattern[str]] = []
        self._terms: dict[int, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
        numbers: dict[str, int] = {}
        for concept, terms in words.items():
            for term in terms:
                sought = []
                for pattern in _word_patterns(term):
                    if pattern not in numbers:
                        numbers[pattern] = len(self._patterns)
                        self._patterns.append(re.compile(pattern))
                    sought.append(numbers[pattern])
                self._terms[sought[0]].append((concept, tuple(sought)))
        # News repeats its words: which patterns a word fits is found out once.
        self._known: dict[str, tuple[int, ...]] = {}

    def hits(self, words: list[str]) -> list[_Hit]:
        known, found = self._known, []
        for position, word in enumerate(words):
            fits = known.get(word)
            if fits is None:
                fits = self._fits(word)
            for number in fits:
                for concept, term in self._terms.get(number, ()):
                    following = words[position : position + len(term)]
                    if len(following) == len(term) and all(
                        part in self._fits(other) for part, other in zip(term[1:], following[1:], strict=True)
                    ):
                        found.append((position, concept, " ".join(following)))
        return found

    def _fits(self, word: str) -> tuple[int, ...]:
        known = self._known.get(word)
        if known is None:
            known = tuple(n for n, pattern in enumerate(self._patterns) if pattern.fullmatch(word))
            if len(self._known) > 200_000:
                self._known.clear()
            self._known[word] = known
        return known


def _word_patterns(term: str) -> list[str]:
    patterns = []
    for word in term.split():
        open_end = word.endswith("*")
        for part in fold(word).split():
            if _ARABIC.search(part):
                stem = part.removeprefix("ال") if len(part) > 4 else part
                # Before a pronoun ta marbuta is written as ta, and in the plural as alef and ta.
                if stem.endswith("ه") and not open_end:
                    body = f"{re.escape(stem[:-1])}(?:ه|ت{_ENDING}|ات)"
                else:
                    body = re.escape(stem) + ("" if open_end else _ENDING)
                patterns.append(_PREFIX + body + (".*" if open_end else ""))
            else:
                patterns.append(re.escape(part) + (".*" if open_end else ""))
    return patterns
