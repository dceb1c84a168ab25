"""Draws the packages of `ingest` in their layers, from the contracts in pyproject.toml and the imports of the code."""

import ast
import tomllib
from html import escape
from pathlib import Path

__all__ = ["imports", "layers", "picture"]

ROOT = Path(__file__).parent.parent
WIDTH, MARGIN, GAP = 1180, 20, 12
# Of a box: where its first line of text stands, the height of a line, and the room above the imports and at the bottom.
HEAD, LINE, ABOVE, FOOT = 40, 14, 5, 2
ROW_GAP = 14
FONT = "font-family='system-ui, sans-serif'"


def layers() -> list[list[str]]:
    """Return the packages by layer, the highest first, as the contract `layers` has them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    contract = next(contract for contract in contracts if contract["id"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def imports() -> dict[str, list[str]]:
    """Return which of the packages each package imports."""
    names = [name for layer in layers() for name in layer]
    found: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        for path in _files(name):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for target in _targets(node):
                    into = next((other for other in names if f"{target}.".startswith(f"{other}.")), None)
                    if into is not None and into != name:
                        found[name].add(into)
    return {name: sorted(into, key=names.index) for name, into in found.items()}


def picture() -> str:
    """Return the layers as an SVG image: a row for each layer, a box for each package.

    A box says what the package is for and, below that, which packages it imports.
    """
    imported = imports()
    rows, top = [], MARGIN
    for layer in layers():
        width = (WIDTH - 2 * MARGIN - GAP * (len(layer) - 1)) / len(layer)
        texts = {name: _texts(name, imported[name], width) for name in layer}
        lines = max(len(purpose) + len(below) for purpose, below in texts.values())
        height = HEAD + LINE * lines + ABOVE + FOOT
        for place, (name, (purpose, below)) in enumerate(texts.items()):
            rows.append(_box(name, purpose, below, (MARGIN + place * (width + GAP), top, width, height)))
        top += height + ROW_GAP
    height = top - ROW_GAP + MARGIN
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' {FONT}>",
            "<title>The packages, in layers, and what each imports: only packages below it</title>",
            f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
            *rows,
            "</svg>",
            "",
        ]
    )


def _texts(name: str, below: list[str], width: float) -> tuple[list[str], list[str]]:
    """The lines that say what a package is for, and those that name what it imports."""
    # About six units to a letter.
    length = int(width / 6.2)
    named = ", ".join(other.removeprefix("ingest.") for other in below)
    return _wrapped(_purpose(name), length), _wrapped(f"→ {named}", length) if named else []


def _box(name: str, purpose: list[str], below: list[str], place: tuple[float, float, float, float]) -> str:
    left, top, width, height = place
    middle = left + width / 2

    def line(y: float, text: str, colour: str) -> str:
        return (
            f"<text x='{middle:.0f}' y='{y:.0f}' font-size='11' fill='{colour}'"
            f" text-anchor='middle'>{escape(text)}</text>"
        )

    # What is imported stands at the bottom, so that it is in line across the boxes of a layer.
    bottom = top + height - FOOT - LINE * len(below)
    lines = [line(top + HEAD + LINE * number, text, "#333") for number, text in enumerate(purpose)]
    lines += [line(bottom + LINE * number, text, "#47709a") for number, text in enumerate(below)]
    return (
        f"<rect x='{left:.0f}' y='{top:.0f}' width='{width:.0f}' height='{height:.0f}' rx='6' fill='#eef3f8'"
        f" stroke='#7a94ad'/><text x='{middle:.0f}' y='{top + 21:.0f}' font-size='15' font-weight='600' fill='#123'"
        f" text-anchor='middle'>{escape(name.removeprefix('ingest.'))}</text>{''.join(lines)}"
    )


def _wrapped(text: str, length: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > length and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _purpose(name: str) -> str:
    """The first sentence of a package's docstring."""
    path = next(iter(_files(name)))
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.splitlines()[0].rstrip(".").replace("`", "") if docstring else ""


def _files(name: str) -> list[Path]:
    path = ROOT / name.replace(".", "/")
    if not path.is_dir():
        return [path.with_suffix(".py")]
    return [path / "__init__.py", *sorted(set(path.rglob("*.py")) - {path / "__init__.py"})]


def _targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []
