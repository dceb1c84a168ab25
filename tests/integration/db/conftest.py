"""Articles to search, for tests of the database."""

from datetime import UTC, datetime

import pytest

from db import Connection
from ingest.store.words import Words, split
from ingest.text.folding import content_identity

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
    # The words they have, as landing writes them down.
    Words().vectors(connection, [split(title, text) for _, _, _, title, text in ARTICLES])
    connection.commit()
    return connection
