"""The Airflow plugin that adds the news page to the menu. Airflow finds it through the entry point `airflow.plugins`.

Airflow loads plugins in every process, including those of tasks, but only the API server needs the page. So this
module imports nothing of the page, and creates it at the first request.
"""

import threading
from typing import Any

from airflow.plugins_manager import AirflowPlugin

__all__ = ["NewsPlugin"]

PREFIX = "/news"


class LazyApp:
    """An ASGI application (ASGI specification 3.0) that is created when it is first called."""

    def __init__(self) -> None:
        self._app: Any = None
        self._making = threading.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self._making:
            if self._app is None:
                from ingest.airflow.news_page import create_app

                self._app = create_app()
        await self._app(scope, receive, send)


class NewsPlugin(AirflowPlugin):
    """The page "News" of the Airflow UI."""

    name = "news"
    fastapi_apps: list[Any] = [{"app": LazyApp(), "url_prefix": PREFIX, "name": "News"}]  # noqa: RUF012 - as the base
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "News",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "news",
            "icon": f"{PREFIX}/static/icon.svg",
            "icon_dark_mode": f"{PREFIX}/static/icon_dark.svg",
        }
    ]
