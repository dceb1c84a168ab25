"""What an import does not load."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["ingest", "ingest.cli", "ingest.pipeline", "db"])
def test_heavy_packages_are_not_imported(module: str) -> None:
    program = (
        f"import sys, {module};"
        "print([name for name in ('airflow', 'trafilatura', 'pyarrow', 'alembic', 'sqlalchemy', 'pandas')"
        " if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
