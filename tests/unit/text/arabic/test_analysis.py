"""What Arabic words are read as."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.text.arabic import Analyser, Form, Lexicon, LexiconError, read_lexicon, shared_analyser, version_of
from ingest.text.arabic.lexicon import FOLDER, read_lines
from ingest.text.arabic.spelling import distance, key, one_letter_apart
from ingest.text.folding import spell


def lemma(word: str) -> str:
    return shared_analyser().analyse(spell(word)).lemma


def lemmas(word: str) -> tuple[str, ...]:
    return shared_analyser().analyse(spell(word)).lemmas


@pytest.mark.parametrize(
    ("lemma_of", "forms"),
    [
        ("معسكر", "المعسكر معسكرات ومعسكراتها بالمعسكرات لمعسكرين معسكرنا"),
        ("طائرة", "الطائرة طائرتها طائرتين طائرات وطائراتهم للطائرات بطائرته"),
        ("ضابط", "ضباط الضباط وضباطها ضابطا لضابطين"),
        ("هاجم", "هاجمت وهاجمها يهاجم سيهاجمون تهاجمه لنهاجم فهاجموا"),
        ("انسحب", "انسحبت وانسحبوا ينسحب سينسحبون تنسحبان"),
        ("رحيل", "رحيلا رحيلاً الرحيل برحيلهم"),
        ("قام", "يقوم ستقوم قامت يقومون"),
        ("مسؤول", "مسئول المسئولين مسؤولون لمسؤوليها"),
        ("جندي", "الجنود جنديا جنودنا لجنديين"),
        ("على", "عليه وعليها علينا"),
        ("إنهاء", "بإنهاء لإنهائها الإنهاء"),
        ("استقالة", "الاستقالة استقالته باستقالاتهم"),
    ],
)
def test_forms_of_a_word(lemma_of: str, forms: str) -> None:
    assert {form: lemma(form) for form in forms.split()} == dict.fromkeys(forms.split(), lemma_of)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("بارزاني", "الأرز"), ("بلدية", "لديه"), ("علي", "على"), ("علي", "العليا"), ("وزارة", "زار"),
        ("كويا", "الكويت"), ("واسط", "بواسطة"), ("كابل", "قابل"), ("سلمان", "سلم"), ("المالكي", "مالك"),
    ],
)  # fmt: skip
def test_letters_of_the_root_are_no_particles(word: str, other: str) -> None:
    assert lemma(word) not in lemmas(other)
    assert lemma(other) not in lemmas(word)


def test_a_country_finds_its_adjective_and_the_adjective_only_itself() -> None:
    assert "إسبانيا" in lemmas("الإسبانية")
    assert lemma("إسباني") not in lemmas("إسبانيا")
    assert lemma("السوداني") not in lemmas("السودان")
    assert "السودان" in lemmas("السودانية")


def test_spellings_of_names() -> None:
    assert {lemma(name) for name in ("ترامب", "ترمب", "وترامب", "Trump", "trump")} == {"ترامب"}
    assert lemma("نتانياهو") == lemma("نتنياهو")


def test_names_nobody_listed_are_found_with_and_without_particles() -> None:
    assert lemma("زوكربرغ") in lemmas("وزوكربرغ")
    assert lemma("زوكربرغ") in lemmas("لزوكربرغ")
    # Asked for, such a name stands for itself.
    assert lemma("وزوكربرغ") == "وزوكربرغ"
    assert lemma("والتشوبانة") == "تشوبانه"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("تشوبانوفسك", "تشوبانوفيسك"), ("جورجينسكو", "غورغينسكو"), ("والمارغريتنبرغ", "مارغاريتنبرغ"),
    ],
)  # fmt: skip
def test_names_nobody_listed_have_many_spellings(one: str, other: str) -> None:
    assert lemmas(one)[-1] == lemmas(other)[-1]


def test_short_words_nobody_listed_are_not_compared_by_their_skeleton() -> None:
    assert not any(each.startswith("~") for each in lemmas("تشوبانا"))
    assert not any(each.startswith("~") for each in lemmas("وزارة"))


def test_a_word_nobody_listed_may_be_another_spelling_of_one_that_is() -> None:
    assert "برلسكوني" in lemmas("بيرلسكوني")
    assert "بنغلاديش" in lemmas("وبنغلادش")
    # Listed words are words of their own.
    assert "مهاجر" not in lemmas("مهجر")


def test_adjectives_of_relation_nobody_listed_have_endings() -> None:
    assert {lemma(word) for word in ("تشوباني", "التشوبانية", "تشوبانيين", "والتشوبانيات")} == {"تشوباني"}


def test_words_that_begin_like_the_article_keep_their_letters() -> None:
    assert (lemma("الله"), lemma("التي"), lemma("التقت")) == ("الله", "التي", "التقى")


@pytest.mark.parametrize(("verb", "passive"), [("أصاب", "أصيبوا"), ("اختار", "اختيرت")])
def test_passives_of_weak_verbs(verb: str, passive: str) -> None:
    assert lemma(passive) == verb


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("abcd", "abcd", False), ("abcd", "abxd", True), ("abcd", "abd", True), ("abd", "abcd", True),
        ("abcd", "acbd", True), ("abcd", "badc", False), ("abcd", "axxd", False), ("a", "", True), ("aab", "ab", True),
        ("abcd", "cbad", False),
    ],
)  # fmt: skip
def test_one_letter_apart(one: str, other: str, apart: bool) -> None:
    assert one_letter_apart(one, other) is apart
    assert one_letter_apart(other, one) is apart


@pytest.mark.parametrize(
    ("word", "stem"), [("کتێبەکان", "كتێب"), ("ڕێکەوتنەکە", "ڕێكەوتن"), ("گزارش‌ها", "گزارش"), ("گروه‌های", "گروه")]
)
def test_kurdish_and_persian_words_lose_their_simple_endings(word: str, stem: str) -> None:
    assert lemma(word) == stem


def test_a_particle_is_taken_off_only_where_the_rest_is_likelier_than_the_whole() -> None:
    def reads(*, whole: int, rest: int) -> str:
        forms = [Form("ورد", "n", "ورد", whole), Form("رد", "n", "رد", rest)]
        return Analyser(Lexicon(forms)).analyse("ورد").lemma

    assert reads(whole=1000, rest=900) == "ورد"
    assert reads(whole=1500, rest=900) == "رد"


def test_readings_are_ordered_and_the_word_itself_is_one() -> None:
    readings = shared_analyser().readings("وقواتها")
    assert [reading.cost for reading in readings] == sorted(reading.cost for reading in readings)
    assert (readings[0].lemma, readings[0].prefix) == ("قوة", "و")
    assert [reading.lemma for reading in readings if not reading.known] == ["وقواتها"]


@given(st.text("ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآىةئؤءپچگکیەۆێ", min_size=1, max_size=50))
def test_every_word_has_a_lemma(word: str) -> None:
    analysis = shared_analyser().analyse(word)
    assert analysis.lemma == analysis.lemmas[0]
    assert all(analysis.lemmas)
    assert len(set(analysis.lemmas)) == len(analysis.lemmas)


@given(st.text("اأإآىيةهئؤءبت", max_size=12))
def test_spellings_with_one_key_are_compared_letter_by_letter(word: str) -> None:
    assert key(key(word)) == key(word)
    assert len(key(word)) == len(word)
    assert distance(word, word) == 0
    assert distance(word, key(word)) >= 0


def test_what_is_written_less_exactly_costs_less_than_what_is_written_otherwise() -> None:
    assert distance("اعلان", "إعلان") < distance("أعلان", "إعلان")
    assert distance("مدرسه", "مدرسة") < distance("كتابة", "كتابه")


class TestLexicon:
    def test_its_version_changes_with_a_form(self) -> None:
        forms = read_lexicon().forms
        assert version_of(Lexicon(forms)) == version_of(Lexicon(list(forms)))
        changed = [replace(forms[0], cost=forms[0].cost + 1), *forms[1:]]
        assert version_of(Lexicon(changed)) != version_of(Lexicon(forms))

    def test_every_line_is_written_once(self) -> None:
        lines = [(line.kind, line.lemma) for line in read_lines(FOLDER / "lexicon.txt")]
        assert sorted(lines) == sorted(set(lines))

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("nuon قوة", "words.txt:2: 'nuon' is no kind of word"),
            ("noun", "words.txt:2: '' is not one word"),
            ("noun قوة: قوات برية", "words.txt:2: 'قوات برية' is not one word"),
            ("noun قوة | قوي", "words.txt:2: only a country has adjectives"),
        ],
    )
    def test_a_wrong_line_is_named(self, tmp_path: Path, line: str, message: str) -> None:
        (tmp_path / "words.txt").write_text(f"# Words\n{line}\n", encoding="utf-8")
        with pytest.raises(LexiconError, match=message.replace("|", r"\|")):
            read_lines(tmp_path / "words.txt")
