"""JSON-LD with the mistakes that pages make, the article among several things, and names of persons."""

import json

import pytest
from lxml.html import HtmlElement, document_fromstring

from ingest.extraction.structured import bodies, own_article, people, things

OWN = "https://a.example/news/5"
ARTICLE: dict[str, object] = {
    "@type": "NewsArticle",
    "headline": "Convoy crosses the border",
    "author": {"name": "Rana Aziz"},
}
WRITTEN = json.dumps(ARTICLE)


def page(*scripts: str, title: str = "Convoy crosses the border", kind: str = "application/ld+json") -> HtmlElement:
    data = "".join(f'<script type="{kind}">{script}</script>' for script in scripts)
    return document_fromstring(f"<html><head><title>{title}</title>{data}</head><body><p>x</p></body></html>")


@pytest.mark.parametrize(
    "script",
    [
        WRITTEN,
        f"<!-- {WRITTEN} -->",
        f"//<![CDATA[\n{WRITTEN}\n//]]>",
        f"/*<![CDATA[*/ {WRITTEN} /*]]>*/",
        WRITTEN.replace('"', "&quot;"),
        WRITTEN[:-1] + ",}",
        f'{{"@type": "Organization"}} {WRITTEN}',
        f"{WRITTEN};",
        WRITTEN.replace("Convoy crosses the border", 'Convoy "crosses" the border'),
        WRITTEN.replace(": ", " : \n").replace("crosses the", "crosses\nthe"),
    ],
    ids=["plain", "comment", "cdata", "css cdata", "escaped", "comma", "two", "semicolon", "quotes", "line breaks"],
)
def test_json_with_mistakes_is_read(script: str) -> None:
    found = [thing for thing in things(page(script)) if thing.get("@type") == "NewsArticle"]
    assert [thing["author"] for thing in found] == [{"name": "Rana Aziz"}]
    assert "border" in found[0]["headline"]


@pytest.mark.parametrize("script", ["", "nothing", "[" * 5000, '["' * 30_000, "{" * 60_000, '{"a":' * 3000, "\\u0000"])
def test_what_cannot_be_read_is_left(script: str) -> None:
    assert [thing for thing in things(page(script)) if "@type" in thing] == []


def own(*found: dict[str, object], titles: tuple[str, ...] = ("Convoy crosses the border",)) -> object:
    thing = own_article(found, lambda address: address == OWN, titles)
    return thing and thing.get("headline")


def test_the_page_s_own_article_is_told_from_others() -> None:
    other: dict[str, object] = {"@type": "NewsArticle", "headline": "Oil prices fall", "url": "https://a.example/oil"}
    assert own(other, ARTICLE) == ARTICLE["headline"]
    assert own(other, ARTICLE | {"headline": "By its address", "url": OWN}) == "By its address"
    assert own(other, ARTICLE | {"headline": "So too", "mainEntityOfPage": {"@id": OWN}}) == "So too"
    assert own(other) is None
    # An article without an address is the page's if no other is; and a page without titles cannot contradict.
    assert own(ARTICLE | {"headline": "In other words entirely"}) == "In other words entirely"
    assert own(other, titles=()) == "Oil prices fall"
    assert own({"@type": "WebPage", "headline": "x"}) is None


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Rana Aziz", ["Rana Aziz"]),
        ({"name": "Rana Aziz"}, ["Rana Aziz"]),
        ([{"name": "Rana Aziz"}, "Sami Hadi"], ["Rana Aziz", "Sami Hadi"]),
        ({"@id": "#rana"}, ["Rana Aziz"]),
        ({"@id": "#nobody"}, []),
        ({"givenName": "Rana", "familyName": "Aziz"}, ["Rana Aziz"]),
        ({"name": ["Rana Aziz", "Sami Hadi"]}, ["Rana Aziz", "Sami Hadi"]),
        (None, []),
        (5, []),
    ],
)
def test_names_of_persons(value: object, names: list[str]) -> None:
    assert people(value, [{"@id": "#rana", "@type": "Person", "name": "Rana Aziz"}]) == names


def test_texts_in_data() -> None:
    article = {"headline": "Convoy crosses the border", "body": "<p>The text.</p>", "tag": "x"}
    other = {"headline": "Another story altogether", "body": "<p>Other.</p>" * 9}
    script = json.dumps({"props": [other, {"article": article}]})
    assert list(bodies(page(script, kind="application/json"))) == ["<p>The text.</p>"]
    assert list(bodies(page(json.dumps(ARTICLE | {"articleBody": "Whole."})))) == ["Whole."]
    assert list(bodies(page(script, title="Home", kind="application/json"))) == []
