"""Exports raw pages as WARC (ISO 28500:2017, version 1.1), the format of web archives and their tools.

A page is a `response` record: its address after redirects, the time it was fetched, its status, the headers that are
stored, and the body as received, with Content-Encoding decoded. Requests are not stored, so there are no `request`
records.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from db import Connection
from ingest.exchange.export import MANIFEST, Manifest, Progress, Row, described, new_folder
from ingest.runtime.compression import decompress
from ingest.store import pages
from ingest.store.articles import Chosen

__all__ = ["export_pages"]

# The file size that archives recommend.
FILE_BYTES = 1_000_000_000


def export_pages(
    connection: Connection, folder: Path, chosen: Chosen | None, now: datetime, *, progress: Progress
) -> int:
    """Write stored pages into `folder` as `pages-00000.warc.gz` and so on, and return their number.

    With `chosen`, writes the pages of all sightings of those articles; without, all pages. Everything else works as in
    `ingest.exchange.export.export_articles`.
    """
    with new_folder(folder) as partial:
        count = pages.count_chosen(connection, chosen)
        conditions: dict[str, object] = described(chosen) if chosen else {"pages": "all"}
        with (
            Manifest(partial / MANIFEST, "warc", now, conditions, counted="pages") as manifest,
            pages.streamed(connection, chosen) as found,
        ):
            rows = progress(found, count)
            page = next(rows, None)
            number = 0
            while page is not None or number == 0:
                path = partial / f"pages-{number:05d}.warc.gz"
                page = _write_file(path, page, rows, now, manifest)
                manifest.add_file(path)
                number += 1
        return manifest.count


def _write_file(path: Path, page: Row | None, rows: Iterator[Row], now: datetime, manifest: Manifest) -> Row | None:
    """Write `page` and the following ones until the file is large enough. Returns the next page, or None at the end."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        about = {"software": "iraq-withdrawal-news", "format": "WARC File Format 1.1"}
        info = writer.create_warcinfo_record(path.name, about)
        info.rec_headers.replace_header("WARC-Date", _date(now))
        writer.write_record(info)
        while page is not None and file.tell() < FILE_BYTES:
            writer.write_record(_response(writer, page))
            manifest.count += 1
            page = next(rows, None)
    return page


def _response(writer: WARCWriter, page: Row) -> object:
    body = decompress(page["body"])
    known = {
        "Content-Type": page["content_type"],
        "ETag": page["etag"],
        "Last-Modified": page["last_modified"],
        "Content-Length": str(len(body)),
    }
    try:
        phrase = HTTPStatus(page["http_status"]).phrase
    except ValueError:
        phrase = ""
    # A header with line breaks would become several headers.
    headers = [(name, " ".join(value.split())) for name, value in known.items() if value is not None]
    return writer.create_warc_record(
        page["final_url"],
        "response",
        payload=BytesIO(body),
        length=len(body),
        http_headers=StatusAndHeaders(f"{page['http_status']} {phrase}".strip(), headers, protocol="HTTP/1.1"),
        warc_headers_dict={"WARC-Date": _date(page["fetched_at"])},
    )


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
