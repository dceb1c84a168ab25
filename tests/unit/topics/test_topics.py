import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.text.folding import spell_sentences
from ingest.topics.rules import MOST_MATCHED
from ingest.topics.topics import Topic, TopicSet

PAIRS = [
    # (word in the file, word in a text, whether they match)
    ("انسحاب", "والانسحاب", True),
    ("انسحاب", "بانسحابها", True),
    ("انسحاب", "لانسحاب", True),
    ("انسحاب", "للانسحاب", True),
    ("انسحاب", "انسحابات", True),
    ("أمريكي", "الأمريكيون", True),
    ("أمريكي", "والأمريكيين", True),
    ("ينسحب*", "وسينسحبون", True),
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


def about(topics: TopicSet, title: str | None, text: str) -> bool:
    return any(match.degree == "about" for match in topics.judge(title, spell_sentences(text)))


def score(topics: TopicSet, title: str | None, text: str) -> float:
    return max((match.score for match in topics.judge(title, spell_sentences(text))), default=0.0)


def topic(**parts: Any) -> TopicSet:
    match = parts.pop("match", {"any_of": [{"all_of": ["a", "b"], "within": 10}]})
    return TopicSet({"t": Topic.model_validate({"match": match} | parts)})


@pytest.mark.parametrize(("term", "text", "expected"), PAIRS)
def test_words(term: str, text: str, expected: bool) -> None:
    language = "ar" if ord(term[0]) > 0x600 else "en"
    one = topic(concepts={"c": {language: [term]}}, match={"any_of": [{"all_of": ["c"]}]})
    assert about(one, None, text) is expected


def words(count: int) -> str:
    return " ".join(f"كلمة{number}" for number in range(count))


@pytest.fixture
def two() -> TopicSet:
    return topic(concepts={"a": {"ar": ["ألف"]}, "b": {"en": ["beta"]}})


def test_concepts_must_stand_close_together_in_a_sentence(two: TopicSet) -> None:
    assert about(two, None, "ألف beta")
    assert about(two, None, f"ألف {words(8)} beta")
    assert not score(two, None, f"ألف {words(9)} beta")
    assert not score(two, None, "ألف. beta")
    assert not score(two, None, "ألف ألف ألف")


def test_a_longer_phrase_of_one_concept_may_begin_with_the_word_of_another() -> None:
    phrases = topic(concepts={"a": {"en": ["leave"]}, "b": {"en": ["leave iraq", "leave"]}})
    assert about(phrases, None, "They leave Iraq.")
    assert not score(phrases, None, "They leave.")


def test_the_title_and_the_first_sentence_weigh_more_than_the_lead_and_that_more_than_the_rest(two: TopicSet) -> None:
    title, first = score(two, "beta ألف", "other."), score(two, None, "beta ألف. other.")
    lead, rest = (score(two, None, "Other. " * count + "beta ألف.") for count in (1, 5))
    assert title == first > lead > rest > 0


def test_what_is_mentioned_again_and_again_in_the_rest_does_not_make_it_the_subject(two: TopicSet) -> None:
    (match,) = two.judge(None, spell_sentences("Other. " * 5 + "beta ألف. " * 50))
    assert match.degree == "mention"


def test_a_match_says_which_words_gave_it(two: TopicSet) -> None:
    (match,) = two.judge("Beta والألف", spell_sentences("والألف beta"))
    assert (match.topic, match.matched) == ("t", {"a": ["والالف"], "b": ["beta"]})


PLACES = {"a": {"en": ["leave"]}, "b": {"en": ["army"]}, "here": {"en": ["iraq"]}, "there": {"en": ["syria"]}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The army will leave Iraq.", True),
        ("The army will leave Syria.", False),
        ("The army will leave Iraq for Syria.", True),
        ("The army will leave Syria for Iraq.", False),
        # What a sentence does not say, the one before it does.
        ("Iraq is large. The army will leave.", True),
        ("Syria is large. The army will leave.", False),
        ("The army will leave. Iraq said so.", True),
        ("The army will leave.", False),
    ],
)
def test_the_place_is_the_one_that_is_near_or_was_named_last(text: str, expected: bool) -> None:
    match = {"any_of": [{"all_of": ["a", "b"]}], "where": "here", "not_where": "there"}
    assert bool(score(topic(concepts=PLACES, match=match), None, text)) is expected


def test_others_that_are_nearer_are_those_who_do_it() -> None:
    concepts = PLACES | {"others": {"en": ["rebels"]}}
    one = topic(concepts=concepts, match={"any_of": [{"all_of": ["a", "b"], "within": 20}], "not_by": "others"})
    assert score(one, None, "The army will leave before the rebels do.")
    assert not score(one, None, "The rebels will leave after the army has shelled them.")


def test_a_reminder_counts_less() -> None:
    concepts = PLACES | {"since": {"en": ["since", "days after"]}}
    one = topic(concepts=concepts, match={"any_of": [{"all_of": ["a", "b"]}], "background": "since"})
    whole, reminder = (score(one, None, f"{word} the leave of the army") for word in ("soon", "since"))
    assert 0 < reminder < whole
    assert score(one, None, "Days after the leave of the army") == reminder


def test_compounds_are_named_where_their_concepts_stand_side_by_side() -> None:
    one = topic(
        concepts={"foreign": {"en": ["french"]}, "military": {"en": ["army"]}},
        compounds={"forces": {"all_of": ["foreign", "military"], "within": 3}},
        match={"any_of": [{"all_of": ["forces"]}]},
    )
    assert score(one, None, "The French national army")
    assert not score(one, None, "The French president met the army")


def test_explanations_name_the_sentences_their_words_and_what_they_count() -> None:
    match = {"any_of": [{"all_of": ["a", "b"]}], "where": "here", "not_where": "there"}
    one = topic(concepts=PLACES, match=match)
    found, passages = one.explain("Iraq", "The army will leave. The army will leave Syria.")["t"]
    assert found is not None
    assert [(passage.where, passage.points, passage.reason) for passage in passages] == [
        ("first", found.score, ""), ("lead", 0.0, "there is nearer than here"),
    ]  # fmt: skip
    assert passages[0].words == ("leave", "army")


def test_everything_takes_everything(everything: TopicSet) -> None:
    (match,) = everything.judge(None, ["اي نص"])
    assert (match.topic, match.degree) == ("everything", "about")
    assert everything.passes_gate(None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
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
def test_the_topic_the_project_comes_with(topics: TopicSet, text: str, expected: bool) -> None:
    assert about(topics, None, text) is expected


@pytest.mark.parametrize(
    ("title", "passes"),
    [
        ("بغداد وواشنطن تبحثان مستقبل التحالف الدولي", True),
        ("US forces begin to leave Iraq", True),
        ("ارتفاع أسعار الطماطم في البصرة", False),
        ("آخر الجنود الأمريكيين يغادرون", True),
        ("واشنطن تفرض رسوما جديدة وشركة تنسحب من السوق", False),
    ],
)
def test_the_gate_for_general_feeds(topics: TopicSet, title: str, passes: bool) -> None:
    assert topics.passes_gate(title, None) is passes


def test_a_gate_without_concepts_is_refused() -> None:
    gates: list[dict[str, object]] = [{}, {"any_of": [[]]}, {"at_least": 1}]
    for gate in gates:
        with pytest.raises(ValidationError, match="a gate needs concepts"):
            topic(concepts={"a": {"en": ["a"]}}, match={"any_of": [{"all_of": ["a"]}]}, gate=gate)


def test_concepts_of_a_gate_suffice_alone_or_together() -> None:
    concepts = {name: {"en": [name]} for name in ("a1", "b1", "c1", "d1")}
    gate = {"of": ["a1", "b1"], "any_of": [["c1", "d1"]]}
    one = topic(concepts=concepts, match={"any_of": [{"all_of": ["a1"]}]}, gate=gate)
    passing = [title for title in ("a1", "a1 b1", "b1 c1", "c1 d1", "d1") if one.passes_gate(title, None)]
    assert passing == ["a1 b1", "c1 d1"]


def calls(work: Callable[[], object]) -> int:
    """How many functions, of Python or C, are called for it: a measure of work that no other process disturbs."""
    made = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


# Each kind of hit as often as any other: passages, compounds, places, others who do it, reminders.
DENSE = "since US coalition forces withdraw troops leave Iraq Baghdad Syria Turkish "


@pytest.mark.parametrize("separator", ["", ". "], ids=["one sentence", "many sentences"])
def test_work_grows_with_the_length_of_a_text_and_not_with_its_square(topics: TopicSet, separator: str) -> None:
    def work(times: int) -> int:
        sentences = spell_sentences((DENSE + separator) * times)
        topics.judge("x", sentences)
        return calls(lambda: topics.judge("x", sentences))

    assert work(400) < 4.4 * work(100)


def test_work_of_the_gate_grows_with_the_length_of_a_summary(topics: TopicSet) -> None:
    def work(times: int) -> int:
        topics.passes_gate("x", DENSE * times)
        return calls(lambda: topics.passes_gate("x", DENSE * times))

    assert work(200) < 4.4 * work(50)
    # And it reads no more than the beginning.
    assert work(20_000) == work(10_000)


def test_a_text_of_many_forms_of_a_word_keeps_the_first_of_them() -> None:
    many = topic(concepts={"a": {"en": ["leav*"]}}, match={"any_of": [{"all_of": ["a"]}]})
    (match,) = many.judge(None, spell_sentences(" ".join(f"leav{number}." for number in range(3 * MOST_MATCHED))))
    assert match.matched["a"] == [f"leav{number}" for number in range(MOST_MATCHED)]
