"""The table `topic_labels`: what curators said of articles, to fit and judge the models of topics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from db import Connection
from ingest.topics.labels import Label

__all__ = ["Labelled", "Unlabelled", "add", "current", "unlabelled"]


@dataclass(frozen=True)
class Labelled:
    """What happened to an entry: its address and title, and the label that it had before, if any."""

    url: str
    title: str | None
    before: str | None


@dataclass(frozen=True)
class Unlabelled:
    """A judged document that nobody has labelled, with the country of its outlet."""

    entry_id: int
    url: str
    title: str | None
    text: str
    country: str | None


def add(
    connection: Connection, topic: str, entry_id: int, label: Literal["about", "mention", "no"], by: str, now: datetime
) -> Labelled | None:
    """Record the label of an entry's document. Returns None if it has no document. Commits.

    Texts of one story are of one event; an entry without a story is an event of its own.
    """
    with connection.cursor(row_factory=class_row(Labelled)) as cursor:
        done = cursor.execute(
            """
            WITH chosen AS (
                SELECT e.id, e.canonical_url, d.language, d.title, d.text,
                       coalesce((SELECT 'story ' || a.story_id FROM news.sightings s
                                 JOIN news.articles a ON a.id = s.article_id WHERE s.entry_id = e.id LIMIT 1),
                                'entry ' || e.id) AS event,
                       (SELECT l.label FROM news.topic_labels l
                        WHERE l.topic = %(topic)s AND l.url = e.canonical_url ORDER BY l.id DESC LIMIT 1) AS before
                FROM news.entries e JOIN news.documents d ON d.entry_id = e.id WHERE e.id = %(entry)s
            ), added AS (
                INSERT INTO news.topic_labels
                    (topic, entry_id, url, event, language, title, text, label, labelled_by, labelled_at)
                SELECT %(topic)s, id, canonical_url, event, language, title, text, %(label)s, %(by)s, %(now)s
                FROM chosen
            )
            SELECT canonical_url AS url, title, before FROM chosen
            """,
            {"topic": topic, "entry": entry_id, "label": label, "by": by, "now": now},
        ).fetchone()
    connection.commit()
    return done


def current(connection: Connection, topic: str) -> list[Label]:
    """Return the labels of a topic that count, the last of each address, in the order of their addresses."""
    rows = connection.execute(
        """
        SELECT DISTINCT ON (url) id, coalesce(language, ''), coalesce(title, ''), text, label, event,
               extract(year FROM labelled_at)::int
        FROM news.topic_labels WHERE topic = %s ORDER BY url, id DESC
        """,
        [topic],
    ).fetchall()
    return [
        Label(
            id=f"stored-{number}", lang=language, title=title, text=text, label=label, event=event, kind="stored",
            year=year,
        )
        for number, language, title, text, label, event, year in rows
    ]  # fmt: skip


def unlabelled(connection: Connection, topic: str, *, among: int) -> Sequence[Unlabelled]:
    """Return those of the last `among` judged documents that have no label for the topic, the newest first."""
    with connection.cursor(row_factory=class_row(Unlabelled)) as cursor:
        return cursor.execute(
            """
            SELECT e.id AS entry_id, e.canonical_url AS url, d.title, d.text, f.country
            FROM news.documents d JOIN news.entries e ON e.id = d.entry_id JOIN news.feeds f ON f.id = e.feed_id
            WHERE e.status IN ('landed', 'off_topic')
              AND NOT EXISTS (SELECT FROM news.topic_labels l WHERE l.topic = %(topic)s AND l.url = e.canonical_url)
            ORDER BY d.entry_id DESC LIMIT %(among)s
            """,
            {"topic": topic, "among": among},
        ).fetchall()
