import pytest

from db import Connection
from ingest import documents, ledger
from ingest.document import Document
from ingest.feeds import import_feed
from ingest.land import land
from ingest.ledger import NewEntry
from ingest.settings import Settings
from ingest.topics import TopicSet
from ingest.urls import canonical_url
from tests.conftest import NOW, Clock


def test_an_entry_whose_document_is_gone_ends_in_the_ledger(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    entry = NewEntry("a", "http://a/1", "http://a/1", "a", None, None, None, None, None, status="extracted")
    ledger.record(connection, import_feed(connection, NOW), [entry], NOW)
    connection.commit()
    land(connection, settings, clock, everything)
    assert connection.execute("SELECT status, reason FROM news.entries").fetchall() == [
        ("rejected", "its document is no longer stored")
    ]


def stored(connection: Connection, url: str, page_url: str | None, text: str) -> int:
    """An extracted document of a page that states an address as its own; returns its entry."""
    entry = NewEntry(url, url, canonical_url(url), "a", None, None, None, None, None, status="extracted")
    (number,) = ledger.record(connection, import_feed(connection, NOW), [entry], NOW)
    document = Document("title", None, NOW, "feed", "en", text, "test", page_url=page_url)
    documents.save(connection, [(number, document)], NOW)
    connection.commit()
    return number


PAGE = "http://a.example/news/troops-leave-iraq"
WHOLE, SHORT = "The whole text of the article, with all it says.", "The text for telephones, which is another one."


@pytest.mark.parametrize("at_once", [True, False])
def test_editions_of_a_page_are_one_article(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, at_once: bool
) -> None:
    whole = stored(connection, PAGE, PAGE, WHOLE)
    if not at_once:
        land(connection, settings, clock, everything)
    stored(connection, "http://m.a.example/news/troops-leave-iraq?id=7", PAGE, SHORT)
    amp = stored(connection, "http://a.example/amp/news/troops-leave-iraq", PAGE, SHORT)
    counts = land(connection, settings, clock, everything)
    assert counts.duplicate == 2
    assert connection.execute("SELECT entry_id, text, url FROM news.articles").fetchall() == [(whole, WHOLE, PAGE)]
    assert connection.execute("SELECT status, reason FROM news.entries WHERE id = %s", [amp]).fetchall() == [
        ("duplicate", "same page")
    ]
    assert connection.execute("SELECT count(*) FROM news.sightings").fetchone() == (3,)
    assert connection.execute("SELECT count(*) FROM news.stories").fetchone() == (1,)


def test_of_several_editions_the_one_at_its_own_address_is_taken(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    stored(connection, "http://a.example/amp/news/troops-leave-iraq", PAGE, SHORT)
    stored(connection, PAGE, PAGE, WHOLE)
    land(connection, settings, clock, everything)
    assert connection.execute("SELECT text FROM news.articles").fetchall() == [(WHOLE,)]


def test_entries_that_wait_for_a_page_known_by_its_own_address_are_not_fetched(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    waiting = NewEntry("w", PAGE, PAGE, "a", None, None, None, None, None)
    ledger.record(connection, import_feed(connection, NOW), [waiting], NOW)
    stored(connection, "http://a.example/amp/news/troops-leave-iraq", PAGE, SHORT)
    land(connection, settings, clock, everything)
    # Which of the two is credited is another question.
    assert connection.execute("SELECT status FROM news.entries ORDER BY status").fetchall() == [
        ("duplicate",), ("landed",),
    ]  # fmt: skip
