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

- `delete_old` deletes pages older than `NEWS_KEEP_PAGES_DAYS` and poll records older than `NEWS_KEEP_POLLS_DAYS`, whole
  months at once. The ledger and the articles stay forever.
- `delete_logs` deletes task logs older than `NEWS_KEEP_LOGS_DAYS`.
- `prepare` creates the partitions of the coming months, and refreshes the query planner's statistics.
- `check_feeds` sends an alert that lists the feeds that have brought nothing new for longer than their own rhythm
  explains. It goes to the log and, if `NEWS_ALERT_WEBHOOK` is set, to a chat room.
""",
    **dag_defaults(SETTINGS),
) as dag:

    @task(doc_md="Deletes pages and poll records that have outlived the retention time in the settings.")
    def delete_old():
        from ingest.airflow import tasks

        return tasks.delete_old()

    @task(doc_md="Deletes the logs of tasks that are older than NEWS_KEEP_LOGS_DAYS.")
    def delete_logs():
        from ingest.airflow import task_logs

        return task_logs.delete_old_logs()

    @task(doc_md="Creates the partitions of the coming months and refreshes the planner's statistics.")
    def prepare():
        from ingest.airflow import tasks

        return tasks.prepare()

    @task(doc_md="Sends an alert that lists the feeds that have gone silent. Returns them with the reason for each.")
    def check_feeds(**context):
        from ingest.airflow import tasks

        return tasks.check_feeds(context)

    delete_old() >> prepare()
    delete_logs()
    check_feeds()
