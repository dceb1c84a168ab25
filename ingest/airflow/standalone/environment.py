"""The environment of Airflow's processes, and the database and secrets that it names."""

import base64
import json
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from db import Database
from db.embedded import EmbeddedServer
from db.logins import Role, add_login
from ingest.airflow.standalone.ports import HOST
from ingest.config.errors import ConfigError
from ingest.config.settings import Settings

__all__ = ["airflow_environment"]

ROOT = Path(__file__).parents[3]
METADATA = "airflow"
NEWS_PAGE = "news_page"
# A few runs at a time, each with a handful of tasks. Every slot is a process of 150 MB.
PARALLELISM = 8
# An API server that ended is back within half a minute. Tasks retry for about a minute; each wait is a random time
# between these two.
API_ATTEMPTS = 25
API_WAIT_SECONDS = (1, 5)


def airflow_environment(settings: Settings, database: Database, home: Path, port: int) -> dict[str, str]:
    """Return the environment of Airflow's processes. Airflow settings in the caller's environment take precedence."""
    address = f"http://{HOST}:{port}"
    bundles = [
        {
            "name": name,
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(path), "refresh_interval": 10},
        }
        for name, path in (("news", ROOT / "dags"), ("own", home / "dags"))
    ]
    (home / "dags").mkdir(exist_ok=True)
    ours = {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        # Each step from task to task waits for the scheduler's next loop.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        # A killed task is noticed after this many seconds without a heartbeat.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": str(API_ATTEMPTS),
        "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MIN": str(API_WAIT_SECONDS[0]),
        "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": str(API_WAIT_SECONDS[1]),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    metadata = _metadata_url(database)
    forced = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        # The URL that Airflow would derive needs asyncpg. psycopg does both.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "NEWS_DATABASE_URL": database.url,
        "NEWS_DATA_DIR": str(settings.data_dir.absolute()),
        "NEWS_FEEDS": str(settings.feeds.absolute()),
        "NEWS_TOPICS": str(settings.topics.absolute()),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }
    if settings.reader_url is None and database.server is not None:
        forced["NEWS_READER_URL"] = _reader_url(database, database.server)
    return ours | _secrets(home) | dict(os.environ) | forced


def _reader_url(database: Database, server: EmbeddedServer) -> str:
    """Return the URL of the login that the news page reads with. Creates the login if it is missing."""
    with database.connect() as connection:
        add_login(connection, NEWS_PAGE, Role.READER, None)
    return server.url(user=NEWS_PAGE)


def _metadata_url(database: Database) -> str:
    """Return the SQLAlchemy URL of Airflow's own database. Creates the database if it is missing."""
    server = database.server
    if server is None:
        configured = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
        if configured is None:
            raise ConfigError(
                "with NEWS_DATABASE_URL, Airflow needs a database of its own: set AIRFLOW__DATABASE__SQL_ALCHEMY_CONN "
                "to postgresql+psycopg://user:password@host:5432/airflow"
            )
        return configured
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        # A separate role: Airflow's database and the news database need no access to each other.
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [METADATA]).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(METADATA)))
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [METADATA]).fetchone() is None:
            name = sql.Identifier(METADATA)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
            connection.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    return f"postgresql+psycopg://{METADATA}@/{METADATA}?host={quote(str(server.socket_dir), safe='/')}"


def _secrets(home: Path) -> dict[str, str]:
    """Return the secrets that Airflow's processes share, generated once per data directory."""
    path = home / "secrets.json"
    if not path.exists():
        drawn = {
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(64),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        }
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(drawn))
        fresh.rename(path)
    values: dict[str, str] = json.loads(path.read_text())
    return values
