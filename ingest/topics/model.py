"""A model of a topic: how much each thing that the rules see counts, and each part of the meaning.

Two opinions: a linear model of what the rules see (`CompiledTopic.read`), and a model of the vector of the meaning,
which knows a text by the labelled ones that mean something like it. A linear model weighs both. All are in one file in
JSON, written by `ingest topics train`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingest.config.errors import ConfigError
from ingest.topics.meaning import Vector

__all__ = [
    "ABOUT",
    "SHIPPED",
    "Likeness",
    "Model",
    "Opinion",
    "Together",
    "Weights",
    "centred",
    "likeness",
    "load_model",
    "probability",
]

# The models that ship with the program.
SHIPPED = Path(__file__).parent / "models"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Weights(_Strict):
    """A linear model of what the rules see: weights by name, and what it says of a text in which they see nothing."""

    bias: float
    of: dict[str, float]


class Likeness(_Strict):
    """A model of meanings: a text is likely on the topic if those labelled texts are that mean something like it.

    It has the vectors of these texts, made by the encoder of that name, less what is common to all of them (`middle`),
    and how much each counts. A text that is like none of them gets what `bias` says: of what the model does not know,
    it says little.
    """

    encoder: str
    bias: float
    nearness: float = Field(gt=0)
    middle: tuple[float, ...]
    # The rest of each vector, at length 1, in steps of `step`: one byte a number, one text after the other.
    step: float = Field(gt=0)
    vectors: Base64Bytes
    ids: tuple[str, ...]
    of: tuple[float, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not len(self.of) == len(self.ids) == len(self.vectors) / max(len(self.middle), 1):
            raise ValueError("as many vectors, ids and weights are needed")
        return self

    def logit(self, vector: Vector) -> tuple[float, tuple[str, ...]]:
        """Return how likely a text with this vector is about the topic, as a logit, and the ids of texts like it."""
        like = likeness(self._texts, centred(vector[None, :], self._middle), self.nearness)[:, 0]
        nearest = tuple(self.ids[number] for number in np.argsort(-like, kind="stable")[:MOST_LIKE])
        return self.bias + float(np.dot(self._weights, like)), nearest

    @cached_property
    def _middle(self) -> Vector:
        return np.asarray(self.middle, dtype=np.float32)

    @cached_property
    def _weights(self) -> Vector:
        return np.asarray(self.of, dtype=np.float32)

    @cached_property
    def _texts(self) -> Vector:
        bytes_of = np.frombuffer(self.vectors, dtype=np.int8).reshape(len(self.ids), -1)
        return bytes_of.astype(np.float32) * np.float32(self.step)


class Together(_Strict):
    """How much both opinions count, as logits."""

    bias: float
    rules: float
    meaning: float


# How much a full score of the rules, or none, moves the line: a text of which the rules see nothing needs a probability
# of .65, one with the full score .35. On texts not fitted to, this is right more often than one half for both.
RULES_SAY = 0.3
# Labelled texts that are named as most like a text.
MOST_LIKE = 3
# The share from which on a text is about the topic.
ABOUT = 0.5


class Model(_Strict):
    """A model of a topic, and on how many texts it was fitted."""

    texts: int = Field(ge=0)
    rules: Weights
    meaning: Likeness
    together: Together

    def judge(self, seen: Mapping[str, float], vector: Vector | None) -> "Opinion":
        """Return how likely a text is about the topic, from what the rules see in it and its meaning, if known."""
        rules = self.rules.bias + sum(self.rules.of.get(name, 0.0) * value for name, value in seen.items())
        if vector is None:
            return Opinion(probability(rules), probability(rules), None)
        meaning, like = self.meaning.logit(vector)
        together = self.together.bias + self.together.rules * rules + self.together.meaning * meaning
        return Opinion(probability(together), probability(rules), probability(meaning), like)


@dataclass(frozen=True)
class Opinion:
    """The probability that a text is about the topic: by rules and meaning together, and by each. None: not asked.

    `like` has the ids of the labelled texts whose meaning is most like its own, the nearest first.
    """

    together: float
    rules: float
    meaning: float | None
    like: tuple[str, ...] = ()

    def share(self, of_rules: float) -> float:
        """Return from 0 to 1 how far a text is about the topic; from `ABOUT` on it is.

        `of_rules` is the score of the rules as a share of the one from which they say so.
        """
        return min(max(self.together + RULES_SAY * (min(of_rules, 1.0) - 0.5), 0.0), 1.0)


def centred(vectors: Vector, middle: Vector) -> Vector:
    """Return vectors, a row each, less what is common to all, at length 1."""
    rest = vectors - middle
    unit: Vector = rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-9)
    return unit


def likeness(texts: Vector, others: Vector, nearness: float) -> Vector:
    """Return how like each text is to each other one, from 0 to 1. Vectors are of length 1, a row each."""
    like: Vector = np.exp(-2 * nearness * (1 - texts @ others.T))
    return like


def probability(logit: float) -> float:
    """Return the probability of a logit."""
    return 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))


def load_model(path: Path) -> Model:
    """Return the model in a file. Raises ConfigError if it cannot be read, or is none."""
    try:
        return Model.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no model: make it anew with `ingest topics train`") from error
