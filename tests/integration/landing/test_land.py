from datetime import timedelta

import psycopg
import pytest

from db import Connection, Database, SchemaMismatch
from ingest.config.settings import Settings
from ingest.landing.judging import MOST_CHARACTERS
from ingest.landing.land import BATCH, land
from ingest.model.document import Document
from ingest.model.status import Status
from ingest.store import articles, documents, ledger
from ingest.store.feeds import import_feed
from ingest.store.ledger import NewEntry
from ingest.text.arabic import read_lexicon, version_of
from ingest.text.urls import canonical_url
from ingest.topics.topics import Match, TopicSet
from tests.conftest import NOW, READER, Clock


def test_an_entry_whose_document_is_gone_ends_in_the_ledger(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    entry = NewEntry("a", "http://a/1", "http://a/1", "a", None, None, None, None, None, status=Status.EXTRACTED)
    ledger.record(connection, import_feed(connection, NOW), [entry], NOW)
    connection.commit()
    land(connection, settings, clock, everything)
    assert connection.execute("SELECT status, reason FROM news.entries").fetchall() == [
        ("rejected", "its document is no longer stored")
    ]


def stored(connection: Connection, url: str, page_url: str | None, text: str) -> int:
    """An extracted document of a page that states an address as its own; returns its entry."""
    entry = NewEntry(url, url, canonical_url(url), "a", None, None, None, None, None, status=Status.EXTRACTED)
    (number,) = ledger.record(connection, import_feed(connection, NOW), [entry], NOW)
    document = Document("title", None, NOW, "feed", "en", text, "test", page_url=page_url)
    documents.save(connection, [(number, document)], NOW)
    connection.commit()
    return number


PAGE = "http://a.example/news/troops-leave-iraq"
WHOLE, SHORT = "The whole text of the article, with all it says.", "The text for telephones, which is another one."


@pytest.mark.parametrize("at_once", [True, False])
def test_editions_of_a_page_are_one_article(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, at_once: bool
) -> None:
    whole = stored(connection, PAGE, PAGE, WHOLE)
    if not at_once:
        land(connection, settings, clock, everything)
    stored(connection, "http://m.a.example/news/troops-leave-iraq", PAGE, SHORT)
    amp = stored(connection, "http://a.example/amp/news/troops-leave-iraq", PAGE, SHORT)
    counts = land(connection, settings, clock, everything)
    assert counts.duplicate == 2
    assert connection.execute("SELECT entry_id, text, url FROM news.articles").fetchall() == [(whole, WHOLE, PAGE)]
    assert connection.execute("SELECT status, reason FROM news.entries WHERE id = %s", [amp]).fetchall() == [
        ("duplicate", "same page")
    ]
    assert connection.execute("SELECT count(*) FROM news.sightings").fetchone() == (3,)
    assert connection.execute("SELECT count(*) FROM news.stories").fetchone() == (1,)


def test_of_several_editions_the_one_at_its_own_address_is_taken(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    stored(connection, "http://a.example/amp/news/troops-leave-iraq", PAGE, SHORT)
    stored(connection, PAGE, PAGE, WHOLE)
    land(connection, settings, clock, everything)
    assert connection.execute("SELECT text FROM news.articles").fetchall() == [(WHOLE,)]


def test_a_text_that_cannot_be_stored_does_not_keep_the_others(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    good = stored(connection, "http://a.example/good", None, WHOLE)
    bad = stored(connection, "http://a.example/bad", None, SHORT)
    # What no column of PostgreSQL refuses, and no program can read: a year before the first.
    connection.execute(
        "UPDATE news.documents SET published_at = '0044-03-15 BC', published_from = 'feed' WHERE entry_id = %s", [bad]
    )
    connection.commit()
    counts = land(connection, settings, clock, everything)
    assert counts.landed == 1
    rows = connection.execute("SELECT id, status FROM news.entries ORDER BY id").fetchall()
    assert rows == [(good, "landed"), (bad, "rejected")]


def test_a_text_of_a_hundred_thousand_different_words_lands(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    """PostgreSQL refuses search vectors of more than a megabyte."""
    stored(connection, "http://a.example/long", None, " ".join(f"كلمة{number}" for number in range(120_000)))
    assert land(connection, settings, clock, everything).landed == 1


@pytest.mark.parametrize("aggregator_first", [True, False])
def test_the_first_of_a_story_does_not_depend_on_who_is_credited_when(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, aggregator_first: bool
) -> None:
    """Of a page in two feeds the one of its own host gives the date, whichever came first."""
    for slug, host in (("aggregator", "b.example"), ("own", "a.example")):
        connection.execute(
            "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at)"
            " VALUES (%(slug)s, %(slug)s, %(host)s, %(slug)s, '1 hour', now(), now())",
            {"slug": slug, "host": host},
        )
    text = " ".join(f"word{number}" for number in range(80))

    def add(feed: str, url: str, hours: int, body: str | None) -> None:
        row = connection.execute("SELECT id FROM news.feeds WHERE slug = %s", [feed]).fetchone()
        assert row is not None
        at = NOW - timedelta(hours=hours)
        status = Status.DISCOVERED if body is None else Status.EXTRACTED
        entry = NewEntry(url, url, url, "a.example", "t", None, None, None, at, status=status)
        for number in ledger.record(connection, row[0], [entry], NOW):
            if body is not None:
                documents.save(connection, [(number, Document("t", None, at, "feed", "en", body, "test"))], NOW)
        connection.commit()

    page = "http://a.example/page"
    steps = [("aggregator", page, 1, text), ("own", page, 9, None)]
    if not aggregator_first:
        steps = [("own", page, 9, text), ("aggregator", page, 1, None)]
    add(*steps[0])
    add("aggregator", "http://c.example/copy", 5, text + " and one thing more")
    land(connection, settings, clock, everything)
    add(*steps[1])
    articles.settle_twins(connection, [page], NOW)
    connection.commit()
    first = connection.execute(
        "SELECT a.url, a.published_at FROM news.stories s JOIN news.articles a ON a.id = s.first_article_id"
    ).fetchall()
    assert first == [(page, NOW - timedelta(hours=9))]


class Surprised(TopicSet):
    """Topics that take every text, but for one that makes them fail."""

    def __init__(self) -> None:
        super().__init__({})

    def judge(self, title: str | None, sentences: list[str], text: str = "", country: str | None = None) -> list[Match]:
        if "surprise" in sentences[0]:
            raise ZeroDivisionError("a surprise\nin two lines")
        return [Match("everything", 3.0, "about", {})]


def ends(connection: Connection) -> list[tuple[str, str | None, int]]:
    rows = connection.execute("SELECT status, reason, attempts FROM news.entries ORDER BY id").fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_document_at_which_landing_fails_is_given_up_and_keeps_no_other(
    connection: Connection, settings: Settings, clock: Clock
) -> None:
    for number, text in enumerate(("The first text.", "A surprise.", "The third text.")):
        stored(connection, f"http://a.example/{number}", None, text)
    counts = land(connection, settings, clock, Surprised())
    assert (counts.landed, counts.retried) == (2, 1)
    failed = "landing failed: ZeroDivisionError: a surprise"
    assert ends(connection)[1] == ("extracted", failed, 1)
    # Not before its time.
    assert land(connection, settings, clock, Surprised()).retried == 0
    clock.advance(minutes=2)
    assert land(connection, settings, clock, Surprised()).retried == 1
    clock.advance(minutes=5)
    assert land(connection, settings, clock, Surprised()).dead == 1
    assert ends(connection)[1] == ("dead", "landing failed 3 times: ZeroDivisionError: a surprise", 2)
    assert connection.execute("SELECT count(*) FROM news.articles").fetchone() == (2,)


def test_a_document_that_the_database_fails_at_keeps_no_other(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    for number, text in enumerate(("The first text.", "A surprise.", "The third text.")):
        stored(connection, f"http://a.example/{number}", None, text)
    connection.execute(
        "CREATE FUNCTION news.fail() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN IF new.text ~ 'surprise' THEN RAISE EXCEPTION 'no such luck'; END IF; RETURN new; END$$;"
        " CREATE TRIGGER fail BEFORE INSERT ON news.articles FOR EACH ROW EXECUTE FUNCTION news.fail()"
    )
    connection.commit()
    counts = land(connection, settings, clock, everything)
    assert (counts.landed, counts.retried) == (2, 1)
    assert ends(connection)[1] == ("extracted", "landing failed: RaiseException: no such luck", 1)


def test_a_text_that_no_article_has_is_rejected(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    stored(connection, "http://a.example/1", None, "word " * (MOST_CHARACTERS // 4))
    stored(connection, "http://a.example/2", None, "A text of the usual length.")
    counts = land(connection, settings, clock, everything)
    assert (counts.landed, counts.rejected) == (1, 1)
    assert ends(connection)[0][:2] == ("rejected", "a text of more than 2,000,000 characters")


def test_a_batch_is_bounded_by_characters_too(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.landing.judging.MOST_CHARACTERS", 40)
    for number in range(5):
        stored(connection, f"http://a.example/{number}", None, f"Text number {number}, a long one.")
    reported: list[int] = []
    land(
        connection,
        settings,
        clock,
        everything,
        on_outcome=lambda what, count: reported.append(count * (what == "landed")),
    )
    assert [count for count in reported if count] == [2, 2, 1]


class Counting(TopicSet):
    """Topics that take every text with an even number, and count the texts."""

    def __init__(self) -> None:
        super().__init__({})
        self.judged = 0

    def judge(self, title: str | None, sentences: list[str], text: str = "", country: str | None = None) -> list[Match]:
        self.judged += 1
        return [Match("even", 3.0, "about", {})] if int(sentences[0].split()[-1]) % 2 == 0 else []


@pytest.mark.parametrize("stop", [2, BATCH, BATCH + 2])
def test_landing_that_is_told_to_stop_gives_back_what_it_has_not_judged(
    connection: Connection, settings: Settings, clock: Clock, stop: int
) -> None:
    for number in range(2 * BATCH + 5):
        stored(connection, f"http://a.example/{number}", None, f"Text number {number}.")
    topics = Counting()
    counts = land(connection, settings, clock, topics, stopping=lambda: topics.judged >= stop)
    assert counts.landed + counts.off_topic == stop
    free = connection.execute("SELECT count(*) FROM news.entries WHERE lease_holder IS NULL AND status = 'extracted'")
    assert free.fetchone() == (2 * BATCH + 5 - stop,)


def test_batch_after_batch_lands(connection: Connection, settings: Settings, clock: Clock) -> None:
    for number in range(2 * BATCH + 5):
        stored(connection, f"http://a.example/{number}", None, f"Text number {number}.")
    counts = land(connection, settings, clock, Counting())
    assert (counts.landed, counts.off_topic) == (BATCH + 3, BATCH + 2)
    texts = connection.execute("SELECT text FROM news.articles ORDER BY id").fetchall()
    assert texts == [(f"Text number {number}.",) for number in range(0, 2 * BATCH + 5, 2)]


def test_the_words_of_texts_off_topic_are_not_written_down(
    connection: Connection, settings: Settings, clock: Clock
) -> None:
    stored(connection, "http://a.example/1", None, "Wanted: 2.")
    stored(connection, "http://a.example/2", None, "Unwanted: 1.")
    land(connection, settings, clock, Counting())
    words = connection.execute("SELECT word FROM news.words ORDER BY word").fetchall()
    assert words == [("2",), ("title",), ("wanted",)]


def test_what_another_session_has_taken_over_does_not_land_twice(
    connection: Connection, database: Database, settings: Settings, clock: Clock
) -> None:
    """A process that was frozen after it had claimed, while others took its lease for run out."""
    stored(connection, "http://a.example/1", None, "The text.")

    class Frozen(TopicSet):
        def judge(
            self, title: str | None, sentences: list[str], text: str = "", country: str | None = None
        ) -> list[Match]:
            with database.connect() as other:
                other.execute("UPDATE news.leases SET alive_until = clock_timestamp()")
                other.commit()
                land(other, settings, clock, Surprised())
            return [Match("everything", 3.0, "about", {})]

    assert land(connection, settings, clock, Frozen({})).landed == 0
    assert ends(connection) == [("landed", None, 0)]
    assert connection.execute("SELECT count(*) FROM news.articles").fetchone() == (1,)


def test_landing_goes_on_beside_a_reader_who_locks_what_it_may(
    connection: Connection, database: Database, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    stored(connection, "http://a.example/1", None, "The text.")
    connection.execute("SET lock_timeout = '5s'")
    connection.commit()
    with psycopg.connect(database.url.replace("//news@", f"//{READER}@")) as reader:
        reader.execute("SELECT count(*) FROM news.articles, news.stories, news.entries")
        for key in (7_300_215_902, 0x6E657773):
            reader.execute("SELECT pg_advisory_lock(%s)", [key])
        assert land(connection, settings, clock, everything).landed == 1


def test_with_another_lexicon_nothing_lands_and_nothing_is_given_up(
    connection: Connection, settings: Settings, everything: TopicSet, clock: Clock
) -> None:
    entry = stored(connection, PAGE, PAGE, WHOLE)
    connection.execute("UPDATE news.analysis SET version = 'of another program'")
    connection.commit()
    with pytest.raises(SchemaMismatch, match="ingest db upgrade"):
        land(connection, settings, clock, everything)
    assert connection.execute("SELECT status, attempts FROM news.entries WHERE id = %s", [entry]).fetchall() == [
        ("extracted", 0)
    ]
    connection.execute("UPDATE news.analysis SET version = %s", [version_of(read_lexicon())])
    connection.commit()
    assert land(connection, settings, clock, everything).landed == 1
