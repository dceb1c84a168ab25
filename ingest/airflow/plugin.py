"""Airflow's plugin: puts the news page into its menu. Found through the entry point `airflow.plugins`."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from ingest.airflow.news_page import PREFIX, create_app

__all__ = ["NewsPlugin"]


class NewsPlugin(AirflowPlugin):
    """The page "News" of the Airflow UI."""

    name = "news"
    fastapi_apps: list[Any] = [{"app": create_app(), "url_prefix": PREFIX, "name": "News"}]  # noqa: RUF012 - as in the base class
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
