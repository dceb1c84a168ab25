"""Labelled texts: examples from which a topic's model is fitted and by which it is judged.

A file in JSON Lines. Each line has `id`, `lang`, `title`, `text`, `label` (about, mention or no), the `event` that it
tells of, its `kind` (wire, brief, op-ed, ...), `year`, and `trap`: what makes it easily mistaken.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.config.errors import ConfigError

__all__ = ["Label", "read_labels"]


class Label(BaseModel):
    """A labelled text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    lang: str
    title: str
    text: str
    label: Literal["about", "mention", "no"]
    event: str
    kind: str
    year: int
    trap: str = ""

    @property
    def is_about(self) -> bool:
        return self.label == "about"


def read_labels(path: Path) -> list[Label]:
    """Return the labelled texts of a file. Raises ConfigError with file and line."""
    found: dict[str, Label] = {}
    try:
        # Not splitlines, which also splits at separators that a text may have.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            label = Label.model_validate(json.loads(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise ConfigError.at(path, number, f"{where}: {first['msg']}") from error
        except json.JSONDecodeError as error:
            raise ConfigError.at(path, number, f"not JSON: {error}") from error
        if label.id in found:
            raise ConfigError.at(path, number, f"the id {label.id!r} was given before")
        found[label.id] = label
    if not found:
        raise ConfigError(f"{path} has no labelled texts")
    return list(found.values())
