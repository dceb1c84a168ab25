"""Extraction of single pages; whole outlets are compared with the truth in test_pipeline."""

import unicodedata
from datetime import UTC, datetime

import pytest

from ingest.extraction.article import extract
from ingest.extraction.dates import dating
from ingest.extraction.metadata import Metadata
from ingest.extraction.page import parse_page
from ingest.model.document import Hint, NotAnArticle
from tests.conftest import NOW

TEXT = "وقال المتحدث في بغداد إن الاجتماع المقبل سيعقد بعد أسبوع، وإن اللجان ستقدم تقاريرها قبل ذلك. " * 5
URL = "https://a.example/news/5"


def page(head: str = "", body: str = "") -> bytes:
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8">{head}</head><body><nav><a href="/">الرئيسية</a></nav>'
        f"<article><p>{TEXT}</p>{body}</article></body></html>"
    ).encode()


JSONLD = '<script type="application/ld+json">{}</script>'
META = '<meta property="article:published_time" content="{}">'


@pytest.mark.parametrize(
    ("head", "hint", "published_at", "published_from"),
    [
        (JSONLD.format('{"@type": "NewsArticle", "datePublished": "2026-10-30T21:30:00+03:00"}'), None,
         datetime(2026, 10, 30, 18, 30, tzinfo=UTC), "jsonld"),
        (JSONLD.format('[{"@type": ["Thing", "ReportageNewsArticle"], "datePublished": "2026-10-30"}]'), None,
         datetime(2026, 10, 30, tzinfo=UTC), "jsonld"),
        (JSONLD.format('{"@graph": [{"@type": "WebSite"}, {"@type": "Article", "datePublished": "2026-10-30T10Z"}]}'),
         None, datetime(2026, 10, 30, 10, tzinfo=UTC), "jsonld"),
        (JSONLD.format("{broken") + META.format("2026-10-29T08:00:00Z"), None,
         datetime(2026, 10, 29, 8, tzinfo=UTC), "meta"),
        (META.format("Thu, 29 Oct 2026 08:00:00 +0300"), None, datetime(2026, 10, 29, 5, tzinfo=UTC), "meta"),
        (META.format("2026-10-29T08:00:00Z"), datetime(2026, 10, 28, tzinfo=UTC),
         datetime(2026, 10, 28, tzinfo=UTC), "feed"),
        (META.format("2031-01-01T00:00:00Z"), None, None, None),
        (META.format("1970-01-01T00:00:00Z"), None, None, None),
        (META.format("yesterday"), None, None, None),
        ("", None, None, None),
    ],
)  # fmt: skip
def test_dates(head: str, hint: datetime | None, published_at: datetime | None, published_from: str | None) -> None:
    document = extract(page(head), URL, "text/html", Hint(NOW, published_at=hint))
    assert (document.published_at, document.published_from) == (published_at, published_from)


CONTROL = [*map(chr, (0, 2, 7, 8, 0x0B, 0x0C, 0x0E, 0x1B, 0x1F, 0x7F, 0x85, 0x9B, 0xFFFE, 0xFFFF)),
           "&#0;", "&#2;", "&#27;", "&#027", "&#11;", "&#x1B;", "&#X001f;", "&#xFFFE;", "&#65535;"]  # fmt: skip


@pytest.mark.parametrize("character", CONTROL)
@pytest.mark.parametrize("place", ["title", "h1", "p", "comment", "script"])
def test_a_control_character_loses_no_article(place: str, character: str) -> None:
    def at(here: str) -> str:
        return character if place == here else ""

    escape = f"\\u{ord(character):04x}" if len(character) == 1 else ""
    script = JSONLD.format(f'{{"@type": "NewsArticle", "headline": "Withdrawal{escape if place == "script" else ""}"}}')
    body = (
        f"<!-- {at('comment')} --><html><head><title>With{at('title')}drawal</title>{script}</head><body><article>"
        f"<h1>With{at('h1')}drawal</h1><p>{TEXT}</p><p>num{at('p')}ber {TEXT}</p></article></body></html>"
    )
    document = extract(body.encode(), URL, "text/html; charset=utf-8", Hint(NOW))
    assert len(document.text) > 2 * len(TEXT)
    shown = (document.title or "") + document.text
    assert not any((ord(c) < 32 and c != "\n") or ord(c) in (0xFFFE, 0xFFFF) for c in shown)
    if ord(character[0]) < 9:
        assert "number" in document.text


def test_an_article_that_only_stands_in_json_may_hold_control_characters_too() -> None:
    text = TEXT.replace("بغداد", "بغداد\\u001b")
    body = JSONLD.format(f'{{"@type": "NewsArticle", "headline": "x", "articleBody": "{text}"}}')
    found = extract(f"<html><head>{body}</head><body><p>x</p></body></html>".encode(), URL, "text/html", Hint(NOW))
    assert found.text == TEXT.strip()


def test_other_references_stay() -> None:
    found = extract(page(body=f"<p>it&#8217;s 1&#50; &#310; &#x1b3;&#9;{TEXT}</p>"), URL, "text/html", Hint(NOW))
    assert "it’s 12 Ķ Ƴ " in found.text


def test_a_date_in_the_address_is_the_last_resort() -> None:
    document = extract(page(), "https://a.example/2026/10/27/title", "text/html", Hint(NOW))
    assert (document.published_at, document.published_from) == (datetime(2026, 10, 27, tzinfo=UTC), "url")


def test_dates_that_cannot_be_true_are_refused_with_the_reason() -> None:
    head = JSONLD.format('{"@type": "NewsArticle", "datePublished": "2031-01-01T00:00:00Z"}')
    document = extract(page(head + META.format("1970-01-01T00:00:00Z")), URL, "text/html", Hint(NOW))
    assert (document.published_at, document.published_from) == (None, None)
    assert document.published_note == (
        "jsonld: future: 2031-01-01T00:00:00+0000; meta: too old: 1970-01-01T00:00:00+0000"
    )


def test_what_the_page_states_is_kept_beside_the_feed_s_date() -> None:
    said = datetime(2026, 10, 29, 5, tzinfo=UTC)
    document = extract(page(META.format("2026-10-29T08:00:00Z")), URL, "text/html", Hint(NOW, published_at=said))
    assert (document.published_at, document.published_from) == (said, "feed")
    assert document.stated_at == datetime(2026, 10, 29, 8, tzinfo=UTC)


def test_a_date_in_the_first_lines_of_the_text_counts_as_the_page_s() -> None:
    body = page().replace(
        b"<article>", "<article><p>تم نشره الجمعة 23 تشرين الأول / أكتوبر 2026 09:22 مساءً</p>".encode()
    )
    document = extract(body, URL, "text/html", Hint(NOW, country="IQ"))
    assert (document.published_at, document.published_from) == (datetime(2026, 10, 23, 18, 22, tzinfo=UTC), "page")
    assert document.text.startswith("وقال المتحدث")


@pytest.mark.parametrize(
    "line", ["غزو العراق في 20 مارس 2003 وما تلاه", "A strike on 3 January 2020 changed the region for good"]
)
def test_a_date_in_a_heading_is_not_that_of_the_article(line: str) -> None:
    body = page().replace(b"<article>", f"<article><h2>{line}</h2>".encode())
    document = extract(body, "https://a.example/2026/10/27/title", None, Hint(NOW))
    assert (document.published_at, document.published_from) == (datetime(2026, 10, 27, tzinfo=UTC), "url")


def test_of_times_without_values_the_one_beside_the_title_counts() -> None:
    body = page(body="<h1>عنوان</h1><time>5 January 2026</time>").replace(
        b"<article>", b"<div><time>1 March 2019</time>" + b"<p></p>" * 70 + b"</div><article>"
    )
    assert extract(body, URL, None, Hint(NOW)).published_at == datetime(2026, 1, 5, tzinfo=UTC)


def test_digits_at_the_end_of_an_address_are_a_number() -> None:
    assert extract(page(), "https://a.example/news/20110412", None, Hint(NOW)).published_at is None
    dated = extract(page(), "https://a.example/20260412/title", None, Hint(NOW))
    assert dated.published_at == datetime(2026, 4, 12, tzinfo=UTC)


def test_hijri_dates_stand_beside_the_gregorian_one() -> None:
    body = page(body='<div class="date">الجمعة 12 جمادى الأولى 1448 هـ - 23 أكتوبر 2026 م</div>')
    document = extract(body, URL, "text/html", Hint(NOW))
    assert document.published_at == datetime(2026, 10, 23, tzinfo=UTC)


def test_of_several_headings_the_date_stands_beside_that_of_the_title() -> None:
    body = page(
        "<title>انسحاب القوات</title>",
        "<h1>الأفق</h1><p class='date'>2026-10-01</p>" + "<p></p>" * 70 + "<h1>انسحاب القوات</h1>"
        "<p class='date'>نشر: 2026-10-23 15:03</p>",
    )
    assert extract(body, URL, "text/html", Hint(NOW)).published_at == datetime(2026, 10, 23, 15, 3, tzinfo=UTC)


DATED = "https://a.example/2016/02/14/title"


@pytest.mark.parametrize(
    "date",
    ["الأحد 14 شباط 2016", "14. Februar 2016", "14/02/2016", "Dimanche 14 février 2016", "14 de febrero de 2016",
     "14 Şubat 2016 Pazar"],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["<h1>عنوان</h1><div><span>{}</span></div>", "<p>\n   {}\n   </p><h1>عنوان</h1>"])
def test_a_date_beside_the_title_needs_no_name(date: str, shape: str) -> None:
    tree = parse_page(page(body=shape.format(date)), None)
    assert dating(tree, Metadata(tree), URL, Hint(NOW)).at == datetime(2016, 2, 14, tzinfo=UTC)
    assert dating(tree, Metadata(tree), DATED, Hint(NOW)).source == "page"


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (URL, "<span>الخميس 23 تشرين الأول 2025</span>" + "<i></i>" * 20 + "<h1>عنوان</h1>"),
        (URL, "<span>منذ 14 شباط 2016 في العراق</span><h1>عنوان</h1>"),
        (URL, "<div>الأحد 1 تشرين الثاني 2026</div><h1>عنوان</h1>"),
        (URL, "<h1>عنوان</h1><a>13/02/2015</a>"),
        (URL, "<h1>عنوان</h1><ul><li><a href='/1'>آخر</a><span>13/02/2015</span></li></ul>"),
        (URL, "<h1>عنوان</h1><table><tr><td>12/10/2015</td></tr></table>"),
        (DATED, "<h1>عنوان</h1><p>20 شباط 2016</p>"),
    ],
    ids=["far away", "among words", "a calendar", "a link", "a list of links", "a table", "not that of the address"],
)
def test_a_date_that_may_be_another_s_is_not_the_article_s(url: str, body: str) -> None:
    tree = parse_page(page("<title>عنوان</title>", body), None)
    assert dating(tree, Metadata(tree), url, Hint(NOW)).at is None


def test_a_heading_that_is_the_site_s_name_has_no_date_beside_it() -> None:
    tree = parse_page(page("<meta property='og:title' content='عنوان'>", "<h1>الأفق</h1><p>13/02/2015</p>"), None)
    assert dating(tree, Metadata(tree), URL, Hint(NOW)).at is None


def test_a_year_in_the_footer_is_no_date() -> None:
    body = page().replace(b"</body>", b"<footer>Copyright 2021</footer></body>")
    assert extract(body, URL, "text/html", Hint(NOW)).published_at is None


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        (JSONLD.format('{"@type": "NewsArticle", "headline": "من البيانات"}') + "<title>x</title>", "", "من البيانات"),
        ('<meta property="og:title" content="من الوسم"><title>x</title>', "", "من الوسم"),
        ("<title>x</title>", "<h1>من\n العنوان</h1>", "من العنوان"),
        ("<title>عنوان الصفحة</title>", "", "عنوان الصفحة"),
        ("", "", "من الخلاصة"),
    ],
)
def test_titles(head: str, body: str, title: str) -> None:
    assert extract(page(head, body), URL, "text/html", Hint(NOW, title="من الخلاصة")).title == title


def test_the_title_is_not_repeated_as_text() -> None:
    body = page("<title>عنوانٌ طويل</title>").replace(b"<article>", "<article><h1>عنوان طويل</h1>".encode())
    assert extract(body, URL, "text/html", Hint(NOW)).text.startswith("وقال المتحدث")


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1256"])
@pytest.mark.parametrize("declared", ["utf-8", "windows-1256", None])
def test_encodings_right_wrong_and_not_declared(encoding: str, declared: str | None) -> None:
    body = page().replace(b'<meta charset="utf-8">', b"").decode().encode(encoding)
    kind = f"text/html; charset={declared}" if declared else "text/html"
    assert extract(body, URL, kind, Hint(NOW)).text == TEXT.strip()


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"\x00\x01", b"<html></html>", b"<html><body><p>Loading</p></body></html>", b"%PDF-1.7 ..."]
)
def test_what_is_no_article_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(NotAnArticle, match=r"."):
        extract(body, URL, "text/html", Hint(NOW))


def test_the_feed_s_text_stands_in_for_an_empty_page() -> None:
    document = extract(b"<html><body></body></html>", URL, "text/html", Hint(NOW, content=f"<p>{TEXT}</p>"))
    assert document.text == TEXT.strip()
    assert document.extractor.startswith("feed")


def test_the_feed_s_text_is_taken_where_the_page_shows_a_part_of_it() -> None:
    whole = f"<p>{TEXT}</p><p>وأضاف أن المرحلة الأخيرة تنتهي في العام المقبل بعد تسليم القواعد كلها للجيش. {TEXT}</p>"
    document = extract(page(), URL, "text/html", Hint(NOW, content=whole))
    assert "المرحلة الأخيرة" in document.text
    assert document.extractor.startswith("feed, trafilatura")
    part = extract(page(), URL, "text/html", Hint(NOW, content=f"<p>{TEXT[:150]}</p>"))
    assert part.text == TEXT.strip()
    assert part.extractor.startswith("trafilatura")


def test_words_that_are_links_stay_in_their_sentence() -> None:
    linked = 'أعلن <a href="/1">التحالف الدولي</a> أن <a href="/2">قاعدة عين الأسد</a> تسلم <a href="/3">لبغداد</a>.'
    text = extract(page(body=f"<p>{linked}</p>" * 2), URL, "text/html", Hint(NOW)).text
    assert "أعلن التحالف الدولي أن قاعدة عين الأسد تسلم لبغداد." in text


def test_paragraphs_stay_apart_and_text_is_composed() -> None:
    decomposed = unicodedata.normalize("NFD", "أعلن المسؤول أن آخر القوات ستغادر القاعدة في الأسبوع المقبل.")
    text = extract(page(body=f"<p>{decomposed}</p><p>والتفاصيل لاحقاً.</p>"), URL, "text/html", Hint(NOW)).text
    assert text.split("\n")[-2:] == [unicodedata.normalize("NFC", decomposed), "والتفاصيل لاحقاً."]


def test_spaces_in_elements_of_their_own_part_words() -> None:
    body = page(body="<p>قال<span> </span>الوزير<i>&nbsp;</i>أمس<span></span> في بغداد</p>")
    assert "قال الوزير أمس في بغداد" in extract(body, URL, None, Hint(NOW)).text.replace("\u00a0", " ")
    body = page(body="<div>قال الوزير<div>&nbsp;</div>أمس في بغداد</div>")
    assert "الوزيرأمس" not in extract(body, URL, None, Hint(NOW)).text


def test_a_short_article_is_looked_for_on_the_whole_page() -> None:
    sentence = "وغادرت آخر قافلة للجنود القاعدة عند الفجر إلى الكويت."
    lines = "".join(f"<div><div>{sentence}</div></div>" for _ in range(30))
    body = f"<html><body><article><p>{TEXT[:300]}</p></article><div>{lines}</div></body></html>"
    assert sentence in extract(body.encode(), URL, None, Hint(NOW)).text


def test_what_stands_beside_the_article_is_no_part_of_it() -> None:
    body = (
        f"<html><body><div class='page'><div class='main'><div><h1>العنوان</h1></div><div><p>{TEXT}</p></div></div>"
        "<div class='side'><div>أسعار النفط تواصل ارتفاعها اليوم</div><p>تابعنا</p></div></div></body></html>"
    )
    assert extract(body.encode(), URL, None, Hint(NOW)).text == TEXT.strip()


def test_formatting_parts_no_words_and_joins_none() -> None:
    body = page(body="<p><b>قال</b> <i>ال</i>وزير<strong> أمس</strong> <font color='red'>في</font> <em>بغداد</em>.</p>")
    assert extract(body, URL, None, Hint(NOW)).text.endswith("قال الوزير أمس في بغداد.")


def test_a_list_that_is_nothing_but_links_is_no_part_of_the_article() -> None:
    others = "".join(
        f'<li> <a href="/{n}"><b>القوات تنسحب من</b> القاعدة رقم {n} وتسلمها للجيش العراقي في الأسبوع المقبل</a>\n</li>'
        for n in range(3)
    )
    points = "".join(
        f'<li><a href="/{n}">القاعدة {n}</a> تسلم لبغداد في تشرين الثاني المقبل، ويغادر آخر من فيها من جنود قبله</li>'
        for n in range(3)
    )
    body = page(body=f"<ul>{others}</ul><p>{TEXT}</p><ol>{points}</ol><p>{TEXT}</p>")
    text = extract(body, URL, None, Hint(NOW)).text
    assert "القوات تنسحب" not in text
    assert "القاعدة 2 تسلم لبغداد في تشرين الثاني" in text


MENU = "".join(f'<div><a href="/{n}">قسم الأخبار رقم {n} من الموقع</a></div>' for n in range(40))
WORDS = [f"كلمة{n} بغداد" for n in range(60)]


@pytest.mark.parametrize(
    "article",
    [
        # As pasted from a word processor: each word in a box of its own.
        f"<p>{''.join(f'<span lang=AR style=color:black>{word} </span>' for word in WORDS)}</p>",
        # A link that does not end, and a target of links, which is none.
        f'<a href="/"><p>{" ".join(WORDS)}</p>',
        f'<a href="/x">x</a> <a href="/y">y</a> <a href="/">{"<br>".join(WORDS)}',
        f'<a name="top"><p>{" ".join(WORDS)}</p>',
        f"<p>{''.join(f'<a href=/{word[4:6]}>{word}</a> و' for word in WORDS)}</p>",
    ],
    ids=["spans", "open link", "open link, lines", "target", "links"],
)
def test_an_article_among_links_is_kept(article: str) -> None:
    body = f"<html><body><div><div>{MENU}</div><div>{article}</div><div><h3>شاهد</h3>{MENU}</div></div></body></html>"
    text = extract(body.encode(), URL, None, Hint(NOW)).text
    assert all(word in text for word in WORDS)


LINKS = "".join(
    f'<div><h3><a href="/news/{n}">الخبر رقم {n} عن اجتماع اللجنة في بغداد</a></h3><p>ملخص للخبر {n}.</p></div>'
    for n in range(12)
)


@pytest.mark.parametrize(
    ("body", "url", "reason"),
    [
        (page(), "https://a.example/", "front page"),
        (page(), "https://a.example/ar/index.html", "front page"),
        (f"<html><body><div>{LINKS}</div></body></html>".encode(), "https://a.example/tag/iraq", "a list of articles"),
        (page(JSONLD.format('{"@graph": [{"@type": "CollectionPage"}, {"@type": "WebSite"}]}')), URL, "a list of"),
        (page('<meta property="og:type" content="video.other">').replace(TEXT.encode(), TEXT[:200].encode()), URL,
         "a video"),
        (b"<html><body>" + b"<p>x</p>" * 120_000 + b"</body></html>", URL, "elements"),
    ],
)  # fmt: skip
def test_pages_that_are_no_articles_are_rejected_with_the_reason(body: bytes, url: str, reason: str) -> None:
    with pytest.raises(NotAnArticle, match=reason):
        extract(body, url, None, Hint(NOW))


def test_text_that_is_in_no_paragraphs_is_not_cut_off() -> None:
    lines = "".join(f"{TEXT[:200]}<br><br>" for _ in range(12))
    body = (
        f"<html><body><div class='page'><div class='head'><h1>عنوان</h1><p>{TEXT * 2}</p></div>"
        f"<div class='body'>{lines}</div></div></body></html>"
    )
    assert len(extract(body.encode(), URL, None, Hint(NOW)).text) > len(lines) / 2


def test_an_article_with_links_below_or_with_contents_is_an_article() -> None:
    others = "".join(f'<p><a href="/n/{n}">عنوان خبر آخر رقم {n} عن لجنة في بغداد</a></p>' for n in range(6))
    extract(page(body=f"<p>{TEXT}</p>" * 3 + others), URL, None, Hint(NOW))
    parts = "".join(f'<h2><a href="#s{n}">ما الذي تقوله اللجنة {n}</a></h2><p>{TEXT}</p>' for n in range(6))
    extract(page(body=parts), URL, None, Hint(NOW))
    extract(page(JSONLD.format('{"@type": "ItemList", "itemListElement": []}')), URL, None, Hint(NOW))


def test_a_challenge_lends_its_title_to_no_article_of_the_feed() -> None:
    body = b"<html><head><title>Just a moment...</title></head><body><p>Checking your browser</p></body></html>"
    document = extract(body, URL, None, Hint(NOW, title="العنوان", content=f"<p>{TEXT}</p>"))
    assert document.title == "العنوان"


def test_a_feed_s_text_without_end_does_not_spoil_the_page() -> None:
    document = extract(page(), URL, None, Hint(NOW, content="<p>x</p>" * 120_000))
    assert document.text == TEXT.strip()


def test_an_article_with_a_list_of_others_below_is_an_article() -> None:
    body = page(body=f"<p>{TEXT}</p>" * 3).replace(b"</article>", f"</article><div>{LINKS}</div>".encode())
    assert extract(body, URL, None, Hint(NOW)).text.startswith(TEXT.strip())


@pytest.mark.parametrize(
    "url", ["https://a.example/?p=7", "https://a.example/ar/7", "https://a.example/index.php?id=7"]
)
def test_articles_at_short_addresses_are_articles(url: str) -> None:
    assert extract(page(), url, None, Hint(NOW)).text == TEXT.strip()


def test_half_characters_in_metadata_do_not_reach_the_database() -> None:
    head = JSONLD.format('{"@type": "NewsArticle", "headline": "Cut \\ud83d", "author": "Mona \\udc00"}')
    document = extract(page(head), URL, "text/html", Hint(NOW))
    assert (document.title, document.author) == ("Cut ?", "Mona ?")


@pytest.mark.parametrize(
    ("title", "text", "reason"),
    [
        ("Just a moment...", "Checking if the connection is secure before you are let through to the page.", "person"),
        ("Attention Required! | Cloudflare", "Sorry, you have been blocked from reading this site.", "person"),
        ("Horizon", "You need to enable JavaScript to run this app. Nothing is shown without it.", "JavaScript"),
        ("Before you continue", "We and our partners use cookies to show you what you like.", "cookies"),
        ("404 - Horizon", "The thing that was here has been moved away or never was here at all.", "no such page"),
        ("الأفق", "عذراً، الصفحة المطلوبة غير موجودة أو تم حذفها، يمكنك العودة إلى الرئيسية.", "no such page"),
    ],
)
def test_pages_in_place_of_an_article_are_named(title: str, text: str, reason: str) -> None:
    page = f"<html><head><title>{title}</title></head><body><article><p>{text} {text}</p></article></body></html>"
    with pytest.raises(NotAnArticle, match=reason):
        extract(page.encode(), "https://a.example/1", None, Hint(NOW))


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("هدى الكناني", "هدى الكناني"), ("رويترز", "رويترز"), ("By Mona Dulaimi", "Mona Dulaimi"), ("Admin", None),
        ("هيئة التحرير", None), ("https://a.example/author/7", None), ("2026-10-30", None), ("news@a.example", None),
        ("The Horizon", None), ("77", None),
    ],
)  # fmt: skip
def test_authors_are_people_or_agencies(author: str, name: str | None) -> None:
    head = f'<meta property="og:site_name" content="The Horizon"><meta name="author" content="{author}">'
    page = f"<html><head>{head}</head><body><article><p>{'A long enough sentence. ' * 20}</p></article></body></html>"
    assert extract(page.encode(), "https://a.example/1", None, Hint(NOW)).author == name


@pytest.mark.parametrize(
    ("title", "site", "heading", "found"),
    [
        ("قوات التحالف تغادر | شفق نيوز", "شفق نيوز", "", "قوات التحالف تغادر"),
        ("Troops leave - Al Jazeera", "Al Jazeera", "", "Troops leave"),
        ("Troops leave – Al Jazeera", "", "Troops leave", "Troops leave"),
        ("شفق نيوز — قوات التحالف تغادر", "شفق نيوز", "", "قوات التحالف تغادر"),
        ("US-led talks: what comes next", "Horizon", "", "US-led talks: what comes next"),
        ("Bernard&#8217;s talks", "", "", "Bernard’s talks"),
    ],
)
def test_titles_lose_the_name_of_the_site(title: str, site: str, heading: str, found: str) -> None:
    head = f'<meta property="og:title" content="{title}">' + (
        f'<meta property="og:site_name" content="{site}">' if site else ""
    )
    heading = f"<h1>{heading}</h1>" if heading else ""
    body = f"{heading}<article>{'<p>' + 'A long enough sentence. ' * 20 + '</p>'}</article>"
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    assert extract(page.encode(), "https://a.example/1", None, Hint(NOW)).title == found
