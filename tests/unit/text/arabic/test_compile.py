"""The list of forms, and what makes it."""

from pathlib import Path

from ingest.text.arabic import compile as compiling
from ingest.text.arabic.lexicon import FOLDER


def test_the_file_is_what_the_sources_make(tmp_path: Path) -> None:
    compiling.make(tmp_path / "forms.tsv")
    assert (tmp_path / "forms.tsv").read_text("utf-8") == (FOLDER / "forms.tsv").read_text("utf-8"), (
        "run `python -m ingest.text.arabic.compile`"
    )
