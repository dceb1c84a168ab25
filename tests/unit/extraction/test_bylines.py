"""Bylines as pages show them."""

import pytest
from lxml.html import document_fromstring

from ingest.extraction.bylines import bylines, without_credit


@pytest.mark.parametrize(
    ("markup", "name"),
    [
        ('<div class="byline">By <a rel="author" href="/r">Rana Aziz</a></div>', "Rana Aziz"),
        ('<p class="ByLine_x1">BY RANA AZIZ | 18 January 2026</p>', "RANA AZIZ"),
        ('<span itemprop="author"><img alt=""><span itemprop="name">Rana Aziz</span></span>', "Rana Aziz"),
        ('<div class="post-author"><a href="/p"></a><a href="/p">رنا عزيز</a></div>', "رنا عزيز"),
        ('<p class="article-author">كتب: رنا عزيز</p>', "رنا عزيز"),
        ('<p class="author">بقلم رنا عزيز</p>', "رنا عزيز"),
        ('<meta itemprop="author" content="Rana Aziz">', "Rana Aziz"),
        ('<span class="author vcard"><a href="/r">Rana Aziz</a></span>', "Rana Aziz"),
        ("<p>By Rana Aziz</p>", "Rana Aziz"),
        ("<div><span>By</span><span>Rana Aziz</span></div>", "Rana Aziz"),
        ("<p>بقلم: رنا عزيز</p>", "رنا عزيز"),
        ("<p>By the end of the year all of them will have gone home.</p>", None),
        (f'<div class="author_box"><div>Rana Aziz</div><p>{"She writes of war. " * 9}</p></div>', "Rana Aziz"),
        ('<p class="authority">The ministry</p>', None),
        (f'<div class="author">{"A life in letters. " * 9}</div>', None),
        ('<div class="comment"><span class="author">Troll</span></div>', None),
        ('<aside><span class="author">Columnist</span></aside>', None),
        ('<p class="author">Read all about it!</p>', None),
    ],
)
def test_a_byline_is_found(markup: str, name: str | None) -> None:
    tree = document_fromstring(f"<html><body><h1>Title</h1>{markup}<p>Text.</p></body></html>")
    assert next(bylines(tree), None) == name


def test_the_one_behind_the_title_counts_and_explicit_ones_before_others() -> None:
    above, below = '<p class="author">Above</p>', '<p class="author">Below</p>'
    tree = document_fromstring(f'<html><body>{above}<h1>T</h1>{below}<a rel="author">Marked</a></body></html>')
    assert list(bylines(tree)) == ["Marked", "Below", "Above"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('By <a href="/p">Rana Aziz</a> and Sami Hadi', "Rana Aziz and Sami Hadi"),
        ("Written by Rana Aziz,", "Rana Aziz"), ("Byron Aziz", "Byron Aziz"), ("كتبت رنا عزيز", "رنا عزيز"),
        ("إعداد: رنا", "رنا"), ("كتبي", "كتبي"), ("", ""),
    ],
)  # fmt: skip
def test_words_of_credit_are_no_name(written: str, name: str) -> None:
    assert without_credit(written) == name


def test_a_long_name_without_text_is_none() -> None:
    tree = document_fromstring(f'<html><body><h1>T</h1><meta itemprop="author" content="{"x " * 200}"></body></html>')
    assert list(bylines(tree)) == []
