"""The tables `articles`, `article_revisions`, `sightings` and `article_topics`: what analysts read."""

from ingest.store.articles.changes import add_sightings, correct, insert, move, revise, settle_search, withdraw
from ingest.store.articles.crediting import elect, prefer_own_feed, settle_twins
from ingest.store.articles.landing import Landing
from ingest.store.articles.present import Place, Present, lock, of_entries, of_pages
from ingest.store.articles.reading import (
    CHOSEN,
    Chosen,
    Spellings,
    bound,
    count_and_last,
    count_chosen,
    delays,
    newest,
    per_day,
    search,
    search_count,
    spellings,
    streamed,
    topics_and_outlets,
)
from ingest.store.articles.topics import set_topics

__all__ = [
    "CHOSEN",
    "Chosen",
    "Landing",
    "Place",
    "Present",
    "Spellings",
    "add_sightings",
    "bound",
    "correct",
    "count_and_last",
    "count_chosen",
    "delays",
    "elect",
    "insert",
    "lock",
    "move",
    "newest",
    "of_entries",
    "of_pages",
    "per_day",
    "prefer_own_feed",
    "revise",
    "search",
    "search_count",
    "set_topics",
    "settle_search",
    "settle_twins",
    "spellings",
    "streamed",
    "topics_and_outlets",
    "withdraw",
]
