"""Structured data of a page: JSON-LD (schema.org), as publishing systems write it, with their mistakes."""

import html
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from json_repair import loads as mended
from lxml.html import HtmlElement

from ingest.text.folding import fold

__all__ = ["Thing", "bodies", "kinds_of", "own_article", "people", "things"]

Thing = Mapping[str, Any]

# In data for scripts.
MOST_VALUES, MOST_HEADINGS, LONGEST_TITLE = 20_000, 20, 300
_SEPARATOR = re.compile(r"\s*[|•·»]\s*|\s+[-–—]\s+")
_ARTICLES = ("Article", "BlogPosting", "Report")
# Things looked at on a page. Only texts with at most so many characters and brackets are mended, and so many a page:
# mending takes some microseconds a character, and more the deeper they are nested.
MOST_THINGS, MENDED_LENGTH, MENDED_BRACKETS, MOST_MENDED = 1000, 100_000, 500, 5
# What wraps JSON in old pages: HTML comments and CDATA, behind comments of JavaScript or CSS.
_OPENING = re.compile(r"\s*(?:(?://|/\*)?\s*<!(?:--|\[CDATA\[)\s*(?:\*/)?\s*)+")
_CLOSING = re.compile(r"(?://|/\*)?\s*(?:-->|\]\]>)\s*(?:\*/)?\s*$")
_BRACKET = re.compile(r"[\[{]")
_PARTS_OF_A_NAME = (("givenName", "familyName"), ("firstName", "lastName"))
# The share of a headline's words that must be in the page's titles, if the page has another address than the headline.
SAME_HEADLINE = 0.5


def things(tree: HtmlElement) -> list[Thing]:
    """Return the objects of a page's scripts of type application/ld+json, and those that they hold.

    JSON that is not well-formed is mended: wrappings, escapes of HTML, several objects, commas and quotes.
    """
    left = MOST_MENDED
    found: list[Thing] = []
    for script in tree.iter("script"):
        if (script.get("type") or "").strip().lower() != "application/ld+json" or not script.text:
            continue
        text = _unwrapped(script.text)
        values, rest = _well_formed(text)
        if rest and left:
            left -= 1
            values += _mended(rest)
        found += islice(_held(values), MOST_THINGS - len(found))
    return found


def kinds_of(thing: Thing) -> list[str]:
    """Return the types of a thing, such as NewsArticle."""
    kinds = thing.get("@type", ())
    return [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]


def own_article(found: Sequence[Thing], is_own: Callable[[str], bool], titles: Iterable[str]) -> Thing | None:
    """Return the article that the page is about, among the things that it describes.

    It is the one with the page's address, else the one whose headline is among the page's titles, else the first that
    has no other address.
    """
    articles = [thing for thing in found if any(kind.endswith(_ARTICLES) for kind in kinds_of(thing))]
    folded = [set(fold(title).split()) for title in titles]
    others = []
    for thing in articles:
        addresses = _addresses(thing)
        if any(map(is_own, addresses)):
            return thing
        others.append((_is_said(thing.get("headline"), folded), not addresses, thing))
    for said, nowhere, thing in others:
        # Pages that say nothing of themselves cannot contradict.
        if said or (nowhere and thing is articles[0]) or not folded:
            return thing
    return None


def bodies(tree: HtmlElement) -> Iterator[str]:
    """Yield texts of the page's article in its data, as plain text or markup: JSON-LD first, then data for scripts.

    In data for scripts, an object is the page's article if it has the page's title.
    """
    whole = tree.findtext(".//title") or ""
    headings = [heading.text_content() for heading in islice(tree.iter("h1"), MOST_HEADINGS)]
    words = [set(fold(title).split()) for title in (whole, *headings) if title.strip()]
    articles = [thing for thing in things(tree) if isinstance(thing.get("articleBody"), str)]
    for thing in articles:
        if _is_said(thing.get("headline"), words) or (len(articles) == 1 and not thing.get("headline")) or not words:
            yield thing["articleBody"]
    titles = {fold(part) for part in (*_SEPARATOR.split(whole), *headings)}
    titles = {title for title in titles if title.count(" ") >= 2}
    for script in tree.iter("script"):
        if titles and (script.get("type") or "").strip().lower() == "application/json" and script.text:
            values, _ = _well_formed(script.text)
            yield from _titled(values, titles)


def _titled(values: list[Any], titles: set[str]) -> Iterator[str]:
    """The longest text of each object that has one of the titles."""
    waiting, looked_at = list(values), 0
    while waiting and looked_at < MOST_VALUES:
        value = waiting.pop()
        looked_at += 1
        if isinstance(value, dict):
            said = [text for text in value.values() if isinstance(text, str)]
            named = [text for text in said if len(text) <= LONGEST_TITLE and fold(text) in titles]
            if named and len(said) > len(named):
                yield max((text for text in said if text not in named), key=len)
        if isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value


def people(value: Any, found: Sequence[Thing]) -> list[str]:
    """Return the names of persons or organisations: text, an object, a reference to one (`@id`), or a list of these."""
    names = []
    for person in value if isinstance(value, list) else [value]:
        name = _name(_resolved(person, found)) if isinstance(person, Mapping) else person
        names += [part for part in (name if isinstance(name, list) else [name]) if isinstance(part, str)]
    return names


def _resolved(thing: Thing, found: Sequence[Thing]) -> Thing:
    """Return the thing that a reference stands for, or the thing itself."""
    if not set(thing) <= {"@id", "@type"}:
        return thing
    return next((other for other in found if other.get("@id") == thing.get("@id") and len(other) > len(thing)), thing)


def _name(person: Thing) -> Any:
    if person.get("name"):
        return person["name"]
    for parts in _PARTS_OF_A_NAME:
        if said := [person[part] for part in parts if isinstance(person.get(part), str)]:
            return " ".join(said)
    return None


def _unwrapped(script: str) -> str:
    if opening := _OPENING.match(script):
        script = _CLOSING.sub("", script[opening.end() :])
    # Some systems escape JSON as if it were text.
    return html.unescape(script) if "&quot;" in script and '"' not in script else script


def _well_formed(text: str) -> tuple[list[Any], str]:
    """Return the values at the start of a text, one after the other, and the rest that is not well-formed."""
    # strict=False, because raw line breaks within strings are common.
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    rest = text.strip(_BETWEEN)
    while rest and len(values) < MOST_THINGS:
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            return values, rest
        values.append(value)
        rest = rest[end:].lstrip(_BETWEEN)
    return values, ""


# White space, and what pages put between two objects.
_BETWEEN = " \t\r\n,;\ufeff"


def _mended(text: str) -> list[Any]:
    if len(text) > MENDED_LENGTH or len(_BRACKET.findall(text)) > MENDED_BRACKETS:
        return []
    try:
        return [mended(text)]
    except (ValueError, RecursionError):
        return []


def _held(values: list[Any]) -> Iterator[Thing]:
    waiting = deque(values)
    while waiting:
        thing = waiting.popleft()
        if isinstance(thing, list):
            waiting += thing
        elif isinstance(thing, dict):
            yield thing
            waiting += [thing[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in thing]


def _addresses(thing: Thing) -> list[str]:
    page = thing.get("mainEntityOfPage")
    stated = [thing.get("url"), page.get("@id") if isinstance(page, Mapping) else page, thing.get("@id")]
    return [address for address in stated if isinstance(address, str) and address.startswith(("http:", "https:"))]


def _is_said(headline: Any, titles: Sequence[set[str]]) -> bool:
    words = set(fold(headline).split()) if isinstance(headline, str) else set()
    return bool(words) and any(len(words & title) >= SAME_HEADLINE * len(words) for title in titles)
