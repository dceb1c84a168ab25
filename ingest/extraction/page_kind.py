"""Recognise pages that are not articles: challenges, consent requests, missing pages, front pages, lists, videos."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from ingest.extraction.metadata import Metadata
from ingest.text.folding import fold, fold_all, fold_sentences
from ingest.text.urls import canonical_url

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
    "the server refuses the page": (
        r"^access (?:to this page (?:has been|is) )?denied",
        r"^403 forbidden",
        r"permission to access",
        r"^(?:sorry )?you have been blocked",
        r"^request (?:blocked|rejected)",
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


# What the title or heading of a page says if there is none of that address, however much else is on it.
_MISSING = re.compile(
    r"^(?:error |خطا )?404\b|\b404 (?:error|not found)|^(?:page|article|content|story) not found|^not found$"
    r"|page (?:does not|doesn t) exist|page introuvable|seite nicht gefunden|sayfa bulunamadı"
    r"|الصفحه (?:المطلوبه )?غير موجوده|^لم يتم العثور علي|صفحه (?:مورد نظر )?(?:شما )?[يی]افت نشد"
)
# Words of requests for consent, and words that go with them, folded. A page is one if half of its sentences have some.
_CONSENT = re.compile(r"\b(?:cookies?|privacy|personal data|partners store)\b|ملفات تعريف الارتباط|الكوكيز|كوك[يی]")
_CHOICE = re.compile(r"\b(?:accept|refuse|reject|consent|choices|preferences|vendors|settings)\b|تفضيلات|قبول الكل")
CONSENT_SHARE, CONSENT_SENTENCES = 0.5, 2
# A page that does not say that it is an article, and gives no date, is a list if links are this share of its text.
LINKS_OF_A_PAGE = 0.37
# Unless it says what its title says: so many words of the title, of which this share must be in the text.
TITLE_WORDS, TITLE_SHARE = 4, 0.5
# A page that says that it is an article is a list if this share of its text is links and what is below them.
LISTED_ALTHOUGH_ARTICLE = 0.8
# Longer texts, in characters, are no lists on such a page.
LONG_LIST = 6000
# A line is a link if the link is this share of its words; a date may follow. Longer lines, in words, are paragraphs.
LINK_OF_A_LINE, LONGEST_LINE = 0.6, 60
_GOODS = frozenset({"product", "product.group", "product.item", "og:product"})


@dataclass(frozen=True)
class PageKind:
    """The signs of a page's kind, gathered before its text is extracted.

    `link_share` is how much of the page's text is links.
    """

    title: str
    heading: str
    is_article: bool
    is_front_page: bool
    is_list: bool
    is_video: bool
    is_shop: bool
    is_dated: bool
    shown_links: tuple[str, ...]
    shown_teasers: tuple[str, ...]
    link_share: float

    @classmethod
    def of(cls, tree: HtmlElement, url: str, metadata: Metadata, *, is_dated: bool) -> "PageKind":
        """Return the kind of the page `tree`, fetched from `url`. `is_dated`: the page says when it was published."""
        is_article = metadata.is_article
        address = urlsplit(canonical_url(url))
        on_front = bool(address.netloc) and not address.query and _FRONT_PAGE.fullmatch(address.path) is not None
        links = tuple(_links(tree))
        return cls(
            title=tree.findtext(".//title") or "",
            heading=" ".join(" ".join(heading.itertext()) for heading in tree.iter("h1")),
            is_article=is_article,
            is_front_page=on_front,
            is_list=not is_article and not _LISTS.isdisjoint(metadata.kinds),
            is_video=not is_article and ("VideoObject" in metadata.kinds or metadata.og_type.startswith("video")),
            is_shop=not is_article and metadata.og_type in _GOODS,
            is_dated=is_dated,
            shown_links=links,
            shown_teasers=tuple(_teasers(tree)),
            link_share=0.0 if is_article or is_dated else _link_share(tree, links),
        )

    @cached_property
    def _linked(self) -> frozenset[str]:
        return frozenset(text for text in fold_all(list(self.shown_links)) if text.count(" ") >= LINK_WORDS - 1)

    @cached_property
    def _teasers(self) -> frozenset[str]:
        return frozenset(fold_all(list(self.shown_teasers)))

    def instead_of_article(self, text: str) -> str | None:
        """Return what the page is instead of an article, as a reason for the ledger. None if it looks like one."""
        said = [fold(part) for part in (self.title, self.heading)]
        if not self.is_article and any(_MISSING.search(part) for part in said):
            return "the page says that there is no such page"
        if len(text) <= MAX_LENGTH:
            parts = [*said, fold(text[:400])]
            for reason, pattern in _REASONS.items():
                if any(pattern.search(part) for part in parts):
                    return reason
            if not self.is_article and _asks_for_consent(text):
                return "it asks for consent to cookies"
        if self.is_front_page:
            return "the site's front page, not an article"
        if self._lists_others(text):
            return "a list of articles, not an article"
        if self.is_article:
            return None
        if self.is_list or (self.link_share >= LINKS_OF_A_PAGE and self._is_of_another(text)):
            return "a list of articles, not an article"
        if self.is_shop:
            return "goods on offer, not an article"
        if self.is_video and len(text) <= VIDEO_MAX_LENGTH:
            return "a video, without an article's text"
        return None

    def _is_of_another(self, text: str) -> bool:
        """Whether the text does not say what the page's title says. Without a title, nobody knows."""
        words = set(fold(self.heading or self.title).split())
        said = words & set(fold(text).split())
        return bool(words) and (len(words) < TITLE_WORDS or len(said) < TITLE_SHARE * len(words))

    def _lists_others(self, text: str) -> bool:
        if self.is_article and len(text) > LONG_LIST:
            return False
        if not self._linked:
            return False
        words: Counter[str] = Counter()
        linked = 0
        for line in fold_all(text.split("\n")):
            kind = "link" if self._is_linked(line) else "teaser" if line in self._teasers else "other"
            linked += kind == "link"
            words[kind] += line.count(" ") + 1
        if words["other"] >= PROSE_WORDS:
            return False
        share = words["link"] / words.total()
        listed = share + words["teaser"] / words.total()
        if self.is_article:
            return listed > LISTED_ALTHOUGH_ARTICLE and (linked >= LINK_LINES or len(self._teasers) >= LINK_LINES)
        return (share > LINK_SHARE and linked >= LINK_LINES) or listed > LISTED_SHARE

    def _is_linked(self, line: str) -> bool:
        words = line.split()
        if line in self._linked or len(words) > LONGEST_LINE:
            return line in self._linked
        least = max(LINK_WORDS, math.ceil(LINK_OF_A_LINE * len(words)))
        return any(" ".join(words[:count]) in self._linked for count in range(least, len(words)))


def _asks_for_consent(text: str) -> bool:
    sentences = fold_sentences(text)
    consent = [sentence for sentence in sentences if _CONSENT.search(sentence)]
    asking = [sentence for sentence in sentences if sentence in consent or _CHOICE.search(sentence)]
    return bool(consent) and len(asking) >= max(CONSENT_SENTENCES, CONSENT_SHARE * len(sentences))


def _link_share(tree: HtmlElement, links: Sequence[str]) -> float:
    body = tree.find("body")
    if body is None:
        return 0.0
    hidden = sum(len(element.text or "") for element in body.iter("script", "style"))
    shown = len(" ".join(body.text_content().split())) - hidden
    return min(sum(len(" ".join(link.split())) for link in links) / max(shown, 1), 1.0)


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
