"""Search: Arabic inflection and clitics, English stems, operators, filters, snippets."""

from typing import Any

import pytest

from db import Connection
from tests.integration.db.conftest import ARTICLES

# A word of a query, the forms it must be found in, and words it must not be found in.
FORMS = {
    "انسحاب": ("الانسحاب والانسحاب بانسحاب لانسحاب للانسحاب وانسحابها انسحابهم كانسحاب بالانسحاب انسحابات انسحابه",
               "سحاب منسوب انسجام أصحاب"),
    "القوات": ("قوات وقوات بقوات لقوات للقوات بالقوات قواتها قواته وقواتهم قواتنا لقواتها والقوات فقواتها",
               "قوانين أوقات أقوال ثروات"),
    "الأمريكية": ("أمريكي الأمريكي أمريكية الأميركية أميركيون الأمريكيين والأمريكيون للأمريكيين بالأمريكية أمريكا",
                  "مريخية كينية الكورية"),
    "مستشارين": ("مستشار المستشار مستشارون المستشارين مستشاري مستشاريها ومستشارين لمستشارين بمستشاريه مستشاروها",
                 "مستشفى استشارة مستمر"),
    "قاعدة": ("القاعدة قاعدته لقاعدة بقاعدة وقاعدة للقاعدة قاعدتها", "قعود مقاعد"),
    "قواعد": ("القواعد قواعدها بقواعد للقواعد وقواعدهم", "مقاعد قوائم"),
    "جنود": ("الجنود جنودها جنوده وجنود للجنود بجنودنا جنودهم", "جنوب جذور"),
    "تحالف": ("التحالف بتحالف للتحالف والتحالف تحالفها تحالفات", "تخالف حلفاء"),
    "عسكري": ("العسكري عسكرية العسكرية عسكريون العسكريين وعسكريين بعسكريين للعسكريين", "سكري معسكرات"),
    "برلمان": ("البرلمان برلمانه للبرلمان والبرلمان بالبرلمان البرلمانية", "رمان بلدان"),
    "حكومة": ("الحكومة حكومته للحكومة بالحكومة وحكومة حكومات لحكومتها", "محكوم حكم"),
    "بغداد": ("لبغداد وبغداد ببغداد", "بغال"),
    "العراق": ("عراق للعراق بالعراق والعراق العراقي عراقيون عراقية", "عروق أعراف"),
    "وجود": ("الوجود وجودها بوجود لوجود ووجودهم للوجود", "جود موجات"),
    "withdrawal": ("withdrawals Withdrawal", "drawer"),
    "troops": ("troop TROOPS", "trooper"),
    "leaving": ("leave leaves", "left"),
}  # fmt: skip
# Nouns with the forms that grammar gives each, and a word that looks like it.
NOUNS = {
    "اتفاق": "نفاق", "اجتماع": "جماعة", "احتلال": "حلول", "إخراج": "خروج", "استقرار": "قرار", "اقتصاد": "قصيدة",
    "انتخابات": "نخبة", "أمن": "أمل", "بيان": "بين", "تدريب": "ترتيب", "تصريح": "صريح", "تصويت": "صوت", "تنظيم": "نظام",
    "تهديد": "هدوء", "جدول": "جدل", "جيش": "جشع", "حدود": "حديد", "حرب": "حزب", "حوار": "جوار", "خبراء": "خبر",
    "دعم": "دفع", "دفاع": "دافع", "دور": "دار", "دولار": "دولاب", "رئيس": "رسائل", "زيارة": "زيت", "سفير": "سفر",
    "سلاح": "سلام", "سيادة": "سيدة", "شرطة": "شرط", "صاروخ": "صراخ", "ضابط": "ضباب", "طائرة": "طير", "طلب": "طالب",
    "عاصمة": "عصمة", "عملية": "عمل", "فصائل": "فصل", "قانون": "قنوات", "قتال": "قتل", "قرار": "قارة", "كتلة": "كتل",
    "لجنة": "جنة", "مباحثات": "بحث", "مجلس": "جلوس", "مدينة": "دين", "مطار": "مطر", "معسكر": "سكر", "مفاوضات": "فوضى",
    "مهمة": "هم", "موعد": "وعد", "ميناء": "مينا", "نائب": "ناب", "نفط": "نقط", "هجوم": "نجوم", "وزارة": "زيارة",
    "وزير": "زير", "ولاية": "والي",
}  # fmt: skip


def forms_of(noun: str) -> list[str]:
    before_pronoun = noun[:-1] + "ت" if noun.endswith("ة") else noun
    return [
        *(f"{particle}{noun}" for particle in ("ال", "و", "وال", "بال", "لل")),
        *(f"{before_pronoun}{pronoun}" for pronoun in ("ها", "هم", "نا")),
    ]


PAIRS = [
    *((noun, form, True) for noun in NOUNS for form in forms_of(noun)),
    *((noun, other, False) for noun, other in NOUNS.items()),
]
PAIRS += [
    (word, form, expected)
    for word, (same, others) in FORMS.items()
    for forms, expected in ((same, True), (others, False))
    for form in forms.split()
]


def test_words_are_found_in_their_forms_and_not_in_others(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT word, form, expected, news.search_vector(NULL, form) @@ news.search_query(word)"
        " FROM unnest(%s::text[], %s::text[], %s::boolean[]) AS pair(word, form, expected)",
        [list(column) for column in zip(*PAIRS, strict=True)],
    ).fetchall()
    right = sum(expected and found for _, _, expected, found in rows)
    wrong = [(word, form) for word, form, expected, found in rows if expected != found]
    assert len({row[0] for row in rows}) >= 64
    assert right / sum(row[3] for row in rows) >= 0.95, wrong
    assert right / sum(row[2] for row in rows) >= 0.95, wrong


def found(connection: Connection, query: str, **filters: Any) -> list[int]:
    names = "".join(f", {name} => %({name})s" for name in filters)
    rows = connection.execute(
        f"SELECT article_id FROM news.search(%(query)s{names})",
        {"query": query} | filters,
    ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("انسحاب", [1, 2]),
        ("انسحاب القوات", [1, 2]),
        ('"القوات العراقية"', [2]),
        ("انسحاب -سوريا", [1]),
        ("مستشارين OR harvest", [4, 2]),
        ("مستشارين or harvest", [4, 2]),
        ("harvest or", [4]),
        ("or harvest", [4]),
        ("withdraws troop", [3]),
        ("=withdraw", [4]),
        ("=withdraws", []),
        ('"withdrawing troops"', [3]),
        ('"troops withdrawing"', []),
        ('"troops withdrawing"~2', [3]),
        ('"القوات انسحاب"~1', [1]),
        ('"جنود بغداد"~1', []),
        ('"جنود بغداد"~2', [1]),
        ('"انسحاب القوات العراق"~3', [1]),
        ("مستشار*", [2]),
        ("=مستشار*", []),
        ("امريك*", [1]),
        ("=الامريكية", [1]),
        ('"القوات الامريكية"', [1]),
        ("انسح*", [1, 2]),
        ("-العراق", [3, 5]),
        ("withdraw العراق", [4]),
        ('"us-led coalition"', [3]),
        ("us-led", [3]),
        ("قوة", [1, 2, 5]),
        ("=القوة", [5]),
        ("nonesuch", []),
        ("", []),
        ('"', []),
        ("- & | ! ( ) :* '", []),
        ("the", []),
    ],
)
def test_queries(corpus: Connection, query: str, expected: list[int]) -> None:
    assert sorted(found(corpus, query)) == sorted(expected)


def test_the_title_weighs_more(corpus: Connection) -> None:
    assert found(corpus, "انسحاب") == [1, 2]
    assert found(corpus, "مستشار OR القوات")[0] in (1, 2)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"language": "en"}, [4]),
        ({"since": "2026-10-10"}, [4]),
        ({"until": "2026-10-10"}, [1, 2]),
        ({"outlets": ["The Horizon", "الأفق"], "until": "2026-10-12"}, [1]),
        ({"rows": 2, "language": "ar"}, [1, 2]),
    ],
)
def test_filters(corpus: Connection, filters: dict[str, Any], expected: list[int]) -> None:
    assert sorted(found(corpus, "العراق", **filters)) == expected


@pytest.mark.parametrize(
    ("query", "marked"),
    [("مستشارين", "<b>مستشاروها</b>"), ("انسحاب", "<b>الانسحاب</b>"), ("قوات", "<b>القوات</b> العراقية")],
)
def test_snippets_mark_the_forms_that_stand_in_the_text(corpus: Connection, query: str, marked: str) -> None:
    row = corpus.execute("SELECT snippet FROM news.search(%s) WHERE article_id = 2", [query]).fetchone()
    assert row is not None
    assert marked in row[0]
    assert row[0].count("<b>") == 1
    assert row[0].replace("<b>", "").replace("</b>", "") in ARTICLES[1][4]


def test_a_snippet_shows_the_place_of_the_words_in_a_long_text(corpus: Connection) -> None:
    long = "كلمة " * 300 + "ثم انسحبت القوات من القاعدة " + "وكلمة " * 300
    corpus.execute("UPDATE news.articles SET text = %s, title = NULL WHERE id = 2", [long])
    row = corpus.execute("SELECT snippet FROM news.search('القاعدة') WHERE article_id = 2").fetchone()
    assert row is not None
    assert "من <b>القاعدة</b>" in row[0]
    assert len(row[0]) < 400
    assert row[0].startswith("… ")
    assert row[0].endswith(" …")


def test_readers_may_search(corpus: Connection) -> None:
    corpus.execute("SET ROLE news_reader")
    assert found(corpus, "انسحاب") == [1, 2]
    corpus.execute("RESET ROLE")


def test_articles_without_a_date_do_not_push_others_out(corpus: Connection) -> None:
    corpus.execute("UPDATE news.articles SET published_at = NULL, published_from = NULL WHERE id > 1")
    corpus.commit()
    assert found(corpus, "انسحاب", rows=1) == [1]
    plan = corpus.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'articles_published_at_idx'").fetchone()
    assert plan is not None
    assert "NULLS LAST" in plan[0]


def test_every_match_is_on_one_page_and_is_counted(corpus: Connection) -> None:
    everything = found(corpus, "العراق OR القوة OR withdraw", rows=50)
    assert sorted(everything) == [1, 2, 3, 4, 5]
    pages = [found(corpus, "العراق OR القوة OR withdraw", rows=2, page=page) for page in (1, 2, 3, 4)]
    assert [article for page in pages for article in page] == everything
    assert pages[3] == []
    count = "SELECT news.search_count('العراق OR القوة OR withdraw'), news.search_count('العراق', language => 'en')"
    assert corpus.execute(count).fetchone() == (5, 1)
    assert corpus.execute("SELECT news.search_count(''), news.search_count('nonesuch')").fetchone() == (0, 0)


def test_matches_beyond_those_that_are_ranked_follow_by_date(corpus: Connection) -> None:
    corpus.execute(
        "WITH e AS (INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status)"
        " SELECT (SELECT id FROM news.feeds), 'n' || n, 'u', 'u', 'h', now(), 'landed' FROM generate_series(1, 320) n"
        " RETURNING id)"
        " INSERT INTO news.articles (id, content_hash, entry_id, story_id, url, outlet, published_at, published_from,"
        "   text, word_count, landed_at) OVERRIDING SYSTEM VALUE"
        " SELECT 100 + id, encode(sha256(id::text::bytea), 'hex'), id, 1, 'u', 'O',"
        "   timestamptz '2026-01-01' + id * interval '1 day', 'feed', 'Ships number ' || id, 3, now() FROM e"
    )
    every = found(corpus, "ship", rows=1000)
    assert len(every) == len(set(every)) == 320
    pages = [found(corpus, "ship", rows=90, page=page) for page in range(1, 5)]
    assert [len(page) for page in pages] == [90, 90, 90, 50]
    assert [article for page in pages for article in page] == every
    # The newest 300 by rank, here all alike, then the rest, newest first.
    assert every[300:] == sorted(every[300:], reverse=True)
    assert min(every[:300]) > max(every[300:])


def test_a_typing_error_is_put_right_where_no_article_has_the_word(corpus: Connection) -> None:
    assert found(corpus, "انسحاب القوت") == found(corpus, "انسحاب القوات") != []
    assert found(corpus, "=القوت") == []
    assert found(corpus, "بعداد") == [1]
    # A word of its own, though rarer than العراق.
    assert found(corpus, "العرق") == []
    corpus.execute("UPDATE news.articles SET text = 'القوت اليومي' WHERE id = 5")
    assert found(corpus, "القوت") == [5]


def test_spellings_are_suggested(corpus: Connection) -> None:
    rows = corpus.execute("SELECT word, suggestion FROM news.suggest('مستشاورن withdrawnig')").fetchall()
    assert any(word == "withdrawnig" and suggestion.startswith("withdraw") for word, suggestion in rows)
    assert any(word == "مستشاورن" and "مستشار" in suggestion for word, suggestion in rows)
    assert corpus.execute("SELECT * FROM news.suggest('xyzzy')").fetchall() == []


def test_lemmas_count_the_words_of_an_article(corpus: Connection) -> None:
    rows: dict[str, int] = dict(corpus.execute("SELECT lemma, occurrences FROM news.lemmas(2)").fetchall())
    assert rows["مستشار"] == 2
    assert rows["قوة"] == 1
    assert rows["غادر"] == 2
    assert not any(lemma.startswith("=") for lemma in rows)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("قوت", "قوات", True), ("قوات", "قوت", True), ("قوات", "قوان", True), ("قوات", "قاوت", True),
        ("قوات", "قوات", False), ("قوات", "اقوال", False), ("قوات", "وقاة", False), ("", "ق", True),
        ("قوا", "قواتن", False),
    ],
)  # fmt: skip
def test_one_letter_apart(connection: Connection, one: str, other: str, apart: bool) -> None:
    assert connection.execute("SELECT news.one_letter_apart(%s, %s)", [one, other]).fetchone() == (apart,)
