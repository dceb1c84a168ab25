"""The assets that DAGs produce and wait for.

A task with an outlet updates it whenever it succeeds. Ours succeed every minute and have something to tell now and
then, so they give up their outlet for the attempt when there is nothing to tell.
"""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset, AssetWatcher

from ingest.airflow.triggers import LedgerTrigger

__all__ = ["NEWS_ARTICLES", "NEWS_ENTRIES", "update"]

_LEDGER = LedgerTrigger()  # type: ignore[no-untyped-call]
# Both are outlets of tasks, so Airflow makes them when it reads the DAGs, before anything runs. An asset that tasks
# make at run time, as through an AssetAlias, is made twice by two tasks at once, and the second one fails without a
# retry: the API server answers 409 to the violated key.
NEWS_ENTRIES = Asset("news_entries", watchers=[AssetWatcher(name="ledger", trigger=_LEDGER)])
NEWS_ARTICLES = Asset("news_articles")


def update(context: Mapping[str, Any], asset: Asset, extra: dict[str, int], *, when: object) -> None:
    """In a task with `asset` as its outlet: let its success update the asset with `extra`, or update nothing."""
    if when:
        context["outlet_events"][asset].extra = extra
    else:
        # The task is this attempt's own copy, and what it says at its end is what counts.
        task = context["task"]
        task.outlets = [outlet for outlet in task.outlets if outlet != asset]
