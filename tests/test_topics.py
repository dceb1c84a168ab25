import pytest

from ingest.folding import fold
from ingest.topics import Topic, TopicSet

PAIRS = [
    # (word in the file, word in a text, whether they match)
    ("انسحاب", "والانسحاب", True),
    ("انسحاب", "بانسحابها", True),
    ("انسحاب", "لانسحاب", True),
    ("انسحاب", "للانسحاب", True),
    ("انسحاب", "انسحابات", False),
    ("قوات", "القوات", True),
    ("قوات", "لقواتها", True),
    ("قوات", "قوت", False),
    ("الأمريكية", "الامريكيه", True),
    ("الأمريكية", "والأمريكية", True),
    ("مهمة", "مهمتها", True),
    ("مهمة", "المهمّة", True),
    ("مهمة", "مهم", False),
    ("ينسحب*", "وينسحبون", True),
    ("withdraw*", "Withdrawal", True),
    ("exit", "exits", False),
    ("us forces", "US-forces", True),
    ("us forces", "US air forces", False),
]


@pytest.mark.parametrize(("term", "text", "expected"), PAIRS)
def test_words(term: str, text: str, expected: bool) -> None:
    language = "ar" if ord(term[0]) > 0x600 else "en"
    topic = Topic.model_validate({"concepts": {"c": {language: [term]}}, "match": {"all_of": ["c"]}, "threshold": 1})
    assert bool(TopicSet({"t": topic}).match(None, fold(text))) is expected


def words(count: int) -> str:
    return " ".join(f"كلمة{number}" for number in range(count))


@pytest.fixture
def two() -> TopicSet:
    return TopicSet(
        {
            "t": Topic.model_validate(
                {
                    "concepts": {"a": {"ar": ["ألف"]}, "b": {"en": ["beta"]}},
                    "match": {"all_of": ["a", "b"], "within": 10},
                    "threshold": 2,
                }
            )
        }
    )


def test_concepts_must_stand_close_together(two: TopicSet) -> None:
    assert two.match(None, fold("ألف beta"))
    assert two.match(None, fold(f"ألف {words(8)} beta"))
    assert not two.match(None, fold(f"ألف {words(9)} beta"))
    assert not two.match(None, fold("ألف ألف ألف"))


def test_the_title_weighs_more_than_the_lead_and_that_more_than_the_tail(two: TopicSet) -> None:
    (title,) = two.match("beta ألف", "")
    (lead,) = two.match(None, fold("beta ألف"))
    assert title.score > lead.score
    assert not two.match(None, fold(f"{words(200)} beta ألف"))
    assert two.match(None, fold(f"{words(200)} beta ألف {words(50)} ألف beta"))


def test_a_match_says_which_words_gave_it(two: TopicSet) -> None:
    (match,) = two.match("Beta", fold("والألف beta"))
    assert (match.topic, match.matched) == ("t", {"b": ["beta"], "a": ["والالف"]})


def test_everything_takes_everything(everything: TopicSet) -> None:
    (match,) = everything.match(None, "اي نص")
    assert match.topic == "everything"
    assert everything.passes_gate(None, None)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("أعلنت بغداد أن انسحاب القوات الأمريكية من العراق سيكتمل في أيلول.", True),
        ("رئيس الوزراء: إنهاء مهمة التحالف الدولي في العراق قرار نهائي", True),
        ("The last US troops withdrew from Iraq on Sunday, the Pentagon said.", True),
        ("انسحاب فريق النوارس من بطولة الدوري في بغداد", False),
        ("The weather in Baghdad will be dusty on Sunday.", False),
        ("US troops withdrew from Afghanistan in August.", False),
        ("القوات العراقية تضبط أسلحة في الأنبار", False),
        ("انسحاب أمريكا من الاتفاق النووي مع إيران", False),
    ],
)
def test_the_topic_the_project_comes_with(topics: TopicSet, text: str, about: bool) -> None:
    assert bool(topics.match(None, fold(text))) is about


@pytest.mark.parametrize(
    ("title", "passes"),
    [
        ("بغداد وواشنطن تبحثان مستقبل التحالف الدولي", True),
        ("US forces begin to leave Iraq", True),
        ("ارتفاع أسعار الطماطم في البصرة", False),
    ],
)
def test_the_gate_for_general_feeds(topics: TopicSet, title: str, passes: bool) -> None:
    assert topics.passes_gate(title, None) is passes
