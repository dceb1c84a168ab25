"""The commands for what was collected: files in and out, and how it goes."""

from pathlib import Path
from typing import Annotated

import typer

from ingest import articles, ledger
from ingest.cli.shared import (
    JsonOption,
    TopicsOption,
    add_row,
    ago,
    errors,
    make_table,
    opened_database,
    output,
    print_json,
    progress,
)  # fmt: skip
from ingest.clock import utc_now
from ingest.export import ExportFormat, export_articles
from ingest.feed_health import health
from ingest.settings import load_settings
from ingest.topics import load_topics

app = typer.Typer()


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of texts named like 000_8b30ea1d89039507.txt.")],
    topics: TopicsOption = None,
) -> None:
    """Take in a folder of texts; they pass through `land` like any other."""
    from ingest.land import land as stage
    from ingest.seeds import import_folder, seed_files

    settings = load_settings(topics=topics)
    topic_set = load_topics(settings.topics)
    seed_files(folder)
    with opened_database(settings) as database, database.connect() as connection:
        taken = import_folder(connection, folder, utc_now(), progress=progress("importing"))
        counts = stage(connection, settings, utc_now, topic_set)
    output.print(
        f"{taken.files} files: {taken.new} new, {taken.known} known already; "
        f"{counts.landed} landed, {counts.duplicate} duplicate, {counts.off_topic} off topic"
    )
    for problem in taken.unreadable:
        errors.print(f"error: {problem}", style="red")
    if taken.unreadable:
        raise typer.Exit(1)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="New or empty folder to write into.")],
    kind: Annotated[ExportFormat, typer.Option("--format", help="Format of the files.")] = ExportFormat.TXT,
) -> None:
    """Write all articles to files."""
    settings = load_settings()
    with opened_database(settings) as database, database.connect() as connection:
        count = export_articles(connection, folder, kind, progress=progress("exporting"))
    output.print(f"{count} articles written to {folder}")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Show the health of the feeds and what became of their entries."""
    settings = load_settings()
    with opened_database(settings) as database, database.connect() as connection:
        rows = health(connection, utc_now())
        entries = ledger.statistics(connection)
        count, last_landed_at = articles.count_and_last(connection)
    if as_json:
        for row in rows:
            usual = row.pop("rhythm").usual
            row["usual_gap_seconds"] = usual and usual.total_seconds()
        print_json({"feeds": rows, "entries": entries, "articles": count, "last_landed_at": last_landed_at})
        return
    table = make_table("feed", "outlet", "health", "last success", "last new", "entries", "landed", "last error")
    for row in rows:
        add_row(table,
            row["feed"], row["outlet"], row["health"], ago(row["last_success_at"]), ago(row["last_new_at"]),
            f"{row['entries']:,}", f"{row['landed']:,}", row["last_error"] or "",
        )  # fmt: skip
    output.print(table)
    outcome = ", ".join(f"{count:,} {name}" for name, count in sorted(entries.items(), key=lambda item: -item[1]))
    output.print(f"entries: {outcome or 'none'}")
    output.print(f"articles: {count:,}, last landed {ago(last_landed_at)}")
