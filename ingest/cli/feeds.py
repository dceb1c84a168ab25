"""The commands for the list of feeds."""

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from ingest.cli.shared import (
    FeedsOption,
    JsonOption,
    TopicsOption,
    add_row,
    ago,
    configuration,
    errors,
    make_table,
    output,
    print_json,
)
from ingest.config.errors import ConfigError, IngestError
from ingest.config.feeds_file import FeedConfig, load_feeds
from ingest.config.settings import load_settings
from ingest.runtime.clock import utc_now

if TYPE_CHECKING:
    from ingest.polling.discovery import Discovered

app = typer.Typer(no_args_is_help=True, help="The feeds to collect from.")


@app.command("list")
def feeds_list(feeds: FeedsOption = None, as_json: JsonOption = False) -> None:
    """List the configured feeds."""
    settings = load_settings(feeds=feeds)
    configured = load_feeds(settings.feeds)
    if as_json:
        print_json([feed.model_dump(mode="json") for feed in configured])
        return
    table = make_table("id", "outlet", "language", "country", "scope", "url")
    for feed in configured:
        add_row(table, feed.id, feed.outlet, feed.language or "", feed.country or "", feed.scope, feed.url)
    output.print(table)


@app.command("check")
def feeds_check(
    ids: Annotated[list[str] | None, typer.Argument(help="Feeds to check; all when none is given.")] = None,
    feeds: FeedsOption = None,
    topics: TopicsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch feeds and show what each would yield, without changing anything."""
    from ingest.polling.check import check_feeds

    settings, configured, topic_set = configuration(feeds, topics)
    if ids:
        unknown = sorted(set(ids) - {feed.id for feed in configured})
        if unknown:
            raise ConfigError(f"no feed {unknown[0]!r} in {settings.feeds}; `ingest feeds list` shows their ids")
        configured = tuple(feed for feed in configured if feed.id in ids)
    yields = asyncio.run(check_feeds(settings, configured, topic_set, utc_now()))
    if as_json:
        print_json([asdict(result) for result in yields])
    else:
        table = make_table("feed", "answer", "entries", "would fetch", "newest", "a title")
        for result in yields:
            add_row(
                table,
                result.feed,
                result.answer,
                str(result.entries),
                str(result.would_fetch),
                ago(result.newest),
                result.sample or "",
            )
        output.print(table)
    failed = [result for result in yields if not result.ok]
    if failed:
        raise IngestError(f"{len(failed)} of {len(yields)} feeds failed")


@app.command("add")
def feeds_add(
    url: Annotated[str, typer.Argument(help="Address of a feed, or of a page of the site.")],
    feeds: FeedsOption = None,
    id_: Annotated[str | None, typer.Option("--id", help="Name; made from the address when not given.")] = None,
    outlet: Annotated[str | None, typer.Option("--outlet", help="Name of the publisher; the feed's title.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Language (ISO 639), such as ar.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Country (ISO 3166-1), such as IQ.")] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="topic or general.")] = None,
) -> None:
    """Find the feed behind an address and append it to the feeds file."""
    from ingest.config.feeds_edit import append_feeds
    from ingest.polling.discovery import NoFeedFound, discover
    from ingest.web.client import RequestFailed, Web

    settings = load_settings(feeds=feeds)
    known = {feed.url: feed.id for feed in load_feeds(settings.feeds)}

    async def find() -> "Discovered":
        async with Web(settings) as web:
            return await discover(web, FeedConfig.model_validate({"url": url}).url, settings, utc_now())

    try:
        found = asyncio.run(find())
    except (NoFeedFound, RequestFailed) as problem:
        raise IngestError(str(problem)) from problem
    except ValidationError as problem:
        raise ConfigError(problem.errors()[0]["msg"].removeprefix("Value error, ")) from problem
    if found.url in known:
        raise ConfigError(f"{found.url} is in {settings.feeds} already, as {known[found.url]!r}")
    values = {
        "id": id_,
        "url": found.url,
        "outlet": outlet or (found.feed.title or "")[:200],
        "language": language,
        "country": country,
        "scope": scope,
    }
    (added,) = append_feeds(settings.feeds, [{key: value for key, value in values.items() if value}])
    items = f"{len(found.feed.entries)} entries" if found.feed.entries else f"{len(found.feed.sitemaps)} sitemaps"
    output.print(f"added {added.id}: {added.url} ({items}) to {settings.feeds}")


@app.command("import-opml")
def feeds_import_opml(
    document: Annotated[Path, typer.Argument(help="OPML file of another reader.")], feeds: FeedsOption = None
) -> None:
    """Append the feeds of an OPML file that are not in the feeds file yet.

    Those that cannot be used are listed with their lines; all others are added.
    """
    from ingest.config.feeds_edit import append_feeds, usable
    from ingest.config.opml import read_opml

    settings = load_settings(feeds=feeds)
    try:
        listed = read_opml(document.read_bytes(), str(document))
    except OSError as error:
        raise ConfigError(f"{document}: cannot be read: {error.strerror}") from error
    new, known, problems = usable(load_feeds(settings.feeds), listed)
    added = append_feeds(settings.feeds, new) if new else ()
    output.print(f"{len(listed)} feeds in {document}: {len(added)} added, {known} known already")
    for line, problem in problems:
        errors.print(f"{document}:{line}: {problem}")
    if problems:
        raise typer.Exit(1)


@app.command("export-opml")
def feeds_export_opml(
    document: Annotated[Path | None, typer.Argument(help="File to write; standard output when not given.")] = None,
    feeds: FeedsOption = None,
) -> None:
    """Write the configured feeds as OPML, for other readers."""
    from ingest.config.opml import write_opml

    text = write_opml(load_feeds(load_settings(feeds=feeds).feeds))
    if document is None:
        sys.stdout.buffer.write(text)
        return
    try:
        document.write_bytes(text)
    except OSError as error:
        raise IngestError(f"{document}: cannot be written: {error.strerror}") from error
