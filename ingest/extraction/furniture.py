"""Remove lines that do not belong to the article: invitations to read on, share bars, comment rules. Pure.

The rules are in furniture.toml, with an example each. They match lines that are entirely boilerplate, at the places
where it usually occurs. A sentence that uses the same words is left alone.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from ingest.text.dates import read_date
from ingest.text.folding import fold, fold_all

__all__ = ["Rule", "rules", "without_boilerplate"]

Where = Literal["line", "label", "start", "section", "end", "contains", "edge"]
# The maximum words in a heading line with something after it, and in a line that is the title of another article.
SHORT_LINE = 12
TITLE_LINE = 25
# Words behind a label, such as the letters of "font size: A A A". More are a sentence.
LABEL_WORDS = 3
# The maximum number of titles of other articles below a heading within the text.
TITLES_BELOW = 6
# Rules that take more than this share of a text's sentences are wrong about it.
MOST_SENTENCES = 0.5
# A line with this many words is a paragraph, not a notice.
LONG_LINE = 100
# Matches any words within a phrase.
PARTED = "…"
# Lines that count as the edge at the start and end of a text; last lines in which `contains` applies.
EDGE_LINES = 3
LAST_LINES = 8
_SENTENCE_END = re.compile(r"[.!؟?؛»\"”]\s*$")
_WORD = re.compile(r"\W*[\w\u0610-\u061a\u064b-\u0652]+")
_AFTER_HEADING = re.compile(r"\s*(?:[:：\-–—|•»<>/.…]|$)")
_DATELINE = re.compile(r"[^|•·/»]{1,60}?\s?[-–—:]\s")
_BAR = re.compile(r"[|•·/»]")


@dataclass(frozen=True)
class Rule:
    """A rule for one kind of boilerplate; `phrases` are folded."""

    name: str
    where: Where
    phrases: tuple[str, ...]
    example: str


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of furniture.toml."""
    text = files("ingest.extraction").joinpath("furniture.toml").read_text(encoding="utf-8")
    return tuple(
        # A sign that folds to nothing is matched literally.
        Rule(rule["name"], rule["where"], tuple(map(_folded, rule["phrases"])), rule["example"])
        for rule in tomllib.loads(text)["rule"]
    )


def _folded(phrase: str) -> str:
    return PARTED.join(map(fold, phrase.split(PARTED))) or phrase


def without_boilerplate(text: str) -> str:
    """Return the text without the lines that match a rule, and without dates and menus at its edges."""
    lines = text.split("\n")
    folded = fold_all(lines)
    present = [line for line in range(len(lines)) if folded[line] or lines[line].strip() == ""]
    end = _end(lines, folded)
    kept = [line for line in present if line < end]
    titles = _titles_below(lines, folded)
    kept = [line for line in kept if line not in titles and not _is_boilerplate(line, lines, folded)]
    if _sentences(lines, kept) < MOST_SENTENCES * _sentences(lines, present):
        kept = present
    while kept and _is_furniture(lines[kept[0]], folded[kept[0]]):
        kept.pop(0)
    while kept and _is_furniture(lines[kept[-1]], folded[kept[-1]]):
        kept.pop()
    return "\n".join(lines[line] for line in kept).strip()


def _sentences(lines: list[str], kept: list[int]) -> int:
    """How much of these lines is sentences, in characters."""
    return sum(len(lines[line]) for line in kept if _SENTENCE_END.search(lines[line]))


def _end(lines: list[str], folded: list[str]) -> int:
    """The first line that is not the article's any more, nor is what follows: comments, or titles of other articles."""
    start = _section_start(lines, folded)
    end = len(lines) if start is None else start
    before = 0
    for number in range(end):
        if any(rule.where == "end" and _labels(phrase, folded[number]) for rule, phrase in _beginnings(folded[number])):
            # The comments are at most as long as the article, or it is not there where they seem to begin.
            behind = sum(map(len, lines[number:end]))
            return number if before >= behind else end
        before += len(lines[number])
    return end


def _titles_below(lines: list[str], folded: list[str]) -> set[int]:
    """Titles of other articles, as a list below a heading that is a line of its own, such as "Read also"."""
    found: set[int] = set()
    for number, words in enumerate(folded):
        if any(rule.where == "start" and words == phrase for rule, phrase in _beginnings(words)):
            below = number + 1
            while (
                below < len(lines)
                and below - number <= TITLES_BELOW
                and lines[below].startswith("- ")
                and folded[below].count(" ") < TITLE_LINE
            ):
                found.add(below)
                below += 1
    return found


def _labels(phrase: str, words: str) -> bool:
    """Whether a line is the phrase and little else, such as a number."""
    return _without_number(words).count(" ") - phrase.count(" ") <= LABEL_WORDS


def _without_number(words: str) -> str:
    return words.lstrip("0123456789 ")


def _section_start(lines: list[str], folded: list[str]) -> int | None:
    """The first line with a section heading that is followed only by short lines that are not sentences."""
    start = None
    for number in range(len(lines) - 1, 0, -1):
        line, words = lines[number], folded[number]
        if any(rule.where == "section" and _heads(phrase, line, words) for rule, phrase in _beginnings(words)):
            start = number
        if words and not _is_title(line, words):
            break
    return start


def _is_boilerplate(number: int, lines: list[str], folded: list[str]) -> bool:
    line, words = lines[number], folded[number]
    last = number >= len(lines) - LAST_LINES
    at_edge = number < EDGE_LINES or number >= len(lines) - EDGE_LINES
    for rule, phrase in _beginnings(words):
        match rule.where:
            case "line" | "section":
                found = _heads(phrase, line, words)
            case "label" | "end":
                found = _labels(phrase, words) and (not _SENTENCE_END.search(line) or words == phrase)
            case "start":
                found = _is_title(line, words)
            case "edge":
                found = at_edge and words.count(" ") < SHORT_LINE
            case "contains":
                found = last
        if found:
            return True
    return last and _contains(line, words)


@cache
def _by_first_word() -> dict[str, list[tuple[Rule, str]]]:
    """The phrases with their rules, by first word."""
    found: dict[str, list[tuple[Rule, str]]] = {}
    for rule in rules():
        for phrase in rule.phrases:
            found.setdefault(phrase.split(" ", 1)[0], []).append((rule, phrase))
    return found


def _beginnings(words: str) -> Iterator[tuple[Rule, str]]:
    """The phrases at the start of a line, or behind a number there."""
    words = _without_number(words)
    for rule, phrase in _by_first_word().get(words.split(" ", 1)[0], ()):
        if words == phrase or words.startswith(f"{phrase} "):
            yield rule, phrase


def _contains(line: str, words: str) -> bool:
    if words.count(" ") >= LONG_LINE:
        return False
    phrases, signs, parted = _within()
    padded = f" {words} "
    return (
        any(phrase in padded for phrase in phrases)
        or any(sign in line for sign in signs)
        or any(padded.startswith(beginning) and rest in padded for beginning, rest in parted)
    )


@cache
def _within() -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Phrases for the last lines: plain phrases; signs that fold to nothing, matched literally; and split phrases."""
    found = [phrase for rule in rules() if rule.where == "contains" for phrase in rule.phrases]
    signs = [phrase for phrase in found if not fold(phrase)]
    parted = [tuple(phrase.split(PARTED)) for phrase in found if PARTED in phrase]
    return (
        [f" {phrase} " for phrase in found if PARTED not in phrase and phrase not in signs],
        signs,
        [(f" {beginning} ", f" {rest} ") for beginning, rest in parted],
    )


def _heads(phrase: str, line: str, words: str) -> bool:
    """Whether a line that begins with the phrase has nothing else, or a sign and a few words after it."""
    return words == phrase or (words.count(" ") < SHORT_LINE and _sign_follows(line, phrase))


def _sign_follows(line: str, phrase: str) -> bool:
    """Whether the phrase at the start of a line is followed by a sign that ends a heading."""
    position = 0
    for _ in phrase.split():
        match = _WORD.match(line, position)
        if match is None:
            return False
        position = match.end()
    return _AFTER_HEADING.match(line, position) is not None


def _is_title(line: str, words: str) -> bool:
    return words.count(" ") < TITLE_LINE and not _SENTENCE_END.search(line)


def _is_furniture(line: str, folded: str) -> bool:
    """Whether a line at the edge of a text is a menu, or a date and little else."""
    words = folded.split()
    if not words:
        return True
    if line.startswith("|"):
        # A row of a table.
        return False
    if len(_BAR.findall(line)) >= 3 and not _SENTENCE_END.search(line):
        # A menu, or a dateline with several places: agency - Baghdad/ Erbil/ Basra/ Mosul.
        return _DATELINE.match(line) is None
    if len(words) > SHORT_LINE or not any(word.isdigit() for word in words):
        return False
    return read_date(line) is not None and not _SENTENCE_END.search(line)
