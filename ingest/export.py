"""Writing the articles to files: texts in the seed scheme, JSON Lines, CSV or Parquet."""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db import Connection
from ingest import articles
from ingest.errors import ConfigError, IngestError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ExportFormat", "export_articles"]

# Rows of a Parquet row group: articles are a few kB, so some 20 MB.
ROWS_PER_GROUP = 5000

COLUMNS = (
    "id", "content_id", "content_hash", "url", "outlet", "title", "author", "published_at", "published_from",
    "language", "text", "word_count", "landed_at", "story_id",
)  # fmt: skip

Row = dict[str, Any]
Progress = Callable[[Iterator[Row], int], Iterator[Row]]


class ExportFormat(StrEnum):
    """The formats of an export."""

    TXT = "txt"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def export_articles(connection: Connection, folder: Path, kind: ExportFormat, *, progress: Progress) -> int:
    """Write all articles into `folder`, in the order they landed, and return their number.

    txt: one file each, named `{ordinal:03d}_{content_id}.txt`, its bytes the text in UTF-8. The others: one file,
    `articles.jsonl`, `.csv` (RFC 4180) or `.parquet`. The folder must be new or empty, and is there only when the
    export is complete. `progress` wraps the rows. Raises ConfigError for an unsuitable folder, IngestError
    when writing fails.
    """
    with _new_folder(folder) as partial:
        count, _ = articles.count_and_last(connection)
        with articles.streamed(connection, COLUMNS) as found:
            rows = progress(found, count)
            return _WRITERS[kind](rows, partial)


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill that takes the place of `folder` on success and leaves nothing behind otherwise."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and is not an empty folder; choose another place for the export")
    folder = folder.absolute()
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise IngestError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_txt(rows: Iterator[Row], folder: Path) -> int:
    count = 0
    for row in rows:
        (folder / f"{count:03d}_{row['content_id']}.txt").write_bytes(row["text"].encode())
        count += 1
    return count


def _write_jsonl(rows: Iterator[Row], folder: Path) -> int:
    count = 0
    with (folder / "articles.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=_iso) + "\n")
            count += 1
    return count


def _write_csv(rows: Iterator[Row], folder: Path) -> int:
    count = 0
    with (folder / "articles.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {name: _iso(value) if isinstance(value, datetime) else value for name, value in row.items()}
            )
            count += 1
    return count


def _write_parquet(rows: Iterator[Row], folder: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _parquet_schema()
    count = 0
    with pq.ParquetWriter(folder / "articles.parquet", schema, compression="zstd") as writer:
        while batch := [row for _, row in zip(range(ROWS_PER_GROUP), rows, strict=False)]:
            writer.write_table(pa.Table.from_pylist(batch, schema))
            count += len(batch)
    return count


def _parquet_schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = {
        "id": pa.int64(),
        "story_id": pa.int64(),
        "word_count": pa.int32(),
        "published_at": pa.timestamp("us", tz="UTC"),
        "landed_at": pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not exportable: {type(value).__name__}")


_WRITERS: dict[ExportFormat, Callable[[Iterator[Row], Path], int]] = {
    ExportFormat.TXT: _write_txt,
    ExportFormat.JSONL: _write_jsonl,
    ExportFormat.CSV: _write_csv,
    ExportFormat.PARQUET: _write_parquet,
}
