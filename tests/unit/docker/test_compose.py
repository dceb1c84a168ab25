"""docker-compose.yml: which service gets which settings and secrets, what it may do, and when it stops."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.config.settings import Settings, load_settings
from tests.conftest import ROOT
from tests.unit.docker.compose import COMPOSE, ENVIRONMENT, SERVICES

VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?+]([^}]*))?\}")

# Settings that are not the operator's here, and why.
FIXED = {
    "NEWS_DATABASE_URL": "an address of this network, with the password of the service's own login",
    "NEWS_READER_URL": "the same",
    "NEWS_DATA_DIR": "of the embedded server, which is not used",
    "NEWS_FEEDS": "a place in the image, where the file of this directory is mounted",
    "NEWS_TOPICS": "the same",
    "NEWS_EVENTS": "of `ingest report`, which is no service",
    "NEWS_WEBSUB_BIND": "an address in the container; NEWS_WEBSUB_PUBLISH is the one outside",
}
OF_THE_DAGS = {"NEWS_FETCH_TASKS", "NEWS_EXTRACT_TASKS", "NEWS_POLL_SCHEDULE", "NEWS_TASK_SECONDS"}
EVERY = {f"NEWS_{name.upper()}" for name in Settings.model_fields}
OPEN = EVERY - FIXED.keys()

# Who gets which settings of the operator's: a new one has to be put into docker-compose.yml as well.
SETTINGS = {
    "airflow-worker": OPEN,
    # Reads the files of the DAGs, which ask for these.
    "airflow-dag-processor": OF_THE_DAGS,
    "websub": OPEN - OF_THE_DAGS,
}

# Who gets which secrets, by their names in .env.
SECRETS = {
    "postgres": {"POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "NEWS_DB_PASSWORD"},
    "logins": {"POSTGRES_PASSWORD", "RESULTS_DB_PASSWORD", "NEWS_WRITER_PASSWORD", "NEWS_READER_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "airflow-init": {"AIRFLOW_DB_PASSWORD", "FERNET_KEY", "NEWS_DB_PASSWORD", "ADMIN_PASSWORD"},
    "airflow-api-server": {"AIRFLOW_DB_PASSWORD", "FERNET_KEY", "API_SECRET_KEY", "JWT_SECRET", "NEWS_READER_PASSWORD"},
    "airflow-scheduler": {"AIRFLOW_DB_PASSWORD", "FERNET_KEY", "JWT_SECRET", "REDIS_PASSWORD", "RESULTS_DB_PASSWORD"},
    "airflow-dag-processor": {"AIRFLOW_DB_PASSWORD", "FERNET_KEY"},
    "airflow-triggerer": {"AIRFLOW_DB_PASSWORD", "FERNET_KEY", "NEWS_WRITER_PASSWORD"},
    "airflow-worker": {"REDIS_PASSWORD", "RESULTS_DB_PASSWORD", "NEWS_WRITER_PASSWORD", "NEWS_ALERT_WEBHOOK"},
    "airflow-cleaner": {"AIRFLOW_DB_PASSWORD", "FERNET_KEY", "RESULTS_DB_PASSWORD"},
    "websub": {"NEWS_WRITER_PASSWORD", "NEWS_ALERT_WEBHOOK"},
}  # fmt: skip
SECRET = re.compile(r"\w*(?:PASSWORD|_KEY|_SECRET|_WEBHOOK)")

NETWORKS = {
    "postgres": {"database"},
    "logins": {"database"},
    "redis": {"backend"},
    "airflow-init": {"database"},
    "airflow-api-server": {"database", "backend", "default"},
    "airflow-scheduler": {"database", "backend"},
    "airflow-dag-processor": {"database", "backend", "default"},
    "airflow-triggerer": {"database", "backend", "default"},
    "airflow-worker": {"database", "backend", "default"},
    "airflow-cleaner": {"database"},
    "websub": {"database", "default"},
}


def variables(value: Any) -> set[str]:
    """The variables of .env that a part of the file uses."""
    if isinstance(value, dict):
        return {found for part in value.values() for found in variables(part)}
    if isinstance(value, list):
        return {found for part in value for found in variables(part)}
    return {match[1] for match in VARIABLE.finditer(str(value))}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_gets_the_settings_it_uses_and_no_others(service: str) -> None:
    environment = ENVIRONMENT[service]
    given = {name for name in environment if name.startswith("NEWS_") and name in EVERY - FIXED.keys()}
    assert given == SETTINGS.get(service, set())
    # Each comes from the variable of the same name.
    assert [name for name in given if variables(environment[name]) != {name}] == []
    # And there is none that nothing reads.
    others = {name for name in environment if name.startswith("NEWS_")} - EVERY
    assert others <= (SECRETS[service] if service in ("postgres", "logins") else set())


def test_an_empty_setting_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EVERY:
        monkeypatch.delenv(name, raising=False)
    bare = load_settings()
    for name, value in ENVIRONMENT["airflow-worker"].items():
        if name in OPEN:
            monkeypatch.setenv(name, VARIABLE.sub(lambda match: match[2] or "", value))
    # Without a line in .env, what the file says itself.
    assert load_settings() == bare.model_copy(update={"fetch_tasks": 2, "extract_tasks": 2, "extract_processes": 2})


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_holds_the_secrets_it_needs_and_no_others(service: str) -> None:
    held = {name for name in variables(SERVICES[service]) if SECRET.fullmatch(name)}
    assert held == SECRETS[service]


def test_what_faces_the_internet_knows_nothing_of_airflow() -> None:
    assert [name for name in ENVIRONMENT["websub"] if "AIRFLOW" in name] == []
    assert "volumes" in SERVICES["websub"]
    assert not any("airflow-logs" in volume for volume in SERVICES["websub"]["volumes"])


def test_only_the_pipeline_has_the_login_that_writes() -> None:
    writers = {name for name, part in ENVIRONMENT.items() if "news_pipeline" in part.get("NEWS_DATABASE_URL", "")}
    assert writers == {"airflow-worker", "airflow-triggerer", "websub"}
    assert "NEWS_DATABASE_URL" not in ENVIRONMENT["airflow-api-server"]
    assert [name for name, part in ENVIRONMENT.items() if "NEWS_READER_URL" in part] == ["airflow-api-server"]
    # Workers have no way into Airflow's database but to the schema of the results.
    assert not any("airflow:$" in value for value in ENVIRONMENT["airflow-worker"].values())


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_confined(service: str) -> None:
    part = SERVICES[service]
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert set(part.get("cap_add", [])) == (
        {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"} if service == "postgres" else set()
    )
    assert part["pids_limit"] > 0
    assert part["deploy"]["resources"]["limits"]["memory"]
    assert set(part["networks"]) == NETWORKS[service]
    assert "privileged" not in part
    if not service.startswith("airflow"):
        assert part["read_only"]


def test_networks_have_no_way_out_but_one() -> None:
    assert {name for name, part in COMPOSE["networks"].items() if not part.get("internal")} == {"default"}
    published = {name: part["ports"] for name, part in SERVICES.items() if "ports" in part}
    assert published.keys() == {"airflow-api-server", "websub"}
    assert all("127.0.0.1" in ports[0] for ports in published.values())


def test_the_limits_of_memory_add_up_as_it_says() -> None:
    def gigabytes(service: str) -> float:
        said = VARIABLE.sub(lambda match: match[2], SERVICES[service]["deploy"]["resources"]["limits"]["memory"])
        return float(said[:-1]) / {"g": 1, "m": 1024}[said[-1]]

    # Those that go on running, without the one that is switched on.
    lasting = [name for name, part in SERVICES.items() if part["restart"] != "no" and "profiles" not in part]
    said = re.search(r"add up to ([\d.]+) GB", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert said
    assert sum(map(gigabytes, lasting)) == pytest.approx(float(said[1]), abs=0.01)


def test_workers_stop_first() -> None:
    """Compose stops in the opposite order of `depends_on`, so what a worker reports to is still there."""
    needs = {name: set(part.get("depends_on", {})) for name, part in SERVICES.items()}
    assert {"airflow-api-server", "airflow-scheduler", "redis", "postgres"} <= needs["airflow-worker"]
    assert {"redis", "postgres"} <= needs["airflow-scheduler"]
    for service in SERVICES.keys() - {"postgres", "redis"}:
        assert "postgres" in needs[service]
    assert SERVICES["airflow-worker"]["depends_on"]["airflow-api-server"] == {"condition": "service_healthy"}
    # Only Celery is told to stop, and lets its tasks end, which takes their budget and what they have in hand.
    assert ENVIRONMENT["airflow-worker"]["DUMB_INIT_SETSID"] == "0"
    assert SERVICES["airflow-worker"]["stop_grace_period"] == "2m"
    assert load_settings().task_seconds + load_settings().request_timeout < 120


def test_lost_messages_are_sent_again_within_a_minute_and_fail_nothing() -> None:
    scheduler = ENVIRONMENT["airflow-scheduler"]
    waiting = int(scheduler["AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT"])
    looks = int(scheduler["AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL"])
    assert waiting + looks < 60
    assert int(scheduler["AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES"]) > 1000
    # A message's token holds for as long as it may wait; it must not end between two looks.
    assert int(ENVIRONMENT["airflow-api-server"]["AIRFLOW__API_AUTH__JWT_LEEWAY"]) > 2 * looks


def test_images_are_pinned_and_can_be_pinned_more_tightly() -> None:
    images = {VARIABLE.sub(lambda match: match[2], part["image"]) for part in SERVICES.values()}
    assert images == {"postgres:18", "redis:7", "iraq-withdrawal-news:latest"}
    base = VARIABLE.fullmatch(SERVICES["airflow-init"]["build"]["args"]["AIRFLOW_IMAGE"])
    assert base
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"ARG AIRFLOW_IMAGE={base[2]}\nFROM ${{AIRFLOW_IMAGE}}\n" in dockerfile


def test_a_drawn_env_file_has_every_secret(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    subprocess.run([sys.executable, ROOT / "docker" / "env.py", path], check=True, capture_output=True)
    assert path.stat().st_mode & 0o077 == 0
    drawn = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and line[0] != "#")
    needed = {name for held in SECRETS.values() for name in held}
    assert needed <= drawn.keys()
    assert len({drawn[name] for name in needed}) == len(needed)
