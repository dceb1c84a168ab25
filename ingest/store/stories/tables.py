"""The queries on `stories`, `story_merges`, `article_links` and `article_signatures`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from db import Connection
from db.rows import only_value
from ingest.text.similarity import BANDS, Likeness

__all__ = [
    "candidates",
    "count",
    "count_unsigned",
    "link",
    "linked_with",
    "links_of",
    "lock",
    "new_story",
    "of_articles",
    "of_stories",
    "refresh",
    "sign",
    "store",
    "unlink",
    "unsigned",
]

# The texts most like a new one, by common bands, that it is compared with. Of a template there may be thousands.
MOST_CANDIDATES = 30
# Signatures of another kind, by earlier versions, have another number of bands; those of short texts have none.
_UNSIGNED: LiteralString = """NOT EXISTS (
    SELECT FROM news.article_signatures s WHERE s.article_id = a.id AND cardinality(s.bands) IN (0, %(bands)s)
)"""


def lock(connection: Connection) -> None:
    """Keep other sessions from linking articles until the transaction ends."""
    # A row, as everybody may take advisory locks, readers too.
    connection.execute("SELECT FROM news.locks WHERE name = 'stories' FOR UPDATE")


def sign(connection: Connection, bands: Mapping[int, Sequence[int]]) -> None:
    """Store the signatures of articles, by id."""
    connection.execute(
        "INSERT INTO news.article_signatures (article_id, bands)"
        " SELECT id, bands::int[] FROM unnest(%s::bigint[], %s::text[]) AS new(id, bands)"
        " ON CONFLICT (article_id) DO UPDATE SET bands = excluded.bands",
        # As text: there are no arrays of arrays that differ in length.
        [list(bands), [f"{{{','.join(map(str, of))}}}" for of in bands.values()]],
    )


def candidates(connection: Connection, articles: Sequence[int]) -> list[tuple[int, int]]:
    """Return the articles that share most bands with each of these: (article, other)."""
    return connection.execute(
        """
        SELECT new.article_id, found.article_id
        FROM news.article_signatures new CROSS JOIN LATERAL (
            SELECT s.article_id,
                   (SELECT count(*) FROM unnest(s.bands, new.bands) AS pair(one, other) WHERE one = other) AS shared
            FROM news.article_signatures s
            WHERE s.bands && new.bands AND s.article_id <> new.article_id
            ORDER BY shared DESC, s.article_id
            LIMIT %s
        ) AS found
        WHERE new.article_id = ANY(%s)
        """,
        [MOST_CANDIDATES, list(articles)],
    ).fetchall()


def link(connection: Connection, links: Sequence[tuple[int, int, Likeness]]) -> None:
    """Store that articles are copies of each other: (article, other with a higher id, how alike they are)."""
    connection.execute(
        "INSERT INTO news.article_links (article_id, other_id, relation, similarity, containment)"
        " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::real[], %s::real[])"
        " ON CONFLICT DO NOTHING",
        [
            [article for article, _, _ in links],
            [other for _, other, _ in links],
            [likeness.relation for _, _, likeness in links],
            [likeness.similarity for _, _, likeness in links],
            [likeness.containment for _, _, likeness in links],
        ],
    )


def unlink(connection: Connection, articles: Sequence[int]) -> None:
    """Delete the links of articles. Call `close` or `regroup` afterwards."""
    connection.execute(
        "DELETE FROM news.article_links WHERE article_id = ANY(%(ids)s) OR other_id = ANY(%(ids)s)",
        {"ids": list(articles)},
    )


def linked_with(connection: Connection, articles: Sequence[int]) -> set[int]:
    """Return the articles that are linked with any of these."""
    rows = connection.execute(
        "SELECT other_id FROM news.article_links WHERE article_id = ANY(%(ids)s)"
        " UNION SELECT article_id FROM news.article_links WHERE other_id = ANY(%(ids)s)",
        {"ids": list(articles)},
    ).fetchall()
    return {row[0] for row in rows}


def links_of(connection: Connection, articles: Iterable[int]) -> list[tuple[int, int]]:
    """Return the links of these articles, in both directions."""
    return connection.execute(
        "SELECT article_id, other_id FROM news.article_links"
        " WHERE article_id = ANY(%(ids)s) OR other_id = ANY(%(ids)s)",
        {"ids": sorted(articles)},
    ).fetchall()


def of_articles(connection: Connection, articles: Iterable[int]) -> dict[int, int]:
    """Return the story of these articles and of all that are in a story with any of them."""
    rows = connection.execute(
        "SELECT id, story_id FROM news.articles WHERE story_id IN"
        " (SELECT story_id FROM news.articles WHERE id = ANY(%s)) ORDER BY id",
        [sorted(articles)],
    ).fetchall()
    return dict(rows)


def of_stories(connection: Connection, stories: Sequence[int]) -> list[int]:
    """Return the articles of these stories; those without any are deleted."""
    connection.execute(
        "DELETE FROM news.stories s WHERE id = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM news.articles a WHERE a.story_id = s.id)",
        [list(stories)],
    )
    rows = connection.execute("SELECT id FROM news.articles WHERE story_id = ANY(%s)", [list(stories)]).fetchall()
    return [row[0] for row in rows]


def new_story(connection: Connection, first_article: int) -> int:
    """Make a story and return its number."""
    return int(
        only_value(connection, "INSERT INTO news.stories (first_article_id) VALUES (%s) RETURNING id", [first_article])
    )


def store(
    connection: Connection,
    moved: list[tuple[int, int]],
    merged: list[tuple[int, int]],
    stories: list[int],
    now: datetime,
) -> None:
    """Store which articles are in another story now, which stories have become one, and count their articles."""
    if moved:
        connection.execute(
            "UPDATE news.articles a SET story_id = moved.story_id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS moved(id, story_id) WHERE a.id = moved.id",
            [list(column) for column in zip(*moved, strict=True)],
        )
    if merged:
        # A story that begins and ends in one transaction has never been seen.
        connection.execute(
            "WITH gone AS (DELETE FROM news.stories USING unnest(%s::bigint[], %s::bigint[]) AS merged(id, into_id)"
            "              WHERE stories.id = merged.id RETURNING merged.id, merged.into_id, stories.created_at)"
            " INSERT INTO news.story_merges (story_id, into_id, merged_at)"
            " SELECT id, into_id, %s FROM gone WHERE created_at < now()",
            [*(list(column) for column in zip(*merged, strict=True)), now],
        )
    count(connection, stories)


def refresh(connection: Connection, articles: Sequence[int]) -> None:
    """Determine the first articles of stories again, after dates or addresses have changed."""
    told = connection.execute(
        "SELECT DISTINCT story_id FROM news.articles WHERE id = ANY(%s) ORDER BY story_id", [list(articles)]
    ).fetchall()
    if told:
        count(connection, [row[0] for row in told])


def count(connection: Connection, stories: Sequence[int]) -> None:
    """Bring the size and the first article of stories up to date."""
    connection.execute(
        """
        UPDATE news.stories s SET first_article_id = told.first_id, size = told.size
        FROM (SELECT story_id, count(*) AS size,
                     (array_agg(id ORDER BY published_at NULLS LAST, url COLLATE "C"))[1] AS first_id
              FROM news.articles WHERE story_id = ANY(%s) GROUP BY story_id) AS told
        WHERE s.id = told.story_id AND (s.first_article_id, s.size) IS DISTINCT FROM (told.first_id, told.size)
        """,
        [list(stories)],
    )


def count_unsigned(connection: Connection) -> int:
    """Return how many articles have no signature of this kind."""
    count = only_value(connection, f"SELECT count(*) FROM news.articles a WHERE {_UNSIGNED}", {"bands": BANDS})
    connection.rollback()
    return int(count)


def unsigned(connection: Connection, *, after: int, limit: int) -> list[tuple[int, str | None, str]]:
    """Return the next articles without a signature of this kind, above `after`: (id, title, text)."""
    return connection.execute(
        f"SELECT a.id, a.title, a.text FROM news.articles a WHERE a.id > %(last)s AND {_UNSIGNED}"
        " ORDER BY a.id LIMIT %(limit)s",
        {"last": after, "bands": BANDS, "limit": limit},
    ).fetchall()
