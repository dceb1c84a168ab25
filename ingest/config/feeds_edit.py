"""Adds feeds to `feeds.yaml` without changing the rest of the file."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from ingest.config.errors import ConfigError
from ingest.config.feeds_file import FeedConfig, load_feeds
from ingest.config.opml import Listed
from ingest.text.urls import without_user_info

__all__ = ["append_feeds", "usable"]


def append_feeds(path: Path, added: Sequence[Mapping[str, str]]) -> tuple[FeedConfig, ...]:
    """Append feeds, given as keys and values, to the list in the file. Return them as they are parsed.

    The file is replaced only if the new version parses without error. Raises ConfigError.
    """
    before = load_feeds(path)
    text = path.read_text(encoding="utf-8")
    line, indent = _end_of_list(path, text)
    lines = text.splitlines(keepends=True)
    if lines[line - 1 : line] and not lines[line - 1].endswith("\n"):
        lines[line - 1] += "\n"
    new = [f"{' ' * indent}- {_flow(feed)}\n" for feed in added]
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(lines[:line] + new + lines[line:]))
        try:
            after = load_feeds(fresh)
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(fresh), str(path))) from error
        fresh.chmod(path.stat().st_mode & 0o7777)
        # If the path is a symbolic link, it remains one.
        fresh.replace(path.resolve())
    finally:
        fresh.unlink(missing_ok=True)
    return after[len(before) :]


def usable(
    present: Sequence[FeedConfig], listed: Sequence[Listed]
) -> tuple[list[dict[str, str]], int, list[tuple[int, str]]]:
    """Tell listed feeds apart: new ones, as keys and values; how many are known; and lines with what is wrong.

    Addresses that differ in their scheme, www. or a slash at the end are one. If the id that is made of an address is
    taken, as of two addresses in Arabic, the feed gets one with a part of its hash.
    """
    known = {_place(feed.url) for feed in present}
    ids = {feed.id for feed in present}
    new: list[dict[str, str]] = []
    problems: list[tuple[int, str]] = []
    twice = 0
    for each in listed:
        if _place(each.url) in known:
            twice += 1
            continue
        values = {"url": each.url, "outlet": each.outlet, "language": each.language}
        given = {key: value for key, value in values.items() if value}
        try:
            feed = FeedConfig.model_validate(given)
            if feed.id in ids or not feed.id:
                given["id"] = f"{feed.id[:70]}-{hashlib.sha256(each.url.encode()).hexdigest()[:8]}".lstrip("-")
                feed = FeedConfig.model_validate(given)
        except ValidationError as error:
            problems.append(
                (each.line, f"{without_user_info(each.url)}: {error.errors()[0]['msg'].removeprefix('Value error, ')}")
            )
            continue
        known.add(_place(each.url))
        ids.add(feed.id)
        new.append(given)
    return new, twice, problems


def _place(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return (parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/"), parts.query)


def _end_of_list(path: Path, text: str) -> tuple[int, int]:
    """Return the number of lines up to the end of the list of feeds, and the indentation of its dashes."""
    root = YAML(typ="safe", pure=True).compose(text)
    assert isinstance(root, MappingNode)
    (node,) = (value for key, value in root.value if key.value == "feeds")
    if not isinstance(node, SequenceNode) or node.flow_style:
        raise ConfigError.at(
            path, node.start_mark.line + 1, "write `feeds` as a list of lines with dashes to add to it"
        )
    last = node.value[-1]
    end = last.end_mark.line + (1 if last.end_mark.column else 0)
    lines = text.splitlines()
    # YAML ends a block where the next node begins. Comments and empty lines before that node belong to it.
    while end > last.start_mark.line + 1 and (end > len(lines) or not lines[end - 1].split("#", 1)[0].strip()):
        end -= 1
    return end, node.start_mark.column


def _flow(feed: Mapping[str, str]) -> str:
    # Any JSON string is a valid YAML string.
    return "{" + ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in feed.items()) + "}"
