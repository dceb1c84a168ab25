"""The rules of a topic, applied to a text sentence by sentence. Pure.

Its input is words as they are spelled (`ingest.text.folding.spell_sentences`); what it returns is folded.

A sentence counts if it contains one of the rule's passages, its subject is not someone else, and it is about the right
place: the place named closest to the passage, or the last one named before. Its weight depends on its position: the
title is about the subject, the first sentences nearly always are, the rest may be background. A passage that only
recalls earlier events (since the withdrawal) counts less anywhere.

The work grows linearly with the length of a text, however many hits a sentence has: hits are ordered by concept, and
the nearest one is found by bisection.

An Arabic word of a rule matches every form of it: it stands for its lemma (`ingest.text.arabic`). `=word` matches the
word alone, with particles in front of it; `word*` whatever begins so, with particles in front of that.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.text.arabic import shared_analyser
from ingest.text.arabic.spelling import is_arabic
from ingest.text.folding import spell, unify

__all__ = ["CompiledTopic", "Explanation", "Found", "Reading", "Sought"]

_WEIGHTS = {"title": 3.0, "first": 3.0, "lead": 1.5, "rest": 0.5}
# The number of lead sentences, the maximum points of all others, and the share that a reminder counts.
LEAD_SENTENCES = 3
REST_AT_MOST = 2.5
# What a model sees of a score.
MOST_SCORE = 6.0
REMINDER_SHARE = 0.3
# If a word such as `since` comes at most this many words before a concept, the passage is a reminder.
REMINDER_WITHIN = 4
# Different words kept per concept and text, for people to read.
MOST_MATCHED = 100
# Limits of the word cache: number of words, and letters per word. No real word is longer.
REMEMBERED_WORDS, REMEMBERED_LETTERS = 200_000, 60
# Conjunction, preposition and article in their written combinations; future prefix; all folded.
_PREFIX = "(?:[وف]?(?:ال|لل|[بك]ال|[بكل]|س(?=[يتنا]))?)"

# position of a word, concept, the words
_Hit = tuple[int, str, str]


@dataclass
class Found:
    """The score of a text, and the words that produced it, by concept."""

    score: float = 0.0
    matched: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What the rules find in a text, what they see in it, by name, and the concepts that it and its lead name.

    Seen are the best passage of each part of the text (`passage@first`, up to 1), what speaks against passages
    (`a reminder@lead`), the score, up to twice what "about" takes, and whether there is no title. The parts are the
    title, the first sentence, the lead and the rest.
    """

    found: Found
    seen: dict[str, float]
    named: set[str]
    leading: set[str]


@dataclass(frozen=True)
class Explanation:
    """A sentence with a passage: its position, its points, and why it does not count for more."""

    where: str
    sentence: str
    words: tuple[str, ...]
    points: float
    reason: str


@dataclass(frozen=True)
class Sought:
    """A passage in a rule: its concepts, how close together, its weight, and whether it counts for any subject."""

    concepts: Sequence[str]
    within: int
    weight: float
    by_anyone: bool = False


@dataclass(frozen=True)
class _Passage:
    """What a sentence says about the topic: its hits, its weight, and why it does not count fully, if so."""

    hits: tuple[_Hit, ...]
    weight: float
    reason: str = ""


class CompiledTopic:
    """A topic's rule, ready for use."""

    def __init__(
        self,
        *,
        words: Mapping[str, Sequence[str]],
        compounds: Mapping[str, tuple[Sequence[str], int]],
        passages: Sequence[Sought],
        where: str | None,
        not_where: str | None,
        not_by: str | None,
        background: str | None,
    ) -> None:
        self._vocabulary = _Vocabulary(words)
        self._compounds = compounds
        self._passages = passages
        self._where, self._not_where, self._not_by, self._background = where, not_where, not_by, background

    def explain(self, title: str, sentences: Sequence[str], *, at_home: bool = False) -> list[Explanation]:
        """Return the sentences with a passage of the rule, and the points of each."""
        return [
            Explanation(kind, unify(sentence), tuple(words for _, _, words in passage.hits), points, passage.reason)
            for kind, sentence, passage, points in self._counted(self._pieces(title, sentences), at_home=at_home)
        ]

    def read(self, title: str, sentences: Sequence[str], *, at_home: bool = False) -> "Reading":
        """Return what the rules find in a text, and what they see in it, for a model to weigh.

        `at_home`: the outlet is one of the place that the rules are about, and need not name it.
        """
        pieces = self._pieces(title, sentences)
        counted = list(self._counted(pieces, at_home=at_home))
        found = self._found(counted)
        # Which words a text has is not passed on: in longer texts than those a model was fitted to, there are more.
        seen: dict[str, float] = {"untitled": float(not title), "score": min(found.score, MOST_SCORE)}
        for part, _, passage, _ in counted:
            seen[f"passage@{part}"] = max(passage.weight, seen.get(f"passage@{part}", 0.0))
            for reason in filter(None, passage.reason.split("; ")):
                seen[f"{reason}@{part}"] = 1.0
        home = {self._where} if at_home and self._where is not None else set()
        named, leading = (
            home.union(*(sentence.named for _, sentence in part)) for part in (pieces, pieces[: LEAD_SENTENCES + 1])
        )
        return Reading(found, seen, named, leading)

    def named(self, words: str) -> set[str]:
        """Return the concepts that the words name."""
        return self._sentence(words).named

    def _found(self, counted: Iterable[tuple[str, str, _Passage, float]]) -> Found:
        score = rest = 0.0
        # In the order found.
        matched: dict[str, dict[str, None]] = {}
        for kind, _, passage, points in counted:
            if kind == "rest":
                rest += points
            else:
                score += points
            if points:
                for _, concept, words in passage.hits:
                    seen = matched.setdefault(concept, {})
                    if len(seen) < MOST_MATCHED:
                        seen[words] = None
        # Sums of weights such as 0.3 have rounding errors that a curator would not expect.
        score = round(score + min(rest, REST_AT_MOST), 2)
        return Found(score, {concept: list(words) for concept, words in matched.items()})

    def _pieces(self, title: str, sentences: Sequence[str]) -> list[tuple[str, "_Sentence"]]:
        return [(words, self._sentence(words)) for words in (title, *sentences)]

    def _counted(
        self, pieces: Sequence[tuple[str, "_Sentence"]], *, at_home: bool = False
    ) -> Iterator[tuple[str, str, _Passage, float]]:
        """Yield the part of each sentence with a passage, the sentence, the passage, and its points."""
        # If a text opens without naming a place, it is about the first one named later; at home, about that.
        named = (place for _, sentence in pieces if (place := self._place_of(sentence)) is not None)
        place = self._where if at_home else next(named, None)
        for number, (words, sentence) in enumerate(pieces):
            place = self._place_of(sentence) or place
            passage = self._passage(sentence, place)
            if passage is not None:
                part = _part(number)
                yield part, words, passage, _WEIGHTS[part] * passage.weight

    def _place_of(self, sentence: "_Sentence") -> str | None:
        """The place that the sentence names: `where`, else `not_where`, else None."""
        return next((place for place in (self._where, self._not_where) if place in sentence), None)

    def _passage(self, sentence: "_Sentence", place: str | None) -> _Passage | None:
        """What a sentence says: the best passage of each kind, with a total weight of at most 1."""
        best: list[_Passage] = []
        for sought in self._passages:
            found = (
                self._judged(together, sentence, place, sought)
                for together in sentence.together(sought.concepts, sought.within)
            )
            of_kind = max(found, key=lambda passage: passage.weight, default=None)
            if of_kind is not None:
                best.append(of_kind)
        if not best:
            return None
        counted = [passage for passage in best if passage.weight] or best[:1]
        return _Passage(
            tuple(dict.fromkeys(hit for passage in counted for hit in passage.hits)),
            min(sum(passage.weight for passage in counted), 1.0),
            "; ".join(dict.fromkeys(passage.reason for passage in counted if passage.reason)),
        )

    def _judged(self, together: tuple[_Hit, ...], sentence: "_Sentence", place: str | None, sought: Sought) -> _Passage:
        first, last = min(hit[0] for hit in together), max(hit[0] for hit in together)
        key = together[0][0]
        if self._where is not None:
            here = sentence.distance(self._where, first, last)
            elsewhere = sentence.distance(self._not_where, first, last)
            if here is None and elsewhere is None:
                if place != self._where:
                    return _Passage(together, 0.0, f"not about {self._where}")
            elif elsewhere is not None and (here is None or elsewhere < here):
                return _Passage(together, 0.0, f"{self._not_where} is nearer than {self._where}")
        others = sentence.distance(self._not_by, key, key)
        own = max(abs(position - key) for position, _, _ in together)
        if others is not None and others < own and not sought.by_anyone:
            return _Passage(together, 0.0, f"{self._not_by} is nearer")
        if sentence.ends_before(self._background, key, REMINDER_WITHIN):
            return _Passage(together, sought.weight * REMINDER_SHARE, "a reminder")
        return _Passage(together, sought.weight)

    def _sentence(self, spelled: str) -> "_Sentence":
        words = spelled.split()
        hits = self._vocabulary.hits(words)
        if not hits or not self._compounds:
            return _Sentence(hits)
        plain = _Sentence(hits)
        for name, (concepts, within) in self._compounds.items():
            for together in plain.together(concepts, within):
                start, end = min(hit[0] for hit in together), max(hit[0] for hit in together)
                # Its position is that of its first concept.
                hits.append((together[0][0], name, unify(" ".join(words[start : end + 1]))))
        return _Sentence(hits)


def _part(number: int) -> str:
    """Return the part of a text that a sentence belongs to; the title is number 0."""
    return "title" if number == 0 else "first" if number == 1 else "lead" if number <= LEAD_SENTENCES else "rest"


class _Sentence:
    """The hits of a sentence by concept, ordered by position."""

    def __init__(self, hits: Sequence[_Hit]) -> None:
        self._hits: dict[str, list[_Hit]] = defaultdict(list)
        for hit in sorted(hits):
            self._hits[hit[1]].append(hit)
        self._places = {concept: [hit[0] for hit in of_concept] for concept, of_concept in self._hits.items()}
        # Spaces in the longest match of a concept, computed on first use.
        self._longest: dict[str, int] = {}

    def __contains__(self, concept: str | None) -> bool:
        return concept in self._places

    @property
    def named(self) -> set[str]:
        """The concepts that the sentence names."""
        return set(self._places)

    def distance(self, concept: str | None, first: int, last: int) -> int | None:
        """Words from a span to the nearest mention of a concept: 0 within it, None if it is not mentioned."""
        places = self._places.get(concept) if concept is not None else None
        if not places:
            return None
        behind = bisect_left(places, first)
        found = [places[behind] - last] if behind < len(places) else []
        if behind:
            found.append(first - places[behind - 1])
        return max(min(found), 0)

    def ends_before(self, concept: str | None, place: int, within: int) -> bool:
        """Whether a mention of the concept ends at most `within` words before a position."""
        if concept is None or concept not in self:
            return False
        hits = self._hits[concept]
        if concept not in self._longest:
            self._longest[concept] = max(words.count(" ") for _, _, words in hits)
        number = bisect_left(self._places[concept], place) - 1
        while number >= 0 and place - hits[number][0] - self._longest[concept] <= within:
            if 0 < place - hits[number][0] - hits[number][2].count(" ") <= within:
                return True
            number -= 1
        return False

    def together(self, concepts: Sequence[str], within: int) -> Iterator[tuple[_Hit, ...]]:
        """Yield hits of the concepts, one each, within so many words: the nearest ones to each hit of the first.

        A word that belongs to two concepts counts as one of them; but if the phrase that begins with it is longer in
        one (leave, leave Iraq), it counts as both.
        """
        for anchor in self._hits.get(concepts[0], ()):
            chosen = [anchor]
            for concept in concepts[1:]:
                near = self._nearest(concept, anchor)
                if near is None:
                    break
                chosen.append(near)
            else:
                positions = [hit[0] for hit in chosen]
                if max(positions) - min(positions) < within:
                    yield tuple(chosen)

    def _nearest(self, concept: str, anchor: _Hit) -> _Hit | None:
        """The hit of a concept that is nearest to another hit, but not the same words.

        If two are equally near, the later one is chosen: it is more often the object, or the subject of a verb.
        """
        place, _, words = anchor
        places, hits = self._places.get(concept, []), self._hits.get(concept, [])
        behind, first = bisect_right(places, place), bisect_left(places, place)
        for hit in hits[first:behind]:
            if hit[2].count(" ") != words.count(" "):
                return hit
        before = first - 1
        if behind < len(places) and (before < 0 or places[behind] - place <= place - places[before]):
            return hits[behind]
        return hits[bisect_left(places, places[before])] if before >= 0 else None


class _Vocabulary:
    """Words and phrases of concepts, to find in texts."""

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        self._analyser = shared_analyser()
        # Each sought word has a number, and a term is a sequence of them. Terms are indexed by their first word.
        self._lemmas: dict[str, int] = {}
        self._patterns: dict[str, tuple[int, re.Pattern[str]]] = {}
        self._terms: dict[int, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
        for concept, terms in words.items():
            for term in terms:
                sought = [self._number(word, part) for word in term.split() for part in spell(word).split()]
                self._terms[sought[0]].append((concept, tuple(sought)))
        # News repeats its words, so what a word matches is cached.
        self._known: dict[str, tuple[int, ...]] = {}

    def _number(self, word: str, spelled: str) -> int:
        """Return the number of a word of a term, a new one if need be."""
        size = len(self._lemmas) + len(self._patterns)
        if is_arabic(spelled) and not word.startswith("=") and not word.endswith("*"):
            return self._lemmas.setdefault(self._analyser.analyse(spelled).lemma, size)
        body = re.escape(unify(spelled)) + (".*" if word.endswith("*") else "")
        pattern = _PREFIX + body if is_arabic(spelled) else body
        return self._patterns.setdefault(pattern, (size, re.compile(pattern)))[0]

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
                        found.append((position, concept, unify(" ".join(following))))
        return found

    def _fits(self, word: str) -> tuple[int, ...]:
        known = self._known.get(word)
        if known is None:
            folded = unify(word)
            fitting = {number for number, pattern in self._patterns.values() if pattern.fullmatch(folded)}
            if is_arabic(word):
                lemmas = self._analyser.analyse(word).likely
                fitting |= {self._lemmas[lemma] for lemma in lemmas if lemma in self._lemmas}
            known = tuple(sorted(fitting))
            if len(self._known) > REMEMBERED_WORDS:
                self._known.clear()
            if len(word) <= REMEMBERED_LETTERS:
                self._known[word] = known
        return known
