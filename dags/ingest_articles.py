"""Fetches, extracts and lands what is due in the ledger."""

from airflow.sdk import DAG, task

from ingest.airflow.assets import NEWS_ARTICLES, NEWS_ENTRIES, update
from ingest.airflow.defaults import dag_defaults
from ingest.config.settings import load_settings

SETTINGS = load_settings()

with DAG(
    dag_id="ingest_articles",
    dag_display_name="Ingest articles",
    description="Fetches, extracts and lands the entries that are due",
    # The database announces entries that are new or due again. If nobody hears it, `poll_feeds` does within a minute.
    schedule=[NEWS_ENTRIES],
    # A second run takes entries that arrive while the first one waits for its last pages.
    max_active_runs=2,
    doc_md="""
Takes whatever is due in the ledger, `news.entries`, and ends when nothing is due any more or the time budget
(`NEWS_TASK_SECONDS`) is used up. It starts when the asset `news_entries` is updated: directly by the database, when
entries arrive in any way or are due for a retry, and by `poll_feeds`.

The three stages **work at the same time** and pass work on through the ledger, so a slow host delays only its own
pages. The arrows show the path of an article, not the order of the tasks.

Nothing is lost when a task fails or is killed, and every task may be cleared and run again at any time. Pages that
fail are retried later. The outcome of an entry, and the reason for it, is in `news.entries.status` and `reason`.
""",
    **dag_defaults(SETTINGS),
) as dag:

    @task(
        trigger_rule="always",
        doc_md="Fetches the pages of its share of the hosts, each at its own pace and as its robots.txt allows.",
    )
    def fetch(shard):
        from ingest.airflow import tasks

        return tasks.fetch(shard, SETTINGS.fetch_tasks)

    @task(trigger_rule="always", doc_md="Extracts articles from fetched pages, in worker processes.")
    def extract(worker):  # noqa: ARG001 - only tells apart the tasks that share the work
        from ingest.airflow import tasks

        return tasks.extract()

    @task(
        trigger_rule="always",
        outlets=[NEWS_ARTICLES],
        doc_md="Lands documents on a topic, each text once. Updates the asset `news_articles` when something landed.",
    )
    def land(**context):
        from ingest.airflow import tasks

        counts = tasks.land()
        update(context, NEWS_ARTICLES, counts, when=counts["landed"])
        return counts

    @task(doc_md="Wakes the next run if the time budget left something undone. The run fails if a stage failed.")
    def hand_over():
        from ingest.airflow import tasks

        return tasks.hand_over()

    fetched = fetch.expand(shard=list(range(SETTINGS.fetch_tasks)))
    extracted = extract.expand(worker=list(range(SETTINGS.extract_tasks)))
    landed = land()
    fetched >> extracted >> landed
    [fetched, extracted, landed] >> hand_over()
