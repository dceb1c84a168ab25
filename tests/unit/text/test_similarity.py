"""Copies of a text, told from texts that only look alike."""

import random
from pathlib import Path

import pytest

from bench.near_duplicates import judged, scores
from ingest.text.folding import fold
from ingest.text.similarity import Comparable, compare
from tests.conftest import SHARED

WORDS = fold(
    "أعلن المتحدث باسم الحكومة أن اللجنة العسكرية اجتمعت في بغداد لبحث جدول زمني جديد وقال إن القوات ستنتقل إلى قاعدة"
    " أخرى قبل نهاية العام المقبل بعد أن تتسلم وحدات من الجيش المواقع التي كانت تشغلها منذ سنوات عدة وأضاف أن الاتفاق"
    " يشمل التدريب والمشورة وتبادل المعلومات بين البلدين وأن مجلس النواب سيناقش مسودته خلال الأسابيع القادمة"
).split()


def text(number: int, words: int = 120) -> str:
    """A text of its own: words in an order that only this number gives."""
    return " ".join(random.Random(number).choices(WORDS, k=words))


def test_copies_that_were_cut_and_edited_share_bands() -> None:
    rng = random.Random(5)
    original = [f"word{rng.randrange(3000)}" for _ in range(300)]
    found = 0
    for _ in range(200):
        # Two fifths of the text at the least, one word in thirty another.
        words = original[: rng.randint(120, 300)]
        words = [f"other{rng.random()}" if rng.random() < 1 / 30 else word for word in words]
        found += not set(Comparable(None, " ".join(words)).bands).isdisjoint(Comparable(None, " ".join(original)).bands)
    assert found >= 195
    # What texts of one kind have in common, phrases of a few words, makes no candidates.
    phrases = [" ".join(original[start : start + 5]) for start in range(0, 300, 5)]
    texts = [" ".join(word for p in phrases for word in (p, f"own{number}")) for number in range(2)]
    assert set(Comparable(None, texts[0]).bands).isdisjoint(Comparable(None, texts[1]).bands)


def test_short_and_templated_texts_are_not_copies() -> None:
    weather = "توقعت هيئة الأنواء الجوية أن يكون الطقس في بغداد {} والحرارة {} درجة وفي البصرة {} والرياح {} سرعتها {}"
    one, other = (
        Comparable(f"طقس {day}", fold(weather.format(*words.split()) + " " + text(seed, 30)))
        for day, words, seed in (("السبت", "صحوا 31 غائما شمالية 12", 1), ("الأحد", "ممطرا 24 صحوا غربية 30", 2))
    )
    assert compare(one, other) is None
    short = Comparable("خبر", fold("قتل شخصان في انفجار وسط بغداد صباح اليوم"))
    assert short.bands == []
    assert compare(short, short) is None


def test_judged_pairs_are_linked_as_they_were_judged() -> None:
    path = Path(SHARED / "eval" / "neardup_dev.jsonl")
    if not path.exists():
        pytest.skip("no judged pairs: set NEWS_TEST_SHARED")
    figures = scores(judged())
    assert figures["recall"] >= 0.95
    assert figures["precision"] >= 0.98
