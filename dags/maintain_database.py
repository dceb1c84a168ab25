"""Keeps the database in shape and watches the feeds."""

from airflow.sdk import DAG, CronTriggerTimetable, task

from ingest.airflow.defaults import dag_defaults
from ingest.config.settings import load_settings

SETTINGS = load_settings()

with DAG(
    dag_id="maintain_database",
    dag_display_name="Maintain database",
    description="Deletes what is old, prepares the months ahead, and names feeds that have gone silent",
    schedule=CronTriggerTimetable("20 3 * * *", timezone="UTC"),
    max_active_runs=1,
    doc_md="""
Once a day:

- `delete_old`: pages older than `NEWS_KEEP_PAGES_DAYS` and records of polls older than `NEWS_KEEP_POLLS_DAYS` go,
  whole months at once. The ledger and the articles stay for ever.
- `delete_logs`: logs of tasks older than `NEWS_KEEP_LOGS_DAYS`.
- `prepare`: the partitions of the coming months, and fresh statistics for the query planner.
- `check_feeds`: an alert that names the feeds that have brought nothing new for longer than their own rhythm
  explains, in the log and, where `NEWS_ALERT_WEBHOOK` is set, in a chat room.
""",
    **dag_defaults(SETTINGS),
) as dag:

    @task(doc_md="Deletes pages and records of polls that are older than the settings keep them.")
    def delete_old():
        from ingest.airflow import tasks

        return tasks.delete_old()

    @task(doc_md="Deletes the logs of tasks that are older than NEWS_KEEP_LOGS_DAYS.")
    def delete_logs():
        from ingest.airflow import task_logs

        return task_logs.delete_old_logs()

    @task(doc_md="Makes the partitions of the months ahead and refreshes the planner's statistics.")
    def prepare():
        from ingest.airflow import tasks

        return tasks.prepare()

    @task(doc_md="Sends an alert that names the feeds that have gone silent. Returns them, with what is known.")
    def check_feeds(**context):
        from ingest.airflow import tasks

        return tasks.check_feeds(context)

    delete_old() >> prepare()
    delete_logs()
    check_feeds()
