"""The language of a text."""

import re

import py3langid

__all__ = ["detect_language"]

# The start of a text tells its language as well as the whole.
LANGUAGE_SAMPLE_LENGTH = 300

# The alphabet of Arabic, and what Persian, Kurdish, Urdu and their neighbours write beyond it. Arabic pages hold some
# of these by mistake (Persian keyboards), their own languages hold one in ten letters at least.
_ARABIC_LETTERS = re.compile("[\u0621-\u064a]")
_OTHER_LANGUAGES_LETTERS = re.compile("[\u0671-\u06d3]")
MISTYPED_SHARE = 0.03
# A text that has so many of these among its words, in its first half as in its second, is English, and need not be
# compared with all other languages. A title that is quoted in another one stands in one half.
_ENGLISH_WORDS = re.compile(r"\b(?:the|and|of|to|that|with)\b", re.IGNORECASE)
CLEARLY_ENGLISH = 0.1


# Loads the model now: worker processes forked from a process that has imported this module share it.
py3langid.classify("")


def detect_language(text: str) -> str:
    """Return the language of `text` (ISO 639-1)."""
    sample = text[:LANGUAGE_SAMPLE_LENGTH]
    arabic = len(_ARABIC_LETTERS.findall(sample))
    if arabic > len(sample) / 2 and len(_OTHER_LANGUAGES_LETTERS.findall(sample)) <= MISTYPED_SHARE * arabic:
        return "ar"
    if " the " in sample and _is_english(sample[: len(sample) // 2]) and _is_english(sample[len(sample) // 2 :]):
        return "en"
    return str(py3langid.classify(sample)[0])


def _is_english(text: str) -> bool:
    return len(_ENGLISH_WORDS.findall(text)) >= CLEARLY_ENGLISH * len(text.split())
