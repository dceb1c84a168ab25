"""A page's metadata: title, author and publication dates, from JSON-LD, meta elements and headings."""

import html
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lxml.html import HtmlElement

from ingest.extraction.bylines import bylines, without_credit
from ingest.extraction.structured import Thing, kinds_of, own_article, people, things
from ingest.text.dates import read_date
from ingest.text.folding import fold
from ingest.text.storable import composed, storable
from ingest.text.urls import canonical_url

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
# Meta elements that name the author.
_AUTHOR_META = (
    "author", "article:author", "og:article:author", "sailthru.author", "parsely-author", "dc.creator",
    "dcterms.creator", "dc.contributor", "byl",
)  # fmt: skip
_CHANGED_META = ("article:modified_time", "og:updated_time", "datemodified", "last-modified")
_LABEL_OF_AN_AUTHOR = re.compile(r"\s*(?:(?:(?:written|posted)\s+)?by|author|كتبه?(?: بواسطة)?)\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"@|https?:|www\.|\.(?:com|net|org|iq)\b", re.IGNORECASE)
# A page with more headings, or longer ones, does not have them for readers.
MAX_HEADINGS, MAX_TITLE_LENGTH = 20, 1000
# Separators between a title and the name of the site, and a site name of a few words after one.
_SEPARATOR = re.compile(r"\s*[|•·»]\s*|\s+[-–—:]\s+")
_ONLY_AN_OUTLET = re.compile(r"\s*[|•·»–—-]\s*(?:\S+\s*){1,4}|(?:\S+\s*){1,4}[|•·»–—-]\s*")


class Metadata:
    """Metadata of a page, from JSON-LD (schema.org) and meta elements (Open Graph and others)."""

    def __init__(self, tree: HtmlElement | None, url: str = "") -> None:
        """Read the metadata of a page, fetched from `url`."""
        self._tree = tree
        self._url = url
        self._meta: dict[str, str] = {}
        self._article: Thing = {}
        self._things: list[Thing] = []
        # The schema.org types that the page gives in JSON-LD.
        self.kinds: set[str] = set()
        if tree is None:
            return
        for element in tree.iter("meta"):
            name = element.get("property") or element.get("name") or element.get("itemprop")
            content = element.get("content")
            if name and content and content.strip():
                self._meta.setdefault(name.strip().lower(), content.strip())
        self._things = things(tree)
        self.kinds = {kind for thing in self._things for kind in kinds_of(thing)}
        self._article = own_article(self._things, self._is_own, self._titles()) or {}

    def _is_own(self, address: str) -> bool:
        """Whether this is the page's address, or the one that it states as its own."""
        return canonical_url(address) in {canonical_url(own) for own in (self._url, self.address()) if own}

    def _titles(self) -> list[str]:
        """The titles that the page gives outside of JSON-LD."""
        said = [self._meta.get("og:title"), self._meta.get("twitter:title"), *self._headings(), self._whole_title()]
        return [title for title in said if title and title.strip()]

    def _headings(self) -> list[str]:
        if self._tree is None:
            return []
        texts = (" ".join(heading.itertext()) for heading in self._tree.iter("h1"))
        return [text[:MAX_TITLE_LENGTH] for text in islice(texts, MAX_HEADINGS)]

    def _whole_title(self) -> str:
        return "" if self._tree is None else (self._tree.findtext(".//title") or "")[:MAX_TITLE_LENGTH]

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
        headings, whole = self._headings(), self._whole_title()
        said = f" {fold(whole)} "
        if len(headings) > 1:
            # One of them may be the site's name, which also follows the article's title in the page's title.
            headings.sort(key=lambda heading: len(heading) if f" {fold(heading)} " in said else 0, reverse=True)
        if self._tree is not None and headings and said.strip() and f" {fold(headings[0])} " not in said:
            # The first heading may be the section's name. A lower one that the page's title repeats is the article's.
            lower = (" ".join(heading.itertext()) for heading in islice(self._tree.iter("h2", "h3"), MAX_HEADINGS))
            candidates += [text for text in lower if fold(text).count(" ") >= 2 and f" {fold(text)} " in said]
        candidates += [*headings, whole]
        lines = list(filter(None, (_line(_unescaped(text)) for text in candidates if isinstance(text, str))))
        outlets = self._outlets()
        title = next((text for text in lines if fold(text) not in outlets), next(iter(lines), None))
        return _without_outlet(title, [*filter(None, map(_line, headings))], outlets) if title else None

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
        """The names of who wrote it: from JSON-LD, meta elements, or the byline."""
        outlets = self._outlets()
        for names in self._authors():
            lines = (_line(without_credit(_unescaped(name))) for name in names)
            found = [name for name in lines if name and _is_name(name, outlets)]
            if found:
                return ", ".join(dict.fromkeys(found))
        return None

    def _authors(self) -> Iterator[list[str]]:
        for key in ("author", "creator"):
            yield people(self._article.get(key), self._things)
        for name in _AUTHOR_META:
            if name in self._meta:
                yield [self._meta[name]]
        if _LABEL_OF_AN_AUTHOR.fullmatch(self._meta.get("twitter:label1", "")):
            yield [self._meta.get("twitter:data1", "")]
        if self._tree is not None:
            for name in bylines(self._tree):
                yield [name]

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

    def changes(self) -> list[str]:
        """When the article was changed, as written on the page."""
        stated = [self._article.get("dateModified")]
        stated += [
            self._meta.get(name)
            for name in ("article:modified_time", "og:updated_time", "datemodified", "last-modified")
        ]
        return [value for value in stated if isinstance(value, str)]


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


def _unescaped(text: str) -> str:
    # Some systems escape twice.
    return html.unescape(html.unescape(text))


def _line(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(composed(storable(value)).split())[:1000] or None
