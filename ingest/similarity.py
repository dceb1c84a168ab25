"""How alike two texts are, and whether one is a copy of the other. Pure, and the same whichever comes first.

Texts are compared by their shingles: runs of three words of the folded text. MinHash (Broder 1997) sums a text up in
128 numbers, of which two texts share about as many as the share of shingles they have in common; pairs of them are the
bands by which candidates are found (locality-sensitive hashing): of texts that share a quarter of their shingles, 98
in 100 share a band. Candidates are then compared as they are.

A copy is not just alike. News of one kind (weather, prices, results), and texts around the same statement or with the
same background, have much in common too. A copy opens with the same sentences, or is called the same.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ingest.folding import fold

__all__ = ["Comparable", "Likeness", "compare"]

SHINGLE = 3
BANDS, ROWS = 64, 2
# Shorter texts have too little that could differ.
MIN_WORDS = 25
# From this share of common shingles on, of all that either has, it is the same text; below, it was cut or edited.
SAME_TEXT = 0.7
# Words that open a text, and those of the other within which they are looked for.
LEAD, LEAD_WITHIN = 30, 80
# What share of the shorter text must stand in the other: where both open alike, where they open somewhat alike, where
# one does, and where the titles are alike.
OPEN_ALIKE, OPEN_SOMEWHAT, ONE_OPENS, CALLED_ALIKE = 0.64, 0.70, 0.75, 0.78
TITLE_ALIKE = 0.34
_PARTICLES = re.compile("^(?:[وف]?(?:ال|لل|[بك]ال)|[ولب](?=.{4}))")


def _numbers(name: str) -> NDArray[np.uint64]:
    """As many numbers of 64 bits as there are hashes, the same for ever: signatures are stored."""
    digests = (hashlib.blake2b(f"{name} {place}".encode(), digest_size=8).digest() for place in range(BANDS * ROWS))
    return np.array([int.from_bytes(digest) for digest in digests], dtype=np.uint64)


# Multiply-shift hashing (Dietzfelbinger et al. 1997): odd factors, products modulo 2^64, their upper half.
_FACTORS, _TERMS = _numbers("factor") | np.uint64(1), _numbers("term")
_WORD_FACTORS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint64)


class Comparable:
    """A text, folded, and its title, ready to be compared."""

    def __init__(self, title: str | None, folded_text: str) -> None:
        self._title = title or ""
        self._words = folded_text.split()

    @cached_property
    def _shingles(self) -> NDArray[np.uint64]:
        """The hash of each run of words, in the order of the text."""
        known: dict[str, int] = {}
        hashes = np.fromiter(
            (known.get(word) or known.setdefault(word, zlib.crc32(word.encode())) for word in self._words),
            dtype=np.uint64,
            count=len(self._words),
        )
        runs = len(hashes) - SHINGLE + 1
        if runs < 1:
            return np.empty(0, dtype=np.uint64)
        mixed = sum(hashes[place : place + runs] * _WORD_FACTORS[place] for place in range(SHINGLE))
        # Down to 32 bits, of which the upper ones are mixed best.
        return np.asarray(mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)

    @cached_property
    def _set(self) -> frozenset[int]:
        return frozenset(self._shingles.tolist())

    @property
    def bands(self) -> list[int]:
        """Return the hashes of the text's bands, as 32-bit integers with sign; none where it is too short."""
        if len(self._words) < MIN_WORDS:
            return []
        shingles = np.unique(self._shingles)
        values = (shingles[:, None] * _FACTORS + _TERMS) >> np.uint64(32)
        smallest = values.min(axis=0).reshape(BANDS, ROWS)
        places = np.arange(BANDS, dtype=np.uint64)
        mixed = (smallest[:, 0] * np.uint64(0x9E3779B97F4A7C15)) ^ (smallest[:, 1] + places * np.uint64(0xC2B2AE3D))
        mixed *= np.uint64(0xD6E8FEB86659FD93)
        return [int(band) for band in (mixed >> np.uint64(32)).astype(np.uint32).view(np.int32)]

    def _opening(self) -> list[int]:
        return [int(hash_) for hash_ in self._shingles[: LEAD - SHINGLE + 1]]

    def _beginning(self) -> frozenset[int]:
        return frozenset(int(hash_) for hash_ in self._shingles[: LEAD_WITHIN - SHINGLE + 1])

    @cached_property
    def _title_words(self) -> frozenset[str]:
        # The beginnings of words, without particles, are alike where the words are.
        words = (_PARTICLES.sub("", word) for word in fold(self._title).split())
        return frozenset(word[:5] for word in words if len(word) > 2)


@dataclass(frozen=True)
class Likeness:
    """How alike two texts are.

    `similarity` is the share of all their shingles that both have (Jaccard), `containment` the share of the shorter
    one's. `relation` is same_text or syndicated (cut or edited), None where neither is a copy of the other.
    """

    similarity: float
    containment: float
    relation: str | None


def compare(one: Comparable, other: Comparable) -> Likeness:
    """Return how alike two texts are."""
    common = len(one._set & other._set)
    shorter, both = min(len(one._set), len(other._set)), len(one._set | other._set)
    if not shorter:
        return Likeness(0.0, 0.0, None)
    similarity, containment = common / both, common / shorter
    relation = None
    if min(len(one._words), len(other._words)) >= MIN_WORDS and _is_copy(one, other, containment):
        relation = "same_text" if similarity >= SAME_TEXT else "syndicated"
    return Likeness(similarity, containment, relation)


def _is_copy(one: Comparable, other: Comparable, containment: float) -> bool:
    if containment < OPEN_ALIKE:
        return False
    less, more = sorted((_opens_in(one, other), _opens_in(other, one)))
    if less >= 0.55 or (less >= 0.4 and containment >= OPEN_SOMEWHAT):
        return True
    if less >= 0.25 and more >= 0.55 and containment >= ONE_OPENS:
        return True
    return containment >= CALLED_ALIKE and _titles(one, other) >= TITLE_ALIKE


def _opens_in(one: Comparable, other: Comparable) -> float:
    """The share of a text's first words that stands at the beginning of the other."""
    opening, beginning = one._opening(), other._beginning()
    return sum(hash_ in beginning for hash_ in opening) / max(len(opening), 1)


def _titles(one: Comparable, other: Comparable) -> float:
    shorter = min(len(one._title_words), len(other._title_words))
    return len(one._title_words & other._title_words) / shorter if shorter else 0.0
