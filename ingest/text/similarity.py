"""Compare two texts, and decide whether one is a copy of the other. Pure and symmetric.

Texts are compared by their shingles: runs of three words of the folded text. What may be a copy of a text is found by
its bands: MinHash (Broder 1997) sums the runs of six words up in 16 numbers, of which two texts share about as many as
the share of runs they have in common. Runs of six words are rare enough in other texts for one number to be a band
(locality-sensitive hashing); of shorter runs it takes a pair of numbers, and three times as many bands. Candidates are
then compared as they are.

A copy is not just alike. News of one kind (weather, prices, results), and texts around the same statement or with the
same background, have much in common too. A copy opens with the same sentences, or is called the same, and has a good
piece of the text word for word.
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
# From this share of common shingles on, of all that either has, it is the same text; below, it was cut or edited.
SAME_TEXT = 0.7
# Words in a row that copies share at the least, or that share of the shorter text: texts of one kind have the sentences
# of their kind in common, with other names and numbers in them.
RUN_WORDS, RUN_SHARE = 20, 0.4
# What is said more often than this in one text is a phrase of its kind, and makes no piece; from this similarity on,
# texts need none.
REPEATED = 3
NEARLY_ALL = 0.85
# Words that open a text, and those of the other within which they are looked for.
LEAD, LEAD_WITHIN = 30, 80
# What share of the shorter text must stand in the other: where both open alike, where they open somewhat alike, where
# one does, and where the titles are alike.
OPEN_ALIKE, OPEN_SOMEWHAT, ONE_OPENS, CALLED_ALIKE = 0.64, 0.70, 0.75, 0.78
TITLE_ALIKE = 0.34
# Words whose hashes are kept: news is made of the same ones.
REMEMBERED_WORDS = 100_000
_PARTICLES = re.compile("^(?:[وف]?(?:ال|لل|[بك]ال)|[ولب](?=.{4}))")


def _numbers(name: str) -> NDArray[np.uint64]:
    """As many numbers of 64 bits as there are hashes, the same for ever: signatures are stored."""
    digests = (hashlib.blake2b(f"{name} {place}".encode(), digest_size=8).digest() for place in range(BANDS))
    return np.array([int.from_bytes(digest) for digest in digests], dtype=np.uint64)


# Multiplicative hashing (Dietzfelbinger et al. 1997): odd factors, products modulo 2^64.
_FACTORS, _TERMS = _numbers("factor") | np.uint64(1), _numbers("term")
_WORD_FACTORS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint64)


def _mixed(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One hash of 64 bits for each two, in that order."""
    mixed = (one * np.uint64(0x9E3779B97F4A7C15)) ^ (other + np.uint64(0xD6E8FEB86659FD93))
    return np.asarray(mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)


def _runs(hashes: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """One hash of 64 bits for each run of so many of `hashes`, which are at least as many."""
    length = 1
    while length < count:
        # Runs of any length are made of two shorter ones that may overlap.
        step = min(length, count - length)
        hashes, length = _mixed(hashes[:-step], hashes[step:]), length + step
    return hashes


class _WordHashes(dict[str, int]):
    """The hashes of words, each worked out when it is first asked for."""

    def __missing__(self, word: str) -> int:
        return self.setdefault(word, zlib.crc32(word.encode()))


_word_hashes = _WordHashes()


class Opening:
    """How a text begins, and its title: enough to tell most pairs of texts apart."""

    def __init__(self, title: str | None, words: list[str]) -> None:
        """`words` are those of the folded text, the first LEAD_WITHIN at the least, all where it has less."""
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
        # The beginnings of words, without particles, are alike where the words are.
        words = (_PARTICLES.sub("", word) for word in fold(self._title).split())
        return frozenset(word[:5] for word in words if len(word) > 2)


def _threes(words: list[str]) -> list[tuple[str, str, str]]:
    return list(zip(words, words[1:], words[2:], strict=False))


class Comparable(Opening):
    """A text, folded, and its title, ready to be compared."""

    def __init__(self, title: str | None, folded_text: str) -> None:
        super().__init__(title, folded_text.split())
        self._known_pieces: dict[int, frozenset[int]] = {}

    @cached_property
    def _shingles(self) -> NDArray[np.uint64]:
        """The hash of each run of words, in the order of the text."""
        if len(_word_hashes) > REMEMBERED_WORDS:
            _word_hashes.clear()
        hashes = np.fromiter(map(_word_hashes.__getitem__, self._words), dtype=np.uint64, count=len(self._words))
        runs = len(hashes) - SHINGLE + 1
        if runs < 1:
            return np.empty(0, dtype=np.uint64)
        mixed = sum(hashes[place : place + runs] * _WORD_FACTORS[place] for place in range(SHINGLE))
        # Down to 32 bits, of which the upper ones are mixed best.
        return np.asarray(mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)

    @cached_property
    def _set(self) -> frozenset[int]:
        return frozenset(self._shingles.tolist())

    @cached_property
    def bands(self) -> list[int]:
        """Return the hashes of the text's bands, as 32-bit integers with sign; none where it is too short."""
        if len(self._words) < MIN_WORDS:
            return []
        runs = _runs(self._shingles, BAND_WORDS - SHINGLE + 1)
        # All 64 bits: the smallest of many numbers begin with the same ones, and among a million articles, those of 32
        # bits are as likely the same by chance as not.
        smallest = (runs[:, None] * _FACTORS + _TERMS).min(axis=0)
        # The same number is another band in another place.
        mixed = _mixed(smallest, np.arange(BANDS, dtype=np.uint64)) >> np.uint64(32)
        return [int(band) for band in mixed.astype(np.uint32).view(np.int32)]

    def _pieces(self, words: int) -> frozenset[int]:
        """The hashes of all runs of so many words without what is said again and again in this text."""
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
    """How alike two texts are.

    `similarity` is the share of all their shingles that both have (Jaccard), `containment` the share of the shorter
    one's. `relation` is same_text or syndicated (cut or edited).
    """

    similarity: float
    containment: float
    relation: str


def compare(one: Comparable, other: Comparable) -> Likeness | None:
    """Return how alike two texts are where one is a copy of the other, None where neither is."""
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
    """Return what share of the shorter text must stand in the other for them to be copies; None where none would do.

    Most candidates are texts of one kind, and open in another way: what begins them tells.
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
    """The share of a text's first words that stands at the beginning of the other."""
    return sum(map(other._beginning.__contains__, one._lead)) / max(len(one._lead), 1)


def _titles(one: Opening, other: Opening) -> float:
    shorter = min(len(one._title_words), len(other._title_words))
    return len(one._title_words & other._title_words) / shorter if shorter else 0.0
