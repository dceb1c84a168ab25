"""The table `documents`: the article extracted from each page."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row, dict_row

from db import Connection
from db.rows import only_value
from ingest.model.document import Document, Hint
from ingest.store.ledger import FEED_DATE, SELECTED, Selection

__all__ = [
    "Landable",
    "ToJudge",
    "count_to_judge",
    "delete",
    "doubtful_dates",
    "hints",
    "load",
    "save",
    "stored",
    "title_and_text",
    "to_judge",
]

# Fewer documents say nothing about a feed's dates. If this share of them is wrong, the error is systematic.
ENOUGH_DATES = 10
SYSTEMATIC = 0.8


@dataclass(frozen=True)
class Landable:
    """A document, with the fields of its entry and feed that landing needs."""

    entry_id: int
    feed_id: int
    url: str
    canonical_url: str
    page_url: str | None
    outlet: str
    title: str | None
    author: str | None
    published_at: datetime | None
    published_from: str | None
    language: str | None
    text: str
    agency: str | None
    country: str | None

    @property
    def page(self) -> str:
        """The address that identifies the page: the one the page states as its own, else the feed's."""
        return self.page_url or self.canonical_url


def hints(connection: Connection, entry_ids: list[int], now: datetime) -> dict[int, Hint]:
    """Return what the feeds said about the entries."""
    rows = connection.execute(
        f"SELECT e.id, e.title, e.author, {FEED_DATE}, f.language, e.content, f.country"
        " FROM news.entries e JOIN news.feeds f ON f.id = e.feed_id WHERE e.id = ANY(%s)",
        [entry_ids],
    ).fetchall()
    return {row[0]: Hint(now, *row[1:]) for row in rows}


def save(connection: Connection, documents: list[tuple[int, Document]], now: datetime) -> None:
    """Store the documents of entries, replacing earlier ones."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO news.documents (entry_id, extracted_at, title, author, published_at, published_from, language,
                                        text, extractor, stated_at, published_note, agency, page_url, taken)
            VALUES (%(entry_id)s, %(now)s, %(title)s, %(author)s, %(published_at)s, %(published_from)s, %(language)s,
                    %(text)s, %(extractor)s, %(stated_at)s, %(published_note)s,
                    %(agency)s, %(page_url)s, %(taken)s)
            ON CONFLICT (entry_id) DO UPDATE SET
                extracted_at = excluded.extracted_at, title = excluded.title, author = excluded.author,
                published_at = excluded.published_at, published_from = excluded.published_from,
                language = excluded.language, text = excluded.text, extractor = excluded.extractor,
                stated_at = excluded.stated_at, published_note = excluded.published_note,
                agency = excluded.agency, page_url = excluded.page_url, taken = excluded.taken
            """,
            [vars(document) | {"entry_id": entry_id, "now": now} for entry_id, document in documents],
        )


@dataclass(frozen=True)
class Stored:
    """A document and the time of its extraction."""

    document: Document
    extracted_at: datetime


def stored(connection: Connection, entry_ids: list[int]) -> dict[int, Stored]:
    """Return the documents of the entries as they were extracted."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT entry_id, extracted_at, title, author, published_at, published_from, language, text, extractor,"
            " stated_at, published_note, agency, page_url, taken FROM news.documents WHERE entry_id = ANY(%s)",
            [entry_ids],
        ).fetchall()
    return {row.pop("entry_id"): Stored(extracted_at=row.pop("extracted_at"), document=Document(**row)) for row in rows}


def delete(connection: Connection, entry_ids: list[int]) -> None:
    """Delete the documents of entries whose pages hold no article."""
    connection.execute("DELETE FROM news.documents WHERE entry_id = ANY(%s)", [entry_ids])


def title_and_text(
    connection: Connection, *, entry_id: int | None = None, canonical_url: str | None = None
) -> tuple[str | None, str, str | None] | None:
    """Return the title and text of an entry's document, or of the newest entry for an address; None if missing.

    The country of its outlet comes third.
    """
    return connection.execute(
        "SELECT d.title, d.text, f.country FROM news.entries e JOIN news.documents d ON d.entry_id = e.id"
        " JOIN news.feeds f ON f.id = e.feed_id WHERE e.id = %s OR e.canonical_url = %s ORDER BY e.id DESC LIMIT 1",
        [entry_id, canonical_url],
    ).fetchone()


@dataclass(frozen=True)
class ToJudge:
    """A document whose topics may have changed, with the status of its entry."""

    entry_id: int
    status: str
    title: str | None
    text: str
    country: str | None
    extracted_at: datetime


def to_judge(connection: Connection, selection: Selection, *, after: int, limit: int) -> list[ToJudge]:
    """Return the next documents of ended entries that were judged by topic, by entry id above `after`."""
    with connection.cursor(row_factory=class_row(ToJudge)) as cursor:
        return cursor.execute(
            f"""
            SELECT d.entry_id, e.status, d.title, d.text, f.country, d.extracted_at
            FROM news.documents d JOIN news.entries e ON e.id = d.entry_id JOIN news.feeds f ON f.id = e.feed_id
            WHERE d.entry_id > %(after)s AND e.status IN ('landed', 'duplicate', 'off_topic')
              AND e.next_attempt_at IS NULL AND {SELECTED}
            ORDER BY d.entry_id LIMIT %(limit)s
            """,
            vars(selection) | {"after": after, "limit": limit},
        ).fetchall()


def count_to_judge(connection: Connection, selection: Selection) -> int:
    """Return how many documents `to_judge` covers."""
    return int(
        only_value(
            connection,
            "SELECT count(*) FROM news.documents d JOIN news.entries e ON e.id = d.entry_id"
            f" WHERE e.status IN ('landed', 'duplicate', 'off_topic') AND e.next_attempt_at IS NULL AND {SELECTED}",
            vars(selection),
        )
    )


def doubtful_dates(connection: Connection, *, among: int) -> dict[int, str]:
    """Return what is wrong with the dates of feeds, by feed, as a sentence. Checks the last `among` documents.

    Some feeds give the time of the poll for every item: the date differs from the page's, or several items share it.
    Others are off from the page's dates by a constant number of hours, because of a wrong time zone, for example.
    """
    rows = connection.execute(
        """
        WITH newest AS (
            SELECT e.feed_id, e.discovered_at, d.stated_at,
                   -- A date that was too far ahead is stored as the time it was seen, and noted as it stood.
                   CASE WHEN e.published_note ~ '^future: \\d{4}-' THEN substring(e.published_note from 9)::timestamptz
                        ELSE e.published_at END AS said_at,
                   count(*) OVER (PARTITION BY e.feed_id, e.discovered_at) AS at_once
            FROM (SELECT entry_id, stated_at FROM news.documents ORDER BY entry_id DESC LIMIT %(among)s) d
            JOIN news.entries e ON e.id = d.entry_id
            WHERE e.published_at IS NOT NULL AND e.published_note IS DISTINCT FROM 'lastmod'
        ), off AS (
            SELECT feed_id, round(extract(epoch FROM said_at - stated_at) / 900) AS quarters,
                   abs(extract(epoch FROM said_at - discovered_at)) <= %(moment)s AND (at_once >= 3
                       OR abs(extract(epoch FROM said_at - stated_at)) > %(differs)s) AS is_poll
            FROM newest
        ), measured AS (
            SELECT feed_id, count(*) AS dated, count(*) FILTER (WHERE is_poll) AS stamped, count(quarters) AS compared,
                   mode() WITHIN GROUP (ORDER BY quarters) AS usual
            FROM off GROUP BY feed_id
        )
        SELECT m.feed_id, m.dated, m.stamped, m.compared, m.usual,
               (SELECT count(*) FROM off WHERE off.feed_id = m.feed_id AND off.quarters = m.usual) AS agreeing
        FROM measured m WHERE m.dated >= %(enough)s
        """,
        {"among": among, "moment": 120, "differs": 600, "enough": ENOUGH_DATES},
    ).fetchall()
    found = {}
    for feed, dated, stamped, compared, quarters, agreeing in rows:
        if stamped >= SYSTEMATIC * dated:
            found[feed] = f"its dates are the time of the poll ({stamped} of {dated})"
        elif quarters and compared >= ENOUGH_DATES and agreeing >= SYSTEMATIC * compared and abs(quarters) >= 2:
            by = f"{abs(quarters) / 4:g} h {'ahead of' if quarters > 0 else 'behind'}"
            found[feed] = f"its dates are {by} the pages' ({agreeing} of {compared})"
    return found


def load(connection: Connection, entry_ids: list[int]) -> list[Landable]:
    """Return the documents of the entries, by entry."""
    with connection.cursor(row_factory=class_row(Landable)) as cursor:
        return cursor.execute(
            """
            SELECT e.id AS entry_id, e.feed_id, e.url, e.canonical_url, d.page_url, f.outlet, d.title, d.author,
                   d.published_at, d.published_from, d.language, d.text, d.agency, f.country
            FROM news.entries e
            JOIN news.feeds f ON f.id = e.feed_id
            JOIN news.documents d ON d.entry_id = e.id
            WHERE e.id = ANY(%s)
            ORDER BY e.id
            """,
            [entry_ids],
        ).fetchall()
