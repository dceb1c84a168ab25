"""An analyst's own DAG: runs when articles have landed, and reports what is new by outlet.

Copy it into the folder that `make run` names as "own DAGs", and change the query.
"""

import logging
from datetime import UTC, datetime

from airflow.sdk import DAG, Asset, task

log = logging.getLogger(__name__)

with DAG(
    dag_id="new_articles_report",
    description="Counts new articles by outlet whenever some have landed",
    schedule=[Asset("news_articles")],
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["analysis"],
    doc_md="Starts whenever the asset `news_articles` is updated. Take it as a pattern for DAGs of your own.",
) as dag:

    @task
    def report(triggering_asset_events=None):  # type: ignore[no-untyped-def]
        import psycopg

        from ingest.airflow.connection import news_database
        from ingest.config.settings import load_settings

        events = [event for of_asset in triggering_asset_events.values() for event in of_asset]
        since = min((event.timestamp for event in events), default=datetime.now(UTC))
        with news_database(load_settings()) as database, psycopg.connect(database.url) as connection:
            rows = connection.execute(
                # Events come after their articles: a run of ingest_articles takes less than ten minutes.
                "SELECT outlet, count(*) FROM news.articles WHERE landed_at >= %s - interval '10 minutes'"
                " GROUP BY outlet ORDER BY 2 DESC",
                [since],
            ).fetchall()
        for outlet, count in rows:
            log.info("%s: %d", outlet, count)
        return dict(rows)

    report()
