"""The assets that DAGs produce and wait for.

A task with an outlet updates it whenever it succeeds. Our tasks succeed every minute but only sometimes have news, so
when there is none they drop the outlet for that attempt.
"""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset, AssetWatcher

from ingest.airflow.triggers import LedgerTrigger

__all__ = ["NEWS_ARTICLES", "NEWS_ENTRIES", "update"]

_LEDGER = LedgerTrigger()  # type: ignore[no-untyped-call]
# Both are outlets of tasks, so Airflow creates them when it parses the DAGs, before anything runs. Two tasks that
# create an asset at run time, for example through an AssetAlias, can race. The loser fails without a retry: the API
# server answers 409 because a unique key is violated.
NEWS_ENTRIES = Asset("news_entries", watchers=[AssetWatcher(name="ledger", trigger=_LEDGER)])
NEWS_ARTICLES = Asset("news_articles")


def update(context: Mapping[str, Any], asset: Asset, extra: dict[str, int], *, when: object) -> None:
    """Let the success of the current task update its outlet `asset` with `extra`; without `when`, update nothing."""
    if when:
        context["outlet_events"][asset].extra = extra
    else:
        # The task object is this attempt's own copy, and Airflow reads its outlets when the attempt ends.
        task = context["task"]
        task.outlets = [outlet for outlet in task.outlets if outlet != asset]
