"""Texts of articles to compare, with a cache of those that were compared lately."""

from collections.abc import Mapping

from cachetools import LRUCache

from db import Connection
from ingest.text.folding import fold
from ingest.text.similarity import LEAD_WITHIN, Comparable, Opening

__all__ = ["Key", "keys", "openings", "texts"]

# Characters that hold LEAD_WITHIN words, nearly always.
BEGINNING = 800
# Texts that are kept in memory, some 20 kB each.
REMEMBERED = 2000
# An article as it is now: its number, the hash of its text, its title.
Key = tuple[int, str, str | None]
# Texts that were compared lately are likely to be compared again: news comes in waves.
_recent: LRUCache[Key, Comparable] = LRUCache(REMEMBERED)


def keys(connection: Connection, articles: set[int]) -> dict[int, Key]:
    """Return the keys of articles in the cache, by id."""
    rows = connection.execute(
        "SELECT id, content_hash, title FROM news.articles WHERE id = ANY(%s)", [sorted(articles)]
    ).fetchall()
    return {row[0]: row for row in rows}


def openings(connection: Connection, keys: Mapping[int, Key], new: Mapping[int, Comparable]) -> dict[int, Opening]:
    """Return the openings of articles, or their whole texts where those are in memory."""
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
    return known | texts(connection, {article: keys[article] for article in missing - known.keys()})


def texts(connection: Connection, keys: Mapping[int, Key]) -> dict[int, Comparable]:
    """Return the whole texts of articles."""
    known = {article: _recent[key] for article, key in keys.items() if key in _recent}
    rows = connection.execute(
        "SELECT id, text FROM news.articles WHERE id = ANY(%s)", [list(keys.keys() - known.keys())]
    ).fetchall()
    for article, text in rows:
        known[article] = _remember(keys[article], Comparable(keys[article][2], fold(text)))
    return known


def _remember(key: Key, comparable: Comparable) -> Comparable:
    _recent[key] = comparable
    return comparable
