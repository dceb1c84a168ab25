"""The news page, rendered from a real database. Its login is tested in a running Airflow too: tests/browser."""

import asyncio
import html
import re
from datetime import timedelta

import httpx
import psycopg
import pytest
from airflow.api_fastapi.app import init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user

from db import Connection, Database
from db.embedded import EmbeddedServer
from db.models import HEALTHS
from ingest.airflow.news_page import create_app, overview
from ingest.runtime.clock import utc_now
from tests.conftest import READER

VIEWER = SimpleAuthManagerUser(username="reader", role="VIEWER")


def get(path: str, *, user: SimpleAuthManagerUser | None = VIEWER) -> httpx.Response:
    """Ask for a page as somebody who is logged in; with None, as nobody."""
    init_auth_manager()
    app = create_app()
    if user is not None:
        app.dependency_overrides[get_user] = lambda: user

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.fixture
def filled(connection: Connection) -> Connection:
    """Two feeds and three articles, one of them with a title that is up to something."""
    connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at, health, failures,"
        " last_error, last_new_at) VALUES"
        " ('good', 'http://a.test/', 'a.test', 'شفق نيوز', '1 hour', now() - interval '9 days', now(), 'ok', 0, NULL,"
        " now()),"
        " ('bad', 'http://b.test/', 'b.test', 'B', '1 hour', now(), now(), 'failing', 3, 'b.test: HTTP 403', now())"
    )
    titles = ["وانسحاب القوات الأمريكية من العراق", "Troops leave Iraq", '<script>alert("x")</script>']
    for number, title in enumerate(titles, 1):
        address = f"http://a.test/{number}" if number < 3 else "javascript:alert(1)"
        connection.execute(
            "INSERT INTO news.entries (feed_id, identity, url, canonical_url, host, discovered_at, status)"
            " VALUES (1, %(n)s, %(n)s, %(n)s, 'a.test', now(), 'landed')",
            {"n": str(number)},
        )
        connection.execute(
            "WITH story AS (INSERT INTO news.stories (first_article_id) VALUES (%(n)s) RETURNING id)"
            " INSERT INTO news.articles (content_hash, entry_id, url, outlet, title, published_at, published_from,"
            " language, text, word_count, landed_at, story_id)"
            " SELECT encode(sha256(convert_to(%(title)s::text, 'UTF8')), 'hex'), %(n)s, %(url)s, 'شفق نيوز', %(title)s,"
            " now() - interval '50 s', 'feed', %(lang)s, %(title)s, 4, now() + %(n)s * interval '1 s', id FROM story",
            {"n": number, "title": title, "url": address, "lang": "ar" if number == 1 else "en"},
        )
    connection.commit()
    return connection


@pytest.fixture(autouse=True)
def settings_of_the_server(news_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWS_DATABASE_URL", news_db.url)


def text_of(answer: httpx.Response) -> str:
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", answer.text))


@pytest.mark.parametrize("path", ["/", "/?q=x", "/static/news.css", "/static/plotly.min.js", "/static/nonesuch"])
def test_nobody_sees_anything_without_a_login_and_the_right(path: str) -> None:
    assert get(path, user=None).status_code == 401
    # As a user with FAB's role Public: known, and allowed nothing.
    assert get(path, user=SimpleAuthManagerUser(username="public", role=None)).status_code == 403


@pytest.mark.parametrize("role", ["VIEWER", "USER", "OP", "ADMIN"])
def test_who_may_see_airflow_may_read_it(role: str) -> None:
    assert get("/", user=SimpleAuthManagerUser(username="somebody", role=role)).status_code == 200


def test_an_empty_database_is_explained() -> None:
    said = text_of(get("/"))
    assert "No feeds yet" in said
    assert "No articles yet." in said


def test_it_shows_health_outcomes_and_articles(filled: Connection) -> None:
    answer = get("/")
    assert answer.status_code == 200
    said = text_of(answer)
    assert re.search(r"bad\s+B\s+failing\s+3 × b.test: HTTP 403", said)
    assert re.search(r"1 / 2\s+feeds healthy\s+1 failing, 0 silent", said)
    assert re.search(r"landed\s+3\s+100.0 %", said)
    assert re.search(r"5\d s\s+published to landed, median\s+of the last 3 articles", said)
    # What fails stands on top.
    assert said.index("bad") < said.index("good")


def test_every_health_a_feed_can_have_is_shown(filled: Connection) -> None:
    for health in HEALTHS:
        filled.execute(
            "INSERT INTO news.feeds (slug, url, host, outlet, poll_every, created_at, next_poll_at, health, last_error)"
            " VALUES (%(slug)s, %(slug)s, 'h', 'H', '1 hour', now(), now(), %(health)s, 'why')",
            {"slug": f"all-{health}", "health": health},
        )
    filled.commit()
    said = text_of(get("/"))
    assert all(f"all-{health}" in said for health in HEALTHS)
    assert said.index("all-gone") < said.index("all-ok")


def test_alerts_are_said_at_their_feed(filled: Connection) -> None:
    filled.execute(
        "INSERT INTO news.alerts (feed_id, kind, started_at, noticed_at, ended_at, said, evidence) VALUES"
        " (1, 'filtered', now(), now(), NULL, 'all of it is <i>off topic</i>', '{}'),"
        " (1, 'unchanged', now(), now(), now(), 'long over', '{}')"
    )
    filled.commit()
    answer = get("/")
    assert "all of it is &lt;i&gt;off topic" in answer.text
    assert "long over" not in answer.text


def test_right_to_left_titles_say_so(filled: Connection) -> None:
    assert re.search(r'<summary dir="auto">\s*<span class="title" lang="ar">وانسحاب', get("/").text)


def test_hostile_titles_and_addresses_stay_text(filled: Connection) -> None:
    answer = get("/")
    assert "<script>alert" not in answer.text
    assert 'href="javascript:' not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r'(src|href)="https?://(?!a\.test)', answer.text)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("troops", 1), ("TROOPS iraq", 1), ("iraq troop", 1), ("troops syria", 0), ("troops -iraq", 0),
        # Spelling variants, particles in front, other forms.
        ("انسحاب", 1), ("الانسحاب", 1), ("القوات الامريكيه", 1), ("قوات", 1), ("العراق", 2),
        ('"قوات امريكية"~1', 1), ('"القوات الامريكية"', 1),
        ("a' | b & ! ( :*", 0), ("!!!", 0), ("  ", 3),
    ],
)  # fmt: skip
def test_search_finds_words_in_all_their_forms(filled: Connection, query: str, titles: int) -> None:
    answer = get(f"/?q={httpx.QueryParams({'q': query})['q']}")
    assert answer.text.count("<summary") == titles


def test_matches_are_counted_and_pages_and_spellings_are_offered(
    filled: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.airflow.news_page.overview.ARTICLES", 1)
    first = get("/?q=iraq").text
    assert "2 articles, page 1 of 2" in first
    assert '?q=iraq&amp;page=2#articles">next</a>' in first
    last = get("/?q=iraq&page=2").text
    assert last.count("<summary") == 1
    assert '?q=iraq&amp;page=1#articles">previous</a>' in last
    assert "This page is behind the last." in get("/?q=iraq&page=3").text
    assert get("/?q=iraq&page=-1").text.count("<summary") == 1
    assert '?q=troops#articles"' in get("/?q=trops").text or "searched for" in get("/?q=trops").text


def test_a_query_that_is_too_long_is_cut(filled: Connection) -> None:
    answer = get("/?q=" + "troops " * 100)
    assert (answer.status_code, answer.text.count("<summary")) == (200, 1)
    assert "Only the first 200 characters were searched for." in answer.text
    assert "characters were searched for" not in get("/?q=troops").text


@pytest.mark.parametrize(
    ("query", "titles"),
    [("%00", 3), ("troops%00", 1), ("tro%1Bops", 1), ("%00%00%0A", 3), ("%ff%fe", 0), ("%ED%A0%80", 0),
     ("a&q=troops", 1), ("%E2%80%AEtroops", 1), ("%", 0), ("%F0%9F%87", 0), ("x" * 500, 0)],
)  # fmt: skip
def test_whatever_stands_in_a_query_the_page_is_shown(filled: Connection, query: str, titles: int) -> None:
    answer = get(f"/?q={query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.count("<summary") == titles


def test_what_is_wrong_with_the_pipeline_stands_on_top(filled: Connection) -> None:
    assert 'class="troubles"' not in get("/").text
    filled.execute(
        "INSERT INTO news.configurations (file, problem, problem_since)"
        " VALUES ('topics', 'topics.yaml:3: <b>{{ 7*7 }}</b>', now() - interval '5 minutes')"
    )
    filled.commit()
    shown = get("/").text
    assert shown.index('class="troubles"') < shown.index('class="cards"')
    assert "<b>configuration</b> for 5 min" in shown
    assert "topics.yaml:3: &lt;b&gt;{{ 7*7 }}&lt;/b&gt;; no good one is known" in shown


def test_it_reads_with_a_role_that_cannot_write(filled: Connection, server: EmbeddedServer, news_db: Database) -> None:
    name = news_db.url.partition("@/")[2].partition("?")[0]
    with psycopg.connect(server.url(name, READER)) as reader:
        for attempt in (
            "DELETE FROM news.articles", "UPDATE news.feeds SET enabled = false", "CREATE TABLE news.mine (id int)",
            "SELECT body FROM news.pages", "SELECT pg_read_file('/etc/passwd')", "SET ROLE news", "SET ROLE postgres",
            "COPY news.feeds TO PROGRAM 'cat'",
        ):  # fmt: skip
            reader.execute("SET TRANSACTION READ WRITE")
            with pytest.raises(psycopg.errors.Error):
                reader.execute(attempt)
            reader.rollback()
        assert reader.execute("SELECT count(*) FROM news.articles").fetchone() == (3,)


def test_a_database_that_is_away_is_an_apology(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("NEWS_DATABASE_URL", f"postgresql://news:hunter2@/news?host={tmp_path}")
    answer = get("/")
    assert answer.status_code == 503
    assert "The database cannot be read" in answer.text
    assert "hunter2" not in answer.text


def test_small_outlets_share_a_colour() -> None:
    today = utc_now().date()
    rows = [(today, f"outlet {number}", 20 - number) for number in range(12)]
    drawn = overview.chart(rows, today - timedelta(days=2), today)
    assert len(drawn["days"]) == 3
    assert [outlet["name"] for outlet in drawn["outlets"]][-1] == "others"
    assert len(drawn["outlets"]) == overview.CHART_OUTLETS + 1
    assert sum(sum(outlet["articles"]) for outlet in drawn["outlets"]) == sum(count for _, _, count in rows)
