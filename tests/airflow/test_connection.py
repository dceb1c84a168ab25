from typing import Any

import psycopg.conninfo
import pytest
from airflow.sdk import Connection

from ingest.airflow.connection import connection_url, news_url
from ingest.config.settings import Settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"login": "news", "password": "p@ss:/?#word", "host": "db.example", "port": 5433, "schema": "news"},
            {"user": "news", "password": "p@ss:/?#word", "host": "db.example", "port": "5433", "dbname": "news"},
        ),
        (
            {"login": "news", "host": "/var/run/postgresql", "schema": "news"},
            {"user": "news", "host": "/var/run/postgresql", "dbname": "news"},
        ),
        (
            {"host": "db", "schema": "n", "extra": '{"sslmode": "verify-full", "application_name": "a b"}'},
            {"host": "db", "dbname": "n", "sslmode": "verify-full", "application_name": "a b"},
        ),
    ],
)
def test_libpq_understands_the_url_of_a_connection(given: dict[str, Any], expected: dict[str, str]) -> None:
    connection = Connection(conn_id="news_db", conn_type="postgres", **given)
    assert psycopg.conninfo.conninfo_to_dict(connection_url(connection)) == expected


def test_the_connection_of_airflow_wins_over_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_NEWS_DB", "postgresql://a:b@one.example/news")
    assert news_url(Settings(database_url="postgresql://two.example/news")) == "postgresql://a:b@one.example/news"
