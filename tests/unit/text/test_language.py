"""The language of a text."""

import pytest

from ingest.extraction.article import extract
from ingest.model.document import Hint
from ingest.text.language import detect_language
from tests.conftest import NOW

TEXT = "وقال المتحدث في بغداد إن الاجتماع المقبل سيعقد بعد أسبوع، وإن اللجان ستقدم تقاريرها قبل ذلك. " * 5
URL = "https://a.example/news/5"


def page(head: str = "", body: str = "") -> bytes:
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8">{head}</head><body><nav><a href="/">الرئيسية</a></nav>'
        f"<article><p>{TEXT}</p>{body}</article></body></html>"
    ).encode()


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
        ("وتەبێژی حکومەت ڕایگەیاند کە کۆبوونەوەی داهاتوو هەفتەی داهاتوو لە هەولێر بەڕێوە دەچێت", "ckb"),
        ("ھۆكۈمەت باياناتچىسى كېلەر ھەپتە يىغىن ئېچىلىدىغانلىقىنى ئېيتتى ۋە بۇ توغرىدا دوكلات بېرىدۇ", "ug"),
        ("The committee will meet again next week and report to parliament", "en"),
        (
            "Dans son rapport intitulé « On the road to peace and the cost of war », l'organisation non gouvernementale"
            " basée à Genève dénonce les lenteurs du retrait des troupes étrangères",
            "fr",
        ),
        ("The head of the committee said that the troops and the advisers will leave with the end of the year", "en"),
    ],
)
def test_detect_language(text: str, language: str) -> None:
    assert detect_language(text) == language
