"""The commands for topics, and for finding articles on them."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, TypedDict

import typer

from ingest.cli.shared import (
    DATE_FORMATS,
    SENTENCE_WIDTH,
    JsonOption,
    TopicsOption,
    add_row,
    make_table,
    opened_database,
    output,
    print_json,
)
from ingest.config.errors import ConfigError, IngestError
from ingest.config.settings import Settings, load_settings
from ingest.model.document import Document, Hint, NotAnArticle
from ingest.runtime.clock import utc_now
from ingest.store import articles, documents
from ingest.text.urls import canonical_url
from ingest.topics.topics import load_topics

DEGREES = {"about": "about", "mention": "mention", "neither": "neither about it nor mentioned"}

app = typer.Typer(no_args_is_help=True)
search_app = typer.Typer()


@app.callback()
def _group() -> None:
    """Inspect topics, and teach them by example."""


@app.command()
def explain(
    what: Annotated[str, typer.Argument(metavar="TEXT|URL|ID", help="A text, an address, or the number of an entry.")],
    title: Annotated[str | None, typer.Option("--title", help="Title of the text.")] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="Country of the outlet (ISO 3166-1), such as IQ.")
    ] = None,
    topics: TopicsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many points each sentence of a text adds to its score, and why others do not count."""
    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    stored = what.isdigit() or _is_address(what)
    found_title, text, of_outlet = _text_of(settings, what) if stored else (title, what, None)
    explained = topic_set.explain(title or found_title, text, country or of_outlet)
    if as_json:
        print_json(
            {
                name: {
                    "score": match.score,
                    "degree": match.degree,
                    "rules": match.rules,
                    "meaning": match.meaning,
                    "most like": match.like,
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
                f"  the rules alone: score {match.rules:g}; the meaning alone: {match.meaning:.0%} likely about it, "
                f"most like the labelled texts {', '.join(match.like)}"
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


def _text_of(settings: Settings, what: str) -> tuple[str | None, str, str | None]:
    """Return the title and text of a stored document, or of the page at an address, and the country of its outlet."""
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
    return document.title, document.text, None


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
