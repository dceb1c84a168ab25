"""The tables `feeds` and `feed_polls`: the feeds, their polling state, and their polls."""

from ingest.store.feeds.claims import claim, due, give_back, make_due, next_poll_at, postpone, state
from ingest.store.feeds.configured import import_feed, sync
from ingest.store.feeds.polls import save_polls, save_push
from ingest.store.feeds.state import ADOPT_AFTER_POLLS, FeedState, PollRecord
from ingest.store.feeds.statistics import (
    Answers,
    answers_since_new,
    finds_in_earlier_weeks,
    health_rows,
    rhythms,
)

__all__ = [
    "ADOPT_AFTER_POLLS",
    "Answers",
    "FeedState",
    "PollRecord",
    "answers_since_new",
    "claim",
    "due",
    "finds_in_earlier_weeks",
    "give_back",
    "health_rows",
    "import_feed",
    "make_due",
    "next_poll_at",
    "postpone",
    "rhythms",
    "save_polls",
    "save_push",
    "state",
    "sync",
]
