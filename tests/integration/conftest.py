"""What the tests of stages share."""

import pytest

from tests.collected import collect, templates
from tests.runs import workers

__all__ = ["collect", "templates"]


@pytest.fixture(scope="session", autouse=True)
def fork_server() -> None:
    """Let the fork server import what extraction needs, before a test asks for a pool that needs less."""
    workers()
