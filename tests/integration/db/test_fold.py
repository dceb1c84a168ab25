"""`news.fold` is the same in SQL as in Python."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db import Connection
from ingest.text.folding import fold, spell

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


ARABIC = st.characters(min_codepoint=0x0600, max_codepoint=0x06FF)
LATIN = st.characters(max_codepoint=0x024F, exclude_characters="\0")
FORMS = st.characters(min_codepoint=0xFB50, max_codepoint=0xFEFF)
ANYTHING = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
CONTROLS = st.characters(categories=["Cc", "Cf", "Mn", "Nd", "Zs"], exclude_characters="\0")
EMOJI = st.characters(min_codepoint=0x1F300, max_codepoint=0x1FAFF)
TEXTS = st.text(st.one_of(ARABIC, LATIN, FORMS, CONTROLS, EMOJI, ANYTHING), max_size=60)


class TestSqlAgrees:
    """10,000 generated strings: 100 rounds of 100."""

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(texts=st.lists(TEXTS, min_size=100, max_size=100))
    @example(texts=list(CASES))
    def test_on_generated_strings(self, connection: Connection, texts: list[str]) -> None:
        rows = connection.execute("SELECT text, news.fold(text) FROM unnest(%s::text[]) AS text", [texts]).fetchall()
        assert dict(rows) == {text: fold(text) for text in texts}
        rows = connection.execute("SELECT text, news.spell(text) FROM unnest(%s::text[]) AS text", [texts]).fetchall()
        assert dict(rows) == {text: spell(text) for text in texts}

    def test_on_every_character(self, connection: Connection) -> None:
        characters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
        wrong = []
        for start in range(0, len(characters), 50_000):
            part = characters[start : start + 50_000]
            rows = connection.execute(
                "SELECT c, news.fold(c) FROM unnest(%s::text[]) AS c", [[f"ا{c}b" for c in part]]
            ).fetchall()
            wrong += [(ascii(text), folded, fold(text)) for text, folded in rows if folded != fold(text)]
        assert wrong == []
