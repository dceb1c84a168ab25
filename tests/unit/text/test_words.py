"""The words of a text."""

import pytest

from ingest.text.folding import spell
from ingest.text.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2,500 جندي و٢٬٥٠٠ و1,234,567", ["2500", "جندي", "و", "2500", "و", "1234567"]),
        ("F-16, F16", ["f", "16", "f", "16"]),
        ("12,5 and 3.14", ["12", "5", "and", "3", "14"]),
        ("أُعلِن قرارٌ", ["أعلن", "قرار"]),
        ("3D، ب52ج", ["3", "d", "ب", "52", "ج"]),
        ("وعبدالله وعبد الله", ["وعبد", "الله", "وعبد", "الله"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words
    assert words_of(text, spell(text)) == words
