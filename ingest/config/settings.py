"""Settings: environment variables with the prefix NEWS_."""

import ipaddress
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ingest.config.errors import ConfigError

__all__ = ["Network", "Settings", "load_settings"]

# Their values contain passwords and are never shown.
SECRETS = {"NEWS_DATABASE_URL", "NEWS_READER_URL", "NEWS_ALERT_WEBHOOK"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseSettings):
    """The settings of the pipeline. Each field is set by NEWS_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="NEWS_", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: str | None = Field(
        None, description="libpq URL of the database; unset: an embedded PostgreSQL under NEWS_DATA_DIR."
    )
    data_dir: Path = Field(Path(".data"), description="Directory of the embedded PostgreSQL.")
    feeds: Path = Field(Path("feeds.yaml"), description="File that lists the feeds.")
    topics: Path = Field(Path("topics.yaml"), description="File that describes the topics.")
    events: Path = Field(
        Path("events.yaml"), description="File of events that `ingest report` marks; need not be there."
    )
    allow_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Comma-separated CIDRs exempt from the ban on private addresses."
    )
    host_delay: float = Field(
        5.0, ge=0, le=86400, description="Seconds between two requests to one host; robots.txt may ask for more."
    )
    contact: str | None = Field(None, description="A URL or e-mail address put into the User-Agent.")
    poll_concurrency: int = Field(64, ge=1, le=1000, description="Feeds polled at the same time.")
    fetch_concurrency: int = Field(64, ge=1, le=1000, description="Pages fetched at the same time.")
    host_concurrency: int = Field(
        4, ge=1, le=100, description="Requests to one host at the same time, where NEWS_HOST_DELAY is 0."
    )
    request_timeout: float = Field(30.0, gt=0, le=600, description="Seconds for a whole request.")
    max_body_bytes: int = Field(
        15_000_000, ge=1000, description="Largest feed or page taken, in bytes after decompression."
    )
    extract_processes: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=256, description="Worker processes for extraction."
    )
    extract_timeout: float = Field(
        20.0, gt=0, le=600, description="Seconds of processor time that one page may take to extract."
    )
    fetch_attempts: int = Field(5, ge=1, le=20, description="Attempts to fetch a page before it is given up.")
    reader_url: str | None = Field(
        None, description="libpq URL with which the news page reads; unset: NEWS_DATABASE_URL as role news_reader."
    )
    poll_schedule: str = Field("* * * * *", description="When the DAG poll_feeds runs, as a cron expression.")
    fetch_tasks: int = Field(1, ge=1, le=64, description="Airflow tasks that fetch, each its share of the hosts.")
    extract_tasks: int = Field(1, ge=1, le=64, description="Airflow tasks that extract at the same time.")
    task_seconds: float = Field(
        45.0, ge=1, le=3600, description="Time budget of an Airflow task; what is left is taken by the next run."
    )
    keep_pages_days: int = Field(90, ge=1, description="Days after which fetched pages are deleted.")
    keep_polls_days: int = Field(30, ge=1, description="Days after which the records of polls are deleted.")
    keep_ledger_days: int | None = Field(
        None,
        ge=1,
        description="Days after which entries that ended as off_topic, rejected or dead are deleted, with their "
        "documents; unset: never. Longer than feeds show their items, or these are fetched again.",
    )
    keep_logs_days: int = Field(30, ge=1, description="Days after which the logs of Airflow's tasks are deleted.")
    alert_webhook: str | None = Field(
        None, description='Address to which alerts are posted as JSON {"text": ...}; unset: only logged.'
    )

    websub_url: str | None = Field(
        None,
        description="Public address under which hubs reach `ingest websub`, such as https://news.example.org/websub; "
        "unset: no feed is subscribed to.",
    )
    websub_bind: str = Field("127.0.0.1:8484", description="Address and port that `ingest websub` listens on.")

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url", "reader_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("expected postgresql://user:password@host:5432/database")
        return value

    @field_validator("websub_url")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s?#@]+", value):
            raise ValueError("expected an http:// or https:// address without query")
        return value and value.rstrip("/")

    @field_validator("websub_bind")
    @classmethod
    def _is_address_and_port(cls, value: str) -> str:
        if not re.fullmatch(r"(?:\[[0-9a-fA-F:]+\]|[^\s:\[\]]+):\d{1,5}", value):
            raise ValueError("expected an address and a port, such as 127.0.0.1:8484")
        return value

    @field_validator("contact")
    @classmethod
    def _is_header_safe(cls, value: str | None) -> str | None:
        if value is not None and not (value.isprintable() and value.isascii()):
            raise ValueError("expected a URL or an e-mail address in ASCII")
        return value

    @property
    def min_host_delay(self) -> timedelta:
        return timedelta(seconds=self.host_delay)

    @property
    def user_agent(self) -> str:
        """The User-Agent of every request (RFC 9110, 10.1.5)."""
        return f"iraq-withdrawal-news/0.1 (+{self.contact})" if self.contact else "iraq-withdrawal-news/0.1"


def load_settings(**overrides: Any) -> Settings:
    """Return the settings from the environment. `overrides` that are not None take precedence.

    Raises ConfigError that names the variable.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problem = error.errors()[0]
        variable = "NEWS_" + str(problem["loc"][0]).upper()
        shown = "" if variable in SECRETS else f" (it is {problem['input']!r})"
        raise ConfigError(f"{variable}: {problem['msg'].removeprefix('Value error, ')}{shown}") from error
