"""Models of topics: what they say of a text, how they are fitted, and labelled texts."""

import base64
import json
import random
from pathlib import Path

import numpy as np
import pytest

from ingest.config.errors import ConfigError
from ingest.text.folding import spell_sentences
from ingest.topics.labels import Label, read_labels
from ingest.topics.meaning import CHARACTERS, Vector, opening, shared_encoder
from ingest.topics.model import SHIPPED, Model, Opinion, load_model
from ingest.topics.topics import Topic, TopicSet, compiled
from ingest.topics.training import average_precision, calibration_error, cross_validated, fit, look_at

TOPIC = Topic.model_validate({
    "concepts": {"leaving": {"en": ["leave"]}, "forces": {"en": ["troops"]}, "elsewhere": {"en": ["mars"]}},
    "match": {"any_of": [{"all_of": ["leaving", "forces"]}]},
    "gate": {"of": ["leaving", "forces"], "at_least": 1},
})  # fmt: skip


class Letters:
    """An encoder that counts a few letters."""

    name = "letters"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, text: str) -> Vector:
        self.asked.append(text)
        return np.array([text.count(letter) / (len(text) + 1) for letter in "xyz"], dtype=np.float32)


def labels(count: int) -> list[Label]:
    """Texts that are about the topic if troops leave, unless from Mars, or if they have an x."""
    chance = random.Random(7)
    found = []
    for number in range(count):
        words = [word for word in ("troops", "leave", "Mars", "xx xx", "yy", "zz") if chance.random() < 0.5]
        about = ("troops" in words and "leave" in words and "Mars" not in words) or "xx xx" in words
        chance.shuffle(words)
        text = f"They say {' '.join(words)} today."
        found.append(
            Label(
                id=f"n{number}", lang="en", title="", text=text, label="about" if about else "no",
                event=f"e{number // 2}", kind="wire", year=2011,
            )
        )  # fmt: skip
    return found


def model(**changes: object) -> Model:
    parts = {
        "texts": 1,
        "rules": {"bias": -2.0, "of": {"leaving@any": 3.0}},
        "meaning": {
            "encoder": "letters",
            "bias": -1.0,
            "nearness": 1.0,
            "middle": (0.0, 0.0, 0.0),
            "step": 1 / 127,
            "vectors": base64.b64encode(bytes([127, 0, 0])),
            "ids": ("all x",),
            "of": (4.0,),
        },
        "together": {"bias": 0.0, "rules": 1.0, "meaning": 1.0},
    }
    return Model.model_validate(parts | changes)


def test_both_opinions_are_weighed() -> None:
    opinion = model().judge({"leaving@any": 1.0, "unheard of": 5.0}, np.array([0.4, 0, 0], dtype=np.float32))
    assert opinion.rules == pytest.approx(1 / (1 + np.exp(-1)))
    assert opinion.meaning == pytest.approx(1 / (1 + np.exp(-3)))
    assert opinion.together == pytest.approx(1 / (1 + np.exp(-4)))
    assert opinion.like == ("all x",)


@pytest.mark.parametrize(
    ("together", "rules", "share"),
    [(0.65, 0.0, 0.5), (0.35, 1.0, 0.5), (0.35, 9.0, 0.5), (0.5, 0.5, 0.5), (0, 0, 0), (1, 1, 1)],
)
def test_a_score_of_the_rules_moves_the_line(together: float, rules: float, share: float) -> None:
    assert Opinion(together, 0.5, None).share(rules) == pytest.approx(share)


def test_without_a_vector_the_rules_decide() -> None:
    opinion = model().judge({}, None)
    assert opinion.together == opinion.rules
    assert opinion.meaning is None


def test_a_model_fits_what_it_is_shown_and_judges_other_events() -> None:
    examples = look_at(labels(300), compiled(TOPIC), Letters())
    fitted = fit(examples)
    assert fitted.texts == 300
    assert fitted.rules.of["passage@first"] > 0
    of_x, of_y = (fitted.judge({}, np.array(vector, dtype=np.float32)).meaning for vector in ([0.1, 0, 0], [0, 0.1, 0]))
    assert of_x is not None
    assert of_y is not None
    assert of_x > of_y
    opinions = cross_validated(examples)
    likely = np.array([opinion.together for opinion in opinions])
    rules = np.array([opinion.rules for opinion in opinions])
    assert average_precision(examples.about, likely) > average_precision(examples.about, rules)
    assert average_precision(examples.about, likely) > 0.9
    assert calibration_error(examples.about, likely) < 0.1


def test_the_order_of_texts_does_not_matter() -> None:
    texts = labels(100)
    models = [fit(look_at(some, compiled(TOPIC), Letters())) for some in (texts, texts[::-1])]
    assert models[0].model_dump() == models[1].model_dump()


def test_average_precision_and_calibration() -> None:
    about = np.array([1.0, 0.0, 1.0, 0.0])
    assert average_precision(about, np.array([0.9, 0.1, 0.8, 0.2])) == 1.0
    assert average_precision(about, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx((1 + 2 / 3) / 2)
    assert calibration_error(about, np.array([1.0, 0.0, 1.0, 0.0])) == 0.0
    assert calibration_error(about, np.array([0.0, 1.0, 0.0, 1.0])) == 1.0


def judged(topics: TopicSet, text: str) -> tuple[str, float] | None:
    found = topics.judge(None, spell_sentences(text), text)
    return (found[0].degree, found[0].score) if found else None


@pytest.fixture
def weighed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """The topic with a model."""
    monkeypatch.setattr("ingest.topics.topics.SHIPPED", tmp_path)
    (tmp_path / "letters.json").write_text(model().model_dump_json())
    return TOPIC.model_copy(update={"model": "letters"})


def test_a_topic_with_a_model_asks_for_meanings_where_they_may_matter(weighed: Topic) -> None:
    encoder = Letters()
    topics = TopicSet({"t": weighed}, encoder=lambda: encoder)
    about = judged(topics, "They leave xxxxxxxxxxxxxxxxxxxxx.")
    assert about is not None
    assert about[0] == "about"
    assert about[1] > TOPIC.threshold
    assert judged(topics, "They dance xxxxxxxxxxxxxxxxxxxxx.") is None
    assert len(encoder.asked) == 1


@pytest.fixture
def placed(weighed: Topic) -> Topic:
    """The topic with a model, and a place, another place, and a country."""
    concepts = weighed.concepts | {"here": {"en": ("iraq",)}}
    match = {"any_of": [{"all_of": ["leaving", "forces"]}], "where": "here", "not_where": "elsewhere"}
    return Topic.model_validate(
        weighed.model_dump(exclude_defaults=True) | {"concepts": concepts, "match": match, "home": ["IQ"]}
    )


FIRST, MUCH = (
    "They leave. xxxxxxxxxxxxxxxxxxxxxx.",
    "One. Two. Three. Four. They leave xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.",
)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (f"{FIRST} In Iraq.", True),
        (f"{MUCH} In Iraq.", True),
        (FIRST, True),
        (MUCH, False),
        (f"{FIRST} From Mars.", False),
        (f"{FIRST} From Mars, not from Iraq.", True),
        ("They dance in Iraq.", False),
    ],
)
def test_meanings_are_asked_for_if_place_and_gate_allow_it(placed: Topic, text: str, asked: bool) -> None:
    encoder = Letters()
    judged(TopicSet({"t": placed}, encoder=lambda: encoder), text)
    assert bool(encoder.asked) is asked


def test_papers_of_the_place_need_not_name_it(placed: Topic) -> None:
    encoder = Letters()
    topics = TopicSet({"t": placed}, encoder=lambda: encoder)
    far = "Troops leave Mars. Troops leave at last."
    for text, country, rules in [
        ("Troops leave.", None, 0.0), ("Troops leave.", "IQ", 3.0), ("Troops leave.", "IR", 0.0), (far, "IQ", 0.0)
    ]:  # fmt: skip
        match, passages = topics.explain(None, text, country)["t"]
        assert match.rules == rules, (text, country)
        assert sum(passage.points for passage in passages) == rules
    for country, asked in [("IR", False), ("IQ", True)]:
        encoder.asked.clear()
        topics.judge(None, spell_sentences(MUCH), MUCH, country)
        assert bool(encoder.asked) is asked


def test_what_the_model_does_not_find_enough_is_a_mention_if_the_rules_find_it(weighed: Topic, tmp_path: Path) -> None:
    doubtful = model(together={"bias": -3.0, "rules": 1.0, "meaning": 1.0})
    (tmp_path / "letters.json").write_text(doubtful.model_dump_json())
    topics = TopicSet({"t": weighed}, encoder=Letters)
    (match,) = topics.judge(None, ["troops leave"], "Troops leave.")
    assert (match.degree, match.rules) == ("mention", 3.0)
    assert match.score < TOPIC.threshold
    assert match.meaning is not None
    assert topics.judge(None, ["they leave"], "They leave.") == []


def test_without_an_encoder_the_rules_decide_alone(weighed: Topic) -> None:
    topics = TopicSet({"t": weighed}, encoder=lambda: None)
    assert judged(topics, "Troops leave.") == judged(TopicSet({"t": TOPIC}), "Troops leave.") == ("about", 3.0)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(ConfigError, match="no model 'nonesuch'"):
        TopicSet({"t": TOPIC.model_copy(update={"model": "nonesuch"})})


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    with pytest.raises(ConfigError, match="No such file"):
        load_model(path)
    path.write_text('{"texts": 1}')
    with pytest.raises(ConfigError, match="is no model"):
        load_model(path)


def test_shipped_models_are_for_the_encoder_of_this_program() -> None:
    encoder = shared_encoder()
    assert encoder is not None
    for path in SHIPPED.glob("*.json"):
        shipped = load_model(path)
        assert shipped.meaning.encoder == encoder.name
        assert len(shipped.meaning.middle) == len(encoder.encode("a"))
        assert len(shipped.meaning.of) == shipped.texts


def test_the_encoder_takes_any_text_and_finds_like_ones() -> None:
    encoder = shared_encoder()
    assert encoder is not None
    for text in ("", "\0", "\ud800", "ا" * 5000, "a\u0300" * 900):
        vector = encoder.encode(text)
        assert np.isfinite(vector).all()
        assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=0.01)
    said, again, other = map(
        encoder.encode,
        ("The last American soldiers left Iraq.", "غادر آخر الجنود الأمريكيين العراق.", "وصفة كعكة التفاح"),
    )
    assert said @ again > said @ other


def test_the_opening_is_title_and_beginning() -> None:
    assert opening("Title", "Text") == "Title\nText"
    assert opening(None, "Text") == "Text"
    assert len(opening("t" * 400, "x" * 400)) == CHARACTERS


LINE = {"id": "a", "lang": "ar", "title": "", "text": "x", "label": "no", "event": "e", "kind": "wire", "year": 2011}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([json.dumps(LINE), "{"], ":2: not JSON"),
        ([json.dumps(LINE), json.dumps(LINE)], ":2: the id 'a' was given before"),
        ([json.dumps(LINE | {"label": "perhaps"})], ":1: label: "),
        ([json.dumps({"id": "a"})], ":1: lang: "),
        (["[]"], ":1: the line: "),
        ([""], "no labelled texts"),
    ],
)
def test_a_wrong_line_of_labels_is_named(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_labels(path)


def test_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps(LINE) + "\n\n" + json.dumps(LINE | {"id": "b", "label": "about"}), encoding="utf-8")
    assert [label.is_about for label in read_labels(path)] == [False, True]
