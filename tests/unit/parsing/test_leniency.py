"""Feeds as they are in the world: read as browsers and other readers do."""

import gzip

import pytest

from ingest.parsing.model import ParsedFeed
from ingest.parsing.parse import parse_feed
from tests.conftest import NOW

URL = "https://feeds.example/rss"


def parsed(body: str | bytes) -> ParsedFeed:
    return parse_feed(body if isinstance(body, bytes) else body.encode(), URL, "application/xml", NOW)


def rss(item: str, channel: str = "") -> str:
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{channel}<item>{item}</item></channel></rss>'
    )


LINK = "<title>A title</title><link>https://a.example/1</link>"


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Smile &#xD83D;&#xDE00; now", "Smile 😀 now"), ("Smile &#55357;&#56832; now", "Smile 😀 now"),
        ("Null &#0; here &#xFFFF;", "Null here"), ("AT&T and R&D", "AT&T and R&D"), ("A &foo; b", "A &foo; b"),
        ("A &amp; b &lt;c&gt; &#8217;", "A & b ’"), ("Caf&eacute;", "Café"), ("half &#xD83D; pair", "half pair"),
        ("<![CDATA[A & b &copy; c]]>", "A & b © c"), ("end &", "end &"),
    ],
)  # fmt: skip
def test_references_and_ampersands(title: str, read: str) -> None:
    (entry,) = parsed(rss(f"<title>{title}</title><link>https://a.example/1</link>")).entries
    assert entry.title == read


@pytest.mark.parametrize(
    ("item", "address"),
    [
        ("<link>https://a.example/x?id=1&lang=ar&copy=2</link>", "https://a.example/x?id=1&lang=ar&copy=2"),
        ("<link>https://a.example/x?id=1&amp;lang=ar</link>", "https://a.example/x?id=1&lang=ar"),
        ('<guid isPermaLink="false">https://a.example/9</guid>', "https://a.example/9"),
        ("<link></link><guid>https://a.example/9</guid>", "https://a.example/9"),
        ("<guid>12345</guid>", None), ("<guid>a1b2c3</guid>", None),
        ("<link>/news/5</link>", "https://site.example/news/5"), ("<link>//b.example/5</link>", "https://b.example/5"),
        ("<link>www.b.example/5</link>", "http://www.b.example/5"),
    ],
)  # fmt: skip
def test_addresses_of_items(item: str, address: str | None) -> None:
    (entry,) = parsed(rss(f"<title>T</title>{item}", "<link>https://site.example/</link>")).entries
    assert entry.url == address


def test_words_in_blocks_stay_apart_and_photos_describe_themselves() -> None:
    summary = "<![CDATA[<p>Baghdad</p><div>troops<br/>one</div><ul><li>a</li><li>b<b>c</b></li></ul>]]>"
    item = (
        f"{LINK}<description>{summary}</description><media:content url='x'/><media:title>A photo</media:title>"
        "<media:description>A photo of a street</media:description>"
    )
    body = rss(item).replace("<rss ", '<rss xmlns:media="http://search.yahoo.com/mrss/" ')
    (entry,) = parsed(body).entries
    assert (entry.title, entry.summary) == ("A title", "Baghdad troops one a bc")


def test_json_as_it_is_written() -> None:
    body = (
        '{"version": "https:\\/\\/jsonfeed.org\\/version\\/1.1", "title": "T", "items": '
        '[{"id": "https:\\/\\/a.example\\/1", "content_text": "one\ntwo"}]}'
    )
    (entry,) = parsed(body).entries
    assert (entry.url, entry.content) == ("https://a.example/1", "one\ntwo")


def test_a_feed_that_mentions_a_sitemap_is_none() -> None:
    (entry,) = parsed(rss(f"<description><![CDATA[<urlset> is the root]]></description>{LINK}")).entries
    assert entry.url == "https://a.example/1"


@pytest.mark.parametrize(
    "start",
    [
        "",
        "<?xml version='1.0'?>",
        "\ufeff <!-- a -- b --> <!-- c -->",
        "<!DOCTYPE urlset [<!ENTITY a 'b'>]>",
        "<?x y?>\n",
    ],
)
def test_sitemaps_are_known_by_their_first_element(start: str) -> None:
    for tag in ("urlset", "s:urlset"):
        named = ' xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9"' if ":" in tag else ""
        prefix = "s:" if ":" in tag else ""
        body = f"{start}<{tag}{named}><{prefix}url><{prefix}loc>https://a.example/1</{prefix}loc></{prefix}url></{tag}>"
        assert [entry.url for entry in parsed(body).entries] == ["https://a.example/1"]


def test_the_last_parts_of_an_index_without_dates_come_first() -> None:
    parts = "".join(f"<sitemap><loc>https://a.example/part-{n}.xml</loc></sitemap>" for n in (1, 2, 10, 9))
    found = parsed(f"<sitemapindex>{parts}</sitemapindex>").sitemaps
    assert [part.url.rpartition("-")[2] for part in found] == ["10.xml", "9.xml", "2.xml", "1.xml"]


def test_all_members_of_a_gzip_file_are_read() -> None:
    body = rss(LINK).encode()
    packed = gzip.compress(body[:60]) + gzip.compress(body[60:])
    for whole in (packed, packed + b"\0" * 100):
        assert len(parsed(whole).entries) == 1


@pytest.mark.parametrize(
    ("generator", "period", "minutes"),
    [
        ("https://wordpress.org/?v=6.5", "hourly", 0), ("https://wordpress.org/?v=6.5", "daily", 24 * 60),
        ("Other", "hourly", 60),
    ],
)  # fmt: skip
def test_the_default_of_a_publishing_system_is_no_wish(generator: str, period: str, minutes: int) -> None:
    said = f"<generator>{generator}</generator><sy:updatePeriod>{period}</sy:updatePeriod>"
    body = rss(LINK, said).replace("<rss ", '<rss xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" ')
    assert parsed(body).wishes.wait.total_seconds() == minutes * 60
