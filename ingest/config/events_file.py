"""`events.yaml`: dated events to mark in charts."""

from datetime import date
from pathlib import Path

from pydantic import Field

from ingest.config.yaml_file import StrictModel, load_config

__all__ = ["Event", "EventsFile", "load_events"]


class Event(StrictModel):
    """An event on a given day."""

    on: date = Field(description="The day, such as 2024-09-27.")
    what: str = Field(min_length=1, max_length=120, description="What happened, in a few words.")


class EventsFile(StrictModel):
    """The file: a list of events, in any order."""

    events: list[Event] = Field(default_factory=list, description="What happened when.")


def load_events(path: Path) -> list[Event]:
    """Return the events of the file at `path`, oldest first. Raises ConfigError with file and line."""
    file, _ = load_config(path, EventsFile, "events")
    return sorted(file.events, key=lambda event: event.on)
