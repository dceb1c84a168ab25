"""Spellings of Arabic words.

Writers leave out the hamza of an alef, and write ha for ta marbuta and ya for alef maqsura, or the other way round. A
word is looked up by its `key`, which is the same for all these spellings; `distance` then says how much a spelling
speaks against a word: little where it says less than it could (ا for أ), much where it says something else (إ for أ).
"""

from ingest.text.folding import LETTER_FORMS

__all__ = ["DISTANCES", "KEYS", "OTHER_LETTER", "distance", "is_arabic", "key"]

# The seat of a hamza follows rules that writers apply differently (مسؤول, مسئول).
KEYS = LETTER_FORMS | {"ؤ": "ء", "ئ": "ء"}
_KEYS = str.maketrans(KEYS)

# What it costs to read a written letter as another one, in hundredths of a natural logarithm, as all costs here.
DISTANCES = (
    ("ا", "أ", 40), ("ا", "إ", 40), ("ا", "آ", 60), ("ا", "ٱ", 0), ("ٱ", "ا", 0),
    ("ه", "ة", 120), ("ة", "ه", 500), ("ى", "ي", 200), ("ي", "ى", 450), ("ی", "ي", 0), ("ی", "ى", 0), ("ک", "ك", 0),
    ("ئ", "ؤ", 150), ("ؤ", "ئ", 150), ("ء", "ئ", 60), ("ء", "ؤ", 60), ("ئ", "ء", 60), ("ؤ", "ء", 60),
)  # fmt: skip
# Any other difference between two spellings with the same key.
OTHER_LETTER = 350
_COSTS = {(written, meant): cost for written, meant, cost in DISTANCES}


def key(spelled: str) -> str:
    """Return the letters by which a word is looked up: the same for all its usual spellings, and as many."""
    return spelled.translate(_KEYS)


def distance(written: str, meant: str) -> int:
    """Return what it costs to read `written` as `meant`, two spellings with the same key. 0 if they are equal."""
    if written == meant:
        return 0
    return sum(_COSTS.get(pair, OTHER_LETTER) for pair in zip(written, meant, strict=True) if pair[0] != pair[1])


def is_arabic(spelled: str) -> bool:
    """Return whether a word is written in Arabic letters (those of Persian and Kurdish included)."""
    return "\u0620" <= spelled[:1] <= "\u06ff"
