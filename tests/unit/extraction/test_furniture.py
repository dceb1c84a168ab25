"""Lines that are not the article's go, sentences with the same words stay."""

import pytest

from ingest.extraction.furniture import Rule, rules, without_boilerplate

FIRST = "أعلن المتحدث أن القوات ستغادر القاعدة قبل نهاية الشهر المقبل."
SECOND = "وقال إن الانسحاب يجري بالتنسيق مع الحكومة العراقية."
MORE = [f"{SECOND[:-1]} في اليوم {n}." for n in range(8)]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_every_rule_finds_its_example(rule: Rule) -> None:
    text = "\n".join([FIRST, SECOND, *MORE])
    assert without_boilerplate(f"{text}\n{rule.example}") == text


@pytest.mark.parametrize(
    "line",
    [
        "شاهد أيضاً: جنود يغادرون القاعدة", "اقرأ أيضا | مباحثات جديدة في بغداد", "إقرأ المزيد",
        "Read also: Talks resume",
        "حجم الخط", "مشاركة", "الوسوم: العراق، بغداد", "Share this article",
    ],
)  # fmt: skip
def test_boilerplate_within_the_text_goes(line: str) -> None:
    text = "\n".join([FIRST, *MORE])
    assert without_boilerplate("\n".join([FIRST, line, *MORE])) == text


@pytest.mark.parametrize(
    "line",
    [
        "شاهد أيضاً عدد من السكان الطائرات وهي تغادر القاعدة في ساعة متأخرة من الليل.",
        "اقرأ المزيد من الكتب، قال الوزير للطلاب خلال زيارته إلى الجامعة.",
        "المصدر الأمني أكد أن القوات انسحبت من الموقع.",
        "شارك في الاجتماع ممثلون عن التحالف الدولي.",
        "طباعة العملة الجديدة تبدأ في آذار المقبل.",
        "Read more carefully, the agreement says that all troops leave by 2026.",
        "Share prices fell after the announcement.",
        "مقالات مشابهة نشرت في الصحيفة نفسها عن الانسحاب أثارت الجدل.",
    ],
)
def test_sentences_with_the_same_words_stay(line: str) -> None:
    text = "\n".join([FIRST, *MORE[:5], line, *MORE[5:]])
    assert without_boilerplate(text) == text


def test_a_list_of_other_articles_goes_with_its_heading() -> None:
    text = "\n".join([FIRST, SECOND])
    related = "مقالات ذات صلة\nواشنطن وبغداد تستأنفان الحوار\nالبرلمان يناقش الاتفاقية\nتعزيزات إلى قاعدة حرير"
    assert without_boilerplate(f"{text}\n{related}") == text
    # Text goes on: only the heading goes.
    assert without_boilerplate(f"{text}\nمقالات ذات صلة\n{MORE[0]}") == f"{text}\n{MORE[0]}"


def test_dates_menus_and_rights_at_the_edges_go() -> None:
    text = "\n".join([FIRST, SECOND])
    around = (
        f"الأربعاء، 28 آب/اغسطس 2013، آخر تحديث 14:00 (GMT+0400)\n{text}\n"
        "الصفحة الرئيسية | فيديو | الشرق الأوسط | العالم | اقتصاد\n© 2013 Network. All Rights Reserved."
    )
    assert without_boilerplate(around) == text
    dated = f"{text}\nوُقعت الاتفاقية في 14 كانون الأول 2008."
    assert without_boilerplate(dated) == dated


def test_paragraphs_stay_as_they_are() -> None:
    text = f"{FIRST}\n\n{SECOND}"
    assert without_boilerplate(text) == text
    assert without_boilerplate("") == ""


def test_a_text_that_has_the_mark_of_line_breaks_is_read_like_any_other() -> None:
    text = f"{FIRST} zqlinebreakqz zqlinebreakqz\n{SECOND}\n{MORE[0]}"
    assert without_boilerplate(f"{text}\nمقالات مشابهة\nعنوان آخر") == text


def test_comments_at_the_end_go_with_their_heading() -> None:
    text = "\n".join([FIRST, SECOND, *MORE])
    assert without_boilerplate(f"{text}\nالتعليقات (2)\n{FIRST[:-1]} قريباً.\nننتظر ما سيحدث.") == text
    # But not most of a text.
    assert without_boilerplate(f"{FIRST}\nComments\n{text}") == f"{FIRST}\n{text}"


def test_titles_below_read_also_go_within_the_text() -> None:
    titles = "اقرأ أيضاً\n- واشنطن وبغداد تستأنفان الحوار\n- البرلمان يناقش الاتفاقية"
    assert without_boilerplate("\n".join([FIRST, titles, *MORE])) == "\n".join([FIRST, *MORE])


@pytest.mark.parametrize(
    "line",
    [
        "طباعة: كلفة طباعة أوراق الاقتراع بلغت مليون دولار",
        "| Base | Handed over | To |",
        "Comments on the plan came from all sides.",
    ],
)
def test_labels_before_sentences_and_tables_stay(line: str) -> None:
    text = "\n".join([FIRST, *MORE, line])
    assert without_boilerplate(text) == text


def test_rules_that_would_take_most_of_a_text_are_not_followed() -> None:
    refrain = "لمتابعة آخر الأخبار عن الانسحاب من القاعدة اضغط هنا."
    text = "\n".join([FIRST, *[f"{refrain[:-1]} {n}." for n in range(5)]])
    assert without_boilerplate(text) == text


def test_a_dateline_with_several_places_stays_a_menu_goes() -> None:
    text = "\n".join([FIRST, *MORE])
    dateline = "وكالة الرافدين - المثنى/ كركوك/ ذي قار/ النجف"
    assert without_boilerplate(f"{dateline}\n{text}") == f"{dateline}\n{text}"
    assert without_boilerplate(f"الرئيسية / العراق / سياسة / أمن\n{text}") == text
