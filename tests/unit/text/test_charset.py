"""What bytes stand for, whatever is said about them."""

import pytest

from ingest.text.charset import decode

ARABIC = "أعلنت وزارة الدفاع العراقية أن القوات الأمريكية ستنسحب من قاعدة عين الأسد في نهاية الشهر."
GERMAN = "Über die Straße gehört Müller: größer, für Äpfel und schön."
FRENCH = "L'élève a été reçu où ça déjà coûte très cher."
RUSSIAN = "Президент заявил о выводе войск."


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "header"),
    [
        (ARABIC, "windows-1256", "utf-8", None),
        (ARABIC, "windows-1256", "utf-8", "text/xml; charset=utf-8"),
        (ARABIC, "windows-1256", "iso-8859-1", None),
        (ARABIC, "windows-1256", "windows-1256", "text/html; charset=ISO-8859-1"),
        (ARABIC, "windows-1256", "no-such-encoding", None),
        (ARABIC, "utf-8", "windows-1256", "text/xml; charset=windows-1256"),
        (ARABIC, "utf-8-sig", "utf-8", None),
        (ARABIC, "utf-16", "utf-16", None),
        (ARABIC, "utf-16-le", "utf-16", None),
        (ARABIC, "utf-16-be", "utf-16", "text/xml; charset=utf-8"),
        (ARABIC, "iso-8859-6", "iso-8859-6", None),
        (GERMAN, "iso-8859-1", "iso-8859-1", None),
        (FRENCH, "windows-1252", "iso-8859-1", None),
        (RUSSIAN, "windows-1251", "windows-1251", None),
        ("Only ASCII", "cp037", "cp037", None),
    ],
)
def test_the_bytes_are_believed_before_what_is_said(
    text: str, encoding: str, declared: str, header: str | None
) -> None:
    document = f"<?xml version='1.0' encoding='{declared}'?><a>{text}</a>"
    assert decode(document.encode(encoding), header) == document


def test_some_damage_in_utf8_makes_no_other_encoding_of_it() -> None:
    damaged = (ARABIC * 3).encode() + b"\xff"
    assert decode(damaged, None) == ARABIC * 3 + "\ufffd"


@pytest.mark.parametrize("declared", ["punycode", "idna", "undefined", "unicode_escape", "raw-unicode-escape"])
def test_what_only_python_knows_is_no_encoding_of_a_document(declared: str) -> None:
    document = f"<?xml version='1.0' encoding='{declared}'?><a>{ARABIC} \\u0041 C:\\d</a>"
    assert decode(document.encode("windows-1256"), None) == document
