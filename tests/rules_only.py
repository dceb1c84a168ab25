"""The project's topics without their models: what tests of the pipeline use.

They are about how articles flow. What a made-up text means to an encoder is not their matter, and takes a tenth of a
second for each.
"""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

__all__ = ["RULES_ONLY"]


def _without_models(path: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="topics-"))
    atexit.register(_remove, folder, os.getpid())
    text, models = re.subn(r"^ +model: .*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert models
    (folder / "topics.yaml").write_text(text, encoding="utf-8")
    return folder / "topics.yaml"


def _remove(folder: Path, maker: int) -> None:
    # Not where a forked child ends.
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


RULES_ONLY = _without_models(Path(__file__).parent.parent / "topics.yaml")
