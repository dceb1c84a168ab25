"""Which process runs which test, where there are several (pytest-xdist)."""

from xdist.scheduler import LoadScopeScheduling

__all__ = ["TOGETHER", "OneByOne"]

# Tests that share what takes long to make run in one process, by the beginning of their path: a running Airflow, a
# database server and its newsrooms, Airflow's own database, parsed DAGs, a newsroom that was collected.
TOGETHER = (
    "tests/browser/test_standalone.py",
    "tests/faults/",
    "tests/airflow/test_dag_runs.py",
    "tests/airflow/test_dags.py",
    "tests/integration/exchange/test_export.py",
    "tests/integration/monitoring/test_report.py",
    "tests/integration/reprocessing/",
    "tests/integration/db/test_views.py",
)


class OneByOne(LoadScopeScheduling):  # type: ignore[misc]
    """Gives the next test to the process that is free, but for tests that belong together.

    In place of xdist's `loadgroup`: xdist 3.8 writes groups into the names of tests, which pytest 9.2 does not allow.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((beginning for beginning in TOGETHER if nodeid.startswith(beginning)), nodeid)
