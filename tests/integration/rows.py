"""Entries to fill the ledger with."""

from datetime import datetime

from db import Connection
from ingest.model.status import Status
from ingest.store import feeds, hosts, ledger
from ingest.store.ledger import NewEntry
from tests.conftest import NOW


def entry(number: int, host: str, status: Status = Status.DISCOVERED) -> NewEntry:
    url = f"http://{host}/{number}"
    return NewEntry(url, url, url, host, f"title {number}", None, None, None, None, status=status)


def fill(connection: Connection, hosts_and_counts: dict[str, int], now: datetime = NOW) -> None:
    feed = feeds.import_feed(connection, now)
    hosts.register(connection, hosts_and_counts, now)
    for host, count in hosts_and_counts.items():
        ledger.record(connection, feed, [entry(number, host) for number in range(count)], now)
    connection.commit()
