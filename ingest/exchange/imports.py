"""Imports articles from files that `ingest.exchange.export` writes, or from others with the same columns.

They become documents in the ledger, for `land` to judge like all others. Values that belong to the database they came
from (ids, stories, landing times, topics) are worked out again.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from db import Connection
from ingest.config.errors import ConfigError, IngestError
from ingest.exchange.seeds import ImportCounts
from ingest.model.document import Document
from ingest.model.status import Status
from ingest.store import documents, feeds, ledger
from ingest.store.ledger import NewEntry
from ingest.text.agencies import agency_of
from ingest.text.dates import EARLIEST
from ingest.text.folding import content_identity, fold
from ingest.text.spreadsheets import ENCODING, from_cell
from ingest.text.storable import storable
from ingest.text.urls import MAX_URL_LENGTH, canonical_url, without_user_info

__all__ = ["article_file", "import_articles"]

AT_ONCE = 200
READABLE = (".jsonl", ".csv", ".parquet")
# A CSV field may be a whole article. The standard library allows only 128 kB.
LONGEST_FIELD = 1 << 27
ADDRESSES = ("http://", "https://", "seed:", "import:")


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _is_storable(value: str | None) -> str | None:
    if value is not None and storable(value) != value:
        raise ValueError("holds characters that the database cannot store")
    return value


def _is_address(value: str | None) -> str | None:
    if value is not None and not value.startswith(ADDRESSES):
        raise ValueError("expected an http:// or https:// address")
    return value


def _is_text(value: str) -> str:
    if not fold(value):
        raise ValueError("holds no text")
    return value


Text = Annotated[str | None, BeforeValidator(_none_if_empty), AfterValidator(_is_storable)]
# Names are part of index keys, which are limited to 2,704 bytes.
Name = Annotated[
    Annotated[str, Field(max_length=200)] | None, BeforeValidator(_none_if_empty), AfterValidator(_is_storable)
]
Address = Annotated[
    Annotated[str, Field(max_length=MAX_URL_LENGTH)] | None,
    BeforeValidator(_none_if_empty),
    AfterValidator(_is_storable),
    AfterValidator(_is_address),
]


class Record(BaseModel):
    """An article in a file. Only the text is required. Columns with other names are ignored."""

    model_config = ConfigDict(extra="ignore")

    text: Annotated[str, AfterValidator(_is_storable), AfterValidator(_is_text)]
    url: Address = None
    outlet: Name = None
    country: Name = None
    title: Text = None
    author: Text = None
    agency: Text = None
    language: Text = None
    published_at: Annotated[AwareDatetime | None, BeforeValidator(_none_if_empty)] = None
    published_from: Annotated[
        Literal["feed", "jsonld", "meta", "page", "url"] | None, BeforeValidator(_none_if_empty)
    ] = None
    content_hash: Text = None


def article_file(path: Path) -> Path | None:
    """Return the file of articles at `path`: `path` itself, or the one in that folder, or None if there is none.

    Raises ConfigError if a folder holds several.
    """
    if path.is_file():
        if path.suffix not in READABLE:
            raise ConfigError(f"{path}: not one of {', '.join(READABLE)}; texts are imported by the folder they are in")
        return path
    found = sorted(file for suffix in READABLE for file in path.glob(f"articles{suffix}"))
    if len(found) > 1:
        raise ConfigError(f"{path} holds {' and '.join(file.name for file in found)}; name the one to import")
    return found[0] if found else None


def import_articles(
    connection: Connection,
    path: Path,
    now: datetime,
    *,
    progress: Callable[[Iterator[tuple[int, Any]], int], Iterator[tuple[int, Any]]],
) -> ImportCounts:
    """Put the articles of a file into the ledger as extracted documents, for `land` to judge.

    An article is identified by its address and text, so importing it again changes nothing. `progress` wraps the
    numbered rows. Raises IngestError if the file cannot be read at all.
    """
    counts = ImportCounts()
    try:
        rows = progress(_READERS[path.suffix](path), _count(path))
        while batch := list(islice(rows, AT_ONCE)):
            counts.files += len(batch)
            # Do not sort: articles land in the order of the file.
            for (outlet, country), group in groupby(_valid(path, batch, counts.unreadable, now), _publisher):
                feed = feeds.import_feed(connection, now, outlet or None, country or None)
                records = list(group)
                new = _record(connection, feed, records, now)
                counts.new += new
                counts.known += len(records) - new
            connection.commit()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise IngestError(f"{path}: cannot be read: {error}") from error
    return counts


def _valid(path: Path, rows: Iterable[tuple[int, Any]], unreadable: list[str], now: datetime) -> Iterator[Record]:
    for number, row in rows:
        where = f"{path}, {'line' if path.suffix == '.jsonl' else 'row'} {number}"
        if isinstance(row, Exception):
            unreadable.append(f"{where}: {row}")
            continue
        try:
            record = Record.model_validate(row)
        except ValidationError as error:
            problem = error.errors()[0]
            name = ".".join(map(str, problem["loc"])) or "the row"
            unreadable.append(f"{where}: {name}: {problem['msg'].removeprefix('Value error, ')}")
            continue
        # The same bounds as for the dates of pages.
        if record.published_at and not EARLIEST <= record.published_at <= now + timedelta(days=1):
            unreadable.append(f"{where}: published_at: expected a date from {EARLIEST.year} on, not in the future")
            continue
        if record.content_hash and record.content_hash != content_identity(record.text).content_hash:
            unreadable.append(f"{where}: the text does not match content_hash; the file was changed")
            continue
        yield record


def _publisher(record: Record) -> tuple[str, str]:
    """Return the outlet's name and country; both are empty if there is none, as for texts imported from a folder."""
    return ("", "") if record.outlet in (None, "import") else (record.outlet or "", record.country or "")


def _record(connection: Connection, feed: int, records: list[Record], now: datetime) -> int:
    """Store the records of one publisher. Returns how many were new."""
    by_identity: dict[str, Record] = {}
    for record in records:
        identity = content_identity(record.text)
        url = record.url or f"import:{identity.content_id}"
        by_identity[f"{url}:{identity.content_hash}"] = record.model_copy(update={"url": url})
    entries = [
        NewEntry(
            identity=identity,
            url=without_user_info(record.url or ""),
            canonical_url=canonical_url(record.url or ""),
            host="",
            title=record.title,
            summary=None,
            content=None,
            author=record.author,
            # Only a date from the feed, not one from the page.
            published_at=record.published_at if record.published_from in (None, "feed") else None,
            status=Status.EXTRACTED,
        )
        for identity, record in by_identity.items()
    ]
    recorded = ledger.record(connection, feed, entries, now)
    documents.save(connection, [(entry, _document(by_identity[identity])) for entry, identity in recorded.items()], now)
    return len(recorded)


def _document(record: Record) -> Document:
    from ingest.text.language import detect_language

    source = record.published_from or "feed"
    return Document(
        title=record.title,
        author=record.author,
        published_at=record.published_at,
        published_from=source if record.published_at else None,
        language=record.language or detect_language(record.text),
        text=record.text,
        extractor="import",
        agency=record.agency if "agency" in record.model_fields_set else agency_of(None, record.text),
    )


def _jsonl(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except (ValueError, RecursionError) as error:
                    # Numbers with thousands of digits and deeply nested lists raise other errors than JSONDecodeError.
                    yield number, error


def _csv(path: Path) -> Iterator[tuple[int, Any]]:
    csv.field_size_limit(LONGEST_FIELD)
    # With or without a byte order mark.
    with path.open(encoding=ENCODING, newline="") as file:
        for number, row in enumerate(csv.DictReader(file, strict=True), 1):
            # In rows that are too long or too short, some values are not strings.
            yield number, {name: from_cell(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


def _parquet(path: Path) -> Iterator[tuple[int, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name in Record.model_fields]
            number = 0
            for batch in file.iter_batches(AT_ONCE, columns=names):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowInvalid as error:
        raise IngestError(f"{path}: not a Parquet file: {error}") from error
    except (ValueError, OverflowError, LookupError, pa.ArrowException) as error:
        raise IngestError(f"{path}: holds values that cannot be read, after row {number}: {error}") from error


def _count(path: Path) -> int:
    """Return the number of rows for the progress bar. For text files it is the number of lines, which is cheap."""
    if path.suffix != ".parquet":
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowInvalid as error:
        raise IngestError(f"{path}: not a Parquet file: {error}") from error


Rows = Iterator[tuple[int, Any]]

_READERS: dict[str, Callable[[Path], Rows]] = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
