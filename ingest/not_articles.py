"""Pages that servers send in place of an article: challenges, requests for consent, and that there is no such page."""

import re

from lxml.html import HtmlElement

from ingest.folding import fold

__all__ = ["instead_of_article"]

# Such a page says little else.
MAX_LENGTH = 700
# What they say in title, heading or the beginning of their text, folded.
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


def instead_of_article(tree: HtmlElement, text: str) -> str | None:
    """Return what a page is instead of an article, as a reason for the ledger; None where nothing says so."""
    if len(text) > MAX_LENGTH:
        return None
    heading = " ".join(" ".join(heading.itertext()) for heading in tree.iter("h1"))
    parts = [fold(part) for part in (tree.findtext(".//title") or "", heading, text[:400])]
    return next((reason for reason, pattern in _REASONS.items() if any(pattern.search(part) for part in parts)), None)
