"""Extraction keeps to its floors on pages with known texts."""

import pytest

from bench.extraction import below_floors, compare, figures, newsroom_pages, ours, pages


@pytest.mark.slow
def test_no_figure_is_below_its_floor() -> None:
    # Without the evaluation pages (NEWS_TEST_SHARED), those of the newsroom alone.
    scores = compare(pages() + newsroom_pages(), {"ingest": ours}, rounds=1)["ingest"]
    assert below_floors(scores) == [], {group: figures(got) for group, got in scores.items()}
