"""Topics: decides what a text is about, by rules from `topics.yaml` that a curator can read.

docs/curators.md describes the file's format; `ingest.topics.rules` applies the rules.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, TypeGuard

from pydantic import Field, field_validator, model_validator

from ingest.config.errors import ConfigError
from ingest.config.yaml_file import StrictModel, parse_config, read_config
from ingest.text.folding import fold, spell, spell_sentences
from ingest.topics.meaning import Encoder, opening, shared_encoder
from ingest.topics.model import SHIPPED, Model, load_model
from ingest.topics.rules import CompiledTopic, Explanation, Reading, Sought

__all__ = ["Match", "Topic", "TopicSet", "TopicsFile", "compiled", "load_topics", "parse_topics", "read_topics"]

CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]

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

    of: tuple[str, ...] = Field((), description="Concepts.")
    at_least: int = Field(2, ge=1, description="How many of them title and summary must name.")
    any_of: tuple[tuple[str, ...], ...] = Field(
        (), description="Concepts that suffice together: lists, one of which title and summary must name in full."
    )

    @model_validator(mode="after")
    def _lets_something_through(self) -> Self:
        if (not self.of and not self.any_of) or not all(self.any_of):
            raise ValueError("a gate needs concepts, in `of` or in each list of `any_of`")
        return self

    def passes(self, named: Container[str]) -> bool:
        """Return whether an item that names these concepts passes."""
        enough = bool(self.of) and sum(concept in named for concept in self.of) >= self.at_least
        return enough or any(all(concept in named for concept in together) for together in self.any_of)


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
    home: tuple[CountryCode, ...] = Field(
        (),
        description="Countries (ISO 3166-1) whose papers need not name the place that `match.where` is about.",
    )
    model: str | None = Field(
        None,
        pattern=r"^([a-z0-9-]+|.+\.json)$",
        description="Model that weighs rules and meaning: the name of one that ships with the program, or a file "
        "(.json), from the folder of topics.yaml. None: the rules decide.",
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
            yield "gate", (name for together in self.gate.any_of for name in together)


class TopicsFile(StrictModel):
    """The file topics.yaml."""

    topics: dict[str, Topic] = Field(min_length=1, description="The topics by name.")


@dataclass(frozen=True)
class Match:
    """What a text has to do with a topic, its score, and the folded words that produced it, by concept.

    `rules` is the score of the rules alone, `meaning` the probability by the meaning alone; None if it was not asked.
    `like` has the ids of the labelled texts whose meaning is most like that of the text.
    With a model, the score is twice the threshold times the share that both find (`Opinion.share`).
    """

    topic: str
    score: float
    degree: Literal["about", "mention", "neither"]
    matched: dict[str, list[str]]
    rules: float | None = None
    meaning: float | None = None
    like: tuple[str, ...] = ()


class TopicSet:
    """Topics, compiled."""

    def __init__(self, topics: dict[str, Topic], encoder: Callable[[], Encoder | None] = shared_encoder) -> None:
        """Compile topics. Raises ConfigError if the program has no such model."""
        self._topics = topics
        self._encoder = encoder
        self._compiled = {name: compiled(topic) for name, topic in topics.items() if topic.match != "all"}
        self._models = {name: _model(topic.model) for name, topic in topics.items() if topic.model}

    def judge(self, title: str | None, sentences: list[str], text: str = "", country: str | None = None) -> list[Match]:
        """Return the topics that a text is about or mentions, the best score first.

        `sentences` is the result of `ingest.text.folding.spell_sentences` for the text. Topics with a model also look
        at the meaning of `text`. `country` is that of its outlet.
        """
        spelled_title = spell(title or "")
        matches = []
        for name, topic in self._topics.items():
            if name not in self._compiled:
                matches.append(Match(name, topic.threshold, "about", {}))
                continue
            match = self._judge(name, topic, spelled_title, sentences, opening(title, text), country)
            if match.degree != "neither":
                matches.append(match)
        return sorted(matches, key=lambda match: (match.degree, -match.score, match.topic))

    def explain(
        self, title: str | None, text: str, country: str | None = None
    ) -> dict[str, tuple[Match, list[Explanation]]]:
        """Return what a text has to do with each topic, and the points of each passage."""
        sentences, spelled_title = spell_sentences(text), spell(title or "")
        explained: dict[str, tuple[Match, list[Explanation]]] = {}
        for name, topic in self._topics.items():
            if name in self._compiled:
                match = self._judge(name, topic, spelled_title, sentences, opening(title, text), country)
                passages = self._compiled[name].explain(spelled_title, sentences, at_home=country in topic.home)
                explained[name] = (match, passages)
            else:
                explained[name] = (Match(name, topic.threshold, "about", {}), [])
        return explained

    def _judge(
        self, name: str, topic: Topic, title: str, sentences: list[str], beginning: str, country: str | None
    ) -> Match:
        reading = self._compiled[name].read(title, sentences, at_home=country in topic.home)
        found = reading.found
        score, opinion = found.score, None
        if name in self._models and beginning and _is_worth_a_look(topic, reading) and (encoder := self._encoder()):
            opinion = self._models[name].judge(reading.seen, encoder.encode(beginning))
            score = round(2 * topic.threshold * opinion.share(found.score / topic.threshold), 2)
        degree: Literal["about", "mention", "neither"] = "neither"
        if score >= topic.threshold:
            degree = "about"
        elif found.score >= topic.mention:
            # A model says what a text is about. What it mentions is a matter of single clauses, which the rules see.
            degree = "mention"
        if opinion is None:
            return Match(name, score, degree, found.matched, found.score)
        return Match(name, score, degree, found.matched, found.score, opinion.meaning, opinion.like)

    def passes_gate(self, title: str | None, summary: str | None) -> bool:
        """Return whether an item of a general feed with this title and summary is worth fetching."""
        words = spell(f"{title or ''} {summary or ''}"[:GATE_CHARACTERS])
        return any(
            topic.gate is None or name not in self._compiled or topic.gate.passes(self._compiled[name].named(words))
            for name, topic in self._topics.items()
        )


def load_topics(path: Path) -> TopicSet:
    """Return the topics of the file at `path`. Raises ConfigError with file and line."""
    return parse_topics(read_config(path, "topics"), path)


def parse_topics(text: str, path: Path) -> TopicSet:
    """Parse the text of the file at `path` and return its topics, as `load_topics` does."""
    return TopicSet(_parsed(text, path))


def read_topics(path: Path) -> dict[str, Topic]:
    """Return what the file at `path` says of each topic, as it is written. Raises ConfigError with file and line."""
    return _parsed(read_config(path, "topics"), path)


def _parsed(text: str, path: Path) -> dict[str, Topic]:
    file, _ = parse_config(text, path, TopicsFile, "topics")
    return {
        name: topic.model_copy(update={"model": str(path.parent / topic.model)}) if _is_file(topic.model) else topic
        for name, topic in file.topics.items()
    }


def _is_file(model: str | None) -> TypeGuard[str]:
    return model is not None and model.endswith(".json")


def _is_worth_a_look(topic: Topic, reading: Reading) -> bool:
    """Return whether the model is asked: the text names the place of the topic, and enough concepts of the gate.

    If it names no place at all, its title and lead must name these concepts. A model knows texts like those that it was
    fitted to. Of other ones, such as sport, it may say anything.
    """
    assert isinstance(topic.match, Rule)
    named = reading.named
    if topic.match.where is not None and topic.match.where not in named:
        if topic.match.not_where in named:
            return False
        named = reading.leading
    return topic.gate is None or topic.gate.passes(named)


def _model(name: str) -> Model:
    if _is_file(name):
        return load_model(Path(name))
    path = SHIPPED / f"{name}.json"
    if not path.exists():
        there = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.json"))) or "none"
        raise ConfigError(f"there is no model {name!r} (there are: {there})")
    return load_model(path)


def compiled(topic: Topic) -> CompiledTopic:
    """Return the rules of a topic, ready for use. It must have some."""
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
