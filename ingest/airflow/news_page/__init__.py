"""The news page: how the feeds do, what became of their entries, and what landed, for those who are logged in."""

from ingest.airflow.news_page.app import create_app

__all__ = ["create_app"]
