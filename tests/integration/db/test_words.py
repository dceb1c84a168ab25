"""The analyser in SQL is the one in Python, and landing's vectors are the server's."""

import random

import pytest

from db import Connection, SchemaMismatch
from db.schema import SQL
from ingest.store.words import Words, bring_over, load_lexicon, split, to_bring_over
from ingest.text.arabic import Analyser, Lexicon, read_lexicon, shared_analyser
from ingest.text.arabic.affixes import PREFIXES, SUFFIXES
from ingest.text.arabic.sql import sql_definition
from ingest.text.words import words_of

LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويأإآىةئؤءپچگکیەۆێ"


def made_up(number: int) -> list[str]:
    """Words of random letters, and forms of the lexicon with what may and may not be written with them."""
    dice = random.Random(7)
    forms = [form.spelling for form in read_lexicon().forms]
    prefixes = [prefix.letters for prefix in PREFIXES]
    suffixes = [suffix.letters for suffix in SUFFIXES]
    words = {"".join(dice.choices(LETTERS, k=dice.randint(1, 9))) for _ in range(number // 3)}
    while len(words) < number:
        words.add(dice.choice(prefixes) + dice.choice(forms) + dice.choice(suffixes))
    return sorted(words)


def test_words_are_analysed_in_sql_as_in_python(connection: Connection) -> None:
    words = made_up(3000)
    rows = connection.execute("SELECT word, news.lemmas_of(word) FROM unnest(%s::text[]) AS word", [words]).fetchall()
    analyser = shared_analyser()
    assert [(word, lemmas) for word, lemmas in rows if tuple(lemmas) != analyser.analyse(word).lemmas] == []


def test_readings_are_the_same_to_the_last(connection: Connection) -> None:
    for word in (*made_up(200), "trump", "withdrawal", "", "و"):
        rows = connection.execute("SELECT * FROM news.readings(%s)", [word]).fetchall()
        found = [
            (reading.cost, reading.lemma, reading.wider, reading.prefix, reading.suffix, reading.known)
            for reading in shared_analyser().readings(word)
        ]
        assert [tuple(row) for row in rows] == found, word


def test_the_file_is_what_python_writes() -> None:
    assert (SQL / "words.sql").read_text("utf-8") == sql_definition()


TEXTS = [
    ("انسحاب القوات", "أعلنت بغداد أنّ ٢٬٥٠٠ جنديٍّ سيغادرون عين الأسد. F-16 و F16، US-led troops of the coalition."),
    (None, "The withdrawal of 2,500 troops — Trump’s word — is over."),
    ("", "کتێبەکان و گزارش‌ها " + "ا" * 150),
    ("Title only", ""),
    ("مستشارون", "كلمة " * 300 + "قوات القوات وقواتها"),
    ("عنوان " * 300, "كلمة أخرى " * 9000),
    ("Letters", " ".join(chr(code) for code in range(0x80, 0x3100) if chr(code).isalpha())),
]


def test_landing_makes_the_vectors_that_the_server_makes(connection: Connection) -> None:
    vectors = Words().vectors(connection, [split(title, body) for title, body in TEXTS])
    for (title, body), vector in zip(TEXTS, vectors, strict=True):
        row = connection.execute(
            "SELECT %s::tsvector = news.search_vector(%s, %s)", [vector.written, title, body]
        ).fetchone()
        assert row == (True,), (title, body[:100])


def test_words_of_texts_are_the_same_in_sql(connection: Connection) -> None:
    for text in ("F-16 وإف-16 بـ 2,500 جندي ٢٬٥٠٠ abc12def 12a3", "1,234,567.50 12,3456 x1y2 ۲٬۵۰۰", "", " - "):
        assert connection.execute("SELECT news.words_of(%s)", [text]).fetchone() == (words_of(text),)


def test_who_writes_an_article_without_a_vector_gets_one(connection: Connection, corpus: Connection) -> None:
    connection.execute("UPDATE news.articles SET text = 'انفجرت العبوات' WHERE id = 1")
    assert connection.execute("SELECT article_id FROM news.search('عبوة')").fetchall() == [(1,)]


def test_a_new_lexicon_brings_articles_over_and_goes_on_where_it_was_stopped(corpus: Connection) -> None:
    connection = corpus
    connection.execute("UPDATE news.articles SET search = ''")
    forms = read_lexicon().forms
    connection.execute("UPDATE news.analysis SET version = 'of yesterday'")
    connection.commit()
    with pytest.raises(SchemaMismatch, match="ingest db upgrade"):
        Words().check(connection)
    assert load_lexicon(connection, Lexicon(forms))
    assert not load_lexicon(connection, Lexicon(forms))
    assert to_bring_over(connection) == 5
    # As if it had been stopped behind the second.
    connection.execute("UPDATE news.analysis SET done_to = 2")
    seen: list[int] = []
    assert bring_over(connection, seen.append) == 3
    assert seen == [3]
    assert to_bring_over(connection) == 0
    assert connection.execute("SELECT count(*) FROM news.articles WHERE search = ''").fetchone() == (2,)
    assert connection.execute("SELECT article_id FROM news.search('withdraw')").fetchall() != []
    Words().check(connection)


def test_a_new_database_gets_the_lexicon_when_something_lands(connection: Connection) -> None:
    connection.execute("UPDATE news.analysis SET version = ''")
    connection.execute("DELETE FROM news.lexicon")
    connection.commit()
    Words(Analyser(read_lexicon())).check(connection)
    assert connection.execute("SELECT count(*) FROM news.lexicon").fetchone() == (len(read_lexicon().forms),)
