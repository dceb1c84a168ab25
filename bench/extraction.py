"""Quality and speed of extraction, on pages with known texts, titles and dates.

Reads the pages in NEWS_TEST_SHARED/eval/pages (listed in `manifest.jsonl`) and compares
`ingest.extraction.article.extract` with plain trafilatura in its default and fast modes and, with --rivals, with
newspaper4k and news-please. One run measures precision, recall and F1 of word shingles against the gold text, phrases
that must and must not appear, titles, dates, and pages per second of one processor. With --check, it exits with 1 if a
figure is below its floor in extraction_floors.toml.
"""

import argparse
import gc
import gzip
import json
import logging
import os
import platform
import re
import statistics
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import rivals
from ingest.extraction.article import extract
from ingest.model.document import Hint, NotAnArticle
from ingest.text.charset import decode
from ingest.text.folding import fold
from tests.newsroom.render import render_page
from tests.newsroom.world import Newsroom

SHARED = Path(os.environ.get("NEWS_TEST_SHARED", Path(__file__).parents[2] / "shared"))
FLOORS = Path(__file__).with_name("extraction_floors.toml")
SHINGLE = 4
# Groups of pages, with their labels in the table.
GROUPS = {"all": "", "ar": " (Arabic)", "newsroom": " (newsroom)"}
NEWSROOM_PAGES = 60


@dataclass(frozen=True)
class Page:
    """A page and its known properties."""

    name: str
    url: str
    language: str
    body: bytes
    gold: dict[str, Any]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in which the page counts."""
        return ("newsroom",) if self.name.startswith("newsroom") else ("all", self.language)


@dataclass(frozen=True)
class Found:
    """The result of an extractor: the text, and a title and date if it looks for them.

    `days` are all days that it may mean, because a moment is another day elsewhere and the gold has the publisher's
    day.
    """

    text: str = ""
    title: str | None = None
    days: frozenset[str] = frozenset()
    # The processor time, if it was spent in another process.
    cpu_ns: int | None = None


@dataclass
class Score:
    """Totals over pages."""

    f1: list[float] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    # The minimum processor time of each page, in nanoseconds, because other activity on the machine only adds to it.
    quickest: dict[str, int] = field(default_factory=dict)

    def share(self, part: str, whole: str) -> float | None:
        return self.counts[part] / self.counts[whole] if self.counts[whole] else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is extracted, for the speed")
    parser.add_argument("--check", action="store_true", help="end with 1 where a figure is below its floor")
    parser.add_argument("--misses", action="store_true", help="list the pages with wrong dates and titles, and low F1")
    parser.add_argument(
        "--rivals", action="store_true", help="compare newspaper4k and news-please too, in an environment made for them"
    )
    options = parser.parse_args()
    found = pages()
    if not found:
        sys.exit(f"no pages in {SHARED / 'eval' / 'pages'}: set NEWS_TEST_SHARED")
    found += newsroom_pages()
    # As in worker processes: loaded objects stay, and trees are freed by reference counts.
    gc.freeze()
    gc.set_threshold(50_000)
    none: AbstractContextManager[dict[str, rivals.Answer]] = nullcontext({})
    with rivals.running() if options.rivals else none as others:
        extractors = EXTRACTORS | {name: asking(answer) for name, answer in others.items()}
        scores = compare(found, extractors, options.rounds, options.misses)
    console = Console(width=130)
    console.print(report(scores))
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {len(found)} pages, {platform.machine()}, Python {platform.python_version()}; "
        "speed is that of one processor, each page's quickest of the rounds",
        highlight=False,
    )
    dates = scores["ingest"]["all"].counts
    console.print(
        f"{dates['dates of publication']} of the known dates are not, by the page's own word, those of a later change; "
        f"of these, ingest has {dates['dates of publication right']} right",
        highlight=False,
    )
    if options.check:
        problems = below_floors(scores["ingest"])
        for problem in problems:
            console.print(problem)
        sys.exit(bool(problems))


def pages() -> list[Page]:
    """Return the evaluation pages, or none if they are missing."""
    manifest = SHARED / "eval" / "pages" / "manifest.jsonl"
    if not manifest.exists():
        return []
    found = []
    for line in manifest.read_text(encoding="utf-8").splitlines():
        gold = json.loads(line)
        body = gzip.decompress((manifest.parent / gold["file"]).read_bytes())
        found.append(Page(gold["file"].removesuffix(".html.gz"), gold["url"], gold["lang"], body, gold))
    return found


def newsroom_pages() -> list[Page]:
    """Return pages of the simulated web used in the tests, whose texts, titles and dates are known."""
    world = Newsroom.build(feeds=6, entries=NEWSROOM_PAGES, now=datetime.now(UTC))
    return [
        Page(
            f"newsroom {item.number}", item.url, item.outlet.language, render_page(world, item)[1],
            {"gold_text": item.text, "gold_title": item.title, "gold_date": f"{item.published_at:%Y-%m-%d}"},
        )
        for item in world.items.values()
    ]  # fmt: skip


def ours(page: Page) -> Found:
    try:
        document = extract(page.body, page.url, None, Hint(datetime.now(UTC), language=page.language))
    except NotAnArticle:
        return Found()
    at = document.published_at
    if at is None:
        return Found(document.text, document.title)
    # A day alone is stored as its first minute.
    moments = [at] if at.time() == at.time().min else [at - timedelta(hours=12), at, at + timedelta(hours=14)]
    return Found(document.text, document.title, frozenset(f"{moment:%Y-%m-%d}" for moment in moments))


def plain(**options: Any) -> Callable[[Page], Found]:
    """Return an extractor that uses trafilatura alone, with these options."""
    from trafilatura import bare_extraction

    for name in ("trafilatura", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

    def run(page: Page) -> Found:
        document: Any = bare_extraction(decode(page.body, None), url=page.url, with_metadata=True, **options)
        if document is None:
            return Found()
        return Found(document.text or "", document.title, frozenset({document.date} - {None}))

    return run


def asking(answer: rivals.Answer) -> Callable[[Page], Found]:
    """Return an extractor that asks another program and sends it the page as decoded text."""

    def run(page: Page) -> Found:
        said = answer(decode(page.body, None), page.url)
        return Found(said["text"] or "", said["title"], frozenset({said["date"]} - {None}), said["cpu_ns"])

    return run


EXTRACTORS: dict[str, Callable[[Page], Found]] = {
    "ingest": ours,
    "trafilatura, default": plain(),
    "trafilatura, fast": plain(fast=True),
}


def compare(
    found: Sequence[Page], extractors: dict[str, Callable[[Page], Found]], rounds: int, misses: bool = False
) -> dict[str, dict[str, Score]]:
    """Return the scores of extractors by group of pages. The extractors take turns at each page."""
    scores = {name: {group: Score() for group in GROUPS} for name in extractors}
    for number in range(rounds):
        for page in found:
            # In a different order each time, because the one after a large program finds the processor's caches cold.
            turn = number % len(extractors)
            for name, run in [*extractors.items()][turn:] + [*extractors.items()][:turn]:
                started = time.process_time_ns()
                result = run(page)
                taken = time.process_time_ns() - started if result.cpu_ns is None else result.cpu_ns
                for group in page.groups:
                    if group in scores[name]:
                        score = scores[name][group]
                        score.quickest[page.name] = min(taken, score.quickest.get(page.name, taken))
                        if number == 0:
                            judge(page, result, score)
                if number == 0 and misses and name == "ingest":
                    say_misses(page, result)
    for groups in scores.values():
        for group, score in groups.items():
            score.counts["pages"] = sum(group in page.groups for page in found)
    return scores


def judge(page: Page, result: Found, into: Score) -> None:
    gold = page.gold
    if gold.get("gold_text"):
        precision, recall = overlap(result.text, gold["gold_text"].rstrip("….").strip())
        into.precision.append(precision)
        into.recall.append(recall)
        into.f1.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    squeezed = " ".join(result.text.split())
    for kind in ("with", "without"):
        phrases = [" ".join(phrase.split()) for phrase in gold.get(kind, ())]
        into.counts[kind] += len(phrases)
        into.counts[f"{kind} found"] += sum(phrase in squeezed for phrase in phrases)
    if gold.get("gold_title"):
        into.counts["titles"] += 1
        into.counts["titles right"] += fold(result.title or "") == fold(gold["gold_title"])
    if gold.get("gold_date"):
        into.counts["dates"] += 1
        into.counts["dates right"] += gold["gold_date"] in result.days
        into.counts["dates wrong"] += bool(result.days) and gold["gold_date"] not in result.days
        if not is_day_of_change(page):
            into.counts["dates of publication"] += 1
            into.counts["dates of publication right"] += gold["gold_date"] in result.days


def is_day_of_change(page: Page) -> bool:
    """Whether the page gives a publication day other than the known one, and was changed on that day."""
    text = decode(page.body, None)
    published, changed = (
        set(re.findall(rf"""{name}["']?\s*(?::|content=)\s*["'](\d{{4}}-\d\d-\d\d)""", text))
        for name in ("datePublished", "dateModified")
    )
    return bool(published) and page.gold["gold_date"] in changed - published


def say_misses(page: Page, result: Found) -> None:
    gold = page.gold
    if gold.get("gold_date") and gold["gold_date"] not in result.days:
        print(f"date   {page.name}: {sorted(result.days)}, not {gold['gold_date']}")
    if gold.get("gold_title") and fold(result.title or "") != fold(gold["gold_title"]):
        print(f"title  {page.name}: {result.title!r}, not {gold['gold_title']!r}")
    if gold.get("gold_text"):
        precision, recall = overlap(result.text, gold["gold_text"].rstrip("….").strip())
        if min(precision, recall) < 0.9:
            print(f"text   {page.name}: precision {precision:.2f}, recall {recall:.2f}")
    squeezed = " ".join(result.text.split())
    for kind in ("with", "without"):
        for phrase in gold.get(kind, ()):
            if (" ".join(phrase.split()) in squeezed) != (kind == "with"):
                print(f"{kind:7}{page.name}: {phrase[:80]!r}")


def overlap(text: str, gold: str) -> tuple[float, float]:
    """Return precision and recall of the text's word shingles, counted with their multiplicity."""
    ours_, theirs = shingles(text), shingles(gold)
    common = sum((ours_ & theirs).values())
    return (common / ours_.total() if ours_ else 0.0), (common / theirs.total() if theirs else 0.0)


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = fold(text).split()
    return Counter(tuple(words[n : n + SHINGLE]) for n in range(max(len(words) - SHINGLE + 1, 1 if words else 0)))


def report(scores: dict[str, dict[str, Score]]) -> Table:
    table = Table(title="Extraction", title_justify="left")
    table.add_column("")
    for column in (
        "pages", "F1", "precision", "recall", "must appear", "must not", "titles", "dates right", "wrong",
        "pages/s", "times default",
    ):  # fmt: skip
        table.add_column(column, justify="right")
    for group, label in GROUPS.items():
        if not scores["ingest"][group].counts["pages"]:
            continue
        default = rate(scores["trafilatura, default"][group])
        for name, by_group in scores.items():
            got = by_group[group]
            table.add_row(
                f"{name}{label}", str(got.counts["pages"]), mean(got.f1),
                mean(got.precision), mean(got.recall), part(got, "with found", "with"),
                part(got, "without found", "without"), part(got, "titles right", "titles"),
                part(got, "dates right", "dates"), str(got.counts["dates wrong"]), f"{rate(got):.0f}",
                f"{rate(got) / default:.2f}",
            )  # fmt: skip
        table.add_section()
    return table


def rate(got: Score) -> float:
    return got.counts["pages"] / max(sum(got.quickest.values()) / 1e9, 1e-9)


def mean(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.3f}" if values else "-"


def part(got: Score, some: str, whole: str) -> str:
    return f"{got.counts[some]}/{got.counts[whole]}" if got.counts[whole] else "-"


def figures(got: Score) -> dict[str, float]:
    """Return the figures that have floors; higher is better for each."""
    return {
        "f1": statistics.mean(got.f1) if got.f1 else 0.0,
        "must_appear": got.share("with found", "with") or 0.0,
        "must_not_appear": 1 - (got.share("without found", "without") or 0.0),
        "titles": got.share("titles right", "titles") or 0.0,
        "dates_right": got.share("dates right", "dates") or 0.0,
        "dates_not_wrong": 1 - (got.share("dates wrong", "dates") or 0.0),
    }


def below_floors(scores: dict[str, Score]) -> list[str]:
    """Return a line for each figure below its floor."""
    floors = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    return [
        f"{group}: {name} is {value:.3f}, below its floor of {floor:.3f}"
        for group, wanted in floors.items()
        if scores[group].counts["pages"]
        for name, floor in wanted.items()
        if (value := figures(scores[group])[name]) < floor
    ]


if __name__ == "__main__":
    main()
