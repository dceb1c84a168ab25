"""What is deleted when, and what never is."""

from datetime import timedelta

from db import Connection
from ingest.config.settings import Settings
from ingest.store import retention
from tests.conftest import NOW

OLD = timedelta(days=400)


def fill(connection: Connection) -> None:
    """One entry of each kind, old and new, the landed ones with an article."""
    connection.execute(
        "INSERT INTO news.feeds (id, slug, url, host, outlet, poll_every, created_at, next_poll_at)"
        " OVERRIDING SYSTEM VALUE VALUES (1, 'f', 'f', 'f', 'F', '1 hour', now(), now())"
    )
    connection.execute(
        "INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status, reason,"
        " next_attempt_at) SELECT 1, status || age, 'u', 'u', 'h', %(now)s::timestamptz - age * %(old)s::interval,"
        " status, 'why', CASE WHEN status = 'discovered' THEN now() END"
        " FROM unnest('{landed,duplicate,off_topic,rejected,dead,discovered}'::text[]) status,"
        " generate_series(0, 1) age",
        {"now": NOW, "old": OLD},
    )
    connection.execute(
        "INSERT INTO news.documents (entry_id, extracted_at, text, extractor) SELECT id, now(), 'x', 'x'"
        " FROM news.entries WHERE status <> 'discovered'"
    )
    connection.commit()


def statuses(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT identity FROM news.entries ORDER BY identity")]


def test_the_ledger_is_kept_for_ever_unless_told_otherwise(connection: Connection) -> None:
    fill(connection)
    assert retention.delete_old(connection, Settings(), NOW).deleted_entries == 0
    assert len(statuses(connection)) == 12


def test_old_entries_that_came_to_nothing_are_deleted_where_that_is_wanted(connection: Connection) -> None:
    fill(connection)
    counts = retention.delete_old(connection, Settings(keep_ledger_days=365), NOW)
    assert counts.deleted_entries == 3
    assert statuses(connection) == sorted(
        [*(f"{status}0" for status in ("landed", "duplicate", "off_topic", "rejected", "dead", "discovered")),
         "landed1", "duplicate1", "discovered1"]
    )  # fmt: skip
    assert connection.execute("SELECT count(*) FROM news.documents").fetchone() == (7,)


def test_months_leave_whole(connection: Connection) -> None:
    fill(connection)
    # Months ahead and one long past.
    for moment in (NOW, NOW - OLD):
        retention.prepare_months(connection, moment)
    connection.execute(
        "INSERT INTO news.pages (entry_id, fetched_at, final_url, http_status, body, body_bytes)"
        " SELECT id, at, 'u', 200, 'x', 1 FROM (SELECT min(id) AS id FROM news.entries) e,"
        " unnest(%s::timestamptz[]) at",
        [[NOW, NOW - OLD, NOW - 10 * OLD]],
    )
    connection.commit()
    counts = retention.delete_old(connection, Settings(), NOW)
    # Three months of two tables, and the row of a month that nobody had prepared.
    assert (counts.dropped, counts.deleted_rows) == (6, 1)
    assert connection.execute("SELECT fetched_at FROM news.pages").fetchall() == [(NOW,)]
    # What is ahead stays.
    assert retention.prepare_months(connection, NOW) == 0
