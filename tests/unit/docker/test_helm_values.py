"""docs/helm-values.yaml: keys that the chart knows, the same versions everywhere, logins for those who need them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.unit.docker.compose import ENVIRONMENT

VALUES: dict[str, Any] = YAML(typ="safe").load((ROOT / "docs" / "helm-values.yaml").read_text(encoding="utf-8"))
SAID = (ROOT / "docs" / "helm-values.yaml").read_text(encoding="utf-8")

# What the chart takes, of what is used here. It refuses keys it does not know. These are from its documentation (the
# parameters of 1.22.0, release notes) and from schemas of earlier releases, as no cluster was at hand to try them on.
# `valueFrom` in the `env` of components came with 1.15.0, for the API server with 1.18.0.
KNOWN: dict[str, type] = {
    "executor": str,
    "airflowVersion": str,
    "defaultAirflowTag": str,
    "images.airflow.repository": str,
    "images.airflow.tag": str,
    "postgresql.enabled": bool,
    "data.metadataSecretName": str,
    "data.resultBackendSecretName": str,
    "fernetKeySecretName": str,
    "apiSecretKeySecretName": str,
    "jwtSecretName": str,
    "env": list,
    "workers.replicas": int,
    "workers.env": list,
    "workers.resources.requests.cpu": str,
    "workers.resources.requests.memory": str,
    "workers.resources.limits.memory": str,
    "workers.terminationGracePeriodSeconds": int,
    "triggerer.replicas": int,
    "triggerer.env": list,
    "apiServer.env": list,
    "createUserJob.defaultUser.enabled": bool,
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if path else key)
    else:
        yield path, value


@pytest.mark.parametrize(("path", "value"), list(leaves(VALUES)))
def test_the_chart_knows_every_key(path: str, value: Any) -> None:
    # Airflow's own options are Airflow's to know; as text, they are written as they stand.
    expected = str if path.startswith("config.") else KNOWN[path]
    assert type(value) is expected


@pytest.mark.parametrize("path", [path for path, kind in KNOWN.items() if kind is list])
def test_variables_have_a_value_or_a_place_to_take_it_from(path: str) -> None:
    for variable in dict(leaves(VALUES))[path]:
        assert variable.keys() in ({"name", "value"}, {"name", "valueFrom"})
        if "valueFrom" in variable:
            assert variable["valueFrom"].keys() == {"secretKeyRef"}
            assert variable["valueFrom"]["secretKeyRef"].keys() == {"name", "key"}


def test_each_login_goes_to_those_who_need_it() -> None:
    assert "secret" not in VALUES
    given = {name: part["env"] for name, part in VALUES.items() if isinstance(part, dict) and "env" in part}
    logins = {name: [variable["name"] for variable in env] for name, env in given.items()}
    assert logins == {
        "workers": ["NEWS_DATABASE_URL"],
        "triggerer": ["NEWS_DATABASE_URL"],
        "apiServer": ["NEWS_READER_URL"],
    }
    assert not any("postgresql" in str(variable) for variable in VALUES["env"])


def test_versions_are_the_same_everywhere() -> None:
    base = re.search(r"AIRFLOW_IMAGE=apache/airflow:(\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert base
    assert VALUES["defaultAirflowTag"] == base[1]
    assert base[1].startswith(f"{VALUES['airflowVersion']}-")
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    chart = re.search(r"helm install news apache-airflow/airflow --version (\S+)", guide)
    assert chart
    assert f"apache-airflow/airflow {chart[1]}, with Airflow {VALUES['airflowVersion']}" in SAID


def test_airflow_is_told_the_same_as_in_the_containers() -> None:
    told = {
        f"AIRFLOW__{section}__{option}".upper(): value
        for section, options in VALUES["config"].items()
        for option, value in options.items()
    }
    compose = {name: str(value) for part in ENVIRONMENT.values() for name, value in part.items()}
    assert told.keys() <= compose.keys()
    differing = {name for name, value in told.items() if value.lower() != compose[name].lower()}
    # In .env there.
    assert differing == {"AIRFLOW__CELERY__WORKER_CONCURRENCY"}
    assert json.loads(told["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"])
