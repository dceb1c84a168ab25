"""Extraction keeps to its floors on pages with known texts, where those are there."""

import pytest

from bench.extraction import below_floors, compare, figures, ours, pages


@pytest.mark.slow
def test_no_figure_is_below_its_floor() -> None:
    found = pages()
    if not found:
        pytest.skip("no evaluation pages: set NEWS_TEST_SHARED")
    scores = compare(found, {"ingest": ours}, rounds=1)["ingest"]
    assert below_floors(scores) == [], {group: figures(got) for group, got in scores.items()}
