"""Extraction of single pages; whole outlets are compared with the truth in test_pipeline."""

from datetime import UTC, datetime

import pytest

from ingest.document import Hint, NotAnArticle
from ingest.extraction import detect_language, extract
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


def test_a_date_in_the_address_is_the_last_resort() -> None:
    document = extract(page(), "https://a.example/2026/10/27/title", "text/html", Hint(NOW))
    assert (document.published_at, document.published_from) == (datetime(2026, 10, 27, tzinfo=UTC), "url")


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


def test_languages() -> None:
    english = page().replace(TEXT.encode(), b"The committee will meet again next week and report to parliament. " * 5)
    assert extract(page(), URL, "text/html", Hint(NOW)).language == "ar"
    assert extract(english, URL, "text/html", Hint(NOW, language="ar")).language == "en"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("وقال المتحدث إن الاجتماع المقبل سيعقد بعد أسبوع واحد في بغداد", "ar"),
        # Written on a Persian keyboard.
        ("قال المتحدث ان القوات ستنسحب من العراق وفق الجدول الزمنی المتفق عليه بين البلدين", "ar"),
        ("سخنگوی دولت گفت که نشست بعدی یک هفته دیگر در تهران برگزار می‌شود و کمیته‌ها گزارش می‌دهند", "fa"),
        ("The committee will meet again next week and report to parliament", "en"),
    ],
)
def test_detect_language(text: str, language: str) -> None:
    assert detect_language(text) == language


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
        ("هدى الكناني", "هدى الكناني"), ("رويترز", "رويترز"), ("By Mona Dulaimi", "By Mona Dulaimi"), ("Admin", None),
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
