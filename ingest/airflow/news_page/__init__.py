"""The news page: shows logged-in users the health of feeds, the outcomes of their entries, and landed articles."""

from ingest.airflow.news_page.app import create_app

__all__ = ["create_app"]
