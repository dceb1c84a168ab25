"""What kind of change an edit of an article is. Pure.

Shares of words, in order: so a text that only moved is rewritten, and one that got a paragraph is extended.
"""

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from ingest.text.folding import fold

__all__ = ["EDITS", "Edit", "edit_of"]

Edit = Literal["headline", "typing", "numbers", "wording", "extended", "cut", "rewritten"]
EDITS: tuple[Edit, ...] = ("headline", "typing", "numbers", "wording", "extended", "cut", "rewritten")

# If less of the longer text's words stay, it is another text; if at least this share of the shorter one stays, the rest
# was added or cut.
KEPT_LEAST, KEPT_WHOLE = 0.5, 0.95
# So many words that were only added, or only left out, are a sentence.
SENTENCE = 8
# A change of this share of the words is one of words here and there.
FEW_WORDS = 0.1
# Words so much alike are one word, spelled in another way.
SAME_WORD = 0.7
LONGEST_WORD = 60
# Texts with more pairs of the same word are compared by how often they have each: their order takes too long.
MOST_PAIRS = 200_000


def edit_of(title: str | None, text: str, new_title: str | None, new_text: str) -> Edit:
    """Return what kind of edit turned an article into its next version.

    `headline`: only the title. `typing`: signs, or spellings of words. `numbers`: only numbers. `wording`: other words
    here and there. `extended`, `cut`: something was added, or left out. `rewritten`: the rest.
    """
    before, after = fold(text).split(), fold(new_text).split()
    if before == after:
        changed = new_title is not None and fold(new_title) != fold(title or "")
        return "headline" if changed else "typing"
    removed, added = _difference(before, after)
    kept = len(before) - len(removed)
    shorter, longer = sorted((len(before), len(after)))
    one_sided = min(len(removed), len(added)) == 0 and max(len(removed), len(added)) >= SENTENCE
    if one_sided or (kept >= KEPT_WHOLE * shorter and longer - shorter > FEW_WORDS * longer):
        return "extended" if len(after) > len(before) else "cut"
    if kept < KEPT_LEAST * longer:
        return "rewritten"
    if max(len(removed), len(added)) > FEW_WORDS * longer:
        return "rewritten" if kept < (1 - 2 * FEW_WORDS) * longer else "wording"
    if all(word.isdigit() for word in (*removed, *added)):
        return "numbers"
    alike = len(removed) == len(added) and all(map(_is_same_word, removed, added))
    return "typing" if alike else "wording"


def _is_same_word(one: str, other: str) -> bool:
    # What is longer is no word, and comparing it takes the square of its length.
    if max(len(one), len(other)) > LONGEST_WORD:
        return one == other
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= SAME_WORD


def _difference(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words that are gone, and those that are new, in order."""
    gone, new = Counter(before), Counter(after)
    if sum(count * new[word] for word, count in gone.items()) > MOST_PAIRS:
        return list((gone - new).elements()), list((new - gone).elements())
    removed: list[str] = []
    added: list[str] = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            removed += before[start:end]
            added += after[new_start:new_end]
    return removed, added
