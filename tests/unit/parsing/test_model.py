"""Values of feed documents: texts without markup."""

import pytest

from ingest.parsing.model import plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("A <b>B</b>", "A B"),
        ("&amp;#1588;&lt;b&gt;x", "\u0634x"),
        ("a \0 b", "a b"),
        ("A <b>\0</b>", "A"),
        ("\0 \0", None),
        ("", None),
        (None, None),
    ],
)
def test_texts_have_single_spaces_and_nothing_that_cannot_be_stored(value: str | None, text: str | None) -> None:
    assert plain(value) == text
