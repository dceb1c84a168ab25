"""How entries move from status to status: every statement that changes a status.

No other module changes a row's status, and a trigger refuses moves that are not in `ingest.model.status.MOVES`.
Functions for claimed entries do not commit: a stage commits its result together with the new status.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from db import Connection
from ingest.model.document import NO_TEXT
from ingest.model.status import Status
from ingest.store.ledger.due import wake
from ingest.store.ledger.ranks import BACKFILL, LIVE, RECHECK
from ingest.store.ledger.selection import ENDED, SELECTED, Selection

__all__ = [
    "End",
    "advance",
    "credit",
    "end",
    "end_landing",
    "end_unchanged",
    "land_again",
    "let_through",
    "refetch",
    "reject",
    "reopen",
    "set_off_topic",
    "settle_waiting",
    "take_up_rechecks",
    "work_again",
]

# Every landed page is fetched once more after this time plus up to a day, to spread the load over the day.
RECHECK_AFTER = "interval '24 hours' + make_interval(secs => mod(e.id * 7919, 86400)::double precision)"
# Young pages are also fetched again after about one and three hours, counted from their discovery. Of the edits of one
# agency's items, all are seen so, half of them within 1.1 hours; after a day alone it is 22 hours.
_YOUNG = "coalesce(e.published_at, e.discovered_at) > e.discovered_at - interval '1 day'"
_EARLY_LOOKS = ", ".join(
    f"CASE WHEN {_YOUNG} THEN e.discovered_at"
    f" + interval '{hours} hours' * (1 + mod(e.id * 7919, 100)::double precision / 1000) END"
    for hours in (1, 3)
)
_LAST_LOOK = f"e.discovered_at + {RECHECK_AFTER}"
# A text without a topic is provisional if it is so short, in characters: a flash, whose text comes later.
SHORT_TEXT = 800
# One statement queues and locks this many, which takes the database about a second.
MOST_RECHECKS = 10_000
# The status and reason of an entry whose text has landed, from its article `a`.
_STANDING = """
    CASE WHEN a.entry_id = e.id THEN 'landed' ELSE 'duplicate' END AS status,
    CASE WHEN a.entry_id = e.id THEN NULL
         WHEN credited.canonical_url = e.canonical_url THEN 'same page' ELSE 'same text' END AS reason"""


# The stored document is still the one that was read, by its time of extraction, or there still is none.
_AS_READ = (
    "(SELECT d.extracted_at FROM news.documents d WHERE d.entry_id = e.id) IS NOT DISTINCT FROM again.extracted_at"
)


def _next_look(now: str, *looks: str) -> str:
    """Return the SQL for the first of the times after `now`, or null."""
    return f"(SELECT min(look) FROM unnest(ARRAY[{', '.join(looks)}]) AS look WHERE look > {now})"


class End(NamedTuple):
    """How an entry ends. `score` is that of the topic mentioned by a text that is on none."""

    entry: int
    status: Status
    reason: str | None = None
    score: float | None = None


# --- entries in flight, claimed by this session


def advance(connection: Connection, ids: Sequence[int], status: Status, now: datetime) -> set[int]:
    """Move claimed entries to the next stage, due at once. Return those this session still owned."""
    if not ids:
        return set()
    rows = connection.execute(
        "UPDATE news.entries SET status = %s, reason = NULL, attempts = 0, next_attempt_at = %s, lease_holder = NULL"
        " WHERE id = ANY(%s) AND lease_holder = news.lease() RETURNING id",
        [status, now, ids],
    ).fetchall()
    return {row[0] for row in rows}


def end(connection: Connection, ends: Sequence[End], now: datetime | None = None) -> None:
    """End entries this session has claimed.

    If the text has landed before and its page was fetched again, that outcome stays and the reason is noted. A young
    page without a text is fetched again, if `now` is given: the text may come later.
    """
    if not ends:
        return
    connection.execute(
        f"""
        UPDATE news.entries e SET
            status = coalesce(standing.status, ended.status),
            reason = CASE WHEN standing.status IS NULL THEN ended.reason
                          ELSE concat_ws('; ', standing.reason, 'fetched again: ' || ended.reason) END,
            recheck_at = CASE WHEN standing.status IS NULL AND starts_with(ended.reason, '{NO_TEXT}')
                                   AND e.priority <> {BACKFILL} AND e.host <> ''
                              THEN {_next_look("clock.now", _EARLY_LOOKS)} ELSE e.recheck_at END,
            next_attempt_at = NULL, lease_holder = NULL
        FROM (SELECT %s::timestamptz AS now) AS clock,
             unnest(%s::bigint[], %s::text[], %s::text[], %s::real[]) AS ended(id, status, reason, score)
        LEFT JOIN LATERAL (
            SELECT {_STANDING} FROM news.entries e JOIN news.sightings s ON s.entry_id = e.id
            JOIN news.articles a ON a.id = s.article_id JOIN news.entries credited ON credited.id = a.entry_id
            WHERE e.id = ended.id) AS standing ON true
        WHERE e.id = ended.id AND e.lease_holder = news.lease()
        """,
        [now, *_columns(ends)],
    )


def end_unchanged(connection: Connection, ids: Sequence[int]) -> set[int]:
    """End claimed entries whose page has not changed since it landed. Return those that had landed."""
    if not ids:
        return set()
    rows = connection.execute(
        f"""
        UPDATE news.entries SET status = standing.status, reason = standing.reason, next_attempt_at = NULL,
                                lease_holder = NULL
        FROM (SELECT e.id, {_STANDING} FROM news.entries e JOIN news.sightings s ON s.entry_id = e.id
              JOIN news.articles a ON a.id = s.article_id JOIN news.entries credited ON credited.id = a.entry_id
              WHERE e.id = ANY(%s)) AS standing
        WHERE entries.id = standing.id AND entries.lease_holder = news.lease()
        RETURNING entries.id
        """,
        [list(ids)],
    ).fetchall()
    return {row[0] for row in rows}


def end_landing(connection: Connection, ends: Sequence[End], now: datetime) -> None:
    """End entries this session has claimed for landing.

    A page that has landed is fetched again: a young one after some hours, every one in a day or two. One that is off
    topic is fetched again after some hours if that may change: if its text is short, or mentions a topic.
    """
    if not ends:
        return
    connection.execute(
        f"""
        UPDATE news.entries e SET
            status = ended.status, reason = ended.reason, next_attempt_at = NULL, lease_holder = NULL,
            topic_score = ended.score,
            recheck_at = CASE
                WHEN e.priority = {BACKFILL} OR e.host = '' THEN e.recheck_at
                WHEN ended.status = 'landed' THEN coalesce(
                    {_next_look("clock.now", _EARLY_LOOKS, _LAST_LOOK)},
                    CASE WHEN e.priority = {LIVE} THEN clock.now + {RECHECK_AFTER} END)
                WHEN ended.status = 'off_topic' AND (ended.score IS NOT NULL OR EXISTS (
                    SELECT FROM news.documents d WHERE d.entry_id = e.id AND length(d.text) < {SHORT_TEXT}))
                THEN {_next_look("clock.now", _EARLY_LOOKS)}
                ELSE e.recheck_at END
        FROM (SELECT %s::timestamptz AS now) AS clock,
             unnest(%s::bigint[], %s::text[], %s::text[], %s::real[]) AS ended(id, status, reason, score)
        WHERE e.id = ended.id AND e.status = 'extracted' AND e.lease_holder = news.lease()
        """,
        [now, *_columns(ends)],
    )


def _columns(ends: Sequence[End]) -> list[list[object]]:
    return [list(column) for column in zip(*ends, strict=True)]


def settle_waiting(connection: Connection, ends: Sequence[End]) -> None:
    """End entries that were waiting to be fetched, because their page has ended. The caller has locked them."""
    connection.execute(
        "UPDATE news.entries e SET status = ended.status, reason = ended.reason, topic_score = ended.score,"
        " next_attempt_at = NULL"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::real[]) AS ended(id, status, reason, score)"
        " WHERE e.id = ended.id AND e.status = 'discovered'",
        _columns(ends),
    )


# --- entries that have ended


def take_up_rechecks(connection: Connection, now: datetime) -> int:
    """Queue the pages that are due for a recheck. Return how many."""
    taken = connection.execute(
        f"""
        UPDATE news.entries e SET
            status = 'discovered', reason = NULL, priority = %(recheck)s, attempts = 0, next_attempt_at = %(now)s,
            rechecks = e.rechecks + 1,
            -- One that was asked for by the feed does not stand for those that every page has.
            recheck_at = CASE WHEN e.status IN ('landed', 'duplicate')
                              THEN {_next_look("%(now)s", _EARLY_LOOKS, _LAST_LOOK)}
                              ELSE {_next_look("%(now)s", _EARLY_LOOKS)} END
        WHERE e.id IN (SELECT id FROM news.entries WHERE recheck_at <= %(now)s AND next_attempt_at IS NULL
                       ORDER BY recheck_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        """,
        {"now": now, "recheck": RECHECK, "limit": MOST_RECHECKS},
    ).rowcount
    connection.commit()
    return taken


def credit(connection: Connection, pairs: Sequence[tuple[int, int]], reason: str) -> None:
    """Change which entries articles describe: (former, present). The former become duplicates with this reason.

    An entry that is in flight for a recheck gets its status when it comes back.
    """
    if not pairs:
        return
    connection.execute(
        """
        UPDATE news.entries e SET
            status = CASE WHEN e.id = pair.present THEN 'landed' ELSE 'duplicate' END,
            reason = CASE WHEN e.id = pair.present THEN NULL ELSE %s END
        FROM unnest(%s::bigint[], %s::bigint[]) AS pair(former, present)
        WHERE e.id IN (pair.present, pair.former) AND e.status IN ('landed', 'duplicate')
        """,
        [reason, *(list(column) for column in zip(*pairs, strict=True))],
    )


def work_again(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Land ended entries again, because their article was withdrawn. Those without a stored document are refetched."""
    connection.execute(
        "UPDATE news.entries e SET reason = NULL, attempts = 0, next_attempt_at = %s,"
        " status = CASE WHEN EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id) THEN 'extracted'"
        " ELSE 'discovered' END WHERE e.id = ANY(%s) AND e.next_attempt_at IS NULL",
        [now, list(ids)],
    )


def refetch(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Fetch the pages of ended entries again, because their feeds say something new about them."""
    connection.execute(
        "UPDATE news.entries SET status = 'discovered', reason = NULL, attempts = 0, next_attempt_at = %s,"
        # An item that its title kept out so far has never been fetched.
        " priority = CASE WHEN reason = 'gate' THEN %s ELSE %s END WHERE id = ANY(%s) AND next_attempt_at IS NULL",
        [now, LIVE, RECHECK, list(ids)],
    )


def land_again(connection: Connection, entries: Sequence[tuple[int, datetime | None]], now: datetime) -> set[int]:
    """Land ended entries again, because their documents have changed. Return those not taken up in the meantime.

    Each entry comes with the extraction time of the document that is replaced, or None if there was none.
    """
    if not entries:
        return set()
    rows = connection.execute(
        "UPDATE news.entries e SET status = 'extracted', reason = NULL, attempts = 0, next_attempt_at = %s"
        " FROM unnest(%s::bigint[], %s::timestamptz[]) AS again(id, extracted_at)"
        f" WHERE e.id = again.id AND {ENDED} AND {_AS_READ} RETURNING e.id",
        [now, *(list(column) for column in zip(*entries, strict=True))],
    ).fetchall()
    return {row[0] for row in rows}


def reject(connection: Connection, ends: Sequence[tuple[int, str, datetime | None]]) -> set[int]:
    """Reject ended entries, each for a reason. Return those not taken up in the meantime.

    Entries of other feeds for the same page are rejected too if they have no document of their own.
    """
    if not ends:
        return set()
    rows = connection.execute(
        f"""
        WITH again AS (
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS again(id, reason, extracted_at)
        ), mine AS (
            SELECT e.id, e.canonical_url, again.reason FROM news.entries e JOIN again USING (id)
            WHERE {ENDED} AND {_AS_READ}
        ), ended AS (
            SELECT id, reason FROM mine
            UNION
            SELECT twin.id, mine.reason FROM mine JOIN news.entries twin USING (canonical_url)
            WHERE twin.next_attempt_at IS NULL AND twin.status IN ('landed', 'duplicate')
              AND NOT EXISTS (SELECT FROM news.documents d WHERE d.entry_id = twin.id)
        )
        UPDATE news.entries e SET status = 'rejected', reason = ended.reason
        FROM ended WHERE e.id = ended.id RETURNING e.id
        """,
        [list(column) for column in zip(*ends, strict=True)],
    ).fetchall()
    return {row[0] for row in rows}


def set_off_topic(connection: Connection, ends: Sequence[tuple[int, str, float | None]]) -> set[int]:
    """Mark ended entries as off topic, each with a reason and the score of the topic it mentions.

    Return those that were not off topic before, including entries of other feeds for the same page.
    """
    if not ends:
        return set()
    rows = connection.execute(
        f"""
        WITH judged AS (
            SELECT * FROM unnest(%s::bigint[], %s::text[], %s::real[]) AS judged(id, reason, score)
        ), mine AS (
            SELECT e.id, e.canonical_url, e.status, judged.reason, judged.score
            FROM news.entries e JOIN judged USING (id) WHERE {ENDED}
        ), ended AS (
            SELECT id, status, reason, score FROM mine
            UNION
            SELECT twin.id, twin.status, mine.reason, mine.score FROM mine JOIN news.entries twin USING (canonical_url)
            WHERE mine.status <> 'off_topic' AND twin.next_attempt_at IS NULL AND twin.status IN ('landed', 'duplicate')
              AND NOT EXISTS (SELECT FROM news.documents d WHERE d.entry_id = twin.id)
        ), changed AS (
            UPDATE news.entries e SET status = 'off_topic', reason = ended.reason, topic_score = ended.score
            FROM ended WHERE e.id = ended.id
              AND (e.status, e.reason, e.topic_score) IS DISTINCT FROM ('off_topic', ended.reason, ended.score)
            RETURNING e.id, ended.status
        )
        SELECT id FROM changed WHERE status <> 'off_topic'
        """,
        [list(column) for column in zip(*ends, strict=True)],
    ).fetchall()
    return {row[0] for row in rows}


def let_through(connection: Connection, entries: Sequence[int], now: datetime) -> int:
    """Queue entries kept out by a gate for fetching, behind everything new. Return how many."""
    opened = connection.execute(
        "UPDATE news.entries SET status = 'discovered', reason = NULL, attempts = 0, next_attempt_at = %s,"
        " priority = %s WHERE id = ANY(%s) AND status = 'off_topic' AND reason = 'gate'",
        [now, BACKFILL, list(entries)],
    ).rowcount
    if opened:
        wake(connection, opened)
    return opened


def reopen(connection: Connection, now: datetime, selection: Selection, *, reason: str | None = None) -> int:
    """Reopen entries that ended without an article. Return how many.

    Entries with a stored page are extracted again, imported texts land again, and all others are fetched. `reason`
    matches a part of the entry's reason. Entries kept out by a feed's gate or without a usable address stay as they
    are.
    """
    reopened = connection.execute(
        f"""
        UPDATE news.entries e
        SET status = CASE WHEN EXISTS (SELECT FROM news.pages p WHERE p.entry_id = e.id) THEN 'fetched'
                          WHEN e.host = '' THEN 'extracted' ELSE 'discovered' END,
            reason = NULL, attempts = 0, next_attempt_at = %(now)s, lease_holder = NULL
        WHERE e.status IN ('off_topic', 'rejected', 'dead') AND e.url IS NOT NULL AND e.reason <> 'gate'
          AND (e.host <> '' OR EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id))
          AND NOT EXISTS (SELECT FROM news.sightings s WHERE s.entry_id = e.id)
          AND {SELECTED}
          AND (%(reason)s::text IS NULL OR position(lower(%(reason)s) IN lower(e.reason)) > 0)
        """,
        vars(selection) | {"now": now, "reason": reason},
    ).rowcount
    connection.commit()
    if reopened:
        wake(connection, reopened)
    return reopened
