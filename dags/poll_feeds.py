"""Polls the feeds that are due."""

from airflow.sdk import DAG, Param, task

from ingest.airflow.assets import NEWS_ENTRIES, update
from ingest.airflow.defaults import dag_defaults
from ingest.config.settings import load_settings

SETTINGS = load_settings()

with DAG(
    dag_id="poll_feeds",
    dag_display_name="Poll feeds",
    description="Asks the feeds that are due for new entries",
    schedule=SETTINGS.poll_schedule,
    max_active_runs=1,
    params={
        "feeds": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Feeds",
            description="Ids of feeds to poll now, due or not. Empty: those that are due.",
        )
    },
    doc_md="""
Brings the table `news.feeds` in line with `feeds.yaml`, then polls the feeds that are due and puts new entries into the
ledger, `news.entries`.

- A feed that fails does not fail the task: it is a warning in the log, the page **News** shows it, and it is retried
  at growing intervals, up to a day.
- A mistake in `feeds.yaml` stops nothing: the last good file is used, and an alert names the line until it is fixed.
- The asset `news_entries` is updated only if there is something new, or something is due that nobody works on.

To poll a feed at once, trigger the DAG with its id.
""",
    **dag_defaults(SETTINGS),
) as dag:

    @task(
        outlets=[NEWS_ENTRIES],
        doc_md="Polls within the time budget. The log has one line per feed, and the counts at the end.",
    )
    def poll(params=None, **context):
        from ingest.airflow import tasks

        counts = tasks.poll(params["feeds"], context)
        update(context, NEWS_ENTRIES, counts, when=counts["new_entries"] or counts["neglected"])
        return counts

    poll()
