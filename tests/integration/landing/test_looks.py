"""Young pages are looked at again after about one, three and twenty-four hours: flashes get their text later."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.topics.topics import Topic, TopicSet
from tests.conftest import NOW, Clock, Serve, configure
from tests.newsroom import Item, RunningNewsroom
from tests.runs import run_once

FLASH = ("عاجل.",)
BRIEF = tuple(
    f"أعلنت وزارة الزراعة اليوم أن موسم القمح في العام {number} كان جيدا في محافظات الوسط والجنوب كلها."
    for number in (1, 2)
)
LONG = tuple(sentence.replace("العام", f"العام {number} ثم العام") for number in range(3, 12) for sentence in BRIEF)
TOPIC = Topic.model_validate({
    "concepts": {"leaving": {"ar": ["انسحاب"]}}, "match": {"any_of": [{"all_of": ["leaving"]}]},
})  # fmt: skip
TEXT = (
    "أعلنت القيادة أن انسحاب القوات من القاعدة اكتمل اليوم، وأن الجنود غادروا إلى الكويت قبل الفجر.",
    "وقال المتحدث إن لجنة مشتركة ستتسلم المباني والمعدات خلال أسبوع، وإن العمل يجري كما اتفق عليه.",
)


@pytest.fixture
def room(newsroom: Serve, connection: Connection, tmp_path: Path) -> RunningNewsroom:
    room = newsroom(feeds=1, entries=3)
    configure(connection, room.world, tmp_path)
    return room


def become(room: RunningNewsroom, paragraphs: tuple[str, ...], **changes: object) -> Item:
    """Let the first item have this text."""
    item = next(iter(room.world.items.values()))
    changed = replace(item, paragraphs=paragraphs, revision=item.revision + 1, **changes)  # type: ignore[arg-type]
    room.world.items[item.number] = changed
    return changed


def young(room: RunningNewsroom, paragraphs: tuple[str, ...]) -> Item:
    return become(room, paragraphs, published_at=NOW - timedelta(minutes=5), title="عاجل من القاعدة")


def status(connection: Connection, item: Item) -> tuple[str, str | None]:
    row = connection.execute("SELECT status, reason FROM news.entries WHERE canonical_url = %s", [item.url]).fetchone()
    connection.commit()
    assert row is not None
    return row[0], row[1]


@pytest.mark.parametrize(
    ("first", "reason"), [(FLASH, "no article text on the page"), (BRIEF, "no topic")], ids=["no text", "off topic"]
)
def test_a_flash_lands_when_its_text_is_there(
    room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, clock: Clock,
    first: tuple[str, ...], reason: str,
) -> None:  # fmt: skip
    topics = TopicSet({"t": TOPIC})
    item = young(room, first)
    run_once(database, settings, topics, clock)
    before = status(connection, item)
    assert before[0] in ("rejected", "off_topic")
    assert (before[1] or "").startswith(reason), before
    # At the first look it is as it was.
    clock.advance(minutes=70)
    run_once(database, settings, topics, clock)
    assert status(connection, item) == before
    become(room, TEXT)
    clock.advance(hours=2, minutes=30)
    room.log.clear()
    run_once(database, settings, topics, clock)
    assert status(connection, item) == ("landed", None)
    assert [request.conditional for request in room.requests("/news/") if request.path == item.path] == [True]


def test_a_young_page_is_asked_for_three_times_an_old_one_once(
    room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, everything: TopicSet,
    clock: Clock,
) -> None:  # fmt: skip
    item = young(room, TEXT)
    run_once(database, settings, everything, clock)
    room.log.clear()
    asked: dict[str, list[tuple[int, int]]] = {}
    for hours in range(1, 80):
        clock.advance(hours=1)
        run_once(database, settings, everything, clock)
        for request in room.requests("/news/"):
            asked.setdefault(request.path, []).append((hours, request.status))
        room.log.clear()
    looks = asked.pop(item.path)
    assert [status for _, status in looks] == [304, 304, 304]
    first, second, last = (hours for hours, _ in looks)
    assert (first in (1, 2), second in (3, 4), 24 <= last <= 49) == (True, True, True)
    old = {each.path for each in room.world.items.values() if NOW - each.published_at > timedelta(days=1)}
    assert {len(each) for path, each in asked.items() if path in old} <= {1}


def test_what_is_surely_off_topic_is_not_looked_at_again(
    room: RunningNewsroom, database: Database, connection: Connection, settings: Settings, clock: Clock
) -> None:
    item = young(room, LONG)
    run_once(database, settings, TopicSet({"t": TOPIC}), clock)
    assert status(connection, item) == ("off_topic", "no topic"), status(connection, item)
    room.log.clear()
    clock.advance(hours=5)
    run_once(database, settings, TopicSet({"t": TOPIC}), clock)
    assert [request for request in room.requests("/news/") if request.path == item.path] == []
