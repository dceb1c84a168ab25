"""Defaults shared by all DAGs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.airflow.notifier import AlertNotifier
from ingest.config.settings import Settings

__all__ = ["LONG_ATTEMPT", "START", "TAGS", "dag_defaults", "task_defaults"]

# Long past, with catchup off: a DAG starts at the next tick after it is switched on.
START = datetime(2024, 1, 1, tzinfo=UTC)
TAGS = ["news"]
# Time a task needs beyond its budget, to start and to finish the requests and pages it is working on.
GRACE = timedelta(minutes=5)
# Limit for a task that runs as long as there is work. The next attempt resumes where this one stopped.
LONG_ATTEMPT = timedelta(hours=12)


def task_defaults(settings: Settings) -> dict[str, Any]:
    """Return default_args: a task that cannot reach its database is retried with exponential backoff.

    A task that fails for good sends an alert.
    """
    return {
        "owner": "news",
        "retries": 4,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=5),
        "on_failure_callback": AlertNotifier(webhook=settings.alert_webhook),
        "execution_timeout": timedelta(seconds=settings.task_seconds) + GRACE,
    }


def dag_defaults(settings: Settings) -> dict[str, Any]:
    """Return the arguments that all DAGs of the pipeline share."""
    return {"start_date": START, "catchup": False, "tags": TAGS, "default_args": task_defaults(settings)}
