"""Extraction of stored pages, also of those made to hang, crash or exhaust a worker."""

import os
import re
import signal
from datetime import timedelta

import pytest

from db import Connection
from ingest.config.settings import Settings
from ingest.extraction.extract import extract
from ingest.model.document import Document, Hint
from ingest.model.status import Status
from ingest.runtime.compression import compress, decompress
from ingest.store import documents, ledger, pages
from ingest.store.feeds import import_feed
from ingest.store.ledger import NewEntry
from ingest.store.pages import StoredPage
from tests.conftest import NOW, Clock

GOOD = (
    "<html><body><article>"
    + "<p>A sentence of an article that goes on for a while.</p>" * 20
    + "</article></body></html>"
)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What kills its worker is tried again at once."""
    monkeypatch.setattr("ingest.runtime.workers.ALONE_AFTER", (0.0, 0.0, 0.0))


def hostile_extract(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Stands in for the work of a worker process: obeys what the page says."""
    text = decompress(body)
    if b"spin in python" in text:
        while True:
            pass
    if b"spin in C" in text:
        re.match(r"(a+)+$", "a" * 60 + "b")
    if b"die" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"exhaust" in text:
        bytearray(10**11)
    if b"raise" in text:
        raise KeyError("a library's surprise")
    return Document("title", None, None, None, "en", "text of the article", "test")


def store(connection: Connection, bodies: list[str]) -> None:
    feed = import_feed(connection, NOW)
    for number, body in enumerate(bodies):
        url = f"http://a.example/{number}"
        entry = NewEntry(url, url, url, "a.example", None, None, None, None, None, status=Status.FETCHED)
        (entry_id,) = ledger.record(connection, feed, [entry], NOW)
        page = StoredPage(entry_id, NOW, url, 200, "text/html", None, None, compress(body.encode()), len(body))
        pages.save(connection, [page])
    connection.commit()


@pytest.mark.usefixtures("no_pauses")
def test_a_hostile_page_ends_with_a_reason_and_the_others_are_extracted(
    connection: Connection, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.extraction.extract.extract_page", hostile_extract)
    hostile = ["spin in python", "spin in C", "die", "exhaust", "raise"]
    store(connection, [*hostile, *["good"] * 30])
    quick = settings.model_copy(update={"extract_timeout": 1.0})
    counts = extract(connection, quick, clock)
    rows: dict[str, str] = dict(
        connection.execute("SELECT url, status || ': ' || coalesce(reason, '') FROM news.entries").fetchall()
    )
    ends = [rows.pop(f"http://a.example/{number}") for number in range(len(hostile))]
    assert ends[0] == "rejected: extraction used more than 1 s of processor time"
    assert ends[1] == "rejected: extraction used more than 1 s of processor time"
    assert ends[2] == "dead: extraction failed: the worker process died (SIGKILL), also with the page alone in it"
    assert ends[3].startswith("rejected: extraction failed: MemoryError")
    assert ends[4].startswith("rejected: extraction failed: KeyError")
    assert set(rows.values()) == {"extracted: "}
    assert counts.extracted == 30


def test_a_real_page_goes_through_a_worker(connection: Connection, settings: Settings, clock: Clock) -> None:
    store(connection, [GOOD, "<html><body><p>Please wait</p></body></html>"])
    counts = extract(connection, settings, clock)
    assert (counts.extracted, counts.rejected) == (1, 1)
    ids = [row[0] for row in connection.execute("SELECT id FROM news.entries ORDER BY id").fetchall()]
    (document,) = documents.load(connection, ids)
    assert document.text.count("A sentence of an article") == 20
    assert document.language == "en"


def test_a_page_that_retention_removed_ends_in_the_ledger(
    connection: Connection, settings: Settings, clock: Clock
) -> None:
    store(connection, [GOOD])
    connection.execute("DELETE FROM news.pages")
    connection.commit()
    clock.now += timedelta(days=1)
    extract(connection, settings, clock)
    assert connection.execute("SELECT status, reason FROM news.entries").fetchall() == [
        ("rejected", "its page is no longer stored")
    ]


def test_the_stored_body_is_compressed(connection: Connection) -> None:
    store(connection, [GOOD])
    stored, size = connection.execute("SELECT length(body), body_bytes FROM news.pages").fetchone() or (0, 0)
    assert size == len(GOOD)
    assert stored < size / 5
