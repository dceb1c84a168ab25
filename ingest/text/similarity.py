"""Compare two texts, and decide whether one is a copy of the other. Pure and symmetric.

Texts are compared by their shingles: runs of three words of the folded text. Candidates for copies are found by bands.
MinHash (Broder 1997) reduces the runs of six words to 16 numbers, and the share of equal numbers in two texts is about
the share of runs they have in common. Runs of six words are rare enough in other texts for one number to be a band
(locality-sensitive hashing). With shorter runs, a band would need two numbers, and there would have to be three times
as many bands. Candidates are then compared in full.

Similarity alone does not make a copy. News of one kind (weather, prices, results), and texts about the same statement
or with the same background, also have much in common. A copy opens with the same sentences or has the same title, and
shares a substantial passage word for word.
"""

import hashlib
import math
import re
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ingest.text.folding import fold

__all__ = ["BANDS", "LEAD_WITHIN", "Comparable", "Likeness", "Opening", "compare", "containment_needed"]

SHINGLE = 3
BANDS, BAND_WORDS = 16, 6
# Shorter texts have too little that could differ.
MIN_WORDS = 25
# From this share of common shingles on (of all in either text), it is the same text; below, it was cut or edited.
SAME_TEXT = 0.7
# Copies share at least this many consecutive words, or this share of the shorter text. Texts of one kind share the
# standard sentences of that kind, with other names and numbers in them.
RUN_WORDS, RUN_SHARE = 20, 0.4
# Shingles repeated more often than this in one text are stock phrases and not part of a shared passage. From this
# similarity on, no passage is required.
REPEATED = 3
NEARLY_ALL = 0.85
# Words that open a text, and the number of words of the other text in which they are searched.
LEAD, LEAD_WITHIN = 30, 80
# The share of the shorter text that must be in the other: if both open alike, if they open somewhat alike, if one does,
# and if the titles are alike.
OPEN_ALIKE, OPEN_SOMEWHAT, ONE_OPENS, CALLED_ALIKE = 0.64, 0.70, 0.75, 0.78
TITLE_ALIKE = 0.34
# Words whose hashes are cached: news repeats its words.
REMEMBERED_WORDS = 100_000
_PARTICLES = re.compile("^(?:[وف]?(?:ال|لل|[بك]ال)|[ولب](?=.{4}))")


def _numbers(name: str) -> NDArray[np.uint64]:
    """One 64-bit number per hash. They must never change, because signatures are stored."""
    digests = (hashlib.blake2b(f"{name} {place}".encode(), digest_size=8).digest() for place in range(BANDS))
    return np.array([int.from_bytes(digest) for digest in digests], dtype=np.uint64)


# Multiplicative hashing (Dietzfelbinger et al. 1997): odd factors, products modulo 2^64.
_FACTORS, _TERMS = _numbers("factor") | np.uint64(1), _numbers("term")
_WORD_FACTORS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint64)


def _mixed(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One 64-bit hash for each pair, in that order."""
    mixed = (one * np.uint64(0x9E3779B97F4A7C15)) ^ (other + np.uint64(0xD6E8FEB86659FD93))
    return np.asarray(mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)


def _runs(hashes: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """One 64-bit hash for each run of `count` hashes, of which there are at least as many."""
    length = 1
    while length < count:
        # Runs of any length are made of two shorter ones that may overlap.
        step = min(length, count - length)
        hashes, length = _mixed(hashes[:-step], hashes[step:]), length + step
    return hashes


class _WordHashes(dict[str, int]):
    """The hashes of words, computed on first use."""

    def __missing__(self, word: str) -> int:
        return self.setdefault(word, zlib.crc32(word.encode()))


_word_hashes = _WordHashes()


class Opening:
    """The opening and title of a text: enough to tell most pairs of texts apart."""

    def __init__(self, title: str | None, words: list[str]) -> None:
        """`words` are words of the folded text: at least the first LEAD_WITHIN, or all if it has fewer."""
        self._title = title or ""
        self._words = words

    @cached_property
    def _lead(self) -> list[tuple[str, str, str]]:
        return _threes(self._words[:LEAD])

    @cached_property
    def _beginning(self) -> frozenset[tuple[str, str, str]]:
        return frozenset(_threes(self._words[:LEAD_WITHIN]))

    @cached_property
    def _title_words(self) -> frozenset[str]:
        # Similar words have similar beginnings, once particles are removed.
        words = (_PARTICLES.sub("", word) for word in fold(self._title).split())
        return frozenset(word[:5] for word in words if len(word) > 2)


def _threes(words: list[str]) -> list[tuple[str, str, str]]:
    return list(zip(words, words[1:], words[2:], strict=False))


class Comparable(Opening):
    """A folded text and its title, ready for comparison."""

    def __init__(self, title: str | None, folded_text: str) -> None:
        super().__init__(title, folded_text.split())
        self._known_pieces: dict[int, frozenset[int]] = {}

    @cached_property
    def _shingles(self) -> NDArray[np.uint64]:
        """The hash of each shingle, in the order of the text."""
        if len(_word_hashes) > REMEMBERED_WORDS:
            _word_hashes.clear()
        hashes = np.fromiter(map(_word_hashes.__getitem__, self._words), dtype=np.uint64, count=len(self._words))
        runs = len(hashes) - SHINGLE + 1
        if runs < 1:
            return np.empty(0, dtype=np.uint64)
        mixed = sum(hashes[place : place + runs] * _WORD_FACTORS[place] for place in range(SHINGLE))
        # Down to 32 bits, taken from the upper ones, which are mixed best.
        return np.asarray(mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)

    @cached_property
    def _set(self) -> frozenset[int]:
        return frozenset(self._shingles.tolist())

    @cached_property
    def bands(self) -> list[int]:
        """Return the hashes of the text's bands, as signed 32-bit integers; none if the text is too short."""
        if len(self._words) < MIN_WORDS:
            return []
        runs = _runs(self._shingles, BAND_WORDS - SHINGLE + 1)
        # All 64 bits, because the smallest of many numbers share their leading bits. Among a million articles, 32-bit
        # minima would be as likely to match by chance as not.
        smallest = (runs[:, None] * _FACTORS + _TERMS).min(axis=0)
        # The same number in another position is another band.
        mixed = _mixed(smallest, np.arange(BANDS, dtype=np.uint64)) >> np.uint64(32)
        return [int(band) for band in mixed.astype(np.uint32).view(np.int32)]

    def _pieces(self, words: int) -> frozenset[int]:
        """The hashes of all runs of so many words, without phrases that this text repeats."""
        if words not in self._known_pieces:
            self._known_pieces[words] = self._hash_pieces(words - SHINGLE + 1)
        return self._known_pieces[words]

    def _hash_pieces(self, shingles: int) -> frozenset[int]:
        _, of_shingle, count = np.unique(self._shingles, return_inverse=True, return_counts=True)
        repeated = np.concatenate(([0], np.cumsum(count[of_shingle] > REPEATED)))
        if len(self._shingles) < shingles:
            return frozenset()
        hashes = _runs(self._shingles, shingles)
        whole = repeated[shingles:] == repeated[: len(hashes)]
        return frozenset(hashes[whole].tolist())


@dataclass(frozen=True)
class Likeness:
    """How similar two texts are.

    `similarity` is the share of all their shingles that both have (Jaccard), `containment` the share of the shorter
    text's. `relation` is same_text or syndicated (cut or edited).
    """

    similarity: float
    containment: float
    relation: str


def compare(one: Comparable, other: Comparable) -> Likeness | None:
    """Return how similar two texts are if one is a copy of the other, else None."""
    enough = containment_needed(one, other)
    if enough is None:
        return None
    common = len(one._set & other._set)
    containment = common / min(len(one._set), len(other._set))
    if containment < enough:
        return None
    similarity = common / (len(one._set) + len(other._set) - common)
    if similarity < NEARLY_ALL:
        words = math.ceil(min(RUN_WORDS, RUN_SHARE * min(len(one._words), len(other._words))))
        if one._pieces(words).isdisjoint(other._pieces(words)):
            return None
    return Likeness(similarity, containment, "same_text" if similarity >= SAME_TEXT else "syndicated")


def containment_needed(one: Opening, other: Opening) -> float | None:
    """Return the share of the shorter text that must be in the other for a copy, or None if they cannot be copies.

    Most candidates are texts of one kind that open differently, so their openings decide.
    """
    if min(len(one._words), len(other._words)) < MIN_WORDS:
        return None
    less, more = sorted((_opens_in(one, other), _opens_in(other, one)))
    if less >= 0.55:
        return OPEN_ALIKE
    if less >= 0.4:
        return OPEN_SOMEWHAT
    if less >= 0.25 and more >= 0.55:
        return ONE_OPENS
    return CALLED_ALIKE if _titles(one, other) >= TITLE_ALIKE else None


def _opens_in(one: Opening, other: Opening) -> float:
    """The share of a text's first words that is in the beginning of the other."""
    return sum(map(other._beginning.__contains__, one._lead)) / max(len(one._lead), 1)


def _titles(one: Opening, other: Opening) -> float:
    shorter = min(len(one._title_words), len(other._title_words))
    return len(one._title_words & other._title_words) / shorter if shorter else 0.0
