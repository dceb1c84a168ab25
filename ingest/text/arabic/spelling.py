"""Spellings of Arabic words.

Writers leave out the hamza of an alef, and write ha for ta marbuta and ya for alef maqsura, or the other way round. A
word is looked up by its `key`, which is the same for all these spellings; `distance` then says how much a spelling
speaks against a word: little where it says less than it could (ا for أ), much where it says something else (إ for أ).

Foreign words have many spellings (ديمقراطي, ديموقراطي), which differ in long vowels and in letters for sounds that
Arabic does not have. Those of one word have the same `skeleton`.
"""

from ingest.text.folding import LETTER_FORMS

__all__ = [
    "ALIKE",
    "DISTANCES",
    "KEYS",
    "OTHER_LETTER",
    "VOWELS",
    "distance",
    "is_arabic",
    "key",
    "one_letter_apart",
    "skeleton",
]

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

# What a skeleton leaves out, and letters that stand for each other, in foreign words or by mistake.
VOWELS = "اويء"
ALIKE = {"ج": "غ", "گ": "غ", "ط": "ت", "ظ": "ض", "ص": "س", "ث": "س", "ذ": "ز", "ژ": "ز", "ڤ": "ف", "پ": "ب"}
_SKELETONS = str.maketrans(dict.fromkeys(VOWELS, "") | ALIKE)


def key(spelled: str) -> str:
    """Return the letters by which a word is looked up: the same for all its usual spellings, and as many."""
    return spelled.translate(_KEYS)


def distance(written: str, meant: str) -> int:
    """Return what it costs to read `written` as `meant`, two spellings with the same key. 0 if they are equal."""
    if written == meant:
        return 0
    return sum(_COSTS.get(pair, OTHER_LETTER) for pair in zip(written, meant, strict=True) if pair[0] != pair[1])


def skeleton(letters: str) -> str:
    """Return the letters of a key that foreign words keep in all their spellings."""
    return letters.translate(_SKELETONS)


def one_letter_apart(one: str, other: str) -> bool:
    """Return whether two words differ by one letter: another one, one more or less, or two that changed places."""
    longer, shorter = max(len(one), len(other)), min(len(one), len(other))
    if one == other or longer - shorter > 1:
        return False
    front = next((place for place in range(shorter) if one[place] != other[place]), shorter)
    back = next((place for place in range(shorter) if one[-1 - place] != other[-1 - place]), shorter)
    if front + back >= longer - 1:
        return True
    return longer == shorter == front + back + 2 and one[front : front + 2] == other[front + 1] + other[front]


def is_arabic(spelled: str) -> bool:
    """Return whether a word is written in Arabic letters (those of Persian and Kurdish included)."""
    return "\u0620" <= spelled[:1] <= "\u06ff"
