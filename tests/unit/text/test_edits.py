"""Kinds of edits."""

import pytest

from db.models.articles import EDITS as STORED
from ingest.text.edits import EDITS, edit_of

TEXT = (
    "أعلنت القيادة اليوم أن 2500 جندي غادروا قاعدة عين الأسد إلى الكويت قبل الفجر، وأن المعدات ستنقل خلال شهر واحد. "
    * 2
)
TEXT += "وقال المتحدث إن لجنة مشتركة ستتسلم المباني، وإن الاجتماع المقبل سيعقد في أربيل بعد أسبوع."
MORE = " وأضاف أن الجدول الزمني المتفق عليه بين الحكومتين لم يتغير، وأن البعثة ستنتهي في أيلول المقبل كما أعلن."


@pytest.mark.parametrize(
    ("title", "text", "kind"),
    [
        ("عنوان آخر", TEXT, "headline"),
        ("عنوان", TEXT.replace("،", ","), "typing"),
        ("عنوان آخر", TEXT.replace("2500", "2600"), "numbers"),
        ("عنوان", TEXT.replace("غادروا", "غاردوا"), "typing"),
        ("عنوان", TEXT.replace("جندي", "مستشار"), "wording"),
        ("عنوان", TEXT + MORE, "extended"),
        ("عنوان", TEXT[: len(TEXT) // 2], "cut"),
        ("عنوان", "خبر آخر تماما عن الزراعة والقمح في محافظات الوسط والجنوب وما قالته الوزارة عن الموسم.", "rewritten"),
        ("عنوان", TEXT.replace("جندي", "مستشار") + MORE, "extended"),
        (None, TEXT, "typing"),
    ],
)  # fmt: skip
def test_kinds(title: str | None, text: str, kind: str) -> None:
    assert edit_of("عنوان", TEXT, title, text) == kind


def test_long_texts_are_compared_without_their_order() -> None:
    words = [f"word{number % 300}" for number in range(9_000)]
    assert edit_of(None, " ".join(words), None, " ".join([*words, *["more"] * 2_000])) == "extended"
    assert edit_of(None, " ".join(words), None, " ".join(["x", *words[1:]])) == "wording"
    assert edit_of(None, "", None, "a text") in EDITS


def test_a_sentence_in_a_long_text_is_an_extension() -> None:
    assert edit_of(None, TEXT * 9, None, TEXT * 9 + MORE) == "extended"
    assert edit_of(None, TEXT * 9 + MORE, None, TEXT * 9) == "cut"
    assert edit_of(None, TEXT * 9, None, TEXT * 9 + " نهاية.") == "wording"


def test_words_without_end_are_not_compared_letter_by_letter() -> None:
    one, other = "ab" * 200_000, "ba" * 200_000
    assert edit_of(None, f"{TEXT} {one}", None, f"{TEXT} {other}") == "wording"


def test_the_database_knows_these_kinds() -> None:
    assert EDITS == STORED
