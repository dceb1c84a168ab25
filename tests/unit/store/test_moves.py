"""The guard of moves in SQL is the table in Python."""

import re
from pathlib import Path

import db
from ingest.model.status import guard_sql

INGEST = Path(__file__).parents[3] / "ingest"


def test_the_guard_in_sql_is_the_table_of_moves() -> None:
    sql = (Path(db.__file__).parent / "sql" / "moves.sql").read_text(encoding="utf-8")
    assert f"RETURN {guard_sql()};" in sql


def test_only_the_module_of_moves_changes_the_status_of_entries() -> None:
    updates = re.compile(
        r"UPDATE news\.entries\b(?:(?!UPDATE|INSERT|DELETE|\"\"\"\n).)*?\bSET\b(.*?)(?:WHERE|FROM|\"\"\")", re.DOTALL
    )
    found = {
        path.name
        for path in INGEST.rglob("*.py")
        for change in updates.findall(path.read_text(encoding="utf-8"))
        if re.search(r"\bstatus\s*=", change)
    }
    assert found == {"moves.py"}
