"""Recognise pages that are not articles: challenges, consent requests, missing pages, front pages, lists, videos."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from ingest.extraction.metadata import Metadata
from ingest.text.folding import fold, fold_all

__all__ = ["PageKind"]

# Such a page has little other text.
MAX_LENGTH = 700
# The description beside a video.
VIDEO_MAX_LENGTH = 250
# A page is a list of articles if at least this many lines, with this share of the words, are links of several words, or
# if such links and the text below them are most of it.
LINK_LINES = 4
LINK_SHARE, LISTED_SHARE = 0.25, 0.5
LINK_WORDS = 4
# An article has at least this many words that are neither links nor below them, whatever else is on the page.
PROSE_WORDS = 60
# The maximum length of a link and number of links. A link is one line, and a page has some hundreds.
MAX_LINK_LENGTH, MAX_LINKS = 300, 2000
# More paragraphs below one heading are an article whose heading happens to be a link.
TEASER_PARAGRAPHS = 3
_FRONT_PAGE = re.compile(
    r"/?(?:(?:ar|en|ku|ckb|fa|tr|fr|de|es)(?:-[a-z]{2})?/?)?(?:(?:index|home|default)(?:\.\w+)?)?", re.IGNORECASE
)
_LISTS = frozenset({"CollectionPage", "SearchResultsPage"})
# Folded phrases in the title, heading or start of text of challenges and the like.
_PATTERNS = {
    "a challenge to prove that a person reads it, not the article": (
        r"^just a moment$",
        r"attention required cloudflare",
        r"checking your browser",
        r"verify (?:that )?you are human",
        r"are you a robot",
        r"enable javascript and cookies to continue",
        r"ddos protection by",
    ),
    "it asks for JavaScript": (
        r"^(?:please )?(?:enable|turn on|activate) javascript",
        r"you need to enable javascript",
        r"javascript is (?:disabled|required)",
        r"requires javascript",
        r"يرجي تفعيل (?:ال)?جافا ?سكريبت",
        r"^تفعيل جافا ?سكريبت",
    ),
    "it asks for consent to cookies": (
        r"^before you continue",
        r"^(?:we|this site|this website) uses? cookies",
        r"^your privacy (?:choices|matters)",
        r"^manage (?:your )?(?:consent|cookies|cookie preferences)",
    ),
    "the page says that there is no such page": (
        r"^(?:error )?404\b",
        r"^(?:page|article|content) not found",
        r"(?:page|article) (?:you (?:are|were) looking for )?(?:could not be|cannot be|was not|is not) found",
        r"page (?:does not|doesn t) exist",
        r"^not found$",
        r"الصفحه (?:المطلوبه )?غير موجوده",
        r"^(?:عفوا )?لم يتم العثور علي",
        r"الصفحه التي تبحث عنها",
        r"^عفوا (?:ال)?صفحه",
        r"^خطا 404",
    ),
    "it is for subscribers": (
        r"^(?:subscribe|log in|sign in) to (?:continue|read)",
        r"this (?:content|article) is (?:only )?(?:for|available to) subscribers",
    ),
}
_REASONS = {reason: re.compile("|".join(patterns)) for reason, patterns in _PATTERNS.items()}


@dataclass(frozen=True)
class PageKind:
    """The signs of a page's kind, gathered before its text is extracted."""

    title: str
    heading: str
    is_article: bool
    is_front_page: bool
    is_list: bool
    is_video: bool
    links: frozenset[str]
    teasers: frozenset[str]

    @classmethod
    def of(cls, tree: HtmlElement, url: str, metadata: Metadata) -> "PageKind":
        """Return the kind of the page `tree`, fetched from `url`."""
        is_article = metadata.is_article
        address = urlsplit(url)
        on_front = bool(address.netloc) and not address.query and _FRONT_PAGE.fullmatch(address.path) is not None
        links = [] if is_article else fold_all(list(_links(tree)))
        return cls(
            title=tree.findtext(".//title") or "",
            heading=" ".join(" ".join(heading.itertext()) for heading in tree.iter("h1")),
            is_article=is_article,
            is_front_page=on_front,
            is_list=not is_article and not _LISTS.isdisjoint(metadata.kinds),
            is_video=not is_article and ("VideoObject" in metadata.kinds or metadata.og_type.startswith("video")),
            links=frozenset(text for text in links if text.count(" ") >= LINK_WORDS - 1),
            teasers=frozenset() if is_article else frozenset(fold_all(_teasers(tree))),
        )

    def instead_of_article(self, text: str) -> str | None:
        """Return what the page is instead of an article, as a reason for the ledger. None if it looks like one."""
        if len(text) <= MAX_LENGTH:
            parts = [fold(part) for part in (self.title, self.heading, text[:400])]
            for reason, pattern in _REASONS.items():
                if any(pattern.search(part) for part in parts):
                    return reason
        if self.is_article:
            return None
        if self.is_front_page:
            return "the site's front page, not an article"
        if self.is_list or self._lists_others(text):
            return "a list of articles, not an article"
        if self.is_video and len(text) <= VIDEO_MAX_LENGTH:
            return "a video, without an article's text"
        return None

    def _lists_others(self, text: str) -> bool:
        if not self.links:
            return False
        words: Counter[str] = Counter()
        linked = 0
        for line in fold_all(text.split("\n")):
            kind = "link" if line in self.links else "teaser" if line in self.teasers else "other"
            linked += kind == "link"
            words[kind] += line.count(" ") + 1
        if words["other"] >= PROSE_WORDS:
            return False
        share = words["link"] / words.total()
        if share > LINK_SHARE and linked >= LINK_LINES:
            return True
        return share + words["teaser"] / words.total() > LISTED_SHARE


def _links(tree: HtmlElement) -> Iterator[str]:
    """Texts of links to other pages."""
    for link in islice(tree.iter("a"), MAX_LINKS):
        text = "" if (link.get("href") or "").startswith("#") else link.text_content()
        if len(text) <= MAX_LINK_LENGTH:
            yield text


def _teasers(tree: HtmlElement) -> list[str]:
    """Paragraphs grouped with a heading that is a link, one such heading per group."""
    headings = [heading for heading in tree.iter("h2", "h3", "h4") if _is_link(heading)]
    if len(headings) < LINK_LINES:
        return []
    within = Counter(ancestor for heading in headings for ancestor in heading.iterancestors())
    below: dict[HtmlElement, list[str]] = {}
    for paragraph in tree.iter("p"):
        around = next((ancestor for ancestor in paragraph.iterancestors() if within[ancestor]), None)
        if around is not None and within[around] == 1:
            below.setdefault(around, []).append(paragraph.text_content())
    teasers = [texts for texts in below.values() if len(texts) <= TEASER_PARAGRAPHS]
    return [text for texts in teasers for text in texts] if len(teasers) >= LINK_LINES else []


def _is_link(heading: HtmlElement) -> bool:
    around = heading.getparent()
    link = heading.find(".//a")
    if link is None and around is not None and around.tag == "a":
        link = around
    if link is None or (link.get("href") or "").startswith("#"):
        return False
    return len(heading.text_content().split()) >= LINK_WORDS
