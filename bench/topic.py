"""Accuracy and speed of the topics in topics.yaml.

Reads hand-labelled texts from NEWS_TEST_SHARED/eval/topic_dev.jsonl (`label` 2: about the withdrawal from Iraq, 1:
mentions it, 0: neither), and compares the labels with the results of the rules: precision and recall of "about" by
language and kind of text, false positives by trap, the three degrees, the gate, texts per second of one processor, the
errors.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ingest.text.folding import spell_sentences
from ingest.topics.topics import TopicSet, load_topics, read_topics

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("NEWS_TEST_SHARED", ROOT.parent / "shared"))
TOPIC = "iraq-withdrawal"
DEGREES = ("neither", "mention", "about")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--topics", type=Path, default=ROOT / "topics.yaml")
    options = parser.parse_args()
    texts = judged()
    if not texts:
        sys.exit(f"no texts in {SHARED / 'eval' / 'topic_dev.jsonl'}: set NEWS_TEST_SHARED")
    topics = load_topics(options.topics)
    found = [degree(topics, text) for text in texts]
    console = Console(width=140)
    console.print(scores(texts, found))
    console.print(traps(texts, found))
    console.print(degrees(texts, found))
    passed = [topics.passes_gate(text["title"], text["text"][:300]) for text in texts if text["label"] == 2]
    console.print(f"gate: {sum(passed)} of {len(passed)} about texts pass with title and first 300 characters")
    rules = TopicSet(
        {name: topic.model_copy(update={"model": None}) for name, topic in read_topics(options.topics).items()}
    )
    console.print(f"{speed(rules, texts, 5):,.0f} texts a second of one processor by the rules alone")
    console.print(f"{speed(topics, texts, 1):,.0f} by rules and meaning")
    for text, got in zip(texts, found, strict=True):
        if (got == 2) != (text["label"] == 2):
            kind = "missed" if text["label"] == 2 else "wrong"
            line = f"{kind:7}{text['id']} {text['lang']} label {text['label']} {text['trap']}: {text['title']}"
            console.print(line, markup=False, highlight=False)


def judged() -> list[dict[str, Any]]:
    """Return the labelled texts, or none if the file is missing."""
    path = SHARED / "eval" / "topic_dev.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def degree(topics: TopicSet, text: dict[str, Any]) -> int:
    """Return 2 if the rules find the text to be about the topic, 1 if it mentions it, else 0."""
    found = topics.judge(text["title"], spell_sentences(text["text"]), text["text"])
    return max((DEGREES.index(match.degree) for match in found), default=0)


def scores(texts: Sequence[dict[str, Any]], found: Sequence[int]) -> Table:
    table = Table(title="About the topic")
    for column in ("texts", "number", "about", "found", "precision", "recall"):
        table.add_column(column, justify="right")
    for name, wanted in {
        "all": {}, "Arabic": {"lang": "ar"}, "English": {"lang": "en"}, "articles": {"text_kind": "article"},
        "paraphrases": {"text_kind": "paraphrase"}, "Arabic articles": {"lang": "ar", "text_kind": "article"},
        "English paraphrases": {"lang": "en", "text_kind": "paraphrase"},
    }.items():  # fmt: skip
        chosen = [
            (text["label"] == 2, got == 2)
            for text, got in zip(texts, found, strict=True)
            if all(text[key] == value for key, value in wanted.items())
        ]
        right, about, said = (sum(both) for both in zip(*[(a and b, a, b) for a, b in chosen], strict=True))
        table.add_row(
            name, str(len(chosen)), str(about), str(said), f"{right / said if said else 0:.3f}",
            f"{right / about if about else 0:.3f}",
        )  # fmt: skip
    return table


def traps(texts: Sequence[dict[str, Any]], found: Sequence[int]) -> Table:
    table = Table(title="False positives by trap")
    for column in ("trap", "texts", "about", "share"):
        table.add_column(column)
    counts: dict[str, list[int]] = defaultdict(list)
    for text, got in zip(texts, found, strict=True):
        if text["label"] != 2:
            counts[text["trap"] or f"none, label {text['label']}"].append(got == 2)
    for trap, wrong in sorted(counts.items()):
        table.add_row(trap, str(len(wrong)), str(sum(wrong)), f"{sum(wrong) / len(wrong):.2f}")
    return table


def degrees(texts: Sequence[dict[str, Any]], found: Sequence[int]) -> Table:
    table = Table(title="Degrees: labels down, rules across")
    for column in ("", *DEGREES):
        table.add_column(column, justify="right")
    counts = Counter(zip((text["label"] for text in texts), found, strict=True))
    for label, name in enumerate(DEGREES):
        table.add_row(name, *(str(counts[label, got]) for got in range(3)))
    return table


def speed(topics: TopicSet, texts: Sequence[dict[str, Any]], rounds: int) -> float:
    """Return how many texts a second of one processor are judged, spelled before."""
    spelled = [(text["title"], spell_sentences(text["text"]), text["text"]) for text in texts]
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for title, sentences, text in spelled:
            topics.judge(title, sentences, text)
        best = min(best, time.process_time() - started)
    return len(spelled) / best


if __name__ == "__main__":
    main()
