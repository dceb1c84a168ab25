"""References to characters in XML, as pages and programs write them. Pure.

One that XML does not allow makes a parser refuse the whole document.
"""

import html.entities
import re

__all__ = ["with_sound_references"]

_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
# An ampersand that begins no reference, and references by number. A reference without its semicolon is none in XML.
_AMPERSAND = re.compile(r"&(?!(?:#\d{1,8}|#[xX][0-9a-fA-F]{1,7}|(\w{1,32}));)")
_NAMED = re.compile(r"&([A-Za-z]\w{0,31});")
_NUMBERED = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,7})|(\d{1,8}));")
_PAIR = re.compile(
    r"&#(?:[xX]([dD][89abAB][0-9a-fA-F]{2})|(5[56]\d{3}));&#(?:[xX]([dD][c-fC-F][0-9a-fA-F]{2})|(5[67]\d{3}));"
)


def with_sound_references(document: str) -> str:
    """Return a document in which each reference is one that XML or HTML knows, and each other ampersand is escaped.

    Two surrogates, as JSON writes a character, become that character; references to no character go.
    """
    if "&" not in document:
        return document
    # In CDATA, an ampersand is one.
    parts = _CDATA.split(document)
    return "".join(part if part.startswith("<![CDATA[") else _mended(part) for part in parts)


def _mended(text: str) -> str:
    text = _PAIR.sub(_character, text)
    text = _NUMBERED.sub(lambda found: found[0] if _is_character(_number(found[1], found[2])) else "", text)
    text = _NAMED.sub(lambda found: found[0] if f"{found[1]};" in html.entities.html5 else f"&amp;{found[1]};", text)
    return _AMPERSAND.sub("&amp;", text)


def _character(pair: re.Match[str]) -> str:
    """The character that two surrogates stand for, as JSON writes it."""
    high, low = _number(pair[1], pair[2]), _number(pair[3], pair[4])
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return pair[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)


def _number(hexadecimal: str | None, decimal: str | None) -> int:
    return int(hexadecimal, 16) if hexadecimal else int(decimal or 0)


def _is_character(number: int) -> bool:
    """Whether XML allows the character (XML 1.0, 2.2)."""
    return number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
