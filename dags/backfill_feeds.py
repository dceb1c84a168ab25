"""Collects what a feed's site published in the past."""

from airflow.sdk import DAG, Param, task

from ingest.airflow.assets import NEWS_ENTRIES, update
from ingest.airflow.defaults import LONG_ATTEMPT, dag_defaults
from ingest.config.settings import load_settings

SETTINGS = load_settings()

with DAG(
    dag_id="backfill_feeds",
    dag_display_name="Backfill feeds",
    description="Finds what a feed's site published in the past",
    schedule=None,
    max_active_runs=4,
    params={
        "feed": Param(type="string", title="Feed", description="Id of the feed."),
        "since": Param(type="string", format="date", title="Since", description="First day of the period."),
        "until": Param(
            None, type=["null", "string"], format="date", title="Until", description="Day before which; empty: today."
        ),
        "sitemaps": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Sitemaps",
            description="Addresses of sitemaps to read. Empty: those that robots.txt names, and the feed's own pages.",
        ),
    },
    doc_md="""
Reads a site's dated sitemaps and the earlier pages of its feed, and puts what was published in the period into the
ledger, `news.entries`. `ingest_articles` fetches those pages when nothing newer of the same host is waiting.

- It requests one document after another from the site, with the delay that applies to every request.
- Progress is stored with each document (`news.backfill_parts`): when cleared, killed or run again with the same feed
  and period, it resumes there.
- A finished period is not walked through again.

How much is left to fetch:

    SELECT f.slug, count(*) FROM news.entries e JOIN news.feeds f ON f.id = e.feed_id
    WHERE e.status = 'discovered' AND e.priority = 2 GROUP BY 1;
""",
    **dag_defaults(SETTINGS),
) as dag:

    @task(
        outlets=[NEWS_ENTRIES],
        execution_timeout=LONG_ATTEMPT,
        doc_md="Walks to the end of the period, which may take hours. The log shows the progress.",
    )
    def walk(params=None, **context):
        from datetime import UTC, datetime

        from ingest.airflow import tasks

        since, until = (
            datetime.fromisoformat(params[name]).replace(tzinfo=UTC) if params[name] else None
            for name in ("since", "until")
        )
        counts = tasks.backfill(params["feed"], since, until, params["sitemaps"])
        update(context, NEWS_ENTRIES, counts, when=counts["new_entries"])
        return counts

    walk()
