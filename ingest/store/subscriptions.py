"""The table `websub_subscriptions`: which feeds hubs were asked to push, and the state of each subscription."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db import Connection
from ingest.runtime.backoff import after_failures

__all__ = ["Subscription", "activate", "at", "claim", "denied", "failed", "pushed"]

# A request that is not confirmed within this time is sent again.
CONFIRMED_WITHIN = timedelta(minutes=10)
FIRST_RETRY = timedelta(minutes=10)
DENIED_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Subscription:
    """A subscription to a feed at its hub. `feed` is the feed's id in feeds.yaml."""

    feed_id: int
    feed: str
    enabled: bool
    hub: str
    topic: str
    token: str
    secret: str
    status: str
    failures: int


_COLUMNS = "s.feed_id, f.slug AS feed, f.enabled, s.hub, s.topic, s.token, s.secret, s.status, s.failures"


def claim(connection: Connection, now: datetime, limit: int) -> list[Subscription]:
    """Claim subscriptions due for a request: new, or halfway through their lease. Other sessions skip claimed ones.

    A feed that has changed its hub gets a new address and secret.
    """
    due = connection.execute(
        """
        SELECT f.id, f.hub, f.topic, s.feed_id IS NOT NULL AND s.hub = f.hub AND s.topic = f.topic AS same,
               CASE WHEN s.hub = f.hub AND s.topic = f.topic AND s.status = 'requested' THEN s.failures + 1 ELSE 0 END
        FROM news.feeds f LEFT JOIN news.websub_subscriptions s ON s.feed_id = f.id
        WHERE f.enabled AND f.hub IS NOT NULL AND f.topic IS NOT NULL
          AND (s.feed_id IS NULL OR s.hub <> f.hub OR s.topic <> f.topic OR s.next_request_at <= %s)
        ORDER BY s.next_request_at NULLS FIRST, f.id LIMIT %s
        FOR UPDATE OF f SKIP LOCKED
        """,
        [now, limit],
    ).fetchall()
    # A hub that has not confirmed the last request is asked less and less often.
    for feed, hub, topic, same, unconfirmed in due:
        connection.execute(
            """
            INSERT INTO news.websub_subscriptions AS s
                (feed_id, hub, topic, token, secret, status, requested_at, next_request_at)
            VALUES (%(feed)s, %(hub)s, %(topic)s, %(token)s, %(secret)s, 'requested', %(now)s, %(again)s)
            ON CONFLICT (feed_id) DO UPDATE SET
                hub = excluded.hub, topic = excluded.topic, requested_at = excluded.requested_at,
                next_request_at = excluded.next_request_at,
                token = CASE WHEN %(same)s THEN s.token ELSE excluded.token END,
                secret = CASE WHEN %(same)s THEN s.secret ELSE excluded.secret END,
                status = CASE WHEN %(same)s AND s.status = 'active' THEN s.status ELSE excluded.status END,
                expires_at = CASE WHEN %(same)s THEN s.expires_at END,
                failures = CASE WHEN %(same)s THEN greatest(s.failures, %(unconfirmed)s) ELSE 0 END
            """,
            {
                "feed": feed,
                "hub": hub,
                "topic": topic,
                "same": same,
                "token": secrets.token_urlsafe(32),
                "secret": secrets.token_urlsafe(32),
                "now": now,
                "unconfirmed": unconfirmed,
                "again": now + after_failures(CONFIRMED_WITHIN, unconfirmed + 1),
            },
        )
        if not same:
            # The promise of the former hub no longer holds.
            connection.execute("UPDATE news.feeds SET pushed_until = NULL WHERE id = %s", [feed])
    with connection.cursor(row_factory=class_row(Subscription)) as cursor:
        claimed = cursor.execute(
            f"SELECT {_COLUMNS} FROM news.websub_subscriptions s JOIN news.feeds f ON f.id = s.feed_id"
            " WHERE s.feed_id = ANY(%s) ORDER BY s.feed_id",
            [[row[0] for row in due]],
        ).fetchall()
    connection.commit()
    return claimed


def at(connection: Connection, token: str) -> Subscription | None:
    """Return the subscription whose address ends in `token`."""
    with connection.cursor(row_factory=class_row(Subscription)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM news.websub_subscriptions s JOIN news.feeds f ON f.id = s.feed_id"
            " WHERE s.token = %s",
            [token],
        ).fetchone()


def activate(connection: Connection, subscription: Subscription, now: datetime, lease: timedelta) -> None:
    """Record that the hub has confirmed a subscription for this long. It is renewed at half of that time."""
    connection.execute(
        "UPDATE news.websub_subscriptions SET status = 'active', expires_at = %s, next_request_at = %s, failures = 0,"
        " error = NULL WHERE feed_id = %s AND token = %s",
        [now + lease, now + lease / 2, subscription.feed_id, subscription.token],
    )
    _pushed_until(connection, subscription, now + lease)
    connection.commit()


def denied(connection: Connection, subscription: Subscription, now: datetime, reason: str) -> None:
    """Record that the hub does not want the subscription, or no longer wants it."""
    connection.execute(
        "UPDATE news.websub_subscriptions SET status = 'denied', expires_at = NULL, next_request_at = %s, error = %s"
        " WHERE feed_id = %s AND token = %s",
        [now + DENIED_FOR, f"denied: {reason}" if reason else "denied", subscription.feed_id, subscription.token],
    )
    _pushed_until(connection, subscription, None)
    connection.commit()


def failed(connection: Connection, subscription: Subscription, now: datetime, error: str) -> datetime:
    """Record why a request failed. Return when to send the next one. An active subscription lasts until it expires."""
    again = now + after_failures(FIRST_RETRY, subscription.failures + 1)
    connection.execute(
        "UPDATE news.websub_subscriptions SET status = CASE WHEN expires_at > %(now)s THEN status ELSE 'failed' END,"
        " failures = failures + 1, error = %(error)s, next_request_at = %(again)s"
        " WHERE feed_id = %(feed)s AND token = %(token)s",
        {
            "now": now,
            "again": again,
            "error": error,
            "feed": subscription.feed_id,
            "token": subscription.token,
        },
    )
    connection.commit()
    return again


def pushed(connection: Connection, subscription: Subscription, now: datetime) -> None:
    """Record that the hub has pushed news. Does not commit."""
    connection.execute(
        "UPDATE news.websub_subscriptions SET last_push_at = %s WHERE feed_id = %s", [now, subscription.feed_id]
    )


def _pushed_until(connection: Connection, subscription: Subscription, until: datetime | None) -> None:
    connection.execute("UPDATE news.feeds SET pushed_until = %s WHERE id = %s", [until, subscription.feed_id])
