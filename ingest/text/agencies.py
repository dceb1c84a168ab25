"""Find the news agency that a text is credited to. Pure.

A credit may be in the author field, in a dateline or brackets at the beginning, or in brackets or a short line at the
end. A sentence that quotes what someone told an agency is not a credit.
"""

import re

from ingest.text.folding import fold

__all__ = ["agency_of"]

# Folded names in texts, by the name that is stored. Abbreviations count only in brackets and datelines.
_AGENCIES = {
    "Reuters": ("reuters", "رويترز"),
    "AFP": ("afp", "agence france presse", "ا ف ب", "اف ب", "فرانس برس", "وكاله الصحافه الفرنسيه"),
    "AP": ("ap", "associated press", "the associated press", "اسوشيتد برس", "اسوشييتد برس", "ا ب"),
    "Anadolu": ("anadolu", "anadolu agency", "aa", "الاناضول", "وكاله الاناضول"),
    "Xinhua": ("xinhua", "شينخوا"),
    "dpa": ("dpa", "د ب ا", "الوكاله الالمانيه"),
    "UPI": ("upi", "يونايتد برس"),
    "Sputnik": ("sputnik", "سبوتنيك"),
    "TASS": ("tass", "تاس"),
    "EFE": ("efe", "افي"),
    "INA": ("ina", "واع", "وكاله الانباء العراقيه"),
    "SPA": ("spa", "واس", "وكاله الانباء السعوديه"),
    "KUNA": ("kuna", "كونا"),
    "WAM": ("wam", "وام"),
    "QNA": ("qna", "قنا"),
    "MENA": ("mena", "ا ش ا", "وكاله انباء الشرق الاوسط"),
    "Petra": ("petra", "بترا"),
    "IRNA": ("irna", "ارنا"),
    "agencies": ("agencies", "news agencies", "wires", "وكالات", "الوكالات", "وكالات الانباء", "متابعات"),
}
_BY_NAME = {name: agency for agency, names in _AGENCIES.items() for name in names}
# Characters at the start and lines at the end that may contain a credit, and the maximum words of such a line.
BEGINNING = 160
END_LINES, END_WORDS = 3, 8
# No list of authors is longer. Each part of a list is folded, which takes time.
LONGEST_CREDIT = 500
_IN_BRACKETS = re.compile(r"[(\[（]([^()\[\]（）\n]{2,60})[)\]）]")
# `بغداد - رويترز:`, `BAGHDAD (Reuters) -`, `عواصم ـ وكالات`: a short piece followed by a dash, colon or line break.
_DATELINE = re.compile(r"^\s*([^\n]{2,70}?)\s*(?:[-–—ـ:|]\s|\n)")
_PARTS = re.compile(r"[-–—ـ:/،,|+&]|\s(?:و|and)\s")
_SOURCE = re.compile(r"^(?:المصدر|مصدر|source|نقلا عن)\s+", re.IGNORECASE)


def agency_of(author: str | None, text: str) -> str | None:
    """Return the credited agency, `agencies` for several unnamed ones, or None without a credit."""
    if author and (found := _named(author)):
        return found
    beginning = text[:BEGINNING]
    for bracketed in _IN_BRACKETS.findall(beginning):
        if found := _named(bracketed):
            return found
    dateline = _DATELINE.match(beginning)
    # A dateline may have more than one dash: place - agency - text.
    pieces = [*re.split(r"\s[-–—ـ]\s|:\s|\n", beginning)[:3]] if dateline else []
    for piece in pieces:
        if len(piece.split()) <= END_WORDS and (found := _named(piece)):
            return found
    for line in text.rstrip().split("\n")[-END_LINES:]:
        if len(line.split()) <= END_WORDS and (found := _named(line)):
            return found
        closing = _IN_BRACKETS.findall(line[-80:])
        if closing and line.rstrip(" .").endswith((")", "]", "）")) and (found := _named(closing[-1])):
            return found
    return None


def _named(piece: str) -> str | None:
    """The agency named by a piece of a credit, alone or beside places and names."""
    if len(piece) > LONGEST_CREDIT:
        return None
    for part in _PARTS.split(piece):
        name = fold(part)
        name = fold(_SOURCE.sub("", name))
        if name in _BY_NAME:
            return _BY_NAME[name]
    return None
