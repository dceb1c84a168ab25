"""The commands for files of articles: import and export."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.shared import (
    DATE_FORMATS,
    TopicsOption,
    check_names,
    errors,
    opened_database,
    output,
    progress,
)
from ingest.config.errors import ConfigError
from ingest.config.settings import load_settings
from ingest.exchange.export import ExportFormat, export_articles
from ingest.runtime.clock import utc_now
from ingest.store import articles
from ingest.topics.topics import load_topics

__all__ = ["app"]

app = typer.Typer()
PROBLEMS_SHOWN = 50


@app.command("import")
def import_(
    path: Annotated[
        Path,
        typer.Argument(
            help="Folder of texts named like 000_8b30ea1d89039507.txt, or a file of articles (.jsonl, .csv, .parquet)."
        ),
    ],
    topics: TopicsOption = None,
) -> None:
    """Import texts or articles, for example from an export. They go through `land` like all others."""
    from ingest.exchange.imports import article_file, import_articles
    from ingest.exchange.seeds import import_folder, seed_files
    from ingest.landing.land import land as stage

    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    file = article_file(path)
    if file is None:
        seed_files(path)
    with opened_database(settings) as database, database.connect() as connection:
        if file is None:
            taken = import_folder(connection, path, utc_now(), progress=progress("importing"))
        else:
            taken = import_articles(connection, file, utc_now(), progress=progress("importing"))
        counts = stage(connection, settings, utc_now, topic_set)
    output.print(
        f"{taken.files} {'files' if file is None else 'articles'}: {taken.new} new, {taken.known} known already; "
        f"{counts.landed} landed, {counts.duplicate} duplicate, {counts.off_topic} off topic"
    )
    for problem in taken.unreadable[:PROBLEMS_SHOWN]:
        errors.print(f"error: {problem}", style="red")
    if len(taken.unreadable) > PROBLEMS_SHOWN:
        errors.print(f"... and {len(taken.unreadable) - PROBLEMS_SHOWN:,} more that could not be read", style="red")
    if taken.unreadable:
        raise typer.Exit(1)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="New or empty folder to write into.")],
    kind: Annotated[ExportFormat, typer.Option("--format", help="Format of the files.")] = ExportFormat.TXT,
    topic: Annotated[str | None, typer.Option("--topic", help="Only articles on this topic.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=DATE_FORMATS, help="Published on or after.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="Published before.")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="In this language; repeatable.")] = None,
    outlet: Annotated[list[str] | None, typer.Option("--outlet", help="Of this outlet; repeatable.")] = None,
    firsts: Annotated[bool, typer.Option("--firsts", help="Each story once: the article published first.")] = False,
    all_pages: Annotated[
        bool, typer.Option("--all-pages", help="With warc: pages without an article on a topic, too.")
    ] = False,
) -> None:
    """Write articles, or the pages they were on (warc), to files."""
    settings = load_settings()
    chosen = articles.Chosen(
        topic=topic,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
        languages=tuple(language or ()),
        outlets=tuple(outlet or ()),
        firsts=firsts,
    )
    if all_pages and (kind is not ExportFormat.WARC or chosen != articles.Chosen()):
        raise ConfigError("--all-pages is for --format warc, and without conditions on articles")
    with opened_database(settings) as database, database.connect() as connection:
        check_names(connection, chosen)
        if kind is ExportFormat.WARC:
            from ingest.exchange.warc import export_pages

            which = None if all_pages else chosen
            count = export_pages(connection, folder, which, utc_now(), progress=progress("exporting"))
        else:
            count = export_articles(connection, folder, kind, chosen, utc_now(), progress=progress("exporting"))
    output.print(f"{count} {'pages' if kind is ExportFormat.WARC else 'articles'} written to {folder}")
