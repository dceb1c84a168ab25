"""YAML configuration files, validated by Pydantic models. Errors name the line."""

import difflib
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError, WithJsonSchema
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from ingest.config.errors import ConfigError

__all__ = ["Duration", "StrictModel", "line_of", "load_config", "parse_config", "read_config"]

Location = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+[smhdw])+")


def parse_duration(value: Any) -> Any:
    """Parse a duration (`90s`, `10m`, `1h30m`, `30d`, `2w`) into a timedelta. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError(f"{value!r} is not a duration; write a number and a unit, such as 90s, 10m, 6h, 30d or 1h30m")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", value))
    if not 0 < seconds <= 100 * 365 * 86400:
        raise ValueError(f"{value!r} is not a duration between a second and a hundred years")
    return timedelta(seconds=seconds)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(lambda value: f"{int(value.total_seconds())}s"),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+[smhdw])+$", "examples": ["90s", "10m", "6h", "30d"]}),
]


class StrictModel(BaseModel):
    """A part of a configuration file. Unknown keys are errors, and values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def load_config(path: Path, model: type[Model], what: str) -> tuple[Model, dict[Location, int]]:
    """Read the YAML file at `path` as `model`; see `parse_config`. Raises ConfigError with file and line."""
    return parse_config(read_config(path, what), path, model, what)


def read_config(path: Path, what: str) -> str:
    """Return the text of a configuration file. `what` describes its content in messages. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError.at(path, None, f"no such file; it should list the {what}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError.at(path, line, "not UTF-8 text") from None
    except OSError as error:
        raise ConfigError.at(path, None, f"cannot be read: {error.strerror}") from None


def parse_config(text: str, path: Path, model: type[Model], what: str) -> tuple[Model, dict[Location, int]]:
    """Parse YAML text as `model`.

    Returns the model and the line of each place in the file. `path` and `what` describe file and content in messages.
    Raises ConfigError with file and line.
    """
    try:
        yaml = YAML(typ="safe", pure=True)
        root = yaml.compose(text)
        data = None if root is None else yaml.constructor.construct_document(root)
    except DuplicateKeyError as error:
        key = re.search(r'duplicate key "(.*?)"', str(error))
        raise ConfigError.at(path, _line(error), f"key {key[1] if key else ''!r} is given twice") from None
    except MarkedYAMLError as error:
        raise ConfigError.at(path, _line(error), f"not valid YAML: {error.problem or error.context}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError.at(path, None, f"not valid YAML: {str(error).splitlines()[0]}") from None
    if data is None:
        raise ConfigError.at(path, 1, f"the file is empty; it should list the {what}")
    lines = dict(_lines(root))
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        problem = error.errors()[0]
        location = tuple(problem["loc"])
        raise ConfigError.at(path, line_of(lines, location), _explain(problem, model)) from None


def line_of(lines: dict[Location, int], location: Location) -> int:
    """Return the line of the closest known place at or above `location`."""
    # Pydantic includes the branches of a union in the location. They are not places in the file.
    place: Location = ()
    for part in location:
        if (*place, part) in lines:
            place = (*place, part)
    return lines.get(place, 1)


def _line(error: MarkedYAMLError) -> int | None:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark is not None else None


def _lines(node: Node, place: Location = ()) -> list[tuple[Location, int]]:
    found = [(place, node.start_mark.line + 1)]
    if isinstance(node, MappingNode):
        for key, value in node.value:
            below = (*place, key.value)
            found += _lines(value, below)
            # The key's line, because that is where the user looks for the error.
            found.append((below, key.start_mark.line + 1))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            found += _lines(value, (*place, index))
    return found


def _explain(problem: Any, model: type[BaseModel]) -> str:
    location = [part for part in problem["loc"] if isinstance(part, str) and not part.startswith(("function-", "lax"))]
    key = location[-1] if location else ""
    match problem["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(key, sorted(_keys(model)), n=1)
            return f"unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        case "missing":
            return f"the key {key!r} is missing"
        case "model_type" | "dict_type":
            return f"expected keys and values{f' under {key!r}' if key else ''}, found {_kind(problem['input'])}"
        case "list_type" | "tuple_type":
            return f"expected a list{f' under {key!r}' if key else ''}, found {_kind(problem['input'])}"
        case "value_error":
            return f"{key + ': ' if key else ''}{problem['msg'].removeprefix('Value error, ')}"
        case _:
            said = problem["msg"][0].lower() + problem["msg"][1:]
            return f"{key}: {said}, found {problem['input']!r}"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else f"{value!r}"


def _keys(model: type[BaseModel]) -> set[str]:
    """The keys of a model and of its nested models."""
    keys: set[str] = set()
    definitions = model.model_json_schema()
    for schema in (definitions, *definitions.get("$defs", {}).values()):
        keys.update(schema.get("properties", {}))
    return keys
