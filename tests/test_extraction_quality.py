"""Extraction keeps to its floors on pages with known texts, where those are there."""

import pytest

from bench.extraction import below_floors, figures, ours, pages, score


@pytest.mark.slow
def test_no_figure_is_below_its_floor() -> None:
    found = pages()
    if not found:
        pytest.skip("no evaluation pages: set NEWS_TEST_SHARED")
    scores = score(found, ours, rounds=1, misses=False)
    assert below_floors(scores) == [], {group: figures(got) for group, got in scores.items()}
