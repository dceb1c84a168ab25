"""Extracts an article from a page: text, title, author, language, date. Pure, for use in a worker process."""

from functools import partial

from ingest.extraction.dates import dating_of_text
from ingest.extraction.facts import PageFacts
from ingest.extraction.page import parse_page
from ingest.extraction.text import ENGINE, PageText, empty_caches, page_text
from ingest.model.document import NO_TEXT, Document, Hint, NotAnArticle
from ingest.text.agencies import agency_of
from ingest.text.folding import fold
from ingest.text.language import detect_language

__all__ = ["empty_caches", "extract"]

# A text shorter than this, in characters, is not a news article but the remains of a page without one.
MIN_TEXT_LENGTH = 120
SHORT_TEXT_LENGTH = 200
# The feed's text is used if it is longer than the page's by this factor: the page then shows only a part, or is an
# empty shell filled by scripts. Below this, the difference is captions and credits.
FEED_TEXT_LONGER = 1.2


def extract(body: bytes, url: str, content_type: str | None, hint: Hint) -> Document:
    """Return the article in the page `body`, fetched from `url`. Raises NotAnArticle."""
    tree = parse_page(body, content_type)
    facts = PageFacts.read(tree, url, hint)
    kind = facts.kind
    found = PageText()
    if tree is not None:
        found = page_text(tree, url, partial(parse_page, body, content_type))
    raw, text, extractor, taken = found.raw, found.text, found.opinion, found.share
    from_feed = _feed_text(hint.content, url) if hint.content and len(hint.content) > len(text) else ""
    if len(from_feed) > FEED_TEXT_LONGER * len(text):
        if kind is None or kind.instead_of_article(text) is not None:
            # What the page says about itself does not describe the article.
            facts = PageFacts.read(None, url, hint)
        raw = text = from_feed
        extractor, taken = f"feed, {ENGINE}", None
    elif kind is None:
        raise NotAnArticle("the page is no HTML")
    elif (reason := kind.instead_of_article(text)) is not None:
        raise NotAnArticle(reason)
    if len(text) < MIN_TEXT_LENGTH:
        raise NotAnArticle(f"{NO_TEXT} on the page ({len(text)} characters)")
    dated = facts.dating
    at, source = (dated.at, dated.source) if dated.at else dating_of_text(raw, facts.title, url, hint)
    text = _without_title(text, facts.title)
    return Document(
        title=facts.title,
        author=facts.author,
        published_at=at,
        published_from=source,
        # For a short text, the feed is a better source than language detection.
        language=hint.language if hint.language and len(text) < SHORT_TEXT_LENGTH else detect_language(text),
        text=text,
        extractor=extractor,
        stated_at=dated.stated_at,
        published_note="; ".join(dated.refused) or None,
        agency=agency_of(facts.author, raw),
        page_url=facts.address,
        taken=taken,
    )


def _feed_text(content: str, url: str) -> str:
    page = f"<html><body><article>{content}</article></body></html>".encode()
    parse = partial(parse_page, page, "text/html; charset=utf-8")
    try:
        tree = parse()
    except NotAnArticle:
        return ""
    return page_text(tree, url, parse).text if tree is not None else ""


def _without_title(text: str, title: str | None) -> str:
    """The text without its first line, if that only repeats the title."""
    first, line_break, rest = text.partition("\n")
    return rest.lstrip() if line_break and title and fold(first) == fold(title) else text
