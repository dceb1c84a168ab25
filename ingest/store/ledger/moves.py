"""How entries move from status to status: every statement that changes one.

A row's status is changed here and nowhere else; a trigger refuses what is not in `ingest.model.status.MOVES`. Functions
for claimed entries do not commit: a stage commits its result together with the new status.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from db import Connection
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

# Every landed page is fetched once more after this time and up to a day longer, so that they spread over the day.
RECHECK_AFTER = "interval '24 hours' + make_interval(secs => mod(e.id * 7919, 86400)::double precision)"
# Taken up in one statement, which locks them: a second's work for the database.
MOST_RECHECKS = 10_000
# The status and reason of an entry whose text has landed, by its article `a`.
_STANDING = """
    CASE WHEN a.entry_id = e.id THEN 'landed' ELSE 'duplicate' END AS status,
    CASE WHEN a.entry_id = e.id THEN NULL
         WHEN credited.canonical_url = e.canonical_url THEN 'same page' ELSE 'same text' END AS reason"""


# Whose document is still the one that was read, from the time it was extracted; none, where there was none.
_AS_READ = (
    "(SELECT d.extracted_at FROM news.documents d WHERE d.entry_id = e.id) IS NOT DISTINCT FROM again.extracted_at"
)


class End(NamedTuple):
    """The end of an entry. `score` belongs to the topic that an off-topic text mentions."""

    entry: int
    status: Status
    reason: str | None = None
    score: float | None = None


# --- entries in flight, claimed by this session


def advance(connection: Connection, ids: Sequence[int], status: Status, now: datetime) -> set[int]:
    """Move claimed entries to the next stage, due at once. Returns those that this session still held."""
    if not ids:
        return set()
    rows = connection.execute(
        "UPDATE news.entries SET status = %s, reason = NULL, attempts = 0, next_attempt_at = %s, lease_holder = NULL"
        " WHERE id = ANY(%s) AND lease_holder = news.lease() RETURNING id",
        [status, now, ids],
    ).fetchall()
    return {row[0] for row in rows}


def end(connection: Connection, ends: Sequence[End]) -> None:
    """End entries this session has claimed.

    One whose text has landed before, and whose page was fetched again, keeps that outcome; the reason is noted.
    """
    if not ends:
        return
    connection.execute(
        f"""
        UPDATE news.entries SET
            status = coalesce(standing.status, ended.status),
            reason = CASE WHEN standing.status IS NULL THEN ended.reason
                          ELSE concat_ws('; ', standing.reason, 'fetched again: ' || ended.reason) END,
            next_attempt_at = NULL, lease_holder = NULL
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::real[]) AS ended(id, status, reason, score)
        LEFT JOIN LATERAL (
            SELECT {_STANDING} FROM news.entries e JOIN news.sightings s ON s.entry_id = e.id
            JOIN news.articles a ON a.id = s.article_id JOIN news.entries credited ON credited.id = a.entry_id
            WHERE e.id = ended.id) AS standing ON true
        WHERE entries.id = ended.id AND entries.lease_holder = news.lease()
        """,
        _columns(ends),
    )


def end_unchanged(connection: Connection, ids: Sequence[int]) -> set[int]:
    """End claimed entries whose page has not changed since it landed. Returns those that had landed."""
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
    """End entries that this session has claimed to land.

    The page of one that has landed for the first time is fetched again in a day or two.
    """
    if not ends:
        return
    connection.execute(
        f"""
        UPDATE news.entries e SET
            status = ended.status, reason = ended.reason, next_attempt_at = NULL, lease_holder = NULL,
            topic_score = ended.score,
            recheck_at = CASE WHEN ended.status = 'landed' AND e.priority = {LIVE} AND e.host <> ''
                              THEN %s + {RECHECK_AFTER} ELSE e.recheck_at END
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::real[]) AS ended(id, status, reason, score)
        WHERE e.id = ended.id AND e.status = 'extracted' AND e.lease_holder = news.lease()
        """,
        [now, *_columns(ends)],
    )


def _columns(ends: Sequence[End]) -> list[list[object]]:
    return [list(column) for column in zip(*ends, strict=True)]


def settle_waiting(connection: Connection, ends: Sequence[End]) -> None:
    """End waiting entries like the twin that was fetched for them. The caller has locked them."""
    connection.execute(
        "UPDATE news.entries e SET status = ended.status, reason = ended.reason, topic_score = ended.score,"
        " next_attempt_at = NULL"
        " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::real[]) AS ended(id, status, reason, score)"
        " WHERE e.id = ended.id AND e.status = 'discovered'",
        _columns(ends),
    )


# --- entries that have ended


def take_up_rechecks(connection: Connection, now: datetime) -> int:
    """Queue the pages that are due for a recheck. Returns how many."""
    taken = connection.execute(
        f"""
        UPDATE news.entries e SET
            status = 'discovered', reason = NULL, priority = %(recheck)s, attempts = 0, next_attempt_at = %(now)s,
            rechecks = e.rechecks + 1,
            -- One that was asked for by the feed does not stand for the one that every page has.
            recheck_at = CASE WHEN e.discovered_at + {RECHECK_AFTER} > %(now)s
                              THEN e.discovered_at + {RECHECK_AFTER} END
        WHERE e.id IN (SELECT id FROM news.entries WHERE recheck_at <= %(now)s AND next_attempt_at IS NULL
                       ORDER BY recheck_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        """,
        {"now": now, "recheck": RECHECK, "limit": MOST_RECHECKS},
    ).rowcount
    connection.commit()
    return taken


def credit(connection: Connection, pairs: Sequence[tuple[int, int]], reason: str) -> None:
    """Credit articles to other entries: (former, present). The former become duplicates, for `reason`.

    One that is in flight, being fetched again, gets its standing when it comes back.
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
    """Let entries whose article was withdrawn land again, or be fetched again if their document is not stored."""
    connection.execute(
        "UPDATE news.entries e SET reason = NULL, attempts = 0, next_attempt_at = %s,"
        " status = CASE WHEN EXISTS (SELECT FROM news.documents d WHERE d.entry_id = e.id) THEN 'extracted'"
        " ELSE 'discovered' END WHERE e.id = ANY(%s) AND e.next_attempt_at IS NULL",
        [now, list(ids)],
    )


def refetch(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Fetch the pages of ended entries again, because their feeds have changed."""
    connection.execute(
        "UPDATE news.entries SET status = 'discovered', reason = NULL, attempts = 0, next_attempt_at = %s,"
        # What its title kept out so far has never been fetched.
        " priority = CASE WHEN reason = 'gate' THEN %s ELSE %s END WHERE id = ANY(%s) AND next_attempt_at IS NULL",
        [now, LIVE, RECHECK, list(ids)],
    )


def land_again(connection: Connection, entries: Sequence[tuple[int, datetime | None]], now: datetime) -> set[int]:
    """Let ended entries whose documents have changed land again. Returns those that nobody had reopened meanwhile.

    Each comes with when the document that is replaced was extracted, None without one.
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
    """Reject ended entries, each for a reason. Returns those that nobody had reopened meanwhile.

    With them go the entries of other feeds that stand for the same page and have none of their own.
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
    """Mark ended entries as off topic, each for a reason, with the score of the topic it mentions.

    Returns those that were not so before, with the entries of other feeds that stand for the same page.
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
    """Fetch entries that a gate had kept out, after everything new. Returns how many."""
    opened = connection.execute(
        "UPDATE news.entries SET status = 'discovered', reason = NULL, attempts = 0, next_attempt_at = %s,"
        " priority = %s WHERE id = ANY(%s) AND status = 'off_topic' AND reason = 'gate'",
        [now, BACKFILL, list(entries)],
    ).rowcount
    if opened:
        wake(connection, opened)
    return opened


def reopen(connection: Connection, now: datetime, selection: Selection, *, reason: str | None = None) -> int:
    """Reopen entries that ended without an article. Returns how many.

    Those whose page is stored are extracted again, the others fetched, imported texts landed. `reason` is a part
    of their reason. Entries kept out by a feed's gate, and those without a usable address, stay as they are.
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
