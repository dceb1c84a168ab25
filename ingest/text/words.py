"""The words of a text, for search: as they are spelled, in their order. `news.words_of` is the same in SQL."""

import re

from ingest.text.folding import spell

__all__ = ["words_of"]

# Separators of thousands, as Arabic and English write them: 2,500 and ٢٬٥٠٠ are one number.
_THOUSANDS = re.compile("(?<=[0-9٠-٩۰-۹])[,.٬،](?=[0-9٠-٩۰-۹]{3}(?![0-9٠-٩۰-۹]))")
_LETTER_DIGIT = re.compile("([^ 0-9])([0-9])")
_DIGIT_LETTER = re.compile("([0-9])([^ 0-9])")
_ANY_DIGIT = re.compile("[0-9]")


def words_of(text: str) -> list[str]:
    """Return the words of a text, as `spell` returns them.

    Numbers are without separators of thousands. Letters and digits that touch are words of their own, so that F-16 and
    F16 are the same two.
    """
    spelled = spell(_THOUSANDS.sub("", text))
    if _ANY_DIGIT.search(spelled):
        spelled = _DIGIT_LETTER.sub(r"\1 \2", _LETTER_DIGIT.sub(r"\1 \2", spelled))
    return spelled.split()
