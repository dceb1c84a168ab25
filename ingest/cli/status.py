"""The commands that show how the pipeline is doing: status and report."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ingest.cli.shared import (
    DATE_FORMATS,
    JsonOption,
    add_row,
    ago,
    check_names,
    make_table,
    opened_database,
    output,
    print_json,
)
from ingest.config.errors import ConfigError
from ingest.config.settings import load_settings
from ingest.monitoring import alerts
from ingest.monitoring.feed_health import health
from ingest.runtime.clock import utc_now
from ingest.store import articles, ledger

__all__ = ["app"]

app = typer.Typer()


@app.command()
def report(
    out: Annotated[Path, typer.Option("--out", help="Page to write; the CSV files are put beside it.")],
    topic: Annotated[str | None, typer.Option("--topic", help="Only articles on this topic.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=DATE_FORMATS, help="Published on or after.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=DATE_FORMATS, help="Published before.")] = None,
    events: Annotated[Path | None, typer.Option("--events", help="File of events to mark (NEWS_EVENTS).")] = None,
    title: Annotated[str, typer.Option("--title", help="Heading of the page.")] = "News in this database",
) -> None:
    """Write a picture of the corpus: one self-contained page, and its numbers as CSV."""
    from ingest.config.events_file import load_events
    from ingest.monitoring import report as corpus_report

    settings = load_settings(events=events)
    # The default file may be missing; one named on the command line may not.
    marked = load_events(settings.events) if events is not None or settings.events.exists() else []
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; name the page, such as {out / 'report.html'}")
    chosen = articles.Chosen(
        topic=topic, since=since and since.replace(tzinfo=UTC), until=until and until.replace(tzinfo=UTC)
    )
    said = [
        f"{name} {value:%Y-%m-%d}" if isinstance(value, datetime) else f"{name} {value}"
        for name, value in (("topic", topic), ("published since", since), ("before", until))
        if value
    ]
    with opened_database(settings) as database, database.connect() as connection:
        check_names(connection, chosen)
        connection.rollback()
        # One snapshot for all numbers.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        picture = corpus_report.load(connection, chosen)
    files = corpus_report.write(picture, out, utc_now(), title=title, conditions=", ".join(said), events=marked)
    output.print(f"{out} and {files - 1} CSV files written: {picture.totals['articles']:,} articles")


@app.command()
def status(
    as_json: JsonOption = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only print what is wrong, and exit with 1 if anything is; for monitoring.")
    ] = False,
) -> None:
    """Show the health of the feeds and the outcomes of their entries."""
    settings = load_settings()
    with opened_database(settings) as database, database.connect() as connection:
        wrong = alerts.look(connection, utc_now())
        if check:
            _check(wrong, as_json)
            return
        rows = health(connection, utc_now())
        entries = ledger.statistics(connection)
        count, last_landed_at = articles.count_and_last(connection)
    if as_json:
        for row in rows:
            usual = row.pop("rhythm").usual
            row["usual_gap_seconds"] = usual and usual.total_seconds()
        known = {"entries": entries, "articles": count, "last_landed_at": last_landed_at}
        print_json({"feeds": rows, "alerts": [asdict(alert) for alert in wrong]} | known)
        return
    table = make_table("feed", "outlet", "health", "last success", "last new", "entries", "landed", "what is wrong")
    for row in rows:
        add_row(
            table,
            row["feed"],
            row["outlet"],
            row["health"],
            ago(row["last_success_at"]),
            ago(row["last_new_at"]),
            f"{row['entries']:,}",
            f"{row['landed']:,}",
            row["last_error"] or row["dates"] or "",
        )
    output.print(table)
    for alert in wrong:
        output.print(_line(alert))
    outcome = ", ".join(f"{count:,} {name}" for name, count in sorted(entries.items(), key=lambda item: -item[1]))
    output.print(f"entries: {outcome or 'none'}")
    output.print(f"articles: {count:,}, last landed {ago(last_landed_at)}")


def _check(wrong: list[alerts.Alert], as_json: bool) -> None:
    if as_json:
        print_json({"alerts": [asdict(alert) for alert in wrong]})
    else:
        for alert in wrong:
            output.print(_line(alert))
        if not wrong:
            output.print("nothing is wrong")
    if wrong:
        raise typer.Exit(1)


def _line(alert: alerts.Alert) -> str:
    return f"{alerts.named(alert)}: {alert.kind} since {ago(alert.started_at)}: {alert.said}"
