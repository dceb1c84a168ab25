"""The assets that DAGs produce and wait for.

A task with an outlet updates it whenever it succeeds. Ours succeed every minute and have something to tell now and
then, so their outlet is an alias, through which they update the asset only when there is something.
"""

from airflow.sdk import Asset, AssetAlias, AssetWatcher

from ingest.airflow.triggers import LedgerTrigger

__all__ = ["FOUND_ENTRIES", "LANDED_ARTICLES", "NEWS_ARTICLES", "NEWS_ENTRIES"]

_LEDGER = LedgerTrigger()  # type: ignore[no-untyped-call]
NEWS_ENTRIES = Asset("news_entries", watchers=[AssetWatcher(name="ledger", trigger=_LEDGER)])
NEWS_ARTICLES = Asset("news_articles")

FOUND_ENTRIES = AssetAlias("found_entries")
LANDED_ARTICLES = AssetAlias("landed_articles")
