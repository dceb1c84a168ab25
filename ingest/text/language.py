"""Language detection."""

import re

import py3langid

__all__ = ["detect_language"]

# The start of a text is enough to detect its language.
LANGUAGE_SAMPLE_LENGTH = 300

# The Arabic alphabet, and the additional letters of Persian, Kurdish, Urdu and related languages. Arabic pages have a
# few of these by mistake (Persian keyboards). In the other languages, they are at least one letter in ten.
_ARABIC_LETTERS = re.compile("[\u0621-\u064a]")
_OTHER_LANGUAGES_LETTERS = re.compile("[\u0671-\u06d3]")
MISTYPED_SHARE = 0.03
_ARABIC_SCRIPT = re.compile("[\u0621-\u064a\u0671-\u06d5]")
# Letters of Sorani Kurdish, which are at least one in ten there and in few other languages, and letters that Uyghur has
# beside some of them.
_SORANI_LETTERS = re.compile("[\u06d5\u06ce\u06c6\u0695\u06b5\u06a4]")
_UYGHUR_LETTERS = re.compile("[\u06d0\u06c7\u06c8\u06cb]")
SORANI_SHARE = 0.1
# A text with this many of these words, in both halves, is English and need not be compared with all other languages. An
# English title quoted in another language is only in one half.
_ENGLISH_WORDS = re.compile(r"\b(?:the|and|of|to|that|with)\b", re.IGNORECASE)
CLEARLY_ENGLISH = 0.1


# Load the model now, so that worker processes forked after importing this module share it.
py3langid.classify("")


def detect_language(text: str) -> str:
    """Return the language of `text` (ISO 639-1, and ckb for Sorani Kurdish)."""
    sample = text[:LANGUAGE_SAMPLE_LENGTH]
    letters = len(_ARABIC_SCRIPT.findall(sample))
    if letters > len(sample) / 2 and _is_sorani(sample, letters):
        return "ckb"
    arabic = len(_ARABIC_LETTERS.findall(sample))
    if arabic > len(sample) / 2 and len(_OTHER_LANGUAGES_LETTERS.findall(sample)) <= MISTYPED_SHARE * arabic:
        return "ar"
    if " the " in sample and _is_english(sample[: len(sample) // 2]) and _is_english(sample[len(sample) // 2 :]):
        return "en"
    return str(py3langid.classify(sample)[0])


def _is_sorani(text: str, letters: int) -> bool:
    return len(_SORANI_LETTERS.findall(text)) >= SORANI_SHARE * letters and not _UYGHUR_LETTERS.search(text)


def _is_english(text: str) -> bool:
    return len(_ENGLISH_WORDS.findall(text)) >= CLEARLY_ENGLISH * len(text.split())
