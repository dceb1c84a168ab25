"""What searches find: pairs of words, and 60 queries over real articles.

Pairs (`search_pairs.tsv`): a query and a word of a text, which it must find or must not find. Each pair has a store of
its own, so that no other word helps. The sets say how they were made: see `bench/README.md`.

Queries (`search_queries.jsonl`): one word each, and the words of the corpus that are forms of it, read one by one by a
person. Words that were doubtful count neither for nor against. The articles are those of
NEWS_TEST_SHARED/corpus, landed under a topic that takes everything. Beside `news.search`: PostgreSQL's configuration
`arabic`, and words as they are spelled.
"""

import argparse
import gzip
import json
import os
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from rich.console import Console
from rich.table import Table

from bench.corpus import NOW
from bench.landing import EVERYTHING
from db import Connection
from db.embedded import EmbeddedServer
from db.engine import connect, upgrade
from ingest.config.settings import Settings
from ingest.landing.land import land
from ingest.model.document import Document
from ingest.model.status import Status
from ingest.store import articles, documents, ledger
from ingest.store.feeds import import_feed
from ingest.store.ledger import NewEntry
from ingest.store.words import Words, split

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("NEWS_TEST_SHARED", HERE.parent.parent / "shared"))
# Vowel marks and tatweel, which the lists of forms do not have.
MARKS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u0640]")
ARABIC_WORD = re.compile("[\u0620-\u06ff]+")
ENGINES: dict[str, LiteralString] = {
    "news.search": "SELECT id FROM news.articles WHERE search @@ news.search_query(%s)",
    "PostgreSQL's arabic": "SELECT id FROM plain WHERE vector @@ plainto_tsquery('arabic', %s)",
    "exact words": "SELECT id FROM news.articles WHERE search @@ news.search_query('=' || %s)",
}


@dataclass(frozen=True)
class Pair:
    """A query, and a word that it must find (`match`) or must not find (`not`)."""

    query: str
    word: str
    expected: str
    kind: str
    set: str


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", help="only the pairs of this set, and no queries")
    options = parser.parse_args()
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as name:
        server = EmbeddedServer(Path(name))
        server.acquire()
        try:
            upgrade(server.url())
            with connect(server.url()) as connection:
                pairs = [pair for pair in read_pairs() if options.set in (None, pair.set)]
                table, wrong = judged(connection, pairs)
                console.print(table)
                for pair in wrong:
                    line = f"{pair.set} {pair.expected}: {pair.query} / {pair.word} ({pair.kind})"
                    console.print(line, markup=False, highlight=False)
                corpus = sorted((SHARED / "corpus").glob("*.jsonl.gz"))
                if options.set is None and corpus:
                    fill(connection, corpus)
                    console.print(compared(connection))
                elif options.set is None:
                    console.print(f"no articles in {SHARED / 'corpus'}: set NEWS_TEST_SHARED")
        finally:
            server.release()


def read_pairs() -> list[Pair]:
    """Return all pairs."""
    lines = (HERE / "search_pairs.tsv").read_text(encoding="utf-8").splitlines()
    return [Pair(*line.split("\t")) for line in lines[1:]]


def judged(connection: Connection, pairs: list[Pair]) -> tuple[Table, list[Pair]]:
    """Return how many pairs of each set are right, and the wrong ones."""
    right: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    wrong = []
    Words().check(connection)
    for pair in pairs:
        connection.execute("DELETE FROM news.words")
        (vector,) = Words().vectors(connection, [split(None, pair.word)])
        row = connection.execute(
            "SELECT %s::tsvector @@ news.search_query(%s)", [vector.written, pair.query]
        ).fetchone()
        found = row == (True,)
        right[pair.set][pair.expected].append(found == (pair.expected == "match"))
        if found != (pair.expected == "match"):
            wrong.append(pair)
    table = Table(title="Pairs", title_justify="left")
    table.add_column("set")
    for column in ("found, of those to find", "share", "not found, of those not to find", "share"):
        table.add_column(column, justify="right")
    for name, sides in right.items():
        cells = []
        for side in ("match", "not"):
            cells += [f"{sum(sides[side])} of {len(sides[side])}", f"{sum(sides[side]) / max(len(sides[side]), 1):.3f}"]
        table.add_row(name, *cells)
    return table, wrong


def fill(connection: Connection, files: list[Path]) -> None:
    """Land the articles of files of JSON Lines (`title`, `text`)."""
    feed = import_feed(connection, NOW)
    for number, article in enumerate(_articles(files)):
        url = f"http://bench.example/{number}"
        new = NewEntry(url, url, url, "bench.example", None, None, None, None, None, status=Status.EXTRACTED)
        (entry,) = ledger.record(connection, feed, [new], NOW)
        document = Document(article["title"], None, NOW, "feed", "ar", article["text"], "bench")
        documents.save(connection, [(entry, document)], NOW)
    connection.commit()
    land(connection, Settings(), lambda: NOW, EVERYTHING)
    articles.settle_search(connection)
    connection.execute(
        "CREATE TEMPORARY TABLE plain AS"
        " SELECT id, to_tsvector('arabic', coalesce(title, '') || ' ' || text) AS vector FROM news.articles"
    )
    connection.commit()


def _articles(files: list[Path]) -> Iterator[dict[str, Any]]:
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def compared(connection: Connection) -> Table:
    """Return recall and precision of each engine: the means over the queries, and over each half of them."""
    texts = connection.execute("SELECT id, coalesce(title, '') || E' \\n ' || text FROM news.articles").fetchall()
    words = {article: set(ARABIC_WORD.findall(MARKS.sub("", text))) for article, text in texts}
    lines = (HERE / "search_queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = [json.loads(line) for line in lines]
    table = Table(title=f"{len(queries)} queries over {len(words):,} articles", title_justify="left")
    table.add_column("")
    for column in ("recall", "precision", "first half", "second half", "ms (median)"):
        table.add_column(column, justify="right")
    for name, statement in ENGINES.items():
        scores, times = [], []
        for query in queries:
            forms, doubtful = set(query["forms"]), set(query["unsure"])
            wanted = {article for article, has in words.items() if has & forms}
            either = {article for article, has in words.items() if has & doubtful} - wanted
            began = time.perf_counter()
            found = {row[0] for row in connection.execute(statement, [query["query"]])}
            times.append(time.perf_counter() - began)
            found -= either
            scores.append((len(found & wanted) / len(wanted), len(found & wanted) / len(found) if found else 1.0))
        table.add_row(
            name,
            *(f"{statistics.mean(score[side] for score in scores):.3f}" for side in (0, 1)),
            *(
                " / ".join(f"{statistics.mean(score[side] for score in scores[half::2]):.3f}" for side in (0, 1))
                for half in (0, 1)
            ),
            f"{statistics.median(times) * 1000:.1f}",
        )
    return table


if __name__ == "__main__":
    main()
