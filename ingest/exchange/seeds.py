"""Imports folders of plain texts named `{ordinal}_{16 hex digits}.txt`, byte for byte."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from db import Connection
from ingest.config.errors import ConfigError
from ingest.model.document import Document
from ingest.model.status import Status
from ingest.store import documents, feeds, ledger
from ingest.store.ledger import NewEntry
from ingest.text.agencies import agency_of
from ingest.text.folding import content_identity, fold

__all__ = ["ImportCounts", "SeedFile", "import_folder", "seed_files"]

SEED_NAME = re.compile(r"(\d{3,})_([0-9a-f]{16})\.txt")


@dataclass(frozen=True)
class SeedFile:
    """A file of the seed scheme: its place in the order, and the digits in its name."""

    path: Path
    ordinal: int
    digits: str


@dataclass
class ImportCounts:
    """Outcomes of an import. `unreadable` lists the files that could not be imported, with the reason."""

    files: int = 0
    new: int = 0
    known: int = 0
    unreadable: list[str] = field(default_factory=list)


def seed_files(folder: Path) -> list[SeedFile]:
    """Return the folder's files of the seed scheme, by ordinal. Raises ConfigError if there are none."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder")
    found = []
    for path in folder.iterdir():
        match = SEED_NAME.fullmatch(path.name)
        if match and path.is_file():
            found.append(SeedFile(path, int(match[1]), match[2]))
    if not found:
        raise ConfigError(f"{folder}: no files named like 000_8b30ea1d89039507.txt in this folder")
    return sorted(found, key=lambda seed: (seed.ordinal, seed.digits))


def import_folder(
    connection: Connection,
    folder: Path,
    now: datetime,
    *,
    progress: Callable[[Iterator[SeedFile], int], Iterator[SeedFile]],
) -> ImportCounts:
    """Put the texts of a folder into the ledger as extracted documents, for `land` to judge.

    A file is identified by its digits and its content, so importing it again changes nothing. `progress` wraps the
    files.
    """
    files = seed_files(folder)
    counts = ImportCounts(files=len(files))
    feed_id = feeds.import_feed(connection, now)
    for seed in progress(iter(files), len(files)):
        try:
            # Read bytes, because text mode would change line endings.
            text = seed.path.read_bytes().decode("utf-8")
        except OSError as error:
            counts.unreadable.append(f"{seed.path}: {error.strerror}")
            continue
        except UnicodeDecodeError as error:
            counts.unreadable.append(f"{seed.path}: not UTF-8 text (byte {error.start})")
            continue
        if "\0" in text or not fold(text):
            counts.unreadable.append(f"{seed.path}: {'holds NUL characters' if fold(text) else 'holds no text'}")
            continue
        if _import(connection, feed_id, seed, text, now):
            counts.new += 1
        else:
            counts.known += 1
        connection.commit()
    return counts


def _import(connection: Connection, feed_id: int, seed: SeedFile, text: str, now: datetime) -> bool:
    url = f"seed:{seed.digits}"
    entry = NewEntry(
        identity=f"{url}:{content_identity(text).content_hash}",
        url=url,
        canonical_url=url,
        host="",
        title=None,
        summary=None,
        content=None,
        author=None,
        published_at=None,
        status=Status.EXTRACTED,
    )
    ids = ledger.record(connection, feed_id, [entry], now)
    if not ids:
        return False
    document = Document(
        title=None,
        author=None,
        published_at=None,
        published_from=None,
        language=_language(text),
        text=text,
        extractor="import",
        agency=agency_of(None, text),
    )
    documents.save(connection, [(next(iter(ids)), document)], now)
    return True


def _language(text: str) -> str:
    from ingest.text.language import detect_language

    return detect_language(text)
