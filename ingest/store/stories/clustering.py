"""Decide which articles form one story.

Articles that are copies of each other are linked, and what is linked, over any number of links, is one story. Whether
texts are linked depends on the two alone, so stories are the same in whatever order articles come and however many
sessions land them, as long as a text has fewer than MOST_CANDIDATES others that are nearly as much like it; the number
of a story is that of the oldest of those that have become one.

Callers hold `lock` from the beginning of their transaction: of two copies that land in the same moment, one sees the
other.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from db import Connection
from ingest.store.stories import tables
from ingest.store.stories.texts import keys, openings, texts
from ingest.text.folding import fold
from ingest.text.similarity import Comparable, compare, containment_needed

__all__ = ["catch_up", "close", "join", "regroup"]

AT_ONCE = 500


def join(connection: Connection, new: Mapping[int, Comparable], now: datetime) -> None:
    """Link new or changed articles, by id, with their copies, and bring the stories up to date."""
    if not new:
        return
    before = tables.linked_with(connection, list(new))
    if before:
        tables.unlink(connection, list(new))
    linked = _link(connection, new)
    if linked or before:
        regroup(connection, linked | before | (new.keys() if before else set()), now)


def _link(connection: Connection, new: Mapping[int, Comparable]) -> set[int]:
    """Link articles with their copies among those that have signatures; returns all that are in new links."""
    tables.sign(connection, {article: comparable.bands for article, comparable in new.items()})
    candidates = sorted({(min(pair), max(pair)) for pair in tables.candidates(connection, list(new))})
    key = keys(connection, {article for pair in candidates for article in pair} | new.keys())
    opening = openings(connection, key, new)
    # Most candidates open in another way, and the rest of their texts need not be read.
    pairs = [pair for pair in candidates if containment_needed(*map(opening.__getitem__, pair)) is not None]
    old = {article: key[article] for pair in pairs for article in pair if article not in new}
    text = dict(new) | texts(connection, old)
    found = [(one, other, compare(text[one], text[other])) for one, other in pairs]
    links = [(one, other, likeness) for one, other, likeness in found if likeness is not None]
    if links:
        tables.link(connection, links)
    return {article for one, other, _ in links for article in (one, other)}


def close(connection: Connection, stories: Sequence[int], now: datetime) -> None:
    """Update stories that have lost articles, and delete those without any."""
    regroup(connection, tables.of_stories(connection, stories), now)


def regroup(connection: Connection, articles: Iterable[int], now: datetime) -> None:
    """Bring the stories of these articles, and of all that were or are one with them, in line with the links."""
    story_of = tables.of_articles(connection, articles)
    if not story_of:
        return
    links = _follow_links(connection, story_of)
    taken: set[int] = set()
    moved: list[tuple[int, int]] = []
    for group in sorted(connected(story_of, links), key=min):
        free = sorted({story_of[article] for article in group} - taken)
        story = free[0] if free else tables.new_story(connection, min(group))
        taken.add(story)
        moved += [(article, story) for article in group if story_of[article] != story]
    merged = []
    for story in sorted(set(story_of.values()) - taken):
        # All of its articles have gone to the same one: stories only end by becoming one with others.
        into = next(new for article, new in moved if story_of[article] == story)
        merged.append((story, into))
    tables.store(connection, moved, merged, sorted(taken), now)


def _follow_links(connection: Connection, story_of: dict[int, int]) -> dict[int, set[int]]:
    """Return all links of articles, and of those they lead to. Adds these, and what is one with them, to `story_of`."""
    links: dict[int, set[int]] = defaultdict(set)
    waiting, seen = set(story_of), set[int]()
    while waiting:
        rows = tables.links_of(connection, waiting)
        seen |= waiting
        for one, other in rows:
            links[one].add(other)
            links[other].add(one)
        waiting = {article for row in rows for article in row} - seen
        if waiting:
            reached = tables.of_articles(connection, waiting)
            story_of |= reached
            waiting = reached.keys() - seen
    return links


def connected(articles: Collection[int], links: Mapping[int, Collection[int]]) -> list[set[int]]:
    """Return the connected components of the articles. Pure."""
    groups = []
    left = set(articles)
    while left:
        group, edge = set[int](), {left.pop()}
        while edge:
            article = edge.pop()
            group.add(article)
            edge |= set(links.get(article, ())) - group
        left -= group
        groups.append(group)
    return groups


def catch_up(connection: Connection, now: datetime, say: Callable[[int], None] = lambda _done: None) -> int:
    """Give articles without a signature of this kind one, and links; returns how many. Links that are there stay.

    Commits as it goes, so that what is interrupted goes on from there; `say` is told how many are done.
    """
    done = last = 0
    while True:
        tables.lock(connection)
        # What was signed is passed over by its number: looking at all of it again for each batch would take hours.
        rows = tables.unsigned(connection, after=last, limit=AT_ONCE)
        linked = _link(connection, {article: Comparable(title, fold(text)) for article, title, text in rows})
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
