"""Durations in words."""

from datetime import timedelta
from itertools import pairwise

import pytest

from ingest.runtime.clock import spell


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (90, "90 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (180_000, "2 d")]
)
def test_durations_are_spelled_in_the_unit_that_fits(seconds: int, said: str) -> None:
    assert spell(timedelta(seconds=seconds)) == said


def test_longer_durations_are_never_spelled_shorter() -> None:
    sizes = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    spelled = [spell(timedelta(seconds=seconds)).split() for seconds in range(0, 400_000, 997)]
    values = [int(number) * sizes[unit] for number, unit in spelled]
    assert all(first <= second for first, second in pairwise(values))
