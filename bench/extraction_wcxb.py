"""Extraction beside trafilatura's default mode, on pages of the Web Content eXtraction Benchmark (Foley, 2026).

Reads NEWS_TEST_SHARED/eval/wcxb (manifest.jsonl and pages): articles, and lists of others. Prints F1 of the bag of
words, as that benchmark measures it, titles, authors, phrases that must and must not appear, pages lost, lists that
would land, and the time of one processor, for two halves of the sites.
"""

import argparse
import gzip
import hashlib
import json
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from trafilatura import bare_extraction

from ingest.extraction.article import extract
from ingest.model.document import Hint, NotAnArticle
from ingest.text.charset import decode
from ingest.text.folding import fold

SHARED = Path(os.environ.get("NEWS_TEST_SHARED", Path(__file__).parents[2] / "shared"))
# A page of which the other took this F1 and we less than half of it is lost.
WHOLE, LOST = 0.9, 0.5


@dataclass(frozen=True)
class Found:
    """What was found on a page. `refused` is why it is no article, if so."""

    text: str = ""
    title: str | None = None
    author: str | None = None
    refused: str | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--misses", type=int, default=0, help="list so many of the pages on which the other is better")
    options = parser.parse_args()
    folder = SHARED / "eval" / "wcxb"
    if not (folder / "manifest.jsonl").exists():
        sys.exit(f"no pages in {folder}: set NEWS_TEST_SHARED")
    pages = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").split("\n") if line]
    bodies = {page["file"]: gzip.decompress((folder / page["file"]).read_bytes()) for page in pages}
    console = Console(width=150)
    table = Table()
    for column in (
        "half",
        "articles",
        "",
        "F1",
        "titles",
        "authors",
        "must appear",
        "must not",
        "lost",
        "refused",
        "lists",
        "s",
    ):
        table.add_column(column, justify="left" if column in ("half", "") else "right")
    for half in (0, 1):
        some = [page for page in pages if _half(page["url"]) == half]
        found = {name: _all(run, some, bodies) for name, run in (("ingest", _ours), ("trafilatura", _default))}
        for name, (results, seconds) in found.items():
            table.add_row("AB"[half], *_figures(name, some, results, found["trafilatura"][0]), f"{seconds:.1f}")
        articles = [page for page in some if page["kind"] == "article"]
        ours, others = found["ingest"][0], found["trafilatura"][0]
        worst = sorted(articles, key=lambda page: _f1(ours, page) - _f1(others, page))[: options.misses]
        for page in worst:
            console.print(f"{_f1(ours, page):.2f} {_f1(others, page):.2f} {page['url']}", markup=False, highlight=False)
    console.print(table)


def _half(url: str) -> int:
    return hashlib.sha256(urlsplit(url).netloc.removeprefix("www.").encode()).digest()[0] % 2


def _all(
    run: Callable[[bytes, str], Found], pages: Sequence[dict[str, Any]], bodies: dict[str, bytes]
) -> tuple[dict[str, Found], float]:
    started = time.process_time()
    results = {page["file"]: run(bodies[page["file"]], page["url"]) for page in pages}
    return results, time.process_time() - started


def _ours(body: bytes, url: str) -> Found:
    try:
        document = extract(body, url, None, Hint(datetime.now(UTC)))
    except NotAnArticle as reason:
        return Found(refused=str(reason))
    return Found(document.text, document.title, document.author)


def _default(body: bytes, url: str) -> Found:
    document: Any = bare_extraction(decode(body, None), url=url, with_metadata=True)
    return Found() if document is None else Found(document.text or "", document.title, document.author)


def _figures(
    name: str, pages: Sequence[dict[str, Any]], found: dict[str, Found], others: dict[str, Found]
) -> tuple[str, ...]:
    articles = [page for page in pages if page["kind"] == "article"]
    lists = [page for page in pages if page["kind"] != "article"]
    flat = {page["file"]: " ".join(found[page["file"]].text.split()) for page in articles}
    titled = [page for page in articles if page.get("gold_title")]
    authored = [page for page in articles if page.get("gold_author")]
    with_, without = (
        [(page["file"], phrase) for page in articles for phrase in page.get(kind, ())] for kind in ("with", "without")
    )
    lost = sum(_f1(found, page) < LOST and _f1(others, page) > WHOLE for page in articles)
    return (
        str(len(articles)), name,
        f"{statistics.mean(_f1(found, page) for page in articles):.3f}",
        f"{sum(fold(found[page['file']].title or '') == fold(page['gold_title']) for page in titled)}/{len(titled)}",
        f"{sum(_names(found[page['file']].author, page['gold_author']) for page in authored)}/{len(authored)}",
        f"{sum(phrase in flat[file] for file, phrase in with_)}/{len(with_)}",
        f"{sum(phrase in flat[file] for file, phrase in without)}/{len(without)}",
        str(lost),
        str(sum(found[page["file"]].refused is not None for page in articles)),
        f"{sum(found[page['file']].refused is None for page in lists)}/{len(lists)}",
    )  # fmt: skip


def _names(author: str | None, gold: str) -> bool:
    """Whether an author is the known one: named in it, or the same words in another order."""
    words = fold(author or "")
    return fold(gold) in words or (bool(words) and set(words.split()) == set(fold(gold).split()))


def _f1(found: dict[str, Found], page: dict[str, Any]) -> float:
    ours, gold = (Counter(re.findall(r"\w+", text.lower())) for text in (found[page["file"]].text, page["gold_text"]))
    common = (ours & gold).total()
    return 2 * common / (ours.total() + gold.total()) if common else 0.0


if __name__ == "__main__":
    main()
