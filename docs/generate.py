"""Writes the pages under docs/ that are made from the code: `make docs`. A test fails when one is stale."""

import json
import re
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from db.models import Base
from db.schema import SQL
from docs.picture import imports, picture
from ingest.config.events_file import EventsFile
from ingest.config.feeds_file import FeedsFile
from ingest.config.settings import Settings
from ingest.model.status import MOVES, Status
from ingest.topics.topics import TopicsFile

DOCS = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Return the content of every generated page, by path."""
    return {
        DOCS / "tables.md": tables(),
        DOCS / "analysts.md": analysts(),
        DOCS / "architecture.md": architecture(),
        DOCS / "architecture.svg": picture(),
        DOCS / "settings.md": settings(),
        DOCS / "schemas" / "feeds.schema.json": schema(FeedsFile),
        DOCS / "schemas" / "topics.schema.json": schema(TopicsFile),
        DOCS / "schemas" / "events.schema.json": schema(EventsFile),
    }


def tables() -> str:
    """The tables of the schema `news` and their columns, from the comments in the database."""
    lines = ["# Tables", "", "All are in the schema `news`; in psql, `\\d+ news.articles` shows the same texts.", ""]
    for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name):
        lines += [f"## {table.name}", "", table.comment or "", "", "| column | type | meaning |", "| --- | --- | --- |"]
        lines += [
            f"| `{column.name}` | {str(column.type).lower().replace('datetime', 'timestamptz')} | {column.comment} |"
            for column in table.columns
        ]
        lines.append("")
    return "\n".join(lines)


def analysts() -> str:
    """The page for analysts: its frame, the views from the comments in the database, and the cookbook."""
    frame = (DOCS / "analysts.in.md").read_text(encoding="utf-8")
    recipes = "\n".join(f"### {name}\n\n```sql\n{query}\n```\n" for name, query in cookbook().items())
    return frame.replace("{views}", views()).replace("{cookbook}\n", recipes)


def architecture() -> str:
    """The page on the architecture: its frame, which package imports which, and the moves of entries."""
    frame = (DOCS / "architecture.in.md").read_text(encoding="utf-8")
    lines = ["| package | imports |", "| --- | --- |"]
    for name, into in imports().items():
        said = ", ".join(f"`{other.removeprefix('ingest.')}`" for other in into)
        lines.append(f"| `{name.removeprefix('ingest.')}` | {said} |")
    moves = ["| from | to |", "| --- | --- |"]
    for before, allowed in MOVES.items():
        moves.append(f"| `{before}` | {', '.join(f'`{status}`' for status in Status if status in allowed)} |")
    return frame.replace("{imports}", "\n".join(lines)).replace("{moves}", "\n".join(moves))


def views() -> str:
    """The views and their columns, from the comments in db/sql/views.sql."""
    source = (SQL / "views.sql").read_text(encoding="utf-8")
    lines = []
    for kind, name, said in re.findall(r"COMMENT ON (VIEW|COLUMN) news\.(\S+) IS ((?:'(?:[^']|'')*'\s*)+);", source):
        comment = "".join(re.findall(r"'((?:[^']|'')*)'(?!')", said)).replace("''", "'")
        if kind == "VIEW":
            lines += ["", f"### {name}", "", comment, "", "| column | meaning |", "| --- | --- |"]
        else:
            lines.append(f"| `{name.partition('.')[2]}` | {comment} |")
    return "\n".join(lines[1:]) + "\n"


def cookbook() -> dict[str, str]:
    """The queries of the cookbook by their names."""
    source = (DOCS / "cookbook.sql").read_text(encoding="utf-8")
    recipes = re.split(r"^-- name: (.+)\n", source, flags=re.MULTILINE)[1:]
    return {name: query.strip() for name, query in zip(recipes[::2], recipes[1::2], strict=True)}


def settings() -> str:
    """The settings, from their descriptions."""
    lines = [
        "# Settings",
        "",
        "Environment variables; an empty one means the default. With docker-compose.yml, a line in `.env` reaches the",
        "services that use the setting. The addresses of databases, the places of files and `NEWS_WEBSUB_BIND` are",
        "fixed there; the numbers of tasks and of processes for extraction are 2 unless told otherwise.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        if field.default_factory is not None:
            default = "number of processors"
        else:
            default = "" if field.default in (None, (), PydanticUndefined) else f"`{field.default}`"
        lines.append(f"| `NEWS_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def schema(model: type[BaseModel]) -> str:
    """The JSON Schema of a configuration file, for editors."""
    return json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for path, content in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
