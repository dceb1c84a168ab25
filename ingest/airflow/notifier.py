"""Alerts: what somebody should know who is not looking."""

import logging
from typing import Any

from airflow.sdk import BaseNotifier

__all__ = ["AlertNotifier"]

log = logging.getLogger(__name__)

POST_SECONDS = 10


class AlertNotifier(BaseNotifier):
    """Logs a text as a warning and, where NEWS_ALERT_WEBHOOK names an address, posts it there.

    The body is JSON with one key, `text`, as Slack, Mattermost, Rocket.Chat and Google Chat take it. An address that
    cannot be reached is logged and changes nothing else.
    """

    template_fields = ("text",)

    def __init__(self, text: str, webhook: str | None = None) -> None:
        super().__init__()
        self.text = text
        self._webhook = webhook

    def notify(self, context: Any) -> None:  # noqa: ARG002
        """Send the text."""
        log.warning("%s", self.text)
        if self._webhook is None:
            return
        import httpx

        try:
            answer = httpx.post(self._webhook, json={"text": self.text}, timeout=POST_SECONDS)
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            log.error("the alert was not delivered: NEWS_ALERT_WEBHOOK answered %d", error.response.status_code)
        except httpx.HTTPError as error:
            # The address may hold a token: the error is named, not quoted.
            log.error("the alert was not delivered: NEWS_ALERT_WEBHOOK: %s", type(error).__name__)
