"""The list of released migrations: `python -m db.migrations.release` adds those that are missing.

`released.txt` has a line for each file in `versions`: the SHA-256 of its content, and its name. Databases have run the
files on the list, so a test fails if one of them changes.
"""

import hashlib
import sys
from pathlib import Path

__all__ = ["add", "changed", "missing"]

FOLDER = Path(__file__).parent


def _hashes(folder: Path) -> dict[str, str]:
    """The hashes of the migration files by name."""
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
    """Return the names of files on the list that have changed since their release, or are gone."""
    present = _hashes(folder)
    return sorted(name for name, digest in _released(folder).items() if present.get(name) != digest)


def add(folder: Path) -> list[str]:
    """Add missing files to the list, and return them. Existing lines stay as they are."""
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
