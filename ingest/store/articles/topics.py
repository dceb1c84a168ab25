"""The table `article_topics`: which articles are about which topics."""

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from db import Connection
from ingest.topics.topics import Match

__all__ = ["add", "replace", "set_topics"]


def set_topics(connection: Connection, matches: dict[int, list[Match]]) -> None:
    """Update the topics of the articles that describe these entries; `matches` is keyed by entry."""
    # If the credited entry has no document of its own, another place of the article decides.
    present = connection.execute(
        "SELECT DISTINCT ON (a.id) a.id, s.entry_id FROM news.sightings s"
        " JOIN news.articles a ON a.id = s.article_id AND a.content_hash = s.content_hash"
        " WHERE s.entry_id = ANY(%s) ORDER BY a.id, s.entry_id <> a.entry_id, s.entry_id",
        [list(matches)],
    ).fetchall()
    connection.execute(
        "DELETE FROM news.article_topics WHERE article_id = ANY(%s)", [[article for article, _ in present]]
    )
    add(connection, [(article, match) for article, entry in present for match in matches[entry]])


def replace(connection: Connection, article: int, matches: Sequence[Match]) -> None:
    """Replace the topics of an article with these."""
    connection.execute("DELETE FROM news.article_topics WHERE article_id = %s", [article])
    add(connection, [(article, match) for match in matches])


def add(connection: Connection, rows: Sequence[tuple[int, Match]]) -> None:
    """Add topics to articles, given by id."""
    connection.execute(
        "INSERT INTO news.article_topics (article_id, topic, score, matched, rules, meaning)"
        " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::real[], %s::jsonb[], %s::real[], %s::real[])",
        [
            [article for article, _ in rows],
            [match.topic for _, match in rows],
            [match.score for _, match in rows],
            [Jsonb(match.matched) for _, match in rows],
            [match.rules for _, match in rows],
            [match.meaning for _, match in rows],
        ],
    )
