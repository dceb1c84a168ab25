"""Topics: which texts are about what, by rules from `topics.yaml` that a curator can read.

A topic has concepts (lists of words and phrases, per language). A text is about it when words of all the concepts
its rule names stand close together often enough, or in a prominent place. The format is described in
docs/curators.md.

Words are compared after folding (`ingest.folding.fold`). An Arabic word is found with the particles written in front
of it (و ف ب ك ل ال and their combinations) and the pronouns written behind it.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ingest.config_file import StrictModel, load_config
from ingest.folding import fold

__all__ = ["Match", "TopicSet", "TopicsFile", "load_topics"]

# Where a passage stands decides how much it says about the whole: the headline is about the subject, the first
# paragraphs nearly always, the tail often only mentions it as background.
TITLE_WEIGHT, LEAD_WEIGHT, TAIL_WEIGHT = 3.0, 2.0, 1.0
LEAD_WORDS = 80

# Conjunction, preposition and article, as they combine in writing. After folding.
_PREFIX = "(?:[وف]?(?:ال|لل|[بك]ال|[بكل])?)"
_PRONOUN = "(?:ه|ها|هم|هما|هن|نا|كم|ي)?"
_ARABIC = re.compile("[\u0600-\u06ff]")


class Rule(StrictModel):
    """When a text is about the topic."""

    all_of: tuple[str, ...] = Field(min_length=1, description="Concepts that must stand together in a passage.")
    within: int = Field(30, ge=2, le=1000, description="Length of a passage, in words.")


class Topic(StrictModel):
    """A topic."""

    title: str = Field("", description="What the topic is, for people.")
    concepts: dict[str, dict[str, tuple[str, ...]]] = Field(
        {}, description="Words and phrases by concept and language; a trailing * stands for any ending."
    )
    match: Literal["all"] | Rule = Field(description="all: every text; else the rule.")
    threshold: float = Field(2.0, gt=0, description="Score from which on a text is about the topic.")
    gate: int = Field(
        2, ge=1, description="Concepts of which an entry of a general feed must name this many in title or summary."
    )

    @field_validator("concepts")
    @classmethod
    def _words_have_letters(
        cls, concepts: dict[str, dict[str, tuple[str, ...]]]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        for name, languages in concepts.items():
            for terms in languages.values():
                for term in terms:
                    if not fold(term):
                        raise ValueError(f"concept {name!r}: {term!r} has no letters to look for")
        return concepts

    @model_validator(mode="after")
    def _concepts_exist(self) -> Self:
        if isinstance(self.match, Rule):
            for name in self.match.all_of:
                if name not in self.concepts:
                    known = ", ".join(self.concepts) or "none"
                    raise ValueError(f"match names the concept {name!r}, which is not defined (defined: {known})")
        return self


class TopicsFile(StrictModel):
    """The file topics.yaml."""

    topics: dict[str, Topic] = Field(min_length=1, description="The topics by name.")


@dataclass(frozen=True)
class Match:
    """A topic a text is about: its score, and the words that gave it, by concept, as they stand in the folded text."""

    topic: str
    score: float
    matched: dict[str, list[str]]


class TopicSet:
    """Topics, compiled."""

    def __init__(self, topics: dict[str, Topic]) -> None:
        self._topics = {name: _CompiledTopic(name, topic) for name, topic in topics.items()}

    def match(self, title: str | None, folded_text: str) -> list[Match]:
        """Return the topics that a title and a text, which is folded already, are about; best score first."""
        title_words, text_words = fold(title or "").split(), folded_text.split()
        found = (topic.match(title_words, text_words) for topic in self._topics.values())
        return sorted((match for match in found if match is not None), key=lambda match: -match.score)

    def passes_gate(self, title: str | None, summary: str | None) -> bool:
        """Return whether an item of a general feed with this title and summary is worth fetching."""
        words = fold(f"{title or ''} {summary or ''}").split()
        return any(topic.passes_gate(words) for topic in self._topics.values())


def load_topics(path: Path) -> TopicSet:
    """Return the topics of the file at `path`. Raises ConfigError with file and line."""
    file, _ = load_config(path, TopicsFile, "topics")
    return TopicSet(file.topics)


class _CompiledTopic:
    def __init__(self, name: str, topic: Topic) -> None:
        self._name = name
        self._topic = topic
        # A word's pattern, numbered; a term is the numbers of its words; it is looked for where its first word stands.
        self._patterns: list[re.Pattern[str]] = []
        self._terms: dict[int, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
        numbers: dict[str, int] = {}
        for concept, languages in topic.concepts.items():
            for terms in languages.values():
                for term in terms:
                    words = []
                    for pattern in _word_patterns(term):
                        if pattern not in numbers:
                            numbers[pattern] = len(self._patterns)
                            self._patterns.append(re.compile(pattern))
                        words.append(numbers[pattern])
                    self._terms[words[0]].append((concept, tuple(words)))
        # News repeats its words: which patterns a word fits is found out once.
        self._known: dict[str, frozenset[int]] = {}

    def match(self, title: list[str], text: list[str]) -> Match | None:
        rule = self._topic.match
        if rule == "all":
            return Match(self._name, self._topic.threshold, {})
        title_hits, text_hits = self._hits(title), self._hits(text)
        score = TITLE_WEIGHT * bool(_passages(title_hits, rule.all_of, len(title) + 1))
        for start in _passages(text_hits, rule.all_of, rule.within):
            score += LEAD_WEIGHT if start < LEAD_WORDS else TAIL_WEIGHT
        if score < self._topic.threshold:
            return None
        matched: dict[str, list[str]] = {}
        for _, concept, words in title_hits + text_hits:
            seen = matched.setdefault(concept, [])
            if words not in seen:
                seen.append(words)
        return Match(self._name, score, matched)

    def passes_gate(self, words: list[str]) -> bool:
        if self._topic.match == "all":
            return True
        return len({concept for _, concept, _ in self._hits(words)}) >= self._topic.gate

    def _hits(self, words: list[str]) -> list[tuple[int, str, str]]:
        """Where concepts are named: (position, concept, words), by position."""
        hits = []
        for position, word in enumerate(words):
            for number in self._fits(word):
                for concept, term in self._terms.get(number, ()):
                    following = words[position : position + len(term)]
                    if len(following) == len(term) and all(
                        part in self._fits(other) for part, other in zip(term[1:], following[1:], strict=True)
                    ):
                        hits.append((position, concept, " ".join(following)))
        return hits

    def _fits(self, word: str) -> frozenset[int]:
        known = self._known.get(word)
        if known is None:
            known = frozenset(n for n, pattern in enumerate(self._patterns) if pattern.fullmatch(word))
            if len(self._known) > 200_000:
                self._known.clear()
            self._known[word] = known
        return known


def _word_patterns(term: str) -> list[str]:
    words = term.split()
    patterns = []
    for word in words:
        open_end = word.endswith("*")
        folded = fold(word)
        if not folded:
            continue
        for part in folded.split():
            if _ARABIC.search(part):
                stem = part.removeprefix("ال") if len(part) > 4 else part
                # Before a possessive pronoun ta marbuta is written as ta.
                ending = f"(?:{re.escape(stem[:-1])}ت{_PRONOUN}|{re.escape(stem)})" if stem.endswith("ه") else None
                body = ending or re.escape(stem) + ("" if open_end else _PRONOUN)
                patterns.append(_PREFIX + body + (".*" if open_end else ""))
            else:
                patterns.append(re.escape(part) + (".*" if open_end else ""))
    return patterns


def _passages(hits: list[tuple[int, str, str]], concepts: tuple[str, ...], within: int) -> list[int]:
    """Return the starts of disjoint passages, at most `within` words long, in which each concept is named."""
    needed = set(concepts)
    last: dict[str, int] = {}
    starts = []
    for position, concept, _ in hits:
        if concept not in needed:
            continue
        last[concept] = position
        if len(last) == len(needed):
            start = min(last.values())
            if position - start < within:
                starts.append(start)
                last = {}
    return starts
