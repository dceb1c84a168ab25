"""Fits the model of a topic to labelled texts, and judges it on texts of events that it has not seen."""

import base64
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.text.folding import spell, spell_sentences
from ingest.topics.labels import Label
from ingest.topics.meaning import Encoder, opening
from ingest.topics.model import Likeness, Model, Opinion, Together, Weights, centred, likeness
from ingest.topics.rules import CompiledTopic

__all__ = ["Examples", "average_precision", "calibration_error", "cross_validated", "fit", "look_at"]

Matrix = NDArray[np.float64]
T = TypeVar("T")
Track = Callable[[Iterator[T], int], Iterator[T]]

# Parts that events are divided into: each is judged by a model fitted to the others.
FOLDS, INNER_FOLDS = 10, 5
# What is seen in fewer texts is left out.
LEAST_TEXTS = 5
# How strongly weights are held back, for what the rules see (in standard deviations), for likeness, and for both.
RULES_PENALTY, LIKENESS_PENALTY, TOGETHER_PENALTY = 30.0, 0.03, 1.0
# How fast likeness falls with the distance of two meanings.
NEARNESS = 1.0
ROUNDS, CLOSE_ENOUGH, CLOSE_ENOUGH_LIKENESS = 100, 1e-6, 1e-3


@dataclass(frozen=True)
class Examples:
    """Labelled texts, what the rules see in each, and the vector of each."""

    labels: Sequence[Label]
    seen: Sequence[Mapping[str, float]]
    vectors: Matrix
    encoder: str

    @property
    def about(self) -> Matrix:
        return np.array([label.is_about for label in self.labels], dtype=np.float64)

    def only(self, chosen: Sequence[int]) -> "Examples":
        return Examples(
            [self.labels[number] for number in chosen],
            [self.seen[number] for number in chosen],
            self.vectors[list(chosen)],
            self.encoder,
        )


def look_at(
    labels: Sequence[Label], topic: CompiledTopic, encoder: Encoder, track: Track[Label] | None = None
) -> Examples:
    """Return the texts as the rules and the encoder see them. `track` shows progress: it passes on an iterator."""
    seen, vectors = [], []
    for label in track(iter(labels), len(labels)) if track else labels:
        seen.append(topic.read(spell(label.title), spell_sentences(label.text)).seen)
        vectors.append(encoder.encode(opening(label.title, label.text)))
    return Examples(labels, seen, np.array(vectors, dtype=np.float64), encoder.name)


def fit(examples: Examples) -> Model:
    """Return the model fitted to all examples. How both opinions are weighed is learnt from texts they had not seen."""
    examples = examples.only(sorted(range(len(examples.labels)), key=lambda number: examples.labels[number].id))
    rules, meaning = _fit_rules(examples), _fit_meaning(examples)
    logits = np.zeros((len(examples.labels), 2))
    for training, rest in _folds(examples.labels, INNER_FOLDS):
        some, others = examples.only(training), examples.only(rest)
        logits[rest] = _logits(_fit_rules(some), _fit_meaning(some), others)
    bias, weights = _logistic(logits, examples.about, TOGETHER_PENALTY)
    together = Together(bias=_short(bias), rules=_short(weights[0]), meaning=_short(weights[1]))
    return Model(texts=len(examples.labels), rules=rules, meaning=meaning, together=together)


def cross_validated(examples: Examples, track: Track[tuple[list[int], list[int]]] | None = None) -> list[Opinion]:
    """Return the opinion on each text of a model fitted to the texts of other events. `track` shows progress."""
    found: list[Opinion] = [Opinion(0.0, 0.0, None)] * len(examples.labels)
    folds = list(_folds(examples.labels, FOLDS))
    for training, rest in track(iter(folds), len(folds)) if track else folds:
        model = fit(examples.only(training))
        for number in rest:
            found[number] = model.judge(examples.seen[number], examples.vectors[number].astype(np.float32))
    return found


def average_precision(about: Matrix, scores: Matrix) -> float:
    """Return the mean of the precision at each text that is about the topic, with texts ordered by score."""
    order = np.argsort(-scores, kind="stable")
    hits = about[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / max(hits.sum(), 1))


def calibration_error(about: Matrix, scores: Matrix, bins: int = 10) -> float:
    """Return how far probabilities are from the share that is about the topic, on average over texts with like ones."""
    places = np.minimum((scores * bins).astype(int), bins - 1)
    error = 0.0
    for place in range(bins):
        here = places == place
        if here.any():
            error += here.mean() * abs(scores[here].mean() - about[here].mean())
    return error


def _folds(labels: Sequence[Label], parts: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the numbers of the texts to fit to, and of the others. All texts of an event are on one side."""
    part = [hashlib.sha256(label.event.encode()).digest()[0] * parts // 256 for label in labels]
    for number in range(parts):
        rest = [place for place, its in enumerate(part) if its == number]
        training = [place for place, its in enumerate(part) if its != number]
        if rest and training:
            yield training, rest


def _fit_rules(examples: Examples) -> Weights:
    counts: dict[str, int] = {}
    for seen in examples.seen:
        for name, value in seen.items():
            counts[name] = counts.get(name, 0) + bool(value)
    names = sorted(name for name, count in counts.items() if count >= LEAST_TEXTS)
    values = np.array([[seen.get(name, 0.0) for name in names] for seen in examples.seen])
    middle, spread = values.mean(axis=0), values.std(axis=0)
    spread[spread == 0] = 1.0
    bias, weights = _logistic((values - middle) / spread, examples.about, RULES_PENALTY)
    weights = weights / spread
    return Weights(
        bias=_short(bias - float(weights @ middle)),
        of={name: _short(weight) for name, weight in zip(names, weights, strict=True)},
    )


def _fit_meaning(examples: Examples) -> Likeness:
    """Fit a kernel logistic regression, by Newton's method. The bias is that of a text like none of the examples."""
    vectors = examples.vectors.astype(np.float32)
    middle = vectors.mean(axis=0)
    texts = centred(vectors, middle)
    step = float(np.abs(texts).max() / 127)
    steps = np.rint(texts / step).astype(np.int8)
    texts = (steps * step).astype(np.float32)
    alike = likeness(texts, texts, NEARNESS)
    share = float(np.clip(examples.about.mean(), 0.01, 0.99))
    bias = math.log(share / (1 - share))
    weights = np.zeros(len(texts), dtype=np.float32)
    for _ in range(ROUNDS):
        scores = alike @ weights
        likely = 1 / (1 + np.exp(-np.clip(scores + bias, -30, 30)))
        curve = np.maximum(likely * (1 - likely), 1e-4)
        held_back = np.diag((LIKENESS_PENALTY / curve).astype(np.float32))
        new = np.linalg.solve(alike + held_back, (scores + (examples.about - likely) / curve).astype(np.float32))
        change, weights = float(np.abs(new - weights).max()), new
        if change < CLOSE_ENOUGH_LIKENESS:
            break
    return Likeness(
        encoder=examples.encoder,
        bias=_short(bias),
        nearness=NEARNESS,
        middle=tuple(_short(number, 6) for number in middle.tolist()),
        step=step,
        vectors=base64.b64encode(steps.tobytes()),
        ids=tuple(label.id for label in examples.labels),
        of=tuple(_short(weight) for weight in weights.tolist()),
    )


def _logits(rules: Weights, meaning: Likeness, examples: Examples) -> Matrix:
    by_rules = [
        rules.bias + sum(rules.of.get(name, 0.0) * value for name, value in seen.items()) for seen in examples.seen
    ]
    by_meaning = [meaning.logit(vector.astype(np.float32))[0] for vector in examples.vectors]
    return np.column_stack([by_rules, by_meaning])


def _logistic(values: Matrix, about: Matrix, penalty: float) -> tuple[float, Matrix]:
    """Return bias and weights of a logistic regression with a ridge penalty, by Newton's method."""
    columns = np.column_stack([np.ones(len(values)), values])
    held_back = np.full(columns.shape[1], penalty)
    held_back[0] = 0.0
    weights = np.zeros(columns.shape[1])
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30)))
        slope = columns.T @ (likely - about) + held_back * weights
        curve = (columns * (likely * (1 - likely))[:, None]).T @ columns + np.diag(held_back + 1e-9)
        step = np.linalg.solve(curve, slope)
        weights = weights - step
        if float(np.abs(step).max()) < CLOSE_ENOUGH:
            break
    return float(weights[0]), weights[1:]


def _short(number: float, digits: int = 4) -> float:
    return round(float(number), digits)
