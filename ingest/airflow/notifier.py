"""Sends alerts to people who are not watching the logs."""

import logging
from typing import Any

from airflow.sdk import BaseNotifier

__all__ = ["AlertNotifier"]

log = logging.getLogger(__name__)

POST_SECONDS = 10


class AlertNotifier(BaseNotifier):
    """Logs a text as a warning and, if NEWS_ALERT_WEBHOOK is set, posts it to that address.

    Without a text, as the callback of a failed task, it reports which task failed and why. The body is JSON with one
    key, `text`, which Slack, Mattermost, Rocket.Chat and Google Chat accept. If the address cannot be reached, that is
    logged and has no other effect.
    """

    # Empty: texts quote what servers say, and a template in them could ask for passwords.
    template_fields = ()

    def __init__(self, text: str | None = None, webhook: str | None = None) -> None:
        super().__init__()
        self.text = text
        self._webhook = webhook

    def notify(self, context: Any) -> None:
        """Send the text."""
        text = self.text if self.text is not None else _failure(context)
        log.warning("%s", text)
        if self._webhook is None:
            return
        import httpx

        try:
            answer = httpx.post(self._webhook, json={"text": text}, timeout=POST_SECONDS)
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            log.error("the alert was not delivered: NEWS_ALERT_WEBHOOK answered %d", error.response.status_code)
        except httpx.HTTPError as error:
            # The error may quote the address, which may hold a token, so log only the error's type.
            log.error("the alert was not delivered: NEWS_ALERT_WEBHOOK: %s", type(error).__name__)


def _failure(context: Any) -> str:
    """Return the name of the failed task, its run, and why it failed."""
    task = context.get("task_instance") or context.get("ti")
    name = f"{task.dag_id}.{task.task_id}" if task is not None else "a task"
    run = f" of the run {task.run_id}" if task is not None else ""
    error = context.get("exception")
    why = f": {type(error).__name__}: {error}" if isinstance(error, BaseException) else f": {error}" if error else ""
    return f"{name}{run} failed{why}"
