"""`feeds.yaml`: which feeds to collect. docs/curators.md describes its keys."""

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ingest.config.errors import ConfigError
from ingest.config.yaml_file import Duration, StrictModel, line_of, parse_config, read_config
from ingest.runtime.backoff import MAX_WAIT
from ingest.text.urls import absolute_url

__all__ = ["FeedConfig", "FeedsFile", "load_feeds", "parse_feeds"]

# The feed that stands for imported texts, see ingest.store.feeds.import_feed.
IMPORT_ID = "import"
# By default, a quiet feed is polled this many times less often than configured: ten minutes become half an hour. A
# poll without news costs almost nothing, late news costs more.
SLOWEST_FACTOR = 3


class FeedDefaults(StrictModel):
    """Default values for feeds."""

    poll_every: Duration = Field(timedelta(minutes=10), description="Shortest time between two polls.")
    poll_within: Duration | None = Field(
        None, description="Longest time between two polls of a quiet feed; three times poll_every when not given."
    )
    max_age: Duration | None = Field(
        timedelta(days=30), description="Entries published longer ago than this are not fetched; null: no limit."
    )


class FeedConfig(StrictModel):
    """A feed. Only the address is required."""

    url: str = Field(description="Address of the feed.")
    id: str = Field("", pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$|^$", description="Name; derived from the URL.")
    outlet: str = Field("", max_length=200, description="Name of the publisher; the URL's host.")
    language: str | None = Field(None, pattern=r"^[a-z]{2,3}$", description="Language (ISO 639), such as ar.")
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$", description="Country (ISO 3166-1 alpha-2), such as IQ.")
    scope: Literal["topic", "general"] = Field(
        "topic",
        description="general: only entries whose title or summary passes a topic's gate are fetched; topic: all are.",
    )
    enabled: bool = Field(True, description="false: the feed is kept but not polled.")
    poll_every: Duration | None = Field(None, description="Shortest time between two polls.")
    poll_within: Duration | None = Field(None, description="Longest time between two polls of a quiet feed.")
    max_age: Duration | None = Field(None, description="Entries published longer ago than this are not fetched.")

    @model_validator(mode="before")
    @classmethod
    def _from_bare_url(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if absolute_url(value, "") is None:
            raise ValueError(f"{value!r} is not an http:// or https:// address")
        if urlsplit(value).username is not None:
            raise ValueError("an address with user name or password would put a secret into the database and its logs")
        return value

    @model_validator(mode="after")
    def _derive(self) -> Self:
        parts = urlsplit(self.url)
        host = (parts.hostname or "").removeprefix("www.")
        if self.id == IMPORT_ID:
            raise ValueError(f"the id {IMPORT_ID!r} is reserved for imported files")
        if not self.id:
            place = f"{host}{f'-{parts.port}' if parts.port else ''}{parts.path}-{parts.query}"
            slug = re.sub(r"[^a-z0-9.]+", "-", place.lower()).strip("-.")[:80].rstrip("-.")
            object.__setattr__(self, "id", slug)
        if not self.outlet:
            object.__setattr__(self, "outlet", host)
        return self


class FeedsFile(StrictModel):
    """The file feeds.yaml."""

    defaults: FeedDefaults = Field(
        default_factory=lambda: FeedDefaults.model_validate({}),
        description="Default values for feeds.",
    )
    feeds: tuple[FeedConfig, ...] = Field(min_length=1, description="The feeds: addresses, or keys and values.")


def load_feeds(path: Path) -> tuple[FeedConfig, ...]:
    """Return the feeds listed in `path`, with defaults filled in. Raises ConfigError with file and line."""
    return parse_feeds(read_config(path, "feeds"), path)


def parse_feeds(text: str, path: Path) -> tuple[FeedConfig, ...]:
    """Parse the text of the file at `path` and return its feeds, as `load_feeds` does."""
    file, lines = parse_config(text, path, FeedsFile, "feeds")
    for key in ("id", "url"):
        _refuse_duplicates(path, lines, key, (getattr(feed, key) for feed in file.feeds))
    return tuple(
        feed.model_copy(
            update=_bounds(feed, file.defaults)
            | {
                "max_age": feed.max_age if "max_age" in feed.model_fields_set else file.defaults.max_age,
            }
        )
        for feed in file.feeds
    )


def _bounds(feed: FeedConfig, defaults: FeedDefaults) -> dict[str, timedelta]:
    """Return the bounds of a feed's polling interval. If the longest is below the shortest, it is raised to it."""
    shortest = feed.poll_every or defaults.poll_every
    longest = feed.poll_within or defaults.poll_within or shortest * SLOWEST_FACTOR
    return {"poll_every": shortest, "poll_within": max(shortest, min(longest, MAX_WAIT))}


def _refuse_duplicates(path: Path, lines: Any, key: str, values: Iterable[str]) -> None:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        line = line_of(lines, ("feeds", index, key))
        if value in first:
            hint = "; give one of them an `id` of its own" if key == "id" else ""
            raise ConfigError.at(path, line, f"{key} {value!r} is already used on line {first[value]}{hint}")
        first[value] = line
