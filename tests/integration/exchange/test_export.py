"""Exports and imports: what goes out comes back, filtered, hashed, whole or not at all."""

import codecs
import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastwarc.warc
import polars as pl
import pytest
from warcio.archiveiterator import ArchiveIterator

from db import Connection, Database
from db.embedded import EmbeddedServer
from ingest.config.errors import IngestError
from ingest.config.settings import Settings
from ingest.exchange.export import COLUMNS, ExportFormat, export_articles
from ingest.exchange.imports import import_articles
from ingest.landing.land import land
from ingest.store import articles
from ingest.store.articles import Chosen
from ingest.topics.topics import TopicSet
from tests.collected import Collect, Collected
from tests.conftest import NOW, Run, new_database

# What another database would have in its own way.
OWN = {"id", "landed_at", "story_id"}


@pytest.fixture
def collected(collect: Collect, everything: TopicSet) -> Collected:
    """What the pipeline has made of a newsroom."""
    return collect(everything, feeds=5, entries=80)


@pytest.fixture
def filled(collected: Collected) -> Iterator[Connection]:
    with collected.database.connect() as opened:
        yield opened


def as_they_come(items: Iterator[Any], _total: int) -> Iterator[Any]:
    return items


def exported(connection: Connection, folder: Path, kind: ExportFormat, chosen: Chosen | None = None) -> int:
    count = export_articles(connection, folder, kind, chosen or Chosen(), NOW, progress=as_they_come)
    connection.rollback()
    return count


def rows(connection: Connection) -> list[dict[str, Any]]:
    with articles.streamed(connection, COLUMNS) as found:
        return list(found)


@pytest.mark.parametrize("kind", [ExportFormat.JSONL, ExportFormat.CSV, ExportFormat.PARQUET])
def test_import_takes_an_export_back_without_loss(
    kind: ExportFormat, filled: Connection, server: EmbeddedServer, everything: TopicSet, settings: Settings,
    tmp_path: Path,
) -> None:  # fmt: skip
    assert exported(filled, tmp_path / "out", kind) > 40
    file = tmp_path / "out" / f"articles.{kind}"
    with new_database(server) as other, other.connect() as connection:
        taken = import_articles(connection, file, NOW, progress=as_they_come)
        assert taken.unreadable == []
        land(connection, settings, lambda: NOW, everything)
        before, after = rows(filled), rows(connection)
        assert [row["content_id"] for row in after] == [row["content_id"] for row in before]
        for was, became in zip(before, after, strict=True):
            assert {name: (was[name], became[name]) for name in COLUMNS if was[name] != became[name]}.keys() <= OWN
        # Again, nothing is new.
        again = import_articles(connection, file, NOW, progress=as_they_come)
        assert (again.new, again.known) == (0, len(before))


# Begin as formulas do, or as cells that were kept from it.
HOSTILE = [
    "=1+1", "+1", "-1 \u200f", "@SUM(A1)", "\t=1", "\r\n=1", "'=1", "''=1", "'quoted' word", "'", "''", " =1", "＝1",
    "\u00a0-x", "\ufeff=1", 'a,"b";=1', "a\n=1\r\nb", "\u200fقال: می\u200cخواهم", "١", "TRUE", "00123", "1e5",
]  # fmt: skip


def test_values_that_spreadsheets_would_run_come_back_as_they_were(
    database: Database, connection: Connection, server: EmbeddedServer, everything: TopicSet, settings: Settings,
    tmp_path: Path,
) -> None:  # fmt: skip
    records = [
        {"text": f"{value} and text number {number} {value}", "title": value, "author": value, "outlet": value,
         "url": f"https://a.example/{number}", "published_at": "2026-01-01T00:00:00Z"}
        for number, value in enumerate(HOSTILE)
    ]  # fmt: skip
    source = tmp_path / "articles.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert import_articles(connection, source, NOW, progress=as_they_come).unreadable == []
    land(connection, settings, lambda: NOW, everything)
    assert exported(connection, tmp_path / "out", ExportFormat.CSV) == len(HOSTILE)
    file = tmp_path / "out" / "articles.csv"
    assert file.read_bytes().startswith(codecs.BOM_UTF8)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        for row in csv.DictReader(opened):
            assert [cell for cell in row.values() if cell.lstrip().startswith(tuple("=+-@\t\r＝"))] == []
    with new_database(server) as other, other.connect() as second:
        assert import_articles(second, file, NOW, progress=as_they_come).unreadable == []
        land(second, settings, lambda: NOW, everything)
        kept = [{name: row[name] for name in COLUMNS if name not in OWN} for row in rows(second)]
    assert kept == [{name: row[name] for name in COLUMNS if name not in OWN} for row in rows(connection)]
    assert [row["title"] for row in kept] == HOSTILE


def test_control_characters_stay_in_every_format_but_csv(
    connection: Connection, server: EmbeddedServer, everything: TopicSet, settings: Settings, tmp_path: Path
) -> None:
    text = "ESC\x1b[31m and C1 \x9b, \u202ereversed\u202c, \u200emarked and all that"
    source = tmp_path / "articles.jsonl"
    source.write_text(json.dumps({"text": text}), encoding="utf-8")
    import_articles(connection, source, NOW, progress=as_they_come)
    land(connection, settings, lambda: NOW, everything)
    for kind in (ExportFormat.TXT, ExportFormat.JSONL, ExportFormat.CSV, ExportFormat.PARQUET):
        exported(connection, tmp_path / kind, kind)
    (txt,) = (tmp_path / "txt").glob("*.txt")
    assert txt.read_bytes() == text.encode()
    assert json.loads((tmp_path / "jsonl" / "articles.jsonl").read_text(encoding="utf-8"))["text"] == text
    assert pl.read_parquet(tmp_path / "parquet" / "articles.parquet")["text"].to_list() == [text]
    cleaned = "ESC [31m and C1  , reversed, \u200emarked and all that"
    assert pl.read_csv(tmp_path / "csv" / "articles.csv")["text"].to_list() == [cleaned]
    # It is the same article to those that compare.
    again = import_articles(connection, tmp_path / "csv" / "articles.csv", NOW, progress=as_they_come)
    assert again.unreadable == []


def test_stories_are_the_same_after_an_import(
    filled: Connection, server: EmbeddedServer, everything: TopicSet, settings: Settings, tmp_path: Path
) -> None:
    exported(filled, tmp_path / "out", ExportFormat.JSONL)
    query = b"SELECT array_agg(content_id ORDER BY content_id) FROM news.articles GROUP BY story_id ORDER BY 1"
    with new_database(server) as other, other.connect() as connection:
        import_articles(connection, tmp_path / "out" / "articles.jsonl", NOW, progress=as_they_come)
        land(connection, settings, lambda: NOW, everything)
        assert connection.execute(query).fetchall() == filled.execute(query).fetchall()


def test_polars_reads_what_the_database_holds(filled: Connection, tmp_path: Path) -> None:
    exported(filled, tmp_path / "out", ExportFormat.PARQUET)
    frame = pl.read_parquet(tmp_path / "out" / "articles.parquet")
    assert frame.to_dicts() == rows(filled)
    assert frame.schema["published_at"] == pl.Datetime("us", "UTC")
    assert frame.schema["topics"] == pl.List(pl.String)


@pytest.mark.parametrize("kind", [ExportFormat.TXT, ExportFormat.JSONL, ExportFormat.CSV, ExportFormat.PARQUET])
def test_the_manifest_counts_and_hashes(kind: ExportFormat, filled: Connection, tmp_path: Path) -> None:
    chosen = Chosen(languages=("ar",), since=datetime(2020, 1, 1, tzinfo=UTC))
    count = exported(filled, tmp_path / "out", kind, chosen)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["articles"] == count > 0
    assert manifest["format"] == kind
    assert manifest["chosen"] == {"languages": ["ar"], "since": "2020-01-01T00:00:00+00:00"}
    on_disk = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.name != "manifest.json"}
    assert {file["name"]: (file["bytes"], file["sha256"]) for file in manifest["files"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in on_disk.items()
    }


def test_conditions(filled: Connection) -> None:
    everything = rows(filled)

    def ids(**conditions: Any) -> set[int]:
        with articles.streamed(filled, COLUMNS, Chosen(**conditions)) as found:
            got = {row["id"] for row in found}
        assert articles.count_chosen(filled, Chosen(**conditions)) == len(got)
        return got

    outlet, moment = everything[0]["outlet"], sorted(row["published_at"] for row in everything)[len(everything) // 2]
    assert ids() == {row["id"] for row in everything}
    assert ids(outlets=(outlet,)) == {row["id"] for row in everything if row["outlet"] == outlet}
    assert ids(languages=("ar", "en")) == ids()
    assert ids(languages=("en",)) == {row["id"] for row in everything if row["language"] == "en"}
    assert ids(since=moment) | ids(until=moment) == ids()
    assert ids(since=moment) & ids(until=moment) == set()
    assert ids(topic="everything") == ids()
    assert ids(topic="nothing") == set()
    firsts = filled.execute("SELECT first_article_id FROM news.stories").fetchall()
    assert ids(firsts=True) == {row[0] for row in firsts}


def test_a_broken_export_leaves_nothing(filled: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(items: Iterator[Any], _total: int) -> Iterator[Any]:
        yield next(items)
        raise OSError(28, "No space left on device")

    with pytest.raises(IngestError, match="No space left"):
        export_articles(filled, tmp_path / "out", ExportFormat.JSONL, Chosen(), NOW, progress=full)
    assert list(tmp_path.glob("*out*")) == []


def test_warc_is_read_by_other_tools(filled: Connection, collected: Collected, run: Run, tmp_path: Path) -> None:
    there = {"NEWS_DATABASE_URL": collected.database.url}
    assert run("export", str(tmp_path / "out"), "--format", "warc", "--all-pages", **there).returncode == 0
    stored = filled.execute("SELECT count(*) FROM news.pages").fetchone()
    assert stored is not None
    (path,) = (tmp_path / "out").glob("*.warc.gz")
    with path.open("rb") as file:
        found = {
            record.rec_headers["WARC-Target-URI"]: (
                record.http_headers.get_statuscode(),
                record.http_headers["Content-Type"],
                record.content_stream().read(),
            )
            for record in ArchiveIterator(file)
            if record.rec_type == "response"
        }
    assert len(found) == stored[0]
    import zstandard

    for url, status, content_type, body in filled.execute(
        "SELECT final_url, http_status, content_type, body FROM news.pages"
    ):
        assert found[url] == (str(status), content_type, zstandard.ZstdDecompressor().decompress(body))
    with path.open("rb") as file:
        kinds = [record.headers["WARC-Type"] for record in fastwarc.warc.ArchiveIterator(file, verify_digests=True)]
    assert kinds == ["warcinfo"] + ["response"] * stored[0]
    # Of some articles only.
    outlet = collected.world.outlets[0].name
    assert run("export", str(tmp_path / "some"), "--format", "warc", "--outlet", outlet, **there).returncode == 0
    some = json.loads((tmp_path / "some" / "manifest.json").read_text())["pages"]
    assert 0 < some < stored[0]


def test_names_that_nothing_has_are_told(collected: Collected, run: Run, tmp_path: Path) -> None:
    outlet = collected.world.outlets[0].name
    there = {"NEWS_DATABASE_URL": collected.database.url}
    result = run("export", str(tmp_path / "out"), "--outlet", outlet + "x", **there)
    assert result.returncode == 2
    assert f"did you mean {outlet!r}?" in result.stderr.replace("\n", " ")
    assert not (tmp_path / "out").exists()
    assert run("export", str(tmp_path / "out"), "--all-pages", **there).returncode == 2


def test_rows_that_cannot_be_taken_are_named_and_the_others_taken(connection: Connection, tmp_path: Path) -> None:
    file = tmp_path / "articles.jsonl"
    lines = [
        '{"text": "one two three", "url": "http://a.example/1", "outlet": "A", "published_at": "2026-01-01T00:00:00Z"}',
        "{broken",
        '{"title": "no text"}',
        '{"text": "four", "published_at": "yesterday"}',
        '{"text": "five", "url": "javascript:alert(1)"}',
        '{"text": "six", "content_hash": "' + "0" * 64 + '"}',
        '{"text": "..."}',
        '"a string"',
        '{"text": "nul \\u0000"}',
        '{"text": "seven", "outlet": ""}',
        '{"text": "eight", "published_at": "0001-01-01T00:00:00+05:00"}',
        '{"text": "nine", "published_at": "9999-12-31T23:59:59-05:00"}',
        '{"text": "ten", "title": "\\u0000"}',
        '{"text": "eleven", "outlet": "\\ud800"}',
        '{"text": "twelve", "n": ' + "1" * 5000 + "}",
        "[" * 200_000,
        '{"text": "thirteen", "url": "http://a.example/' + "x" * 3000 + '"}',
        '{"text": "fourteen", "outlet": "' + "x" * 3000 + '"}',
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    taken = import_articles(connection, file, NOW, progress=as_they_come)
    assert (taken.files, taken.new) == (len(lines), 2)
    said = "\n".join(taken.unreadable)
    for number, problem in (
        (2, "Expecting"), (3, "text: Field required"), (4, "published_at"), (5, "url: expected an http"),
        (6, "does not match content_hash"), (7, "holds no text"), (8, "valid dictionary"), (9, "cannot store"),
        (11, "published_at"), (12, "published_at"), (13, "title"), (14, "outlet"), (15, "limit"), (16, "recursion"),
        (17, "url"), (18, "outlet"),
    ):  # fmt: skip
        assert any(f"line {number}:" in line and problem in line for line in taken.unreadable), said


def test_an_import_does_not_take_over_what_feeds_have_brought(
    filled: Connection, everything: TopicSet, settings: Settings, tmp_path: Path
) -> None:
    query = b"SELECT article_id, feed, published_from, published_at FROM news.articles_flat ORDER BY article_id"
    before = filled.execute(query).fetchall()
    exported(filled, tmp_path / "out", ExportFormat.JSONL)
    import_articles(filled, tmp_path / "out" / "articles.jsonl", NOW, progress=as_they_come)
    land(filled, settings, lambda: NOW, everything)
    assert filled.execute(query).fetchall() == before


def test_files_that_are_none(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "articles.parquet"
    broken.write_bytes(b"not parquet")
    result = run("import", str(broken))
    assert result.returncode == 1
    assert "not a Parquet file" in result.stderr
    other = tmp_path / "articles.xlsx"
    other.write_bytes(b"")
    assert run("import", str(other)).returncode == 2
    assert run("import", str(tmp_path / "nowhere")).returncode == 2
    (tmp_path / "articles.csv").write_bytes(b"text\n\xff\xfe\n")
    result = run("import", str(tmp_path / "articles.csv"))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
