from db import Connection
from ingest import ledger
from ingest.feeds import import_feed
from ingest.land import land
from ingest.ledger import NewEntry
from ingest.settings import Settings
from ingest.topics import TopicSet
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
