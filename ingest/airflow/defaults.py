"""What all DAGs have in common."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.airflow.notifier import AlertNotifier
from ingest.config.settings import Settings

__all__ = ["LONG_ATTEMPT", "START", "TAGS", "dag_defaults", "task_defaults"]

# Long past, and catchup is off: a DAG starts with the next tick after it is switched on.
START = datetime(2024, 1, 1, tzinfo=UTC)
TAGS = ["news"]
# What a task needs beyond its budget: to start, and to finish the requests and pages it has in hand.
GRACE = timedelta(minutes=5)
# An attempt of a task that goes on for as long as there is something to do; the next attempt goes on where it was.
LONG_ATTEMPT = timedelta(hours=12)


def task_defaults(settings: Settings) -> dict[str, Any]:
    """Return default_args: a task whose database is away is tried again, soon at first, then less often.

    One that fails for good is an alert.
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
    """Return the arguments that every DAG of the pipeline has."""
    return {"start_date": START, "catchup": False, "tags": TAGS, "default_args": task_defaults(settings)}
