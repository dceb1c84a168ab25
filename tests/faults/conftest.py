"""Fixtures of the fault tests, and their seeds."""

from collections.abc import Iterator

import pytest

from tests.faults.run import Lab

FIRST_SEED = 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each seed."""
    if "fault_seed" in metafunc.fixturenames:
        seed, runs = metafunc.config.getoption("--fault-seed"), metafunc.config.getoption("--fault-runs")
        first = FIRST_SEED if seed is None else seed
        # A seed alone is one to be looked at again.
        count = runs if runs is not None else 20 if seed is None else 1
        metafunc.parametrize("fault_seed", range(first, first + count))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("faults")) as made:
        yield made
