from datetime import timedelta

import pytest

from db import Connection
from ingest import articles, documents, ledger
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
    stored(connection, "http://m.a.example/news/troops-leave-iraq", PAGE, SHORT)
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


def test_a_text_that_cannot_be_stored_does_not_keep_the_others(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    good = stored(connection, "http://a.example/good", None, WHOLE)
    bad = stored(connection, "http://a.example/bad", None, SHORT)
    # What no column of PostgreSQL refuses, and no program can read: a year before the first.
    connection.execute(
        "UPDATE news.documents SET published_at = '0044-03-15 BC', published_from = 'feed' WHERE entry_id = %s", [bad]
    )
    connection.commit()
    counts = land(connection, settings, clock, everything)
    assert counts.landed == 1
    rows = connection.execute("SELECT id, status FROM news.entries ORDER BY id").fetchall()
    assert rows == [(good, "landed"), (bad, "rejected")]


def test_a_text_of_a_hundred_thousand_different_words_lands(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    """PostgreSQL refuses search vectors of more than a megabyte."""
    stored(connection, "http://a.example/long", None, " ".join(f"كلمة{number}" for number in range(120_000)))
    assert land(connection, settings, clock, everything).landed == 1


@pytest.mark.parametrize("aggregator_first", [True, False])
def test_the_first_of_a_story_does_not_depend_on_who_is_credited_when(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, aggregator_first: bool
) -> None:
    """Of a page in two feeds the one of its own host gives the date, whichever came first."""
    for slug, host in (("aggregator", "b.example"), ("own", "a.example")):
        connection.execute(
            "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
            " VALUES (%(slug)s, %(slug)s, %(host)s, %(slug)s, '1 hour', now(), now())",
            {"slug": slug, "host": host},
        )
    text = " ".join(f"word{number}" for number in range(80))

    def add(feed: str, url: str, hours: int, body: str | None) -> None:
        row = connection.execute("SELECT id FROM news.feeds WHERE slug = %s", [feed]).fetchone()
        assert row is not None
        at = NOW - timedelta(hours=hours)
        status = "discovered" if body is None else "extracted"
        entry = NewEntry(url, url, url, "a.example", "t", None, None, None, at, status=status)
        for number in ledger.record(connection, row[0], [entry], NOW):
            if body is not None:
                documents.save(connection, [(number, Document("t", None, at, "feed", "en", body, "test"))], NOW)
        connection.commit()

    page = "http://a.example/page"
    steps = [("aggregator", page, 1, text), ("own", page, 9, None)]
    if not aggregator_first:
        steps = [("own", page, 9, text), ("aggregator", page, 1, None)]
    add(*steps[0])
    add("aggregator", "http://c.example/copy", 5, text + " and one thing more")
    land(connection, settings, clock, everything)
    add(*steps[1])
    articles.settle_twins(connection, [page], NOW)
    connection.commit()
    first = connection.execute(
        "SELECT a.url, a.published_at FROM news.stories s JOIN news.articles a ON a.id = s.first_article_id"
    ).fetchall()
    assert first == [(page, NOW - timedelta(hours=9))]
