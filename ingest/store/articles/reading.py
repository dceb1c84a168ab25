"""Reading articles: count, search, filter, stream."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import dict_row

from db import Connection
from db.rows import only_row, only_value

__all__ = [
    "CHOSEN",
    "Chosen",
    "Spellings",
    "bound",
    "count_and_last",
    "count_chosen",
    "delays",
    "newest",
    "per_day",
    "search",
    "search_count",
    "spellings",
    "streamed",
    "topics_and_outlets",
]

# An article takes a few kB, so this is a few MB.
ROWS_AT_ONCE = 500


def count_and_last(connection: Connection) -> tuple[int, datetime | None]:
    """Return the number of articles and when the last one landed."""
    row = only_row(connection, "SELECT count(*), max(landed_at) FROM news.articles")
    return row[0], row[1]


def per_day(connection: Connection, since: datetime) -> list[tuple[date, str, int]]:
    """Return the number of articles by day of publication (UTC) and outlet, from `since` on."""
    return connection.execute(
        "SELECT (published_at AT TIME ZONE 'UTC')::date AS day, outlet, count(*) FROM news.articles"
        " WHERE published_at >= %s GROUP BY 1, 2 ORDER BY 1, 2",
        [since],
    ).fetchall()


def delays(connection: Connection, *, among: int) -> tuple[int, timedelta | None, timedelta | None]:
    """Return the number of articles measured, and the median and 95th percentile of their delay to landing.

    The delay runs from publication. Only the last `among` articles count, without those published before their feed
    was added: they would measure the age of the backlog.
    """
    row = only_row(
        connection,
        """
        SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY landed_at - published_at),
               percentile_cont(0.95) WITHIN GROUP (ORDER BY landed_at - published_at)
        FROM (
            SELECT a.landed_at, a.published_at
            FROM (SELECT * FROM news.articles ORDER BY landed_at DESC LIMIT %s) a
            JOIN news.entries e ON e.id = a.entry_id JOIN news.feeds f ON f.id = e.feed_id
            WHERE a.published_at BETWEEN f.created_at AND a.landed_at
        ) AS fresh
        """,
        [among],
    )
    return row[0], row[1], row[2]


def search(
    connection: Connection,
    query: str,
    *,
    language: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    outlets: list[str] | None = None,
    rows: int = 20,
    page: int = 1,
) -> list[dict[str, Any]]:
    """Return one page of the results of `news.search` as dictionaries."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT * FROM news.search(%s, %s, %s, %s, %s, %s, %s)",
            [query, language, since, until, outlets, rows, page],
        ).fetchall()


def search_count(
    connection: Connection,
    query: str,
    *,
    language: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    outlets: list[str] | None = None,
) -> int:
    """Return how many articles match a query, on all pages."""
    found = only_value(
        connection, "SELECT news.search_count(%s, %s, %s, %s, %s)", [query, language, since, until, outlets]
    )
    return int(found)


# If a search finds fewer, other spellings are offered.
FEW_MATCHES = 5


@dataclass(frozen=True)
class Spellings:
    """Words of a query that were read as others (word, lemma), and words of articles spelled like them (word, word)."""

    corrections: list[tuple[str, str]]
    suggestions: list[tuple[str, str]]


def spellings(connection: Connection, query: str, matches: int) -> Spellings:
    """Return what may be misspelled in a query. Suggestions are made only if few articles match."""
    corrections = connection.execute("SELECT word, lemma FROM news.corrections(%s)", [query]).fetchall()
    suggested = "SELECT word, suggestion FROM news.suggest(%s)"
    suggestions = connection.execute(suggested, [query]).fetchall() if matches < FEW_MATCHES else []
    return Spellings([(row[0], row[1]) for row in corrections], [(row[0], row[1]) for row in suggestions])


def newest(connection: Connection, *, limit: int, query: str = "", page: int = 1) -> list[dict[str, Any]]:
    """Return the articles that landed last or, with a `query`, a page of the results of `news.search`, best first."""
    matching = (
        "(SELECT article_id AS id, row_number() OVER () AS place"
        " FROM news.search(%(query)s, rows => %(limit)s, page => %(page)s))"
        if query.strip()
        else "(SELECT id, row_number() OVER () AS place FROM (SELECT id FROM news.articles"
        " ORDER BY landed_at DESC, id DESC LIMIT %(limit)s) AS last)"
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"""
            SELECT a.id, a.title, a.url, a.outlet, a.language, a.published_at, a.landed_at,
                   left(a.text, 600) AS beginning,
                   (SELECT count(*) FROM news.sightings s WHERE s.article_id = a.id) AS places
            FROM {matching} AS found JOIN news.articles a USING (id)
            ORDER BY found.place
            """,
            {"query": query, "limit": limit, "page": page},
        ).fetchall()


@dataclass(frozen=True)
class Chosen:
    """Which articles: all, or those that meet every given condition.

    `since` is inclusive, `until` exclusive. Both refer to the date of publication and exclude articles without one.
    With `firsts`, each story counts once, by the article published first.
    """

    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    languages: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    firsts: bool = False


# For articles `a`. Values are bound by name.
CHOSEN: LiteralString = """
    (%(topic)s::text IS NULL
        OR EXISTS (SELECT FROM news.article_topics t WHERE t.article_id = a.id AND t.topic = %(topic)s))
    AND (%(since)s::timestamptz IS NULL OR a.published_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR a.published_at < %(until)s)
    AND (%(languages)s::text[] = '{}' OR a.language = ANY (%(languages)s))
    AND (%(outlets)s::text[] = '{}' OR a.outlet = ANY (%(outlets)s))
    AND (NOT %(firsts)s OR EXISTS (SELECT FROM news.stories s WHERE s.first_article_id = a.id))
"""


def bound(chosen: Chosen) -> dict[str, Any]:
    """Return the values for CHOSEN."""
    return vars(chosen) | {"languages": list(chosen.languages), "outlets": list(chosen.outlets)}


def count_chosen(connection: Connection, chosen: Chosen) -> int:
    """Return how many articles meet the conditions."""
    return int(only_value(connection, f"SELECT count(*) FROM news.articles a WHERE {CHOSEN}", bound(chosen)))


def topics_and_outlets(connection: Connection) -> tuple[set[str], set[str]]:
    """Return the names of the topics and of the outlets that have articles."""
    topics = connection.execute("SELECT DISTINCT topic FROM news.article_topics").fetchall()
    outlets = connection.execute("SELECT DISTINCT outlet FROM news.articles").fetchall()
    return {row[0] for row in topics}, {row[0] for row in outlets}


@contextmanager
def streamed(
    connection: Connection, columns: Sequence[str], chosen: Chosen | None = None
) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield articles in the order they landed, with a few hundred in memory at a time.

    `columns` are columns of the table, `country` (of the publisher) and `topics` (their names, best first).
    """
    expressions: dict[str, LiteralString] = {
        "country": "(SELECT f.country FROM news.entries e JOIN news.feeds f ON f.id = e.feed_id"
        " WHERE e.id = a.entry_id)",
        "topics": "ARRAY(SELECT t.topic FROM news.article_topics t WHERE t.article_id = a.id"
        " ORDER BY t.score DESC, t.topic)",
    }
    selected = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(
            sql.SQL(expressions[name]) if name in expressions else sql.Identifier("a", name), sql.Identifier(name)
        )
        for name in columns
    )
    # A server-side cursor, so the articles are streamed.
    with connection.cursor("articles", row_factory=dict_row) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(
            sql.SQL("SELECT {} FROM news.articles a WHERE {} ORDER BY a.id").format(selected, sql.SQL(CHOSEN)),
            bound(chosen or Chosen()),
        )
        yield iter(cursor)
