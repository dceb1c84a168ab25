"""Search: Arabic inflection and clitics, English stems, operators, filters, snippets."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db import Connection
from ingest.text.folding import content_identity

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


ARTICLES = [
    ("ar", "2026-10-01", "الأفق", "انسحاب القوات الأمريكية من العراق", "أعلنت بغداد أن الجنود يغادرون عين الأسد."),
    ("ar", "2026-10-05", "النهر", "مستشارو التحالف يغادرون",
     "غادر مستشاروها القاعدة، وقالت القوات العراقية إن الانسحاب يكتمل في أيلول. ولم تشر إلى سوريا."),
    ("en", "2026-10-10", "The Horizon", "Coalition leaves base", "The US-led coalition is withdrawing troops."),
    ("en", "2026-10-20", "The Horizon", "Harvest", "Farmers in Basra withdraw complaints. العراق"),
    ("ar", "2026-10-25", "النهر", None, "سحبت شركة سيارات من الأسواق بسبب خلل في القوة الكهربائية."),
]  # fmt: skip


@pytest.fixture
def corpus(connection: Connection) -> Connection:
    connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
        " VALUES ('f', 'u', 'h', 'O', '1 hour', now(), now())"
    )
    for number, (language, day, outlet, title, text) in enumerate(ARTICLES, 1):
        connection.execute(
            "WITH entry AS (INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at,"
            "   status) SELECT id, %(n)s::text, 'u', 'u', 'h', now(), 'landed' FROM news.feeds RETURNING id),"
            " story AS (INSERT INTO news.stories (id, first_article_id) OVERRIDING SYSTEM VALUE VALUES (%(n)s, %(n)s))"
            " INSERT INTO news.articles (id, content_hash, entry_id, story_id, url, outlet, title, published_at,"
            "   published_from, language, text, word_count, landed_at) OVERRIDING SYSTEM VALUE"
            " SELECT %(n)s, %(hash)s, id, %(n)s, 'http://a.example/' || %(n)s, %(outlet)s, %(title)s, %(day)s, 'feed',"
            "   %(language)s, %(text)s, 10, now() FROM entry",
            {
                "n": number, "hash": content_identity(text).content_hash, "outlet": outlet, "title": title,
                "day": datetime.fromisoformat(day).replace(tzinfo=UTC), "language": language, "text": text,
            },
        )  # fmt: skip
    connection.commit()
    return connection


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
        ("withdraws troop", [3]),
        ("withdraw العراق", [4]),
        ('"us-led coalition"', [3]),
        ("us-led", [3]),
        ("قوة", [5]),
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
