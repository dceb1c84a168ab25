"""Runs DAGs of the project by `dag.test()`, one after another: python -m tests.airflow.run_dags DAG_ID=CONF ...

Prints a line of JSON with the state of each run, the return values of its tasks, and the updates of assets.
"""

import json
import sys

from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.utils.session import create_session
from sqlalchemy import select

from tests.conftest import ROOT


def main() -> None:
    bag = DagBag(str(ROOT / "dags"))
    assert not bag.import_errors, bag.import_errors
    runs = []
    for wanted in sys.argv[1:]:
        dag_id, _, conf = wanted.partition("=")
        run = bag.dags[dag_id].test(run_conf=json.loads(conf or "{}"))
        values: dict[str, list[object]] = {}
        with create_session() as session:
            for task in run.get_task_instances(session=session):
                value = task.xcom_pull(task_ids=task.task_id, map_indexes=task.map_index, session=session)
                values.setdefault(task.task_id, []).append(value)
            events = [
                [event.asset.name, event.source_task_id, event.extra]
                for event in session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
            ]
        runs.append({"dag": dag_id, "state": str(run.state), "values": values, "events": events})
    print("RUNS " + json.dumps(runs, default=str))


if __name__ == "__main__":
    main()
