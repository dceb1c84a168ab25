"""Folding, and the identity of a text."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.text import unicode_tables
from ingest.text.folding import (
    code_ranges,
    content_identity,
    fold,
    fold_all,
    fold_sentences,
    sql_definition,
    word_count,
)
from tests.conftest import ROOT

CASES = {
    "القُوَّاتُ": "القوات",
    "أمريكا إيران آب ٱلعراق": "امريكا ايران اب العراق",
    "الأميركيّة": "الاميركيه",
    "على مستشفى": "علي مستشفي",
    "الوزیر اسماعیل قاآنی": "الوزير اسماعيل قااني",
    "کردستان": "كردستان",
    "العـــراق": "العراق",
    "٢٠٢٤ ۱۲۳ 2024": "2024 123 2024",
    "U.S.-led\u00a0Coalition’s": "u s led coalition s",
    "Straße İzmir ﬁn": "strasse izmir fin",
    "ﷺ": "صلي الله عليه وسلم",
    "كلمة\u200cأخرى\u200f": "كلمهاخري",
    "  \n«نص»،؟!  ": "نص",
    "👍🏽 صور": "صور",
    "": "",
    "،؛؟": "",
    "e\u0301t\u00e9": "\u00e9t\u00e9",
    "①½²": "11 22",
}


@pytest.mark.parametrize(("text", "folded"), CASES.items())
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize("text", CASES)
def test_fold_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.lists(st.text() | st.sampled_from([*CASES, "zqbetweenqz", "a zqbetweenqz b", "\u0651"])))
def test_texts_are_folded_at_once_as_one_by_one(texts: list[str]) -> None:
    assert fold_all(texts) == [fold(text) for text in texts]


@given(st.lists(st.sampled_from([*CASES, ".", "!", "؟", "…", " ", "\n", "A", "b", ")", "»"])).map("".join))
def test_sentences_together_are_the_text(text: str) -> None:
    assert " ".join(fold_sentences(text)) == fold(text)


def test_sentences_end_at_their_signs_and_at_line_breaks() -> None:
    text = "The U.S. army left. «انتهى!» Who says?\nHe does… 2.5 per cent (or more.) And so on.. not here"
    assert fold_sentences(text) == [
        "the u s army left", "انتهي", "who says", "he does", "2 5 per cent or more", "and so on not here",
    ]  # fmt: skip


def test_content_identity_is_the_hash_of_the_folded_text() -> None:
    identity = content_identity("القُوَّات الأمريكية!")
    assert identity.content_hash == hashlib.sha256("القوات الامريكيه".encode()).hexdigest()
    assert identity.content_id == identity.content_hash[:16]
    assert identity == content_identity("القوات   الامريكيه")


def test_word_count() -> None:
    assert word_count("قال: إن 2,500 جندي سيغادرون.") == 6
    assert word_count("...") == 0


@pytest.mark.skipif(unicodedata.unidata_version != unicode_tables.VERSION, reason="needs Python's Unicode 14.0")
def test_character_classes_are_those_of_their_unicode_version() -> None:
    categories = [unicodedata.category(chr(code)) for code in range(0x110000)]

    def members(table: str) -> set[int]:
        return {code for first, last in code_ranges(table) for code in range(first, last + 1)}

    def of(*wanted: str) -> set[int]:
        return {code for code, category in enumerate(categories) if category.startswith(wanted)}

    assert members(unicode_tables.LETTERS) == of("L")
    assert members(unicode_tables.MARKS) == of("Mn")
    assert members(unicode_tables.FORMATS) == of("Cf")
    assert members(unicode_tables.UNASSIGNED) == of("Cn")
    zeros = members(unicode_tables.DECIMAL_ZEROS)
    assert {zero + value for zero in zeros for value in range(10)} == of("Nd")


def test_the_sql_file_is_the_generated_one() -> None:
    path = ROOT / "db" / "sql" / "fold.sql"
    assert path.read_text(encoding="utf-8") == sql_definition()
