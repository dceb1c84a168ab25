"""Finds the news database for Airflow: from its connection `news_db`, else from the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlencode

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from db import Database, open_database
from ingest.config.settings import Settings

__all__ = ["CONNECTION_ID", "connection_url", "news_database", "news_url"]

CONNECTION_ID = "news_db"


def connection_url(connection: Connection) -> str:
    """Return the libpq URL (PostgreSQL manual, 32.1.1.2) of an Airflow connection; `extra` becomes parameters."""
    user = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    port = f":{connection.port}" if connection.port else ""
    parameters = {name: str(value) for name, value in connection.extra_dejson.items()}
    query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
    host = connection.host or ""
    if host.startswith("/"):
        # A directory of Unix sockets.
        host = quote(host, safe="")
    credentials = f"{user}{password}@" if user else ""
    return f"postgresql://{credentials}{host}{port}/{quote(connection.schema or '', safe='')}{query}"


def news_url(settings: Settings) -> str | None:
    """Return the database's URL, or None if neither Airflow nor the settings name one."""
    try:
        return connection_url(BaseHook.get_connection(CONNECTION_ID))
    except AirflowNotFoundException:
        return settings.database_url


@contextmanager
def news_database(settings: Settings) -> Iterator[Database]:
    """Yield the news database, or the embedded one if no other is configured."""
    with open_database(news_url(settings), settings.data_dir) as database:
        yield database
