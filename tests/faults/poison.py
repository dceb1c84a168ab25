"""Stands in for extraction in the fault tests: while a file is there, some pages kill the worker they are in.

Those whose addresses end as a line of the file says; where it is empty, every third.
"""

import os
import signal
import zlib
from pathlib import Path

from ingest.extraction import extract, worker
from ingest.model.document import Document, Hint

__all__ = ["install"]

FLAG = "FAULTS_POISON"
_extract_page = worker.extract_page


def install() -> None:
    """Let the pipeline of this process extract in this way. Its workers find the function here by its name."""
    extract.extract_page = extract_page  # type: ignore[attr-defined]


def extract_page(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """As `ingest.extraction.worker.extract_page`, unless the page is one of those that are poisonous now."""
    flag = Path(os.environ[FLAG])
    if flag.exists():
        ends = tuple(flag.read_text().split())
        if url.partition("?")[0].endswith(ends) if ends else zlib.crc32(url.encode()) % 3 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return _extract_page(body, url, content_type, hint)
