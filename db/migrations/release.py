"""The list of released migrations: `python -m db.migrations.release` adds those that are not on it.

`released.txt` has a line for each file under `versions`: the SHA-256 of its content, and its name. Databases have run
what is on the list, so a test fails when one of these files changes.
"""

import hashlib
import sys
from pathlib import Path

__all__ = ["add", "changed", "missing"]

FOLDER = Path(__file__).parent


def _hashes(folder: Path) -> dict[str, str]:
    """The hashes of the files of migrations by their names."""
    versions = folder / "versions"
    files = [*versions.glob("*.py"), *versions.glob("sql/*.sql")]
    return {str(path.relative_to(versions)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def _released(folder: Path) -> dict[str, str]:
    path = folder / "released.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}


def missing(folder: Path) -> list[str]:
    """Return the names of files that are not on the list."""
    return sorted(_hashes(folder).keys() - _released(folder).keys())


def changed(folder: Path) -> list[str]:
    """Return the names of files on the list that are not as they were released, or are gone."""
    present = _hashes(folder)
    return sorted(name for name, digest in _released(folder).items() if present.get(name) != digest)


def add(folder: Path) -> list[str]:
    """Put on the list what is missing, and return that. What is on it stays as it is."""
    new = missing(folder)
    present = _hashes(folder)
    listed = _released(folder) | {name: present[name] for name in new}
    lines = [f"{digest}  {name}\n" for name, digest in sorted(listed.items())]
    (folder / "released.txt").write_text("".join(lines), encoding="utf-8")
    return new


if __name__ == "__main__":
    for added in add(FOLDER):
        sys.stdout.write(f"{added} is released\n")
    for wrong in changed(FOLDER):
        sys.stdout.write(
            f"{wrong} is not as it was released. Undo the change and write a new migration. If it was never merged, "
            "take its line out of released.txt and run this again\n"
        )
    sys.exit(1 if changed(FOLDER) else 0)
