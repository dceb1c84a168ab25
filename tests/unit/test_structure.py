"""What modules say they offer is what others take."""

import ast
import gc
import importlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("ingest", "db", "bench")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, parsed(path.read_text(encoding="utf-8"))


def parsed(source: str) -> ast.Module:
    """Parse without the garbage collector.

    If it runs meanwhile and finds the tasks of an earlier test, CPython 3.11.2 takes what these log for a fault of its
    own ("AST constructor recursion depth mismatch", gh-106905).
    """
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()


def offered(tree: ast.Module) -> set[str] | None:
    """The names in `__all__`, None without one."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


def test_every_name_taken_from_a_module_is_one_that_it_offers() -> None:
    trees = dict(modules())
    wrong = []
    for taker, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in trees:
                names = offered(trees[node.module])
                for alias in node.names:
                    is_module = f"{node.module}.{alias.name}" in trees
                    if not is_module and names is not None and alias.name not in names:
                        wrong.append(f"{taker} takes {alias.name} from {node.module}")
    assert not wrong


def test_private_names_stay_in_their_module() -> None:
    wrong = [
        f"{taker} takes {alias.name} from {node.module}"
        for taker, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert not wrong


def test_every_package_says_what_it_is_for() -> None:
    without = [
        str(path.relative_to(ROOT))
        for package in ("ingest", "db")
        for path in (ROOT / package).rglob("*.py")
        if "versions" not in path.parts and ast.get_docstring(parsed(path.read_text(encoding="utf-8"))) is None
    ]
    assert not without
    assert importlib.import_module("ingest").__doc__
