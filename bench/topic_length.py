"""How the time to judge a text grows with its length, for texts in which nearly every word belongs to the topic.

Uses texts from 1,000 to 250,000 words, in one sentence and in sentences of ten words, and the gate of general feeds on
the same words as a title and summary. If the work grows linearly, each row shows the same time per 1,000 words.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ingest.text.folding import spell_sentences
from ingest.topics.topics import TopicSet, load_topics

ROOT = Path(__file__).parent.parent
WORDS = ["since", "US", "coalition", "forces", "withdraw", "troops", "leave", "Iraq", "Baghdad", "Syria"]
LENGTHS = (1_000, 5_000, 25_000, 125_000, 250_000)


def main() -> None:
    topics = load_topics(ROOT / "topics.yaml")
    table = Table(title="processor time per 1,000 words, ms", title_justify="left")
    for column in ("words", "one sentence", "many sentences", "gate"):
        table.add_column(column, justify="right")
    for length in LENGTHS:
        one = " ".join(WORDS * (length // len(WORDS)))
        many = ". ".join(" ".join(WORDS) for _ in range(length // len(WORDS)))
        work = (
            partial(_judge, topics, one),
            partial(_judge, topics, many),
            partial(topics.passes_gate, "x", one),
        )
        table.add_row(f"{length:,}", *(f"{processor_time(each) / length * 1e6:.1f}" for each in work))
    Console(width=100).print(table)


def _judge(topics: TopicSet, text: str) -> None:
    topics.judge("x", spell_sentences(text))


def processor_time(work: Callable[[], object]) -> float:
    """Return the lowest processor time of three runs, in seconds."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


if __name__ == "__main__":
    main()
