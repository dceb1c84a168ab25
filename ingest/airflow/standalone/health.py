"""Checks whether Airflow works, by asking its API server."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx

from ingest.airflow.standalone.ports import HOST

__all__ = ["all_healthy", "answers"]

ANSWER_SECONDS = 5.0
HEALTHY = "healthy"


def answers(port: int) -> bool:
    """Return whether the API server is up: it reaches the database and accepts reports from tasks."""
    # The status code is not enough: the first endpoint always answers 200, and another program may use the port.
    return (
        _read(port, "/api/v2/monitor/health").get("metadatabase", {}).get("status") == HEALTHY
        and _read(port, "/execution/health").get("status") == HEALTHY
    )


def all_healthy(port: int, since: Mapping[str, float]) -> bool:
    """Return whether scheduler, triggerer and DAG processor are healthy, with a heartbeat later than their start.

    `since` holds the start times by name, as Unix times. Without it, a recent heartbeat left by a run that was killed
    could be mistaken for one of this run.
    """
    body = _read(port, "/api/v2/monitor/health")
    return all(
        _healthy_since(body.get(name, {}), f"latest_{name}_heartbeat", since[name.replace("_", "-")])
        for name in ("scheduler", "triggerer", "dag_processor")
    )


def _healthy_since(part: Mapping[str, Any], key: str, since: float) -> bool:
    with suppress(ValueError, TypeError, KeyError):
        return part["status"] == HEALTHY and datetime.fromisoformat(part[key]).timestamp() >= since
    return False


def _read(port: int, path: str) -> dict[str, Any]:
    """Return the JSON object at `path`, or an empty one."""
    with suppress(httpx.HTTPError, ValueError):
        body = httpx.get(f"http://{HOST}:{port}{path}", timeout=ANSWER_SECONDS, trust_env=False).json()
        if isinstance(body, dict):
            return body
    return {}
