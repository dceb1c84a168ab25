"""The words of a text, for search: as they are spelled, in their order. `news.words_of` is the same in SQL."""

import re

from ingest.text.folding import spell

__all__ = ["words_of"]

# In these, what is sought comes before what is around it: the regular expression engine then searches much faster.
# Separators of thousands, as Arabic and English write them: 2,500 and ٢٬٥٠٠ are one number.
_THOUSANDS = re.compile("[,.٬،](?<=[0-9٠-٩۰-۹].)(?=[0-9٠-٩۰-۹]{3}(?![0-9٠-٩۰-۹]))")
_BEFORE_DIGITS = re.compile("[0-9](?<=[^ 0-9].)")
_BEHIND_DIGITS = re.compile("[0-9](?=[^ 0-9])")


def words_of(text: str, spelled: str | None = None) -> list[str]:
    """Return the words of a text, as `spell` returns them.

    Numbers are without separators of thousands. Letters and digits that touch are words of their own, so that F-16 and
    F16 are the same two, and so are names with Abd al- (عبدالله and عبد الله). If you have `spell(text)` already, give
    it as `spelled`: it saves time.
    """
    if spelled is None or _THOUSANDS.search(text):
        spelled = spell(_THOUSANDS.sub("", text))
    # Names are written in one or in two words.
    spelled = spelled.replace("عبدال", "عبد ال")
    return _BEHIND_DIGITS.sub(r"\g<0> ", _BEFORE_DIGITS.sub(r" \g<0>", spelled)).split()
