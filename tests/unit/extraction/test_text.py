"""How much of a page's prose is taken, and who is asked when it is little."""

import json

import pytest

from ingest.extraction.article import extract
from ingest.extraction.text import ENGINE
from ingest.model.document import Document, Hint, NotAnArticle
from tests.conftest import NOW

URL = "https://a.example/news/5"
PARAGRAPHS = [
    f"In {place} the officers signed the papers on Sunday, and the soldiers who had stayed through {month} went home "
    f"by the road to the south, past the {thing} that nobody had opened for years."
    for place, month, thing in [
        ("Taji", "May", "gate"), ("Kirkuk", "June", "bridge"), ("Mosul", "July", "dam"), ("Basra", "August", "port"),
        ("Erbil", "March", "market"), ("Hilla", "April", "museum"),
    ]
]  # fmt: skip
BODY = "\n".join(PARAGRAPHS)
WHOLE = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)


def read(body: str, head: str = "<title>The last convoy leaves the base</title>") -> Document:
    page = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return extract(page.encode(), URL, "text/html", Hint(NOW))


def missing(document: Document) -> list[str]:
    return [paragraph for paragraph in PARAGRAPHS if paragraph not in document.text]


HEADING = "<h1>The last convoy leaves the base</h1>"
FIRST, REST = (f"<p>{'</p><p>'.join(part)}</p>" for part in (PARAGRAPHS[:2], PARAGRAPHS[2:]))


@pytest.mark.parametrize(
    "body",
    [
        f'<article>{HEADING}<div class="a__content">{FIRST}</div><div class="a__content">{REST}</div></article>',
        f'<div class="post-content">{HEADING}<div class="entry">{FIRST}<div id="text-hidden">{REST}</div></div></div>',
        f'<article>{HEADING}<div class="sidebar-grid">{FIRST}</div><div class="sidebar-grid">{REST}</div></article>',
        f"<aside>{HEADING}{WHOLE}</aside>",
        f"<button>{HEADING}{WHOLE}</button>",
        f"<table><tr><td>Menu</td><td>{HEADING}{WHOLE}</td><td>Advertisements</td></tr></table>",
        f'<article>{HEADING}{FIRST}<p><a href="/x">{PARAGRAPHS[2]}</a></p>{REST}</article>',
        f"<article>{HEADING}{WHOLE.replace('on Sunday', 'on <time>Sunday</time>')}</article>",
        f"<article>{HEADING}{WHOLE.replace('on Sunday', '<label>on Sunday</label>')}</article>",
    ],
    ids=["siblings", "hidden", "named sidebar", "aside", "button", "layout", "a link", "time", "label"],
)
def test_a_whole_article_is_taken(body: str) -> None:
    assert missing(read(body)) == []


def test_who_was_asked_is_noted() -> None:
    assert read(f"<article>{HEADING}{WHOLE}</article>").extractor == ENGINE
    split = f'<div class="entry">{HEADING}{FIRST}<div id="text-hidden">{REST}</div></div>'
    assert read(split).extractor == f"container, {ENGINE}"


@pytest.mark.parametrize("name", ["comments", "disqus_thread", "respond"])
def test_comments_do_not_make_an_article_look_cut(name: str) -> None:
    said = "".join(f"<p>Reader {n} says that this is what everybody had expected for years.</p>" for n in range(30))
    document = read(f'<article>{HEADING}{WHOLE}</article><div id="{name}">{said}</div>')
    assert (missing(document), "Reader" in document.text, document.extractor) == ([], False, ENGINE)


def test_teasers_do_not_make_an_article_look_cut() -> None:
    cards = "".join(
        f'<article><h3><a href="/{n}">Something else happened, no. {n}</a></h3><p>{"Other words. " * 9}</p></article>'
        for n in range(12)
    )
    document = read(f"<article>{HEADING}{WHOLE}</article><section>{cards}</section>")
    assert (missing(document), "Other words" in document.text) == ([], False)


def test_what_is_hidden_is_not_taken() -> None:
    for hidden in ("hidden", 'style="display: none"', 'aria-hidden="true"'):
        assert (
            "pills"
            not in read(f"<article>{HEADING}{WHOLE}<p {hidden}>Cheap pills for all, and more.</p></article>").text
        )
    # Nor is an article lost, if all of it is.
    assert missing(read(f'<div style="display:none">{HEADING}{WHOLE}</div>')) == []


def test_a_text_in_data_for_scripts_is_found() -> None:
    body = WHOLE.replace('"', '\\"')
    data = f'{{"props": {{"article": {{"title": "The last convoy leaves the base", "body": "{body}"}}}}}}'
    document = read(f'<div id="app"></div><script type="application/json">{data}</script>')
    assert (missing(document), document.extractor) == ([], f"data, {ENGINE}")


def test_a_teaser_does_not_beat_the_whole_text_in_data() -> None:
    def data(headline: str) -> str:
        thing = {"@type": "NewsArticle", "headline": headline, "articleBody": BODY}
        return f'<script type="application/ld+json">{json.dumps(thing)}</script>'

    teaser = "<p>The last soldiers who had guarded the base went home on Sunday; subscribers can read all about it.</p>"
    teaser += "<p>Subscribers of the paper have read of it since Monday, and of much else besides, as is said.</p>"
    page = f"<article>{HEADING}{teaser}</article>"
    assert missing(read(page + data("The last convoy leaves the base"))) == []
    assert "guarded" in read(page + data("Oil prices fall for a third week")).text


def test_joiners_and_letters_stay() -> None:
    text = "نیروهای ائتلاف بین\u200cالمللی پایگاه را ترک می\u200cکنند و سربازان به خانه برمی\u200cگردند. " * 5
    assert "بین\u200cالمللی" in read(f"<article>{HEADING}<p>{text}</p></article>").text
    forms = "\ufe8d\ufedf\ufeed\ufe9e\ufef4\ufeb6 "
    document = read(f"<article>{HEADING}<p>{forms * 60}</p></article>", f"<title>{forms * 3}</title>")
    assert "الوجيش" in document.text


LINKS = [f'<a href="/n/{n}">The council of province number {n} meets again over water</a>' for n in range(20)]


@pytest.mark.parametrize(
    ("body", "head", "reason"),
    [
        (f"<h1>Iraq</h1><ul><li>{'</li><li>'.join(f'{link} 18 January 2026' for link in LINKS)}</li></ul>",
         "<title>Iraq</title>", "a list"),
        (f"<h1>Iraq</h1>{''.join(f'<div><h3>{link}</h3><p>It is {n}.</p></div>' for n, link in enumerate(LINKS))}",
         '<title>Iraq</title><meta property="og:type" content="article">', "a list"),
        (f"<h1>Page not found</h1>{WHOLE}", "<title>Page not found</title>", "no such page"),
        (f"<h1>الصفحة المطلوبة غير موجودة</h1>{WHOLE}", "<title>x</title>", "no such page"),
        ("<h1>Access Denied</h1><p>You don't have permission to access this page on this server, says the server. "
         "Reference number eighteen, and more words for the length of it, as these pages have.</p>",
         "<title>Access Denied</title>", "refuses"),
        ("<h1>We value your privacy</h1><p>We and our 842 partners store information on a device, such as cookies, to "
         "show you more.</p><p>You can accept or refuse, or change your choices at any time, below.</p>",
         "<title>The Horizon</title>", "consent"),
        (f"<h1>Shoes</h1>{WHOLE}", '<title>Shoes</title><meta property="og:type" content="product.group">', "goods"),
    ],
)  # fmt: skip
def test_what_is_no_article_is_said(body: str, head: str, reason: str) -> None:
    with pytest.raises(NotAnArticle, match=reason):
        read(body, head)


@pytest.mark.parametrize("title", ["The last convoy leaves the base", "Page not found: how the last convoy left"])
def test_an_article_beside_many_links_is_kept(title: str) -> None:
    body = f"<nav>{' '.join(LINKS)}</nav><article><h1>{title}</h1>{WHOLE}</article><div>{' '.join(LINKS)}</div>"
    head = f'<title>{title}</title><meta property="og:type" content="article">'
    assert missing(read(body, head)) == []


@pytest.mark.parametrize(
    ("head", "above", "below", "day"),
    [
        ("", "", '<div class="date">Updated: 25 October 2026 | Published: 24 October 2026</div>', "2026-10-24"),
        ("", "", '<div class="date">نشر: 24 تشرين الأول 2026 - آخر تحديث: 25 تشرين الأول 2026</div>', "2026-10-24"),
        ("", "", '<div class="date">Last updated 25 October 2026</div>', None),
        ('<meta property="article:modified_time" content="2026-10-25T10:00:00Z">', "", "", None),
        ('<meta property="article:published_time" content="1792836000">', "", "", "2026-10-24"),
        ("", f'<div class="today-date">{NOW:%A, %d %B %Y}</div>', "", None),
        ("", "", '<span class="date">10/04/2026 9:15 AM EST</span>', "2026-04-10"),
        ('<meta name="x" content="en-US">', "", '<span class="date">10/04/2026 9:15 AM EST</span>', "2026-10-04"),
        ("", "", "<h3>20 March 2003</h3><p>It began.</p><h3>1 May 2003</h3><p>It went on.</p>", None),
        ("", "", "<p>The war began on 20 March 2003.</p>", None),
    ],
)
def test_dates_of_other_things_are_not_that_of_publication(head: str, above: str, below: str, day: str | None) -> None:
    lang = "en-US" if "en-US" in head else "en"
    page = f'<!DOCTYPE html><html lang="{lang}"><head><title>The last convoy leaves the base</title>{head}</head>'
    page += f"<body>{above}<article>{HEADING}{below}{WHOLE}</article></body></html>"
    at = extract(page.encode(), URL, "text/html", Hint(NOW)).published_at
    assert (at and f"{at:%Y-%m-%d}") == day


def test_a_page_that_never_closes_its_elements_is_read() -> None:
    assert missing(read(f"<h1>T</h1>{'<div class=a>' * 200}<article>{WHOLE}</article>")) == []
