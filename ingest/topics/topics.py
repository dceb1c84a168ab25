"""Topics: decides what a text is about, by rules from `topics.yaml` that a curator can read.

docs/curators.md describes the file's format; `ingest.topics.rules` applies the rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ingest.config.yaml_file import StrictModel, parse_config, read_config
from ingest.text.folding import fold, spell, spell_sentences
from ingest.topics.rules import CompiledTopic, Explanation, Sought

__all__ = ["Match", "Topic", "TopicSet", "TopicsFile", "load_topics", "parse_topics"]

# How much of a title and summary the gate reads. A longer summary is the whole article, and its beginning suffices.
GATE_CHARACTERS = 20_000


class Passage(StrictModel):
    """Concepts that occur together in a sentence."""

    all_of: tuple[str, ...] = Field(
        min_length=1,
        description="Concepts that must all be named; the first is the one that `not_by` and `background` are about.",
    )
    within: int = Field(12, ge=2, le=1000, description="Words from the first of them to the last.")
    weight: float = Field(1.0, gt=0, le=1, description="How much such a passage says; 1 is everything.")
    by_anyone: bool = Field(False, description="Whether it counts whoever does it (`not_by`).")


class Rule(StrictModel):
    """When a sentence is about the topic."""

    any_of: tuple[Passage, ...] = Field(min_length=1, description="Passages, one of which the sentence must have.")
    where: str | None = Field(
        None, description="Concept, such as a country, that the sentence or else the text before it must be about."
    )
    not_where: str | None = Field(None, description="Concept that stands for other places and matters.")
    not_by: str | None = Field(
        None, description="Concept that stands for others who might do it; where it is nearer, it is they who do."
    )
    background: str | None = Field(
        None, description="Concept of words such as `since`; in front of the first concept, the passage is a reminder."
    )


class Compound(StrictModel):
    """A concept formed by others that are next to each other."""

    all_of: tuple[str, ...] = Field(min_length=2, description="Concepts of words.")
    within: int = Field(4, ge=2, le=20, description="Words from the first of them to the last.")


class Gate(StrictModel):
    """Which entries of general feeds are fetched."""

    of: tuple[str, ...] = Field(min_length=1, description="Concepts.")
    at_least: int = Field(2, ge=1, description="How many of them title and summary must name.")


class Topic(StrictModel):
    """A topic."""

    title: str = Field("", description="What the topic is, for people.")
    concepts: dict[str, dict[str, tuple[str, ...]]] = Field(
        {},
        description="Words and phrases by concept and language. An Arabic word stands for all its forms, =word for "
        "itself; a trailing * stands for any ending.",
    )
    compounds: dict[str, Compound] = Field({}, description="Concepts that are made of others.")
    match: Literal["all"] | Rule = Field(description="all: every text; else the rule.")
    threshold: float = Field(3.0, gt=0, description="Score from which on a text is about the topic.")
    mention: float = Field(0.5, gt=0, description="Score from which on a text mentions it.")
    gate: Gate | None = Field(None, description="Which entries of general feeds are fetched; none: all of them.")

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
        known = self.concepts.keys() | self.compounds.keys()
        for user, names in self._named():
            for name in names:
                if name not in (self.concepts if user == "compounds" else known):
                    defined = ", ".join(sorted(known)) or "none"
                    raise ValueError(f"{user} names the concept {name!r}, which is not defined (defined: {defined})")
        return self

    def _named(self) -> Iterable[tuple[str, Iterable[str]]]:
        for compound in self.compounds.values():
            yield "compounds", compound.all_of
        if isinstance(self.match, Rule):
            rule = self.match
            yield "match", (name for passage in rule.any_of for name in passage.all_of)
            yield "match", filter(None, (rule.where, rule.not_where, rule.not_by, rule.background))
        if self.gate is not None:
            yield "gate", self.gate.of


class TopicsFile(StrictModel):
    """The file topics.yaml."""

    topics: dict[str, Topic] = Field(min_length=1, description="The topics by name.")


@dataclass(frozen=True)
class Match:
    """A topic that a text is about or mentions, its score, and the folded words that produced it, by concept."""

    topic: str
    score: float
    degree: Literal["about", "mention"]
    matched: dict[str, list[str]]


class TopicSet:
    """Topics, compiled."""

    def __init__(self, topics: dict[str, Topic]) -> None:
        self._topics = topics
        self._compiled = {name: _compiled(topic) for name, topic in topics.items() if topic.match != "all"}

    def judge(self, title: str | None, sentences: list[str]) -> list[Match]:
        """Return the topics that a text is about or mentions, the best score first.

        `sentences` is the result of `ingest.text.folding.spell_sentences` for the text.
        """
        spelled_title = spell(title or "")
        matches = []
        for name, topic in self._topics.items():
            compiled = self._compiled.get(name)
            if compiled is None:
                matches.append(Match(name, topic.threshold, "about", {}))
                continue
            found = compiled.judge(spelled_title, sentences)
            if found.score >= topic.mention:
                degree: Literal["about", "mention"] = "about" if found.score >= topic.threshold else "mention"
                matches.append(Match(name, found.score, degree, found.matched))
        return sorted(matches, key=lambda match: (match.degree, -match.score, match.topic))

    def explain(self, title: str | None, text: str) -> dict[str, tuple[Match | None, list[Explanation]]]:
        """Return, for each topic, the result of `judge` and the points of each passage."""
        sentences = spell_sentences(text)
        matches = {match.topic: match for match in self.judge(title, sentences)}
        return {
            name: (matches.get(name), self._compiled[name].explain(spell(title or ""), sentences))
            if name in self._compiled
            else (matches.get(name), [])
            for name in self._topics
        }

    def passes_gate(self, title: str | None, summary: str | None) -> bool:
        """Return whether an item of a general feed with this title and summary is worth fetching."""
        words = spell(f"{title or ''} {summary or ''}"[:GATE_CHARACTERS])
        return any(
            topic.gate is None
            or name not in self._compiled
            or len(self._compiled[name].named(words) & set(topic.gate.of)) >= topic.gate.at_least
            for name, topic in self._topics.items()
        )


def load_topics(path: Path) -> TopicSet:
    """Return the topics of the file at `path`. Raises ConfigError with file and line."""
    return parse_topics(read_config(path, "topics"), path)


def parse_topics(text: str, path: Path) -> TopicSet:
    """Parse the text of the file at `path` and return its topics, as `load_topics` does."""
    file, _ = parse_config(text, path, TopicsFile, "topics")
    return TopicSet(file.topics)


def _compiled(topic: Topic) -> CompiledTopic:
    assert isinstance(topic.match, Rule)
    rule = topic.match
    return CompiledTopic(
        words={concept: [term for terms in by.values() for term in terms] for concept, by in topic.concepts.items()},
        compounds={name: (compound.all_of, compound.within) for name, compound in topic.compounds.items()},
        passages=[Sought(passage.all_of, passage.within, passage.weight, passage.by_anyone) for passage in rule.any_of],
        where=rule.where,
        not_where=rule.not_where,
        not_by=rule.not_by,
        background=rule.background,
    )
