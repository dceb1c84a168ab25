"""A model of a topic: how much each thing that the rules see counts, and each part of the meaning.

Two opinions, each a linear model of its own: one of what the rules see (`CompiledTopic.read`), one of the vector of the
meaning. A third weighs both. All are in one file in JSON, written by `ingest topics train`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.config.errors import ConfigError
from ingest.topics.meaning import Vector

__all__ = [
    "ABOUT",
    "SHIPPED",
    "Model",
    "Opinion",
    "Together",
    "VectorWeights",
    "Weights",
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


class VectorWeights(_Strict):
    """A linear model of the vector of a meaning, made by the encoder of that name."""

    encoder: str
    bias: float
    of: tuple[float, ...]


class Together(_Strict):
    """How much both opinions count, as logits."""

    bias: float
    rules: float
    meaning: float


# How much a full score of the rules, or none, moves the line: a text of which the rules see nothing needs a probability
# of .65, one with the full score .35. On texts not fitted to, this is right more often than one half for both.
RULES_SAY = 0.3
# The share from which on a text is about the topic.
ABOUT = 0.5


class Model(_Strict):
    """A model of a topic, and on how many texts it was fitted."""

    texts: int = Field(ge=0)
    rules: Weights
    meaning: VectorWeights
    together: Together

    def judge(self, seen: Mapping[str, float], vector: Vector | None) -> "Opinion":
        """Return how likely a text is about the topic, from what the rules see in it and its meaning, if known."""
        rules = self.rules.bias + sum(self.rules.of.get(name, 0.0) * value for name, value in seen.items())
        if vector is None:
            return Opinion(probability(rules), probability(rules), None)
        meaning = self.meaning.bias + float(np.dot(np.asarray(self.meaning.of, dtype=np.float32), vector))
        together = self.together.bias + self.together.rules * rules + self.together.meaning * meaning
        return Opinion(probability(together), probability(rules), probability(meaning))


@dataclass(frozen=True)
class Opinion:
    """The probability that a text is about the topic: by rules and meaning together, and by each. None: not asked."""

    together: float
    rules: float
    meaning: float | None

    def share(self, of_rules: float) -> float:
        """Return from 0 to 1 how far a text is about the topic; from `ABOUT` on it is.

        `of_rules` is the score of the rules as a share of the one from which they say so.
        """
        return min(max(self.together + RULES_SAY * (min(of_rules, 1.0) - 0.5), 0.0), 1.0)


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
