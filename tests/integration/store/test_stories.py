"""Copies of a text, and the stories they make."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from db import Connection, Database
from ingest.config.settings import Settings
from ingest.landing.land import land
from ingest.model.document import Document
from ingest.model.status import Status
from ingest.store import documents, ledger, stories
from ingest.store.feeds import import_feed
from ingest.store.ledger import NewEntry
from ingest.text.folding import fold
from ingest.topics.topics import TopicSet
from tests.conftest import NOW, SHARED, Clock, Run
from tests.newsroom import Newsroom

WORDS = fold(
    "أعلن المتحدث باسم الحكومة أن اللجنة العسكرية اجتمعت في بغداد لبحث جدول زمني جديد وقال إن القوات ستنتقل إلى قاعدة"
    " أخرى قبل نهاية العام المقبل بعد أن تتسلم وحدات من الجيش المواقع التي كانت تشغلها منذ سنوات عدة وأضاف أن الاتفاق"
    " يشمل التدريب والمشورة وتبادل المعلومات بين البلدين وأن مجلس النواب سيناقش مسودته خلال الأسابيع القادمة"
).split()


Stories = Callable[[list[tuple[str, str, str]], int], frozenset[frozenset[str]]]


def text(number: int, words: int = 120) -> str:
    """A text of its own: words in an order that only this number gives."""
    return " ".join(random.Random(number).choices(WORDS, k=words))


def put(connection: Connection, articles: list[tuple[str, str, str]]) -> None:
    """Put documents (key, title, text) into the ledger, for landing in this order."""
    feed = import_feed(connection, NOW)
    for key, title, body in articles:
        url = f"http://a.example/{key}"
        entry = NewEntry(url, url, url, "a.example", title, None, None, None, None, status=Status.EXTRACTED)
        (entry_id,) = ledger.record(connection, feed, [entry], NOW)
        published = NOW - timedelta(hours=sum(map(ord, key)))
        document = Document(title, None, published, "feed", "ar", body, "test")
        documents.save(connection, [(entry_id, document)], NOW)
    connection.commit()


def told(connection: Connection) -> set[frozenset[str]]:
    """The stories, as sets of the keys of their articles."""
    rows = connection.execute(
        "SELECT array_agg(replace(url, 'http://a.example/', '')) FROM news.articles GROUP BY story_id"
    ).fetchall()
    connection.commit()
    return {frozenset(row[0]) for row in rows}


def agrees(connection: Connection) -> None:
    """The table of stories says what the articles say."""
    wrong = connection.execute(
        "SELECT s.id FROM news.stories s FULL JOIN (SELECT story_id, count(*) AS size,"
        '  (array_agg(id ORDER BY published_at NULLS LAST, url COLLATE "C"))[1] AS first_id FROM news.articles'
        "  GROUP BY story_id) AS a ON a.story_id = s.id"
        " WHERE (s.size, s.first_article_id) IS DISTINCT FROM (a.size::int, a.first_id)"
    ).fetchall()
    connection.commit()
    assert wrong == []


@pytest.fixture
def corpus() -> list[tuple[str, str, str]]:
    """Three wire texts with edited copies, a chain of copies, and texts of their own."""
    articles = []
    for wire in range(3):
        whole = text(wire)
        articles += [
            (f"{wire}-whole", "اجتماع", whole),
            (f"{wire}-cut", "اجتماع", " ".join(whole.split()[:75])),
            (f"{wire}-edited", "جلسة", whole.replace("بغداد", "العاصمة") + " انتهى"),
        ]
    # Each end of the chain is a copy of the middle, not of the other.
    middle = text(50, 300).split()
    articles += [
        ("chain-a", "سلسلة", " ".join(middle[:230])),
        ("chain-b", "سلسلة", " ".join(middle)),
        ("chain-c", "سلسلة", " ".join(middle[:215] + text(51, 60).split())),
    ]
    return articles + [(f"own-{number}", "آخر", text(100 + number)) for number in range(6)]


ORDERS = 50


@pytest.fixture
def in_any_order(connection: Connection, settings: Settings, everything: TopicSet, clock: Clock) -> Stories:
    """Lands articles in many orders, a few at a time, and returns the stories, which must be the same for all."""

    def stories_of(articles: list[tuple[str, str, str]], at_once: int) -> frozenset[frozenset[str]]:
        seen = set()
        for seed in range(ORDERS):
            shuffled = articles.copy()
            random.Random(seed).shuffle(shuffled)
            # In several runs, so that stories that exist already grow and merge.
            for start in range(0, len(shuffled), at_once):
                put(connection, shuffled[start : start + at_once])
                land(connection, settings, clock, everything)
            seen.add(frozenset(told(connection)))
            agrees(connection)
            connection.execute("TRUNCATE news.entries, news.articles, news.stories CASCADE")
            connection.commit()
        assert len(seen) == 1
        return seen.pop()

    return stories_of


def test_any_order_gives_the_same_stories(in_any_order: Stories, corpus: list[tuple[str, str, str]]) -> None:
    stories = in_any_order(corpus, 7)
    assert {len(story) for story in stories} == {1, 3}
    assert frozenset({"chain-a", "chain-b", "chain-c"}) in stories


@pytest.mark.slow
def test_any_order_of_the_newsrooms_reprints_gives_the_same_stories(in_any_order: Stories) -> None:
    items = list(Newsroom.build(feeds=16, entries=160, now=NOW).items.values())
    wires = {item.wire for item in items}
    articles = [(str(item.number), item.title, item.text) for item in items if item.wire or item.number in wires]
    assert len(articles) > 40
    assert max(len(story) for story in in_any_order(articles, 20)) > 1


def test_any_number_of_workers_gives_the_same_stories(
    connection: Connection, database: Database, settings: Settings, everything: TopicSet, clock: Clock,
    corpus: list[tuple[str, str, str]],
) -> None:  # fmt: skip
    put(connection, corpus)
    land(connection, settings, clock, everything)
    alone = told(connection)
    connection.execute("TRUNCATE news.entries, news.articles, news.stories CASCADE")
    put(connection, corpus)

    def work(_: int) -> None:
        with database.connect() as other:
            land(other, settings, clock, everything)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    assert told(connection) == alone
    agrees(connection)


def test_a_story_that_merges_keeps_the_older_number_and_the_merge_is_recorded(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    middle = text(50, 300).split()
    ends = [("a", "سلسلة", " ".join(middle[:160])), ("c", "غيرها", " ".join(middle[140:]))]
    for article in [*ends, ("b", "سلسلة", " ".join(middle[:190]))]:
        put(connection, [article])
        land(connection, settings, clock, everything)
    assert frozenset({"a", "b"}) in told(connection)
    before: dict[str, int] = dict(connection.execute("SELECT url, story_id FROM news.articles").fetchall())
    # The text of `c` is changed to what `b` has: two stories become one.
    connection.execute(
        "WITH changed AS (UPDATE news.entries e SET status = 'extracted', next_attempt_at = %s"
        "  WHERE url LIKE '%%/c' RETURNING id)"
        " UPDATE news.documents d SET text = %s FROM changed WHERE d.entry_id = changed.id",
        [NOW, " ".join(middle[:175])],
    )
    connection.commit()
    clock.advance(hours=1)
    land(connection, settings, clock, everything)
    assert frozenset({"a", "b", "c"}) in told(connection)
    agrees(connection)
    older, younger = sorted(set(before.values()))
    assert connection.execute("SELECT story_id, into_id FROM news.story_merges").fetchall() == [(younger, older)]
    assert connection.execute("SELECT DISTINCT story_id FROM news.articles").fetchall() == [(older,)]


def test_a_text_that_is_changed_leaves_its_story(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, corpus: list[tuple[str, str, str]]
) -> None:
    put(connection, corpus[:3])
    land(connection, settings, clock, everything)
    assert told(connection) == {frozenset({"0-whole", "0-cut", "0-edited"})}
    connection.execute(
        "WITH changed AS (UPDATE news.entries e SET status = 'extracted', next_attempt_at = %s"
        "  WHERE url LIKE '%%/0-whole' RETURNING id)"
        " UPDATE news.documents d SET title = 'آخر', text = %s FROM changed WHERE d.entry_id = changed.id",
        [NOW, text(77)],
    )
    connection.commit()
    land(connection, settings, clock, everything)
    assert told(connection) == {frozenset({"0-whole"}), frozenset({"0-cut", "0-edited"})}
    agrees(connection)


def test_articles_from_before_there_were_signatures_are_linked_by_an_upgrade(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, run: Run,
    corpus: list[tuple[str, str, str]],
) -> None:  # fmt: skip
    put(connection, corpus)
    land(connection, settings, clock, everything)
    right = told(connection)
    connection.execute(
        "WITH alone AS (INSERT INTO news.stories (first_article_id) SELECT id FROM news.articles"
        "               RETURNING id, first_article_id)"
        " UPDATE news.articles a SET story_id = alone.id FROM alone WHERE alone.first_article_id = a.id"
    )
    connection.execute(
        "DELETE FROM news.stories s WHERE NOT EXISTS (SELECT FROM news.articles a WHERE a.story_id = s.id)"
    )
    connection.execute("TRUNCATE news.article_signatures, news.article_links")
    connection.commit()
    done = run("db", "upgrade")
    assert f"{len(corpus)} existing articles" in done.stdout, done.stderr
    assert told(connection) == right
    agrees(connection)
    assert "articles" not in run("db", "upgrade").stdout


def test_links_say_how_alike_two_texts_are(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, corpus: list[tuple[str, str, str]]
) -> None:
    put(connection, corpus[:3])
    land(connection, settings, clock, everything)
    rows = connection.execute("SELECT relation, similarity, containment FROM news.article_links").fetchall()
    assert len(rows) == 3
    assert {row[0] for row in rows} == {"same_text", "syndicated"}
    assert all(0 < row[1] <= row[2] <= 1 for row in rows)


def test_candidates_are_found_through_the_index(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, corpus: list[tuple[str, str, str]]
) -> None:
    put(connection, corpus)
    land(connection, settings, clock, everything)
    connection.execute(
        "INSERT INTO news.article_signatures SELECT a.id, s.bands FROM news.articles a, news.article_signatures s"
        " ON CONFLICT DO NOTHING"
    )
    connection.execute("SET enable_seqscan = off")
    plan = connection.execute(
        "EXPLAIN SELECT s.article_id FROM news.article_signatures new CROSS JOIN LATERAL"
        " (SELECT article_id FROM news.article_signatures s WHERE s.bands && new.bands) AS s WHERE new.article_id = 1"
    ).fetchall()
    connection.rollback()
    assert any("article_signatures_bands_idx" in row[0] for row in plan), plan


@pytest.mark.parametrize("linked", [True, False])
def test_new_signatures_leave_or_make_the_same_stories(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, corpus: list[tuple[str, str, str]],
    monkeypatch: pytest.MonkeyPatch, linked: bool,
) -> None:  # fmt: skip
    put(connection, corpus)
    land(connection, settings, clock, everything)
    groups = told(connection)
    signed = "SELECT article_id, bands FROM news.article_signatures ORDER BY 1"
    kept = (
        signed,
        "SELECT * FROM news.article_links ORDER BY 1, 2",
        "SELECT id, story_id FROM news.articles ORDER BY 1",
        "SELECT story_id FROM news.story_merges ORDER BY 1",
    )
    before = [connection.execute(query).fetchall() for query in kept]
    if linked:
        connection.execute("TRUNCATE news.article_signatures")
    else:
        # As before there were signatures, stories and links; one article has a signature of the former kind.
        connection.execute("UPDATE news.stories SET size = 1; DELETE FROM news.article_links")
        stories.regroup(connection, [row[0] for row in before[0]], NOW)
        connection.execute("DELETE FROM news.story_merges; DELETE FROM news.article_signatures WHERE article_id > 1")
        connection.execute("UPDATE news.article_signatures SET bands = array_fill(1, ARRAY[48])")
    connection.commit()
    # Copies are in different transactions.
    monkeypatch.setattr("ingest.store.stories.clustering.AT_ONCE", 2)
    assert stories.count_unsigned(connection) == len(before[0])
    assert stories.catch_up(connection, NOW) == len(before[0])
    after = [connection.execute(query).fetchall() for query in kept]
    assert after[:2] == before[:2]
    assert told(connection) == groups
    if linked:
        assert after == before


def test_the_five_seeds_are_five_stories(connection: Connection, run: Run) -> None:
    seeds = SHARED / "seeds"
    if not seeds.is_dir():
        pytest.skip("no seeds")
    done = run("import", str(seeds))
    assert "5 landed" in done.stdout, done.stdout + done.stderr
    row = connection.execute("SELECT count(*), count(DISTINCT story_id) FROM news.articles").fetchone()
    assert row == (5, 5)
