"""The feeds of feeds.yaml, and the feeds that stand for imported files."""

from collections.abc import Sequence
from datetime import datetime

from db import Connection
from db.rows import only_value
from ingest.config.feeds_file import FeedConfig
from ingest.store import hosts
from ingest.text.urls import host_of

__all__ = ["import_feed", "sync"]


def sync(connection: Connection, configured: Sequence[FeedConfig], now: datetime) -> None:
    """Bring the table in line with the configuration, in one transaction; feeds not in it are disabled, never deleted.

    A feed is known by its id; one whose URL changed is polled as if it were new.
    """
    hosts.register(connection, (host_of(feed.url) for feed in configured), now)
    connection.execute("LOCK TABLE news.feeds IN SHARE ROW EXCLUSIVE MODE")
    slugs = [feed.id for feed in configured]
    # An address that moved from one id to another must be free before the other takes it.
    connection.execute(
        "UPDATE news.feeds SET enabled = false, health = 'disabled', lease_holder = NULL"
        " WHERE slug <> ALL(%s) AND health <> 'disabled'",
        [slugs],
    )
    connection.execute(
        "UPDATE news.feeds SET url = url || '#formerly-' || slug"
        " WHERE (slug, url) NOT IN (SELECT * FROM unnest(%s::text[], %s::text[])) AND url = ANY(%s)",
        [slugs, [feed.url for feed in configured], [feed.url for feed in configured]],
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO news.feeds AS f (slug, url, host, outlet, language, country, scope, enabled, poll_every,
                                         poll_within, max_age, created_at, next_poll_at, health)
            VALUES (%(slug)s, %(url)s, %(host)s, %(outlet)s, %(language)s, %(country)s, %(scope)s, %(enabled)s,
                    %(poll_every)s, %(poll_within)s, %(max_age)s, %(now)s, %(now)s,
                    CASE WHEN %(enabled)s THEN 'waiting' ELSE 'disabled' END)
            ON CONFLICT (slug) DO UPDATE SET
                url = excluded.url, host = CASE WHEN f.url = excluded.url THEN f.host ELSE excluded.host END,
                outlet = excluded.outlet, language = excluded.language,
                country = excluded.country, scope = excluded.scope, enabled = excluded.enabled,
                poll_every = excluded.poll_every, poll_within = excluded.poll_within, max_age = excluded.max_age,
                next_poll_at = CASE WHEN f.url <> excluded.url OR NOT f.enabled THEN excluded.next_poll_at
                                    ELSE least(f.next_poll_at,
                                               greatest(%(now)s, f.last_polled_at + excluded.poll_every)) END,
                lease_holder = CASE WHEN f.url <> excluded.url THEN NULL ELSE f.lease_holder END,
                etag = CASE WHEN f.url = excluded.url THEN f.etag END,
                last_modified = CASE WHEN f.url = excluded.url THEN f.last_modified END,
                body_hash = CASE WHEN f.url = excluded.url THEN f.body_hash END,
                distrust = CASE WHEN f.url = excluded.url THEN f.distrust END,
                moved_to = CASE WHEN f.url = excluded.url THEN f.moved_to END,
                moved_polls = CASE WHEN f.url = excluded.url THEN f.moved_polls ELSE 0 END,
                hub = CASE WHEN f.url = excluded.url THEN f.hub END,
                topic = CASE WHEN f.url = excluded.url THEN f.topic END,
                pushed_until = CASE WHEN f.url = excluded.url THEN f.pushed_until END,
                health = CASE WHEN NOT excluded.enabled THEN 'disabled'
                              WHEN f.health = 'disabled' THEN 'waiting' ELSE f.health END
            WHERE (f.url, f.outlet, f.language, f.country, f.scope, f.enabled, f.poll_every, f.poll_within, f.max_age)
                IS DISTINCT FROM (excluded.url, excluded.outlet, excluded.language, excluded.country, excluded.scope,
                                  excluded.enabled, excluded.poll_every, excluded.poll_within, excluded.max_age)
            """,
            [
                {
                    "slug": feed.id,
                    "url": feed.url,
                    "host": host_of(feed.url),
                    "outlet": feed.outlet,
                    "language": feed.language,
                    "country": feed.country,
                    "scope": feed.scope,
                    "enabled": feed.enabled,
                    "poll_every": feed.poll_every,
                    "poll_within": feed.poll_within or feed.poll_every,
                    "max_age": feed.max_age,
                    "now": now,
                }
                for feed in configured
            ],
        )
    connection.commit()


def import_feed(connection: Connection, now: datetime, outlet: str | None = None, country: str | None = None) -> int:
    """Return the id of the feed that stands for imported files, made when missing. It is never polled.

    Files that name their publishers have a feed for each, `import:` and the name.
    """
    slug = "import" if outlet is None else f"import:{outlet}" + (f":{country}" if country else "")
    url = "import:" if outlet is None else slug
    connection.execute(
        "INSERT INTO news.feeds (slug, url, host, outlet, country, enabled, poll_every, created_at, next_poll_at,"
        " health) VALUES (%(slug)s, %(url)s, '', %(outlet)s, %(country)s, false, interval '1 day', %(now)s, %(now)s,"
        " 'disabled') ON CONFLICT (slug) DO NOTHING",
        {"slug": slug, "url": url, "outlet": outlet or "import", "country": country, "now": now},
    )
    number = only_value(connection, "SELECT id FROM news.feeds WHERE slug = %s", [slug])
    # Entries are locked before feeds, everywhere.
    connection.commit()
    return int(number)
