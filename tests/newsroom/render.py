"""How the newsroom's items look on the wire: feeds in three formats, pages in three layouts."""

import json
from datetime import datetime
from email.utils import format_datetime
from html import escape

from tests.newsroom import vocabulary
from tests.newsroom.world import Feed, Item, Newsroom

__all__ = ["render_feed", "render_page"]

CONTENT_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
}


def render_feed(world: Newsroom, feed: Feed) -> tuple[str, bytes]:
    """Return Content-Type and body of a feed as it is now."""
    items = world.visible(feed)
    render = {"rss": _rss, "atom": _atom, "rdf": _rdf}[feed.format]
    return CONTENT_TYPES[feed.format], render(feed, items).encode()


def render_page(world: Newsroom, item: Item) -> tuple[str, bytes]:
    """Return Content-Type and body of an article's page, in the layout of its outlet."""
    others = [other for other in world.items.values() if other.outlet == item.outlet and other.number != item.number]
    related = others[item.number % 7 : item.number % 7 + 4]
    render = {"semantic": _semantic, "divs": _divs, "portal": _portal}[item.outlet.template]
    return "text/html; charset=utf-8", render(item, related).encode()


def _link(item: Item) -> str:
    # The way feeds link: with parameters that say how the reader came.
    return f"{item.url}?utm_source=feed&utm_medium=rss" if item.number % 2 else item.url


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _rss(feed: Feed, items: list[Item]) -> str:
    entries = "".join(
        f"<item><title>{escape(item.title)}</title><link>{escape(_link(item))}</link>"
        f'<guid isPermaLink="false">{feed.outlet.number}-{item.number}</guid>'
        f"<pubDate>{format_datetime(item.published_at)}</pubDate>"
        f"<description>{escape('<p>' + escape(item.summary) + '</p>')}</description></item>\n"
        for item in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(feed.outlet.name)}</title><link>{feed.outlet.base}/</link><description/>\n"
        f"{entries}</channel></rss>"
    )


def _atom(feed: Feed, items: list[Item]) -> str:
    entries = "".join(
        f'<entry><title type="html">{escape(escape(item.title))}</title><link href="{escape(_link(item))}"/>'
        f"<id>tag:outlet{feed.outlet.number},{item.number}</id><updated>{_iso(item.published_at)}</updated>"
        f"<published>{_iso(item.published_at)}</published><author><name>{escape(item.author)}</name></author>"
        f'<summary type="html">{escape(escape(item.summary))}</summary></entry>\n'
        for item in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{escape(feed.outlet.name)}</title><id>{feed.outlet.base}/</id><updated>2024-01-01T00:00:00Z</updated>\n"
        f"{entries}</feed>"
    )


def _rdf(feed: Feed, items: list[Item]) -> str:
    entries = "".join(
        f'<item rdf:about="{escape(item.url)}"><title>{escape(item.title)}</title><link>{escape(_link(item))}</link>'
        f"<dc:date>{_iso(item.published_at)}</dc:date><description>{escape(item.summary)}</description></item>\n"
        for item in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="{feed.outlet.base}/"><title>{escape(feed.outlet.name)}</title></channel>\n'
        f"{entries}</rdf:RDF>"
    )


def _frame(item: Item, head: str, body: str) -> str:
    language = item.outlet.language
    furniture = vocabulary.FURNITURE[language]
    nav = "".join(f'<li><a href="/section/{i}">{name}</a></li>' for i, name in enumerate(furniture["nav"]))
    direction = "rtl" if language == "ar" else "ltr"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
        f"<title>{escape(item.title)} | {escape(item.outlet.name)}</title>{head}"
        "<style>body{font-family:sans-serif}</style><script>var started = Date.now();</script></head>\n"
        f'<body><header class="site-header"><a href="/"><img src="/logo.png" alt=""></a>'
        f'<nav class="main-menu"><ul>{nav}</ul></nav></header>\n{body}\n'
        f'<footer class="site-footer"><p>{furniture["footer"]} © {escape(item.outlet.name)}</p>'
        f"<ul>{nav}</ul></footer></body></html>"
    )


def _related(item: Item, related: list[Item]) -> str:
    heading = vocabulary.FURNITURE[item.outlet.language]["related"]
    links = "".join(f'<li><a href="{other.path}">{escape(other.title)}</a></li>' for other in related)
    return f'<h3>{heading}</h3><ul class="related-list">{links}</ul>'


def _share(item: Item) -> str:
    names = vocabulary.FURNITURE[item.outlet.language]["share"]
    return '<ul class="share-buttons">' + "".join(f'<li><a href="#">{name}</a></li>' for name in names) + "</ul>"


def _paragraphs(item: Item) -> str:
    return "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in item.paragraphs)


def _semantic(item: Item, related: list[Item]) -> str:
    data = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebSite", "name": item.outlet.name},
            {
                "@type": "NewsArticle",
                "headline": item.title,
                "datePublished": _iso(item.published_at),
                "author": {"@type": "Person", "name": item.author},
            },
        ],
    }
    head = f'<script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script>'
    body = (
        f'<main><article><h1>{escape(item.title)}</h1>{_share(item)}<div class="article-body">{_paragraphs(item)}</div>'
        f'</article><aside class="related">{_related(item, related)}</aside></main>'
    )
    return _frame(item, head, body)


def _divs(item: Item, related: list[Item]) -> str:
    head = (
        f'<meta property="og:title" content="{escape(item.title)}"><meta property="og:type" content="article">'
        f'<meta property="article:published_time" content="{_iso(item.published_at)}">'
        f'<meta name="author" content="{escape(item.author)}">'
    )
    body = (
        f'<div id="page"><div class="post"><h1 class="post-title">{escape(item.title)}</h1>'
        f'<div class="entry-content">{_paragraphs(item)}</div>{_share(item)}'
        f'<div class="related-posts">{_related(item, related)}</div></div>'
        f'<div id="sidebar">{_related(item, related)}</div></div>'
    )
    return _frame(item, head, body)


def _portal(item: Item, related: list[Item]) -> str:
    comments = vocabulary.FURNITURE[item.outlet.language]["comments"]
    head = f'<meta name="date" content="{_iso(item.published_at)}">'
    body = (
        f'<section class="content"><div class="breadcrumbs"><a href="/">»</a></div><h1>{escape(item.title)}</h1>'
        f'<div class="meta"><time datetime="{_iso(item.published_at)}">{item.published_at:%Y-%m-%d}</time></div>'
        f'<div class="story-body">{_paragraphs(item)}</div>{_share(item)}</section>'
        f'<section class="more">{_related(item, related)}</section><div id="comments"><p>{comments}</p></div>'
    )
    return _frame(item, head, body)
