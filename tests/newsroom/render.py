"""How the newsroom's items look on the wire: feeds in three formats, pages in three layouts."""

import json
import random
from datetime import datetime
from email.utils import format_datetime
from functools import cache
from html import escape

from tests.newsroom import vocabulary
from tests.newsroom.world import Feed, Item, Newsroom, Outlet

__all__ = ["render_feed", "render_page", "render_sitemap"]

CONTENT_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
}


def render_feed(world: Newsroom, feed: Feed, size: int | None = None, page: int = 1) -> tuple[str, bytes]:
    """Return Content-Type and body of a feed as it is now; with a `size`, of that page of it, as WordPress does."""
    items = world.visible(feed)
    if size is not None:
        items = items[(page - 1) * size : page * size]
    render = {"rss": _rss, "atom": _atom, "rdf": _rdf}[feed.format]
    return CONTENT_TYPES[feed.format], render(feed, items).encode()


def render_sitemap(world: Newsroom, outlet: Outlet, month: str | None = None) -> bytes:
    """Return the outlet's sitemap of a month (`2026-10`), or without one the index of all months."""
    items = [item for item in world.of_outlet(outlet) if item.published_at <= world.now]
    months = sorted({f"{item.published_at:%Y-%m}" for item in items})
    if month is None:
        parts = "".join(f"<sitemap><loc>{outlet.base}/sitemap-{name}.xml</loc></sitemap>" for name in months)
        return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{parts}</sitemapindex>'.encode()
    urls = "".join(
        f"<url><loc>{item.url}</loc><lastmod>{_iso(item.published_at)}</lastmod></url>"
        for item in items
        if f"{item.published_at:%Y-%m}" == month
    )
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()


def render_page(world: Newsroom, item: Item) -> tuple[str, bytes]:
    """Return Content-Type and body of an article's page, in the layout of its outlet."""
    others = [other for other in world.of_outlet(item.outlet) if other.number != item.number]
    related = others[item.number % 7 : item.number % 7 + 4]
    render = {"semantic": _semantic, "divs": _divs, "portal": _portal}[item.outlet.template]
    return "text/html; charset=utf-8", render(item, related, others).encode()


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
        "<generator>https://wordpress.org/?v=6.4</generator>\n"
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


# About what news sites put around an article: half of the pages the project is evaluated on are larger than 110 kB,
# with 700 elements, 130 links and 32 kB of scripts.
SCRIPT_BYTES, STYLE_BYTES = 34_000, 24_000


@cache
def _script(number: int) -> str:
    rng = random.Random(f"script {number}")
    lines = []
    size = 0
    while size < SCRIPT_BYTES:
        name, value = rng.randrange(10**6), rng.randrange(10**9)
        line = f'window.w{name}=function(e){{return e&&e.t==="{value:x}"?{{id:{value},on:!0}}:null}};'
        lines.append(line)
        size += len(line)
    return "".join(lines)


@cache
def _style(number: int) -> str:
    rng = random.Random(f"style {number}")
    lines = []
    size = 0
    while size < STYLE_BYTES:
        line = f".c{rng.randrange(10**5)}>.n{rng.randrange(10**4)}{{margin:{rng.randrange(40)}px;display:flex}}"
        lines.append(line)
        size += len(line)
    return "".join(lines)


@cache
def _menu(outlet: Outlet) -> str:
    names = vocabulary.FURNITURE[outlet.language]["nav"]
    places = vocabulary.SLOTS[outlet.language]["place"]
    sections = "".join(
        f'<li class="menu-item"><a href="/section/{i}">{name}</a><ul class="sub-menu">'
        + "".join(f'<li><a href="/section/{i}/{j}">{name} {place}</a></li>' for j, place in enumerate(places[:6]))
        + "</ul></li>"
        for i, name in enumerate(names)
    )
    return f'<ul id="menu-main">{sections}</ul>'


def _cards(outlet: Outlet, items: list[Item], kind: str) -> str:
    return f'<div class="{kind}-list">' + "".join(
        f'<div class="card"><a class="thumb" href="{item.path}"><img src="/img/{item.number}.jpg" width="120" '
        f'height="80" alt=""></a><h4><a href="{item.path}">{escape(item.title)}</a></h4>'
        f'<span class="date">{item.published_at:%Y-%m-%d}</span></div>'
        for item in items
    ) + "</div>"  # fmt: skip


def _frame(item: Item, head: str, body: str, others: list[Item]) -> str:
    outlet = item.outlet
    furniture = vocabulary.FURNITURE[outlet.language]
    menu = _menu(outlet)
    direction = "rtl" if outlet.language == "ar" else "ltr"
    start = item.number % max(len(others) - 30, 1)
    latest = _cards(outlet, others[start : start + 30], "latest")
    most_read = _cards(outlet, others[:20], "most-read")
    links = "".join(f'<li><a href="/page/{i}">{name}</a></li>' for i, name in enumerate(furniture["nav"] * 5))
    return (
        f'<!DOCTYPE html>\n<html lang="{outlet.language}" dir="{direction}"><head><meta charset="utf-8">'
        f"<title>{escape(item.title)} | {escape(outlet.name)}</title>{head}"
        f"<style>{_style(outlet.number)}</style><script>{_script(outlet.number)}</script></head>\n"
        f'<body><header class="site-header"><a href="/"><img src="/logo.png" alt=""></a>'
        f'<nav class="main-menu">{menu}</nav><form action="/search"><input name="q"><button></button></form></header>\n'
        f'{body}\n<div class="widget-area" id="secondary"><div class="widget">{latest}</div>'
        f'<div class="widget">{most_read}</div></div>'
        f'<footer class="site-footer"><ul class="footer-links">{links}</ul>{menu}'
        f'<p class="copyright">{furniture["footer"]} © {escape(outlet.name)}</p></footer>'
        f"<script>{_script(outlet.number + 1000)[: SCRIPT_BYTES // 3]}</script></body></html>"
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


def _semantic(item: Item, related: list[Item], others: list[Item]) -> str:
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
    return _frame(item, head, body, others)


def _divs(item: Item, related: list[Item], others: list[Item]) -> str:
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
    return _frame(item, head, body, others)


def _portal(item: Item, related: list[Item], others: list[Item]) -> str:
    comments = vocabulary.FURNITURE[item.outlet.language]["comments"]
    head = f'<meta name="date" content="{_iso(item.published_at)}">'
    body = (
        f'<section class="content"><div class="breadcrumbs"><a href="/">»</a></div><h1>{escape(item.title)}</h1>'
        f'<div class="meta"><time datetime="{_iso(item.published_at)}">{item.published_at:%Y-%m-%d}</time></div>'
        f'<div class="story-body">{_paragraphs(item)}</div>{_share(item)}</section>'
        f'<section class="more">{_related(item, related)}</section><div id="comments"><p>{comments}</p></div>'
    )
    return _frame(item, head, body, others)
