"""The tables `stories`, `story_merges`, `article_links` and `article_signatures`: copies of a text, edited or not.

Articles that are copies of each other are linked, and what is linked, over any number of links, is one story. Whether
texts are linked depends on the two alone, so stories are the same in whatever order articles come and however many
sessions land them, as long as a text has fewer than MOST_CANDIDATES others that are nearly as much like it; the number
of a story is that of the oldest of those that have become one.

Callers hold `lock` from the beginning of their transaction: of two copies that land in the same moment, one sees the
other.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import LiteralString

from db import Connection
from ingest.text.folding import fold
from ingest.text.similarity import BANDS, LEAD_WITHIN, Comparable, Opening, compare, containment_needed

__all__ = ["catch_up", "close", "count_unsigned", "forget", "lock", "refresh", "regroup", "take_in"]

# The texts most like a new one, by common bands, that it is compared with. Of a template there may be thousands.
MOST_CANDIDATES = 30
AT_ONCE = 500
# Characters that hold LEAD_WITHIN words, nearly always.
BEGINNING = 800
# Texts that are kept in memory, some 20 kB each.
REMEMBERED = 2000
# Signatures of another kind, by earlier versions, have another number of bands; those of short texts have none.
_UNSIGNED: LiteralString = """NOT EXISTS (
    SELECT FROM news.article_signatures s WHERE s.article_id = a.id AND cardinality(s.bands) IN (0, %(bands)s)
)"""


def lock(connection: Connection) -> None:
    """Keep other sessions from linking articles until the transaction ends."""
    # A row, as everybody may take advisory locks, readers too.
    connection.execute("SELECT FROM news.locks WHERE name = 'stories' FOR UPDATE")


def take_in(connection: Connection, new: dict[int, Comparable], now: datetime) -> None:
    """Link new or changed articles, by id, with their copies, and bring the stories up to date."""
    if not new:
        return
    before = _neighbours(connection, list(new))
    if before:
        forget(connection, list(new))
    linked = _link(connection, new)
    if linked or before:
        regroup(connection, linked | before | (new.keys() if before else set()), now)


def _link(connection: Connection, new: dict[int, Comparable]) -> set[int]:
    """Link articles with their copies among those that have signatures; returns all that are in new links."""
    connection.execute(
        "INSERT INTO news.article_signatures (article_id, bands)"
        " SELECT id, bands::int[] FROM unnest(%s::bigint[], %s::text[]) AS new(id, bands)"
        " ON CONFLICT (article_id) DO UPDATE SET bands = excluded.bands",
        # As text: there are no arrays of arrays that differ in length.
        [list(new), [f"{{{','.join(map(str, comparable.bands))}}}" for comparable in new.values()]],
    )
    candidates = sorted({(min(pair), max(pair)) for pair in _candidates(connection, list(new))})
    keys = _keys(connection, {article for pair in candidates for article in pair} | new.keys())
    openings = _openings(connection, keys, new)
    # Most candidates open in another way, and the rest of their texts need not be read.
    pairs = [pair for pair in candidates if containment_needed(*map(openings.__getitem__, pair)) is not None]
    old = {article: keys[article] for pair in pairs for article in pair if article not in new}
    texts = new | _texts(connection, old)
    links = []
    for one, other in pairs:
        likeness = compare(texts[one], texts[other])
        if likeness is not None:
            links.append((one, other, likeness))
    if links:
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
    return {article for pair in links for article in pair[:2]}


def forget(connection: Connection, articles: Sequence[int]) -> None:
    """Take the links of articles away; `close` or `regroup` comes after."""
    connection.execute(
        "DELETE FROM news.article_links WHERE article_id = ANY(%(ids)s) OR other_id = ANY(%(ids)s)",
        {"ids": list(articles)},
    )


def close(connection: Connection, stories: Sequence[int], now: datetime) -> None:
    """Bring stories that have lost articles up to date; those without any are deleted."""
    connection.execute(
        "DELETE FROM news.stories s WHERE id = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM news.articles a WHERE a.story_id = s.id)",
        [list(stories)],
    )
    left = connection.execute("SELECT id FROM news.articles WHERE story_id = ANY(%s)", [list(stories)]).fetchall()
    regroup(connection, [row[0] for row in left], now)


def regroup(connection: Connection, articles: Iterable[int], now: datetime) -> None:
    """Bring the stories of these articles, and of all that were or are one with them, in line with the links."""
    told = connection.execute(
        "SELECT id, story_id FROM news.articles WHERE story_id IN"
        " (SELECT story_id FROM news.articles WHERE id = ANY(%s)) ORDER BY id",
        [sorted(articles)],
    ).fetchall()
    story_of: dict[int, int] = dict(told)
    if not story_of:
        return
    groups = _groups(connection, story_of)
    taken: set[int] = set()
    moved: list[tuple[int, int]] = []
    merged: list[tuple[int, int]] = []
    for group in sorted(groups, key=min):
        former = sorted({story_of[article] for article in group})
        free = [story for story in former if story not in taken]
        story = free[0] if free else _new_story(connection, min(group))
        taken.add(story)
        moved += [(article, story) for article in group if story_of[article] != story]
    for story in sorted(set(story_of.values()) - taken):
        # All of its articles have gone to the same one: stories only end by becoming one with others.
        into = next(new for article, new in moved if story_of[article] == story)
        merged.append((story, into))
    _store(connection, moved, merged, sorted(taken), now)


def count_unsigned(connection: Connection) -> int:
    """Return how many articles have no signature of this kind."""
    row = connection.execute(f"SELECT count(*) FROM news.articles a WHERE {_UNSIGNED}", {"bands": BANDS}).fetchone()
    connection.rollback()
    assert row is not None
    return int(row[0])


def catch_up(connection: Connection, now: datetime, say: Callable[[int], None] = lambda _done: None) -> int:
    """Give articles without a signature of this kind one, and links; returns how many. Links that are there stay.

    Commits as it goes, so that what is interrupted goes on from there; `say` is told how many are done.
    """
    done = last = 0
    while True:
        lock(connection)
        # What was signed is passed over by its number: looking at all of it again for each batch would take hours.
        rows = connection.execute(
            f"SELECT a.id, a.title, a.text FROM news.articles a WHERE a.id > %(last)s AND {_UNSIGNED}"
            " ORDER BY a.id LIMIT %(limit)s",
            {"last": last, "bands": BANDS, "limit": AT_ONCE},
        ).fetchall()
        linked = _link(connection, {row[0]: Comparable(row[1], fold(row[2])) for row in rows})
        if linked:
            regroup(connection, linked, now)
        connection.commit()
        done += len(rows)
        say(done)
        if len(rows) == AT_ONCE:
            last = rows[-1][0]
        elif last:
            # Some of those that were passed over may have been changed meanwhile.
            last = 0
        else:
            return done


def _neighbours(connection: Connection, articles: Sequence[int]) -> set[int]:
    rows = connection.execute(
        "SELECT other_id FROM news.article_links WHERE article_id = ANY(%(ids)s)"
        " UNION SELECT article_id FROM news.article_links WHERE other_id = ANY(%(ids)s)",
        {"ids": list(articles)},
    ).fetchall()
    return {row[0] for row in rows}


def _candidates(connection: Connection, articles: Sequence[int]) -> list[tuple[int, int]]:
    """The articles that share most bands with each of these: (article, other)."""
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


# An article as it is now: its number, the hash of its text, its title.
_Key = tuple[int, str, str | None]
# Texts that were compared lately are likely to be compared again: news comes in waves.
_recent: "OrderedDict[_Key, Comparable]" = OrderedDict()


def _keys(connection: Connection, articles: set[int]) -> dict[int, _Key]:
    rows = connection.execute(
        "SELECT id, content_hash, title FROM news.articles WHERE id = ANY(%s)", [sorted(articles)]
    ).fetchall()
    return {row[0]: row for row in rows}


def _openings(connection: Connection, keys: dict[int, _Key], new: dict[int, Comparable]) -> dict[int, Opening]:
    """How articles begin: their whole texts where those are at hand, as they are of new ones."""
    known: dict[int, Opening] = {}
    for article, key in keys.items():
        if comparable := new.get(article) or _recent.get(key):
            known[article] = _remember(key, comparable)
    missing = keys.keys() - known.keys()
    rows = connection.execute(
        "SELECT id, left(text, %s) FROM news.articles WHERE id = ANY(%s)", [BEGINNING, list(missing)]
    ).fetchall()
    for article, beginning in rows:
        # Of what goes on, the last word may be a part of one.
        words = fold(beginning).split()[:-1][:LEAD_WITHIN]
        if len(words) == LEAD_WITHIN:
            known[article] = Opening(keys[article][2], words)
    return known | _texts(connection, {article: keys[article] for article in missing - known.keys()})


def _texts(connection: Connection, keys: dict[int, _Key]) -> dict[int, Comparable]:
    """The whole texts of articles."""
    known = {article: _recent[key] for article, key in keys.items() if key in _recent}
    rows = connection.execute(
        "SELECT id, text FROM news.articles WHERE id = ANY(%s)", [list(keys.keys() - known.keys())]
    ).fetchall()
    for article, text in rows:
        known[article] = _remember(keys[article], Comparable(keys[article][2], fold(text)))
    return known


def _remember(key: _Key, comparable: Comparable) -> Comparable:
    _recent[key] = comparable
    _recent.move_to_end(key)
    while len(_recent) > REMEMBERED:
        _recent.popitem(last=False)
    return comparable


def _groups(connection: Connection, story_of: dict[int, int]) -> list[set[int]]:
    """The articles, and what they are linked with, by what is connected."""
    links: dict[int, set[int]] = defaultdict(set)
    waiting = set(story_of)
    seen: set[int] = set()
    while waiting:
        rows = connection.execute(
            "SELECT article_id, other_id FROM news.article_links"
            " WHERE article_id = ANY(%(ids)s) OR other_id = ANY(%(ids)s)",
            {"ids": sorted(waiting)},
        ).fetchall()
        seen |= waiting
        for article, other in rows:
            links[article].add(other)
            links[other].add(article)
        waiting = {article for row in rows for article in row} - seen
        if waiting:
            found = connection.execute(
                "SELECT id, story_id FROM news.articles WHERE story_id IN"
                " (SELECT story_id FROM news.articles WHERE id = ANY(%s))",
                [sorted(waiting)],
            ).fetchall()
            story_of.update(found)
            waiting = {row[0] for row in found} - seen
    groups = []
    left = set(story_of)
    while left:
        group, edge = set[int](), {left.pop()}
        while edge:
            article = edge.pop()
            group.add(article)
            edge |= links[article] - group
        left -= group
        groups.append(group)
    return groups


def _new_story(connection: Connection, first_article: int) -> int:
    row = connection.execute(
        "INSERT INTO news.stories (first_article_id) VALUES (%s) RETURNING id", [first_article]
    ).fetchone()
    assert row is not None
    return int(row[0])


def _store(
    connection: Connection,
    moved: list[tuple[int, int]],
    merged: list[tuple[int, int]],
    stories: list[int],
    now: datetime,
) -> None:
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
    _count(connection, stories)


def refresh(connection: Connection, articles: Sequence[int]) -> None:
    """Say anew which articles were the first of their stories, after dates or addresses of some have changed."""
    told = connection.execute(
        "SELECT DISTINCT story_id FROM news.articles WHERE id = ANY(%s) ORDER BY story_id", [list(articles)]
    ).fetchall()
    if told:
        _count(connection, [row[0] for row in told])


def _count(connection: Connection, stories: Sequence[int]) -> None:
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
