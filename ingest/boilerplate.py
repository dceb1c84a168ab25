"""Lines of extracted text that are not the article's: invitations to read on, share bars, comment rules. Pure.

The rules stand in boilerplate.toml, with an example each. They hold for lines that are boilerplate as a whole, at the
places where it stands; a sentence that uses the same words is left alone.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

from ingest.dates import read_date
from ingest.folding import fold

__all__ = ["Rule", "rules", "without_boilerplate"]

Where = Literal["line", "start", "section", "contains", "edge"]
# Words of a line that is a heading with something behind it, and of one that is the title of another article.
SHORT_LINE = 12
TITLE_LINE = 25
# Lines at the beginning and the end of a text that count as its edge; the last lines, where `contains` holds.
EDGE_LINES = 3
LAST_LINES = 8
_SENTENCE_END = re.compile(r"[.!؟?؛»\"”]\s*$")
_WORD = re.compile(r"\W*[\w\u0610-\u061a\u064b-\u0652]+")
_AFTER_HEADING = re.compile(r"\s*(?:[:：\-–—|•»<>/.…]|$)")
_LINE_BREAK = "zqlinebreakqz"
_BAR = re.compile(r"[|•·/»]")


@dataclass(frozen=True)
class Rule:
    """What boilerplate of one kind looks like; `phrases` are folded."""

    name: str
    where: Where
    phrases: tuple[str, ...]
    example: str

    @cached_property
    def signs(self) -> frozenset[str]:
        """The phrases that fold to nothing, and are looked for as they are."""
        return frozenset(phrase for phrase in self.phrases if not fold(phrase))

    @cached_property
    def beginnings(self) -> tuple[str, ...]:
        """The phrases as a line begins with them that goes on."""
        return tuple(f"{phrase} " for phrase in self.phrases)


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of boilerplate.toml."""
    text = files("ingest").joinpath("boilerplate.toml").read_text(encoding="utf-8")
    return tuple(
        # A sign that folds to nothing is looked for as it is.
        Rule(rule["name"], rule["where"], tuple(fold(phrase) or phrase for phrase in rule["phrases"]), rule["example"])
        for rule in tomllib.loads(text)["rule"]
    )


def without_boilerplate(text: str) -> str:
    """Return the text without the lines that the rules find, and without dates and menus at its edges."""
    lines = text.split("\n")
    # Folded at once, which is quicker: a word stands for the line breaks, which folding would make spaces of.
    folded = [line.strip() for line in fold(text.replace("\n", f" {_LINE_BREAK} ")).split(_LINE_BREAK)]
    if len(folded) != len(lines):
        # Somebody's text has that word.
        folded = [fold(line) for line in lines]
    kept = [line for line in range(len(lines)) if folded[line] or lines[line].strip() == ""]
    cut = _section_start(lines, folded)
    if cut is not None:
        kept = [line for line in kept if line < cut]
    kept = [line for line in kept if not _is_boilerplate(line, lines, folded)]
    while kept and _is_furniture(lines[kept[0]]):
        kept.pop(0)
    while kept and _is_furniture(lines[kept[-1]]):
        kept.pop()
    return "\n".join(lines[line] for line in kept).strip()


def _section_start(lines: list[str], folded: list[str]) -> int | None:
    """The first line with a heading after which only short lines come, that are no sentences."""
    sections = [rule for rule in rules() if rule.where == "section"]
    start = None
    for number in range(len(lines) - 1, 0, -1):
        if any(_heads(rule, lines[number], folded[number]) for rule in sections):
            start = number
        if folded[number] and not _is_title(lines[number], folded[number]):
            break
    return start


def _is_boilerplate(number: int, lines: list[str], folded: list[str]) -> bool:
    line, words = lines[number], folded[number]
    last = number >= len(lines) - LAST_LINES
    if not last and words.count(" ") >= TITLE_LINE:
        return False
    at_edge = number < EDGE_LINES or number >= len(lines) - EDGE_LINES
    for rule in rules():
        match rule.where:
            case "line" | "section":
                found = _heads(rule, line, words)
            case "start":
                found = _begins(rule, words) and _is_title(line, words)
            case "edge":
                found = at_edge and _begins(rule, words) and words.count(" ") < SHORT_LINE
            case "contains":
                found = last and any(
                    phrase in line if phrase in rule.signs else _has(words, phrase) for phrase in rule.phrases
                )
        if found:
            return True
    return False


def _heads(rule: Rule, line: str, words: str) -> bool:
    """Whether a line is one of the phrases, alone or with a sign and a few words behind it."""
    if words.count(" ") >= SHORT_LINE:
        return False
    if words in rule.phrases:
        return True
    return words.startswith(rule.beginnings) and any(
        words.startswith(beginning) and _sign_follows(line, beginning) for beginning in rule.beginnings
    )


def _begins(rule: Rule, words: str) -> bool:
    return words.startswith(rule.beginnings) or words in rule.phrases


def _has(words: str, phrase: str) -> bool:
    return f" {phrase} " in f" {words} "


def _sign_follows(line: str, phrase: str) -> bool:
    """Whether the words of a phrase, at the beginning of a line, are followed by a sign that ends a heading."""
    position = 0
    for _ in phrase.split():
        match = _WORD.match(line, position)
        if match is None:
            return False
        position = match.end()
    return _AFTER_HEADING.match(line, position) is not None


def _is_title(line: str, words: str) -> bool:
    return words.count(" ") < TITLE_LINE and not _SENTENCE_END.search(line)


def _is_furniture(line: str) -> bool:
    """Whether a line at the edge of a text is a date and little else, or a menu."""
    words = fold(line).split()
    if not words:
        return True
    if len(_BAR.findall(line)) >= 3 and not _SENTENCE_END.search(line):
        return True
    return len(words) <= SHORT_LINE and read_date(line) is not None and not _SENTENCE_END.search(line)
