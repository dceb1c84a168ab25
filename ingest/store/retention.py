"""Retention: delete old raw pages and poll records, and create the partitions of the months ahead.

Whole months are deleted by dropping their partition, which takes the same time whatever its size. Rows in a default
partition are deleted one by one.
"""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import sql

from db import Connection
from db.rows import only_value
from ingest.config.settings import Settings
from ingest.store import ledger, worker_deaths

__all__ = ["MaintenanceCounts", "analyze", "delete_old", "prepare_months"]

log = logging.getLogger(__name__)

MONTHS_AHEAD = 3
KEEP_DEATHS = timedelta(days=30)
# If the ledger is pruned at all, each transaction deletes this many rows.
ENTRIES_AT_ONCE = 5_000
_PARTITION = re.compile(r"_p(\d{4})(\d{2})$")
_TABLES = (
    "feeds",
    "feed_polls",
    "entries",
    "hosts",
    "documents",
    "articles",
    "article_revisions",
    "sightings",
    "article_topics",
    "stories",
    "article_signatures",
    "article_links",
    "story_merges",
    "pages",
    "alerts",
)


@dataclass
class MaintenanceCounts:
    """What was deleted: partitions dropped, rows deleted from default partitions, and ledger entries."""

    dropped: int = 0
    deleted_rows: int = 0
    deleted_entries: int = 0


def prepare_months(connection: Connection, now: datetime) -> int:
    """Create the monthly partitions for this month and the months ahead. Return how many were missing."""
    count = only_value(connection, "SELECT news.ensure_partitions(%s, %s)", [now, MONTHS_AHEAD])
    connection.commit()
    return int(count)


def delete_old(connection: Connection, settings: Settings, now: datetime) -> MaintenanceCounts:
    """Delete what is older than the settings allow: pages, polls, and entries that ended without an article."""
    counts = MaintenanceCounts()
    for table, column, days in (
        ("pages", "fetched_at", settings.keep_pages_days),
        ("feed_polls", "polled_at", settings.keep_polls_days),
    ):
        before = now - timedelta(days=days)
        for partition in _partitions_before(connection, table, before):
            connection.execute("SELECT news.drop_partition(%s)", [partition])
            connection.commit()
            counts.dropped += 1
            log.info("dropped news.%s: all of it is older than %d days", partition, days)
        deleted = connection.execute(
            sql.SQL("DELETE FROM {} WHERE {} < %s").format(
                sql.Identifier("news", f"{table}_default"), sql.Identifier(column)
            ),
            [before],
        ).rowcount
        connection.commit()
        counts.deleted_rows += deleted
    worker_deaths.delete_older(connection, now, KEEP_DEATHS)
    if settings.keep_ledger_days is not None:
        counts.deleted_entries = _delete_entries(connection, now - timedelta(days=settings.keep_ledger_days))
    return counts


def _delete_entries(connection: Connection, before: datetime) -> int:
    total = 0
    while True:
        deleted = ledger.delete_without_article(connection, before, ENTRIES_AT_ONCE)
        connection.commit()
        total += deleted
        if deleted < ENTRIES_AT_ONCE:
            return total


def analyze(connection: Connection) -> None:
    """Refresh the planner's statistics, including those of partitioned tables, which autovacuum skips.

    Autovacuum covers the partitions. A role that owns nothing may not analyze partitions created after the role.
    """
    for table in _TABLES:
        connection.execute(sql.SQL("ANALYZE ONLY {}").format(sql.Identifier("news", table)))
        connection.commit()


def _partitions_before(connection: Connection, table: str, before: datetime) -> list[str]:
    """Return the table's monthly partitions that end before that time, oldest first."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass(%s) ORDER BY c.relname",
        [f"news.{table}"],
    ).fetchall()
    connection.commit()
    found = []
    for (name,) in rows:
        month = _PARTITION.search(name)
        if month:
            first = datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)
            end = (first + timedelta(days=32)).replace(day=1)
            if end <= before:
                found.append(name)
    return found
