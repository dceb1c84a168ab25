import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.text import urls
from ingest.text.urls import absolute_url, canonical_url, host_of, page_address, slug_words, without_user_info


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://User:pw@WWW.Example.ORG:443/a/b?utm_source=x&id=5#frag", "https://www.example.org/a/b?id=5"),
        ("http://example.org", "http://example.org/"),
        ("http://example.org:8080/?b=2&a=1", "http://example.org:8080/?a=1&b=2"),
        ("http://example.org/?fbclid=1&gclid=2&ref=3&sid=4", "http://example.org/?ref=3&sid=4"),
        ("http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x"),
    ],
)
def test_canonical_url(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize(
    ("link", "absolute"),
    [
        ("/news/1", "https://a.example/news/1"),
        ("//b.example/x", "https://b.example/x"),
        (" https://b.example/خبر ", "https://b.example/%D8%AE%D8%A8%D8%B1"),
        ("javascript:alert(1)", None),
        ("mailto:x@y.example", None),
        ("file:///etc/passwd", None),
        ("https://a.example:99999/", None),
        ("https://a.example/" + "x" * 3000, None),
        ("https://a.example/?q=" + ":" * 1000, None),
        ("http://[broken", None),
    ],
)
def test_absolute_url(link: str, absolute: str | None) -> None:
    assert absolute_url(link, "https://a.example/feed.xml") == absolute


@pytest.mark.parametrize("link", ["/" + "é" * 400_000, "a" * 5000, "http://" + "é" * 400_000, "\t/a" * 100_000])
@pytest.mark.parametrize("turned", [False, True])
def test_what_is_too_long_to_be_an_address_is_not_worked_on(
    link: str, turned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> str:
        raise AssertionError("it was taken apart")

    for worker in ("urljoin", "safe_url_string", "canonical_url"):
        monkeypatch.setattr(urls, worker, never)
    assert absolute_url(*(("/x", link) if turned else (link, "https://a.example/"))) is None


def test_links_may_be_longer_than_addresses() -> None:
    assert absolute_url("/a/.." * 500 + "/b", "https://a.example/") == "https://a.example/b"
    assert absolute_url(" " * 10_000 + "/b", "https://a.example/") == "https://a.example/b"


def test_host_of() -> None:
    assert host_of("https://Example.org/x") == "example.org"
    assert host_of("http://127.0.0.1:8080/x") == "127.0.0.1:8080"


def test_user_info_is_removed_for_logs() -> None:
    text = "redirected to https://me:secret@b.example/x?y=@z"
    assert without_user_info(text) == "redirected to https://b.example/x?y=@z"


_SEGMENT = st.text("aZ09._-~%+ ()ب", max_size=6)
_URLS = st.builds(
    lambda host, path, query: f"https://{host}.example/{path}{query}",
    st.text("ab0-.", min_size=1, max_size=5),
    st.lists(_SEGMENT, max_size=3).map("/".join),
    st.lists(st.tuples(st.sampled_from(("id", "b", "utm_source", "fbclid", "A", "%41")), _SEGMENT), max_size=4).map(
        lambda pairs: "?" + "&".join(f"{name}={value}" for name, value in pairs) if pairs else ""
    ),
)


@given(_URLS)
@settings(max_examples=500)
def test_plain_addresses_take_a_short_cut_to_the_same_place(url: str) -> None:
    # In capitals, the scheme is not that of a plain address.
    other = url.replace("https", "HTTPS", 1)
    short, long = absolute_url(url, ""), absolute_url(other, "")
    assert short == (long and long.replace("HTTPS", "https", 1))
    assert canonical_or_none(url) == canonical_or_none(other)


def canonical_or_none(url: str) -> str | None:
    try:
        return canonical_url(url)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://a.example/2024/01/us-troops-leave-ain-al-asad.html", "us troops leave ain al asad"),
        ("https://a.example/%D8%A7%D9%86%D8%B3%D8%AD%D8%A7%D8%A8-%D8%A7%D9%84%D9%82%D9%88%D8%A7%D8%AA/%D9%85%D9%86",
         "انسحاب القوات من"),
        ("https://a.example/news/18734", None),
        ("https://a.example/v1.2/talks-on-the-exit", "talks on the exit"),
    ],
)  # fmt: skip
def test_words_of_an_address(url: str, words: str | None) -> None:
    assert slug_words(url) == words


@pytest.mark.parametrize(
    ("stated", "url", "expected"),
    [
        # The page itself, without what says how a reader came.
        ("https://a.example/news/troops-leave-iraq", "https://a.example/news/troops-leave-iraq?utm_source=rss",
         "https://a.example/news/troops-leave-iraq"),
        ("/news/troops-leave-iraq", "https://a.example/news/troops-leave-iraq?ref=home",
         "https://a.example/news/troops-leave-iraq"),
        # Editions for telephones.
        ("https://www.a.example/news/5512345", "https://www.a.example/amp/news/5512345",
         "https://www.a.example/news/5512345"),
        ("https://www.a.example/news/x/", "https://www.a.example/news/x/amp/", "https://www.a.example/news/x/"),
        ("https://a.example/story/troops-leave.html", "https://a.example/story/troops-leave.amp.html",
         "https://a.example/story/troops-leave.html"),
        ("https://www.a.example/article?id=55123", "https://m.a.example/article?id=55123",
         "https://www.a.example/article?id=55123"),
        ("https://a.example/news/55123/title", "https://a.example/?p=55123", "https://a.example/news/55123/title"),
        ("https://a.example/2024/05/06/troops-leave", "https://a.example/2024/05/06/troops-leave?output=1",
         "https://a.example/2024/05/06/troops-leave"),
        # Not it: another site, the home page, a section, another article, the day's front.
        ("https://b.example/news/troops-leave-iraq", "https://a.example/news/troops-leave-iraq", None),
        ("https://a.example/", "https://a.example/news/troops-leave-iraq", None),
        ("https://a.example/news/", "https://a.example/news/troops-leave-iraq", None),
        ("https://a.example/news/55124", "https://a.example/news/55123", None),
        ("https://a.example/article", "https://a.example/article?id=55123", None),
        ("https://a.example/20241105/", "https://a.example/20241105/troops-leave-iraq", None),
        ("https://a.example/2024/11/", "https://a.example/2024/11/troops-leave-iraq", None),
        # Nor where something is dropped that might tell articles apart, or where only what all pages have is shared.
        ("https://a.example/news.php", "https://a.example/news.php?id=97", None),
        ("https://a.example/article.php", "https://a.example/article.php?slug=troops-leave", None),
        ("https://a.example/index.php?cat=1234", "https://a.example/index.php?cat=1234&id=56", None),
        ("https://a.example/blog/?p=11", "https://a.example/blog/?p=45", None),
        ("https://a.example/index.html", "https://a.example/2024/01/15/troops/index.html", None),
        ("https://a.example/2024/05/05/morning-briefing", "https://a.example/2024/05/06/morning-briefing", None),
        ("https://a.example/en/politics/iraq-troops-leave", "https://a.example/ar/politics/iraq-troops-leave", None),
        ("https://a.example/politics/iraq-troops-leave", "https://a.example/ar/politics/iraq-troops-leave", None),
        ("https://a.example/topics/10021", "https://a.example/topics/10021/a", None),
        ("https://a.example/15012024/", "https://a.example/15012024/x", None),
        ("https://a.example/author/12345", "https://a.example/story/troops?author=12345", None),
        ("javascript:alert(1)", "https://a.example/news/55123", None),
        ("", "https://a.example/news/55123", None),
        (None, "https://a.example/news/55123", None),
    ],
)  # fmt: skip
def test_the_address_that_a_page_states_as_its_own(stated: str | None, url: str, expected: str | None) -> None:
    assert page_address(stated, url) == expected
