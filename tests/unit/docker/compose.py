"""docker-compose.yml, read."""

from typing import Any

from ruamel.yaml import YAML

from tests.conftest import ROOT

COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENVIRONMENT: dict[str, dict[str, str]] = {name: part.get("environment", {}) for name, part in SERVICES.items()}
