"""A page's metadata: title, author and publication dates, from JSON-LD, meta elements and headings."""

import html
import json
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lxml.html import HtmlElement

from ingest.text.dates import read_date
from ingest.text.folding import fold
from ingest.text.storable import storable

__all__ = ["Metadata"]

# Account names that publishing systems put in the author field.
_ACCOUNTS = frozenset(
    fold(name)
    for name in [
        "admin",
        "administrator",
        "editor",
        "editors",
        "webmaster",
        "web editor",
        "news desk",
        "newsdesk",
        "root",
        "user",
        "guest",
        "staff",
        "author",
        "unknown",
        "anonymous",
        "null",
        "المحرر",
        "محرر",
        "التحرير",
        "هيئة التحرير",
        "مدير الموقع",
        "ادمن",
        "الادارة",
        "المشرف",
        "غير معروف",
        "كاتب",
        "المصدر",
    ]
)
_ADDRESS = re.compile(r"@|https?:|www\.|\.(?:com|net|org|iq)\b", re.IGNORECASE)
# A page with more headings, or longer ones, does not have them for readers.
MAX_HEADINGS, MAX_TITLE_LENGTH = 20, 1000
# Separators between a title and the name of the site, and a site name of a few words after one.
_SEPARATOR = re.compile(r"\s*[|•·»]\s*|\s+[-–—:]\s+")
_ONLY_AN_OUTLET = re.compile(r"\s*[|•·»–—-]\s*(?:\S+\s*){1,4}|(?:\S+\s*){1,4}[|•·»–—-]\s*")


class Metadata:
    """Metadata of a page, from JSON-LD (schema.org) and meta elements (Open Graph and others)."""

    def __init__(self, tree: HtmlElement | None) -> None:
        self._tree = tree
        self._meta: dict[str, str] = {}
        self._article: dict[str, Any] = {}
        # The schema.org types that the page gives in JSON-LD.
        self.kinds: set[str] = set()
        if tree is None:
            return
        for element in tree.iter("meta"):
            name = element.get("property") or element.get("name") or element.get("itemprop")
            content = element.get("content")
            if name and content and content.strip():
                self._meta.setdefault(name.strip().lower(), content.strip())
        for element in tree.iter("script"):
            if (element.get("type") or "").strip().lower() == "application/ld+json" and element.text:
                for thing in _json_ld(element.text):
                    kinds = thing.get("@type", ())
                    kinds = kinds if isinstance(kinds, list) else [kinds]
                    self.kinds.update(map(str, kinds))
                    if any(str(kind).endswith(("Article", "BlogPosting", "Report")) for kind in kinds):
                        self._article = self._article or thing

    def address(self) -> str | None:
        """The address that the page states as its own, unchanged."""
        if self._tree is None:
            return None
        for element in self._tree.iter("link"):
            if "canonical" in (element.get("rel") or "").lower().split() and (stated := element.get("href")):
                return str(stated)
        return None

    @property
    def og_type(self) -> str:
        """The page's Open Graph type, such as `article` or `website`. Empty if it has none."""
        return self._meta.get("og:type", "").lower()

    @property
    def is_article(self) -> bool:
        """Whether the page says that it is an article."""
        return bool(self._article) or self.og_type == "article" or "article:published_time" in self._meta

    def title(self) -> str | None:
        candidates = [self._article.get("headline"), self._meta.get("og:title"), self._meta.get("twitter:title")]
        headings = []
        if self._tree is not None:
            texts = (" ".join(heading.itertext()) for heading in self._tree.iter("h1"))
            headings = [text[:MAX_TITLE_LENGTH] for text in islice(texts, MAX_HEADINGS)]
            whole = (self._tree.findtext(".//title") or "")[:MAX_TITLE_LENGTH]
            if len(headings) > 1:
                # One of them may be the site's name, which also follows the article's title in the page's title.
                said = f" {fold(whole)} "
                headings.sort(key=lambda heading: len(heading) if f" {fold(heading)} " in said else 0, reverse=True)
            candidates += [*headings, whole]
        lines = (_line(html.unescape(text)) for text in candidates if isinstance(text, str))
        title = next((text for text in lines if text), None)
        return _without_outlet(title, [*filter(None, map(_line, headings))], self._outlets()) if title else None

    def _outlets(self) -> set[str]:
        """The names the site gives itself, folded."""
        publisher = self._article.get("publisher")
        names = [
            self._meta.get("og:site_name"),
            self._meta.get("application-name"),
            self._meta.get("twitter:site"),
            publisher.get("name") if isinstance(publisher, dict) else publisher,
        ]
        return {fold(name) for name in names if isinstance(name, str) and fold(name)}

    def author(self) -> str | None:
        author = self._article.get("author")
        names = [
            person.get("name") if isinstance(person, dict) else person
            for person in (author if isinstance(author, list) else [author])
        ]
        outlets = self._outlets()
        found = [name for name in map(_line, names) if name and _is_name(name, outlets)]
        if found:
            return ", ".join(dict.fromkeys(found))
        name = _line(self._meta.get("author"))
        return name if name and _is_name(name, outlets) else None

    def dates(self) -> Iterator[tuple[str, str]]:
        """Publication dates as written on the page, with their source, the most reliable first."""
        for key in ("datePublished", "dateCreated"):
            if isinstance(value := self._article.get(key), str):
                yield value, "jsonld"
        for name in (
            "article:published_time",
            "og:article:published_time",
            "datepublished",
            "pubdate",
            "publishdate",
            "publish-date",
            "dc.date.issued",
            "dc.date",
            "date",
            "parsely-pub-date",
            "sailthru.date",
        ):
            if name in self._meta:
                yield self._meta[name], "meta"


def _without_outlet(title: str, headings: list[str], outlets: set[str]) -> str:
    """The title without the site's name before or after it.

    Removes the name the site gives itself, or any part that is not in the page's heading.
    """
    for heading in headings:
        rest = (
            title[len(heading) :]
            if title.startswith(heading)
            else title[: -len(heading)]
            if title.endswith(heading)
            else ""
        )
        if rest and _ONLY_AN_OUTLET.fullmatch(rest):
            return heading
    for part in _SEPARATOR.finditer(title):
        before, after = title[: part.start()].strip(), title[part.end() :].strip()
        if before and fold(after) in outlets:
            return before
        if after and fold(before) in outlets:
            return after
    return title


def _is_name(author: str, outlets: set[str]) -> bool:
    """Whether this is a person's or an agency's name, not an account, an address, a date or the site itself."""
    folded = fold(author)
    if not folded or folded.isdigit() or folded in _ACCOUNTS or folded in outlets:
        return False
    return not (_ADDRESS.search(author) or read_date(author))


def _json_ld(text: str) -> Iterator[dict[str, Any]]:
    try:
        # strict=False, because raw line breaks within strings are common.
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return
    waiting = [found]
    for _ in range(1000):
        if not waiting:
            return
        thing = waiting.pop(0)
        if isinstance(thing, list):
            waiting.extend(thing)
        elif isinstance(thing, dict):
            yield thing
            waiting.extend(thing[key] for key in ("@graph", "mainEntity", "mainEntityOfPage") if key in thing)


def _line(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(unicodedata.normalize("NFC", storable(value)).split())[:1000] or None
