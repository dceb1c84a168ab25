"""How well copies of a text are detected.

Reads hand-labelled pairs from NEWS_TEST_SHARED/eval/neardup_dev.jsonl and compares the labels with the results of
`ingest.text.similarity`: recall of `same_text` and `syndicated`, precision against `different` and all traps, whether
the pairs would be candidates at all, texts per second, and the errors.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ingest.text.folding import fold
from ingest.text.similarity import Comparable, compare

SHARED = Path(os.environ.get("NEWS_TEST_SHARED", Path(__file__).parents[2] / "shared"))
COPIES = ("same_text", "syndicated")


def main() -> None:
    pairs = judged()
    if not pairs:
        sys.exit(f"no pairs in {SHARED / 'eval' / 'neardup_dev.jsonl'}: set NEWS_TEST_SHARED")
    console = Console(width=120)
    table = Table(title="Copies of a text")
    for column in ("label", "pairs", "linked"):
        table.add_column(column)
    for label in (*COPIES, "same_event", "different"):
        of_label = [pair for pair in pairs if pair["label"] == label]
        table.add_row(label, str(len(of_label)), str(sum(linked(pair) for pair in of_label)))
    console.print(table)
    figures = scores(pairs)
    console.print(f"recall {figures['recall']:.3f}, precision against different and traps {figures['precision']:.3f}")
    texts = [(pair[side]["title"], fold(pair[side]["text"])) for pair in pairs for side in "ab"]
    started = time.process_time()
    for title, text in texts:
        Comparable(title, text).bands  # noqa: B018 - it is worked out when asked for
    console.print(f"{len(texts) / (time.process_time() - started):,.0f} signatures a second of one processor")
    for pair in pairs:
        if linked(pair) != (pair["label"] in COPIES):
            one, other = sides(pair)
            console.print(pair["id"], pair["label"], pair["trap"], compare(one, other), highlight=False)


def judged() -> list[dict[str, Any]]:
    """Return the labelled pairs, or none if the file is missing."""
    path = SHARED / "eval" / "neardup_dev.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def scores(pairs: list[dict[str, Any]]) -> dict[str, float]:
    """Return the recall of copies, and the precision of links among copies, different texts and traps."""
    copies = [linked(pair) for pair in pairs if pair["label"] in COPIES]
    others = [
        linked(pair) for pair in pairs if pair["label"] not in COPIES and (pair["label"] == "different" or pair["trap"])
    ]
    return {"recall": sum(copies) / len(copies), "precision": sum(copies) / max(sum(copies) + sum(others), 1)}


def linked(pair: dict[str, Any]) -> bool:
    """Return whether the two texts would be linked: found as candidates and judged to be copies."""
    one, other = sides(pair)
    return bool(set(one.bands) & set(other.bands)) and compare(one, other) is not None


def sides(pair: dict[str, Any]) -> tuple[Comparable, Comparable]:
    one, other = (Comparable(pair[side]["title"], fold(pair[side]["text"])) for side in "ab")
    return one, other


if __name__ == "__main__":
    main()
