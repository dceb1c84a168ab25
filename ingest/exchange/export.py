"""Writes articles to files: texts in the seed scheme, JSON Lines, CSV or Parquet, with a manifest.

`ingest.exchange.imports` reads these files back. `ingest.exchange.warc` exports raw pages.
"""

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from db import Connection
from db.schema import HEAD
from ingest.config.errors import ConfigError, IngestError
from ingest.store import articles
from ingest.store.articles import Chosen
from ingest.text.spreadsheets import ENCODING, cells

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "COLUMNS",
    "MANIFEST",
    "ExportFormat",
    "Manifest",
    "Progress",
    "Row",
    "described",
    "export_articles",
    "new_folder",
]

MANIFEST = "manifest.json"
# Rows per Parquet row group. Articles are a few kB, so a group is some 20 MB.
ROWS_PER_GROUP = 5000

COLUMNS = (
    "id",
    "content_id",
    "content_hash",
    "url",
    "outlet",
    "title",
    "author",
    "published_at",
    "published_from",
    "language",
    "text",
    "word_count",
    "landed_at",
    "story_id",
    "agency",
    "country",
    "topics",
)

Row = dict[str, Any]
Progress = Callable[[Iterator[Row], int], Iterator[Row]]


class ExportFormat(StrEnum):
    """The formats of an export."""

    TXT = "txt"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    WARC = "warc"


@dataclass
class Manifest:
    """The manifest of an export, written as `manifest.json` beside its files; a context manager.

    `files` in it has the name, size in bytes and SHA-256 of each file. `counted` says what `count` counts.
    """

    path: Path
    format: str
    created_at: datetime
    chosen: dict[str, object]
    columns: tuple[str, ...] = ()
    counted: str = "articles"
    count: int = 0
    _file: IO[str] = field(init=False)

    def __post_init__(self) -> None:
        # Write it as it grows, because a folder of texts may have a million files.
        self._file = self.path.open("w", encoding="utf-8")
        self._file.write('{"files": [')
        self._separator = "\n"

    def add(self, name: str, size: int, digest: str) -> None:
        line = json.dumps({"name": name, "bytes": size, "sha256": digest}, ensure_ascii=False)
        self._file.write(f"{self._separator}  {line}")
        self._separator = ",\n"

    def add_file(self, path: Path) -> None:
        """Add a file that has been written."""
        with path.open("rb") as file:
            self.add(path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if kind is None:
                self._finish()

    def _finish(self) -> None:
        known: dict[str, object] = {
            "format": self.format,
            self.counted: self.count,
            "chosen": self.chosen,
            "created_at": self.created_at,
            "schema": HEAD,
        }
        if self.columns:
            known["columns"] = self.columns
        self._file.write("\n ]")
        for name, value in known.items():
            self._file.write(f",\n {json.dumps(name)}: {json.dumps(value, ensure_ascii=False, default=_iso)}")
        self._file.write("\n}\n")


def export_articles(
    connection: Connection, folder: Path, kind: ExportFormat, chosen: Chosen, now: datetime, *, progress: Progress
) -> int:
    """Write articles into `folder`, in the order they landed, and return their number.

    txt writes one file per article, named `{ordinal:03d}_{content_id}.txt`, with the text in UTF-8. The other formats
    write one file: `articles.jsonl`, `.csv` (RFC 4180; topics separated by |) or `.parquet` (zstd). All add
    `manifest.json`. The folder must be new or empty, and only appears once the export is complete. `progress` wraps the
    rows. Raises ConfigError for an unsuitable folder, and IngestError if writing fails.
    """
    with new_folder(folder) as partial:
        count = articles.count_chosen(connection, chosen)
        columns = () if kind is ExportFormat.TXT else COLUMNS
        with (
            Manifest(partial / MANIFEST, kind, now, described(chosen), columns) as manifest,
            articles.streamed(connection, COLUMNS, chosen) as found,
        ):
            manifest.count = _WRITERS[kind](progress(found, count), partial, manifest)
        return manifest.count


def described(chosen: Chosen) -> dict[str, object]:
    """Return the conditions that are set, for the manifest."""
    return {name: value for name, value in asdict(chosen).items() if value}


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill. It replaces `folder` on success; otherwise it is deleted."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and is not an empty folder; choose another place for the export")
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The process id would not be unique: containers that share a folder may have the same one.
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    except OSError as error:
        raise IngestError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    try:
        # The permissions of an ordinary new folder.
        partial.chmod(0o777 & ~_umask())
        if folder.exists():
            # Fail now, before all the work, if it cannot be replaced: a link, a mounted volume.
            folder.rmdir()
        yield partial
        partial.rename(folder)
    except OSError as error:
        raise IngestError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_txt(rows: Iterator[Row], folder: Path, manifest: Manifest) -> int:
    count = 0
    for row in rows:
        name, content = f"{count:03d}_{row['content_id']}.txt", row["text"].encode()
        (folder / name).write_bytes(content)
        manifest.add(name, len(content), hashlib.sha256(content).hexdigest())
        count += 1
    return count


def _write_jsonl(rows: Iterator[Row], folder: Path, manifest: Manifest) -> int:
    count = 0
    path = folder / "articles.jsonl"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=_iso) + "\n")
            count += 1
    manifest.add_file(path)
    return count


def _write_csv(rows: Iterator[Row], folder: Path, manifest: Manifest) -> int:
    count = 0
    path = folder / "articles.csv"
    with path.open("w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            plain = {name: _iso(value) if isinstance(value, datetime) else value for name, value in row.items()}
            plain["topics"] = "|".join(row["topics"])
            writer.writerow(cells(plain[name] for name in COLUMNS))
            count += 1
    manifest.add_file(path)
    return count


def _write_parquet(rows: Iterator[Row], folder: Path, manifest: Manifest) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _parquet_schema()
    count = 0
    path = folder / "articles.parquet"
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := [row for _, row in zip(range(ROWS_PER_GROUP), rows, strict=False)]:
            writer.write_table(pa.Table.from_pylist(batch, schema))
            count += len(batch)
    manifest.add_file(path)
    return count


def _parquet_schema() -> "pa.Schema":
    import pyarrow as pa

    kinds = {
        "id": pa.int64(),
        "story_id": pa.int64(),
        "word_count": pa.int32(),
        "published_at": pa.timestamp("us", tz="UTC"),
        "landed_at": pa.timestamp("us", tz="UTC"),
        "topics": pa.list_(pa.string()),
    }
    return pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not exportable: {type(value).__name__}")


_WRITERS: dict[ExportFormat, Callable[[Iterator[Row], Path, Manifest], int]] = {
    ExportFormat.TXT: _write_txt,
    ExportFormat.JSONL: _write_jsonl,
    ExportFormat.CSV: _write_csv,
    ExportFormat.PARQUET: _write_parquet,
}
