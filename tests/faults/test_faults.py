"""Whatever is done to the pipeline, it lands what an undisturbed run lands, each once, and leaves nothing behind.

pytest tests/faults --fault-runs 500
pytest tests/faults --fault-seed 1234
"""

import pytest

from tests.faults.plan import Plan
from tests.faults.run import Lab

pytestmark = pytest.mark.slow


def test_nothing_is_lost_doubled_or_stuck(lab: Lab, fault_seed: int) -> None:
    result = lab.run(Plan.draw(fault_seed))
    assert not result.problems, f"replay with --fault-seed {fault_seed}\n{result}"
