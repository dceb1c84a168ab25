"""The table `alerts`: feeds that have fallen silent and problems of the pipeline itself, since when and why.

A feed can fall silent without failing: it answers with the same document forever, with documents that change but hold
nothing new, with documents that are not feeds, with links to pages without text, or only with off-topic news. The poll
records and the ledger tell these cases apart. `troubles_of_feed` is a pure function of them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db import Connection
from ingest.monitoring import feed_health, pipeline_health
from ingest.monitoring.feed_health import FeedRhythm
from ingest.runtime.clock import spell
from ingest.store import feeds, ledger, periodic
from ingest.store.feeds import Answers

__all__ = ["Alert", "Changes", "look", "named", "open_alerts", "said", "watch", "watch_at_times"]

# How often to check the feeds, which change slowly, and the pipeline itself.
WATCH_EVERY, WATCH_PIPELINE_EVERY = timedelta(minutes=15), timedelta(seconds=30)
# After a longer time without a check, the pipeline was off. Work found by the next check does not mean it stalled.
OFF_AFTER = timedelta(minutes=5)
# A failure must last before it becomes an alert, so that a server's hiccup does not.
FAILING_POLLS, FAILING_FOR = 3, timedelta(hours=6)
# A failing feed is polled at least once a day.
ASKED_LATELY = timedelta(days=2)
# Statuses with which a server refuses one client while it serves others (RFC 9110, RFC 6585, RFC 7725).
REFUSALS = (401, 403, 406, 407, 429, 451)
# A week needs this many entries, and this share of them must have ended in the same way.
ENOUGH_ENTRIES, NEARLY_ALL = 10, 0.8
# An open alert lasts until the share falls clearly below that.
STILL = 0.6
# Kinds of the same failure, which may look like one today and like another tomorrow.
FAILURES = ("failing", "blocked", "no_entries")
# A feed that landed this many in each of the earlier weeks is on the topic. One that never did simply is not.
USUALLY_LANDED = 3


@dataclass(frozen=True)
class Alert:
    """Something that is wrong with a feed, or (`feed` None) with the pipeline itself.

    `said` is a sentence, `evidence` the numbers behind it.
    """

    feed: str | None
    kind: str
    started_at: datetime
    said: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """The alerts that began and ended at a check."""

    begun: list[Alert]
    over: list[Alert]


def troubles_of_feed(
    row: Mapping[str, Any],
    answers: Answers,
    weeks: Mapping[int, Counter[str]],
    now: datetime,
    lasting: Collection[str] = (),
) -> list[Alert]:
    """Return what is wrong with a feed.

    `row` comes from `feed_health.health`. `answers` describes the polls since the last find. `weeks` counts how entries
    of the last seven days (0) and of the weeks before (1, 2, ...) ended. `lasting` are the kinds of the open alerts.
    """
    if not row["enabled"]:
        return []
    found = [*_failing(row, answers, now)]
    kept = [kind for kind in FAILURES if kind in lasting]
    if found and kept:
        found = [replace(found[0], kind=kept[0])]
    if not found and row["rhythm"].silent:
        found.append(_quiet(row, answers))
    if not found:
        found += _in_vain(row, weeks, now, lasting)
    return found


def _failing(row: Mapping[str, Any], answers: Answers, now: datetime) -> list[Alert]:
    since = row["last_success_at"] or row["created_at"]
    if row["failures"] < FAILING_POLLS or now - since < FAILING_FOR:
        return []
    # A feed that was disabled, or has not been polled since the pipeline was down, has not failed lately.
    if row["last_polled_at"] is None or now - row["last_polled_at"] > ASKED_LATELY:
        return []
    evidence = {"failures": row["failures"], "failure": row["failure"], "status": answers.status}
    if answers.status in REFUSALS:
        kind, what = "blocked", f"the server refuses us ({answers.status})"
    elif row["failure"] == "not_a_feed":
        kind, what = "no_entries", "its answers are no feed"
    else:
        kind, what = "failing", "it fails"
    text = f"{what} for {spell(now - since)}, {row['failures']} times: {row['last_error']}"
    return [Alert(row["feed"], kind, since, text, evidence)]


def _quiet(row: Mapping[str, Any], answers: Answers) -> Alert:
    rhythm: FeedRhythm = row["rhythm"]
    evidence = {
        "quiet_hours": round(rhythm.quiet_for / timedelta(hours=1), 1),
        "usual_hours": rhythm.usual and round(rhythm.usual / timedelta(hours=1), 2),
        "finds_in_the_same_time_of_earlier_weeks": list(rhythm.weeks),
        **vars(answers),
    }
    if answers.full == 0 and answers.empty > 0:
        kind, what = "no_entries", f"its {answers.empty} answers hold no entries"
    elif answers.sizes <= 1:
        kind, what = "unchanged", "it answers the same again and again"
    else:
        kind, what = "nothing_new", "its answers change, but nothing in them is new"
    since = row["last_new_at"] or row["created_at"]
    return Alert(row["feed"], kind, since, f"{feed_health.quiet_for(row)}: {what}", evidence)


def _in_vain(
    row: Mapping[str, Any], weeks: Mapping[int, Counter[str]], now: datetime, lasting: Collection[str]
) -> list[Alert]:
    this = weeks.get(0, Counter())
    total = this.total()
    if total < ENOUGH_ENTRIES:
        return []
    before = [week["landed"] + week["duplicate"] for number, week in sorted(weeks.items()) if number > 0]
    evidence = {"entries": dict(this), "landed_in_earlier_weeks": before}
    since = now - timedelta(days=7)
    lost = this["rejected"] + this["dead"]
    if lost >= (STILL if "no_text" in lasting else NEARLY_ALL) * total:
        text = f"nothing could be extracted from {lost} of the {total} pages of the last seven days"
        return [Alert(row["feed"], "no_text", since, text, evidence)]
    landed = this["landed"] + this["duplicate"]
    if landed == 0 and this["off_topic"] >= NEARLY_ALL * total and before and min(before) >= USUALLY_LANDED:
        text = f"all {this['off_topic']} articles of the last seven days are off topic; it landed {min(before)} a week"
        return [Alert(row["feed"], "filtered", since, text, evidence)]
    return []


def watch(connection: Connection, now: datetime) -> Changes:
    """Check all feeds, update the table, and return what has changed. Commits."""
    return _note(connection, _of_feeds(connection, now), now, of_feeds=True)


def watch_at_times(connection: Connection, now: datetime) -> Changes:
    """Check the feeds and the pipeline, each unless that was done recently. Returns what has changed. Commits."""
    begun: list[Alert] = []
    over: list[Alert] = []
    last = periodic.last(connection, "watch pipeline")
    if periodic.take_turn(connection, "watch pipeline", now, WATCH_PIPELINE_EVERY):
        was_off = last is None or now - last > OFF_AFTER
        found = [alert for alert in _of_the_pipeline(connection, now) if not (was_off and alert.kind == "stalled")]
        changes = _note(connection, found, now, of_feeds=False)
        begun, over = begun + changes.begun, over + changes.over
    if periodic.take_turn(connection, "watch", now, WATCH_EVERY):
        changes = watch(connection, now)
        begun, over = begun + changes.begun, over + changes.over
    return Changes(begun, over)


def look(connection: Connection, now: datetime) -> list[Alert]:
    """Return what is wrong with feeds as of the last check, and with the pipeline itself now. Changes nothing.

    The pipeline is checked here because it cannot notice that it is not running.
    """
    of_feeds = [alert for alert in open_alerts(connection) if alert.feed is not None]
    return _of_the_pipeline(connection, now) + of_feeds


def _of_the_pipeline(connection: Connection, now: datetime) -> list[Alert]:
    found = pipeline_health.troubles(pipeline_health.look(connection, now), now)
    return [Alert(None, finding.kind, finding.started_at, finding.said, finding.evidence) for finding in found]


def _of_feeds(connection: Connection, now: datetime) -> list[Alert]:
    rows = feed_health.health(connection, now)
    answers = feeds.answers_since_new(connection)
    outcomes = ledger.weekly_outcomes(connection, now)
    lasting: defaultdict[str | None, list[str]] = defaultdict(list)
    for alert in open_alerts(connection):
        lasting[alert.feed].append(alert.kind)
    return [
        alert
        for row in rows
        for alert in troubles_of_feed(
            row, answers.get(row["id"], Answers()), outcomes.get(row["id"], {}), now, lasting[row["feed"]]
        )
    ]


def _note(connection: Connection, alerts: list[Alert], now: datetime, *, of_feeds: bool) -> Changes:
    """Update the open alerts of feeds, or those of the pipeline, to match what was found."""
    known = {
        (alert.feed, alert.kind): alert for alert in open_alerts(connection) if (alert.feed is not None) == of_feeds
    }
    found = {(alert.feed, alert.kind): alert for alert in alerts}
    begun = [alert for key, alert in found.items() if key not in known and _insert(connection, alert, now)]
    for key, alert in found.items():
        if key in known:
            _update(connection, alert)
    over = [alert for key, alert in known.items() if key not in found and _end(connection, alert, now)]
    connection.commit()
    return Changes(begun, over)


def said(changes: Changes) -> str | None:
    """Return the changes as text for people, one line each, or None if there are none."""
    lines = [f"{named(alert)}: {alert.said}" for alert in sorted(changes.begun, key=named)]
    lines += [f"{named(alert)}: over ({alert.kind})" for alert in sorted(changes.over, key=named)]
    return "\n".join(lines) or None


def named(alert: Alert) -> str:
    """Return the subject of an alert: the feed's id, or the pipeline."""
    return alert.feed or "the pipeline"


def open_alerts(connection: Connection) -> list[Alert]:
    """Return the alerts that are open as of the last check, those of the pipeline first, then by feed."""
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(
            "SELECT feed, kind, started_at, said, evidence FROM news.alerts_open ORDER BY feed NULLS FIRST, kind"
        ).fetchall()


def _insert(connection: Connection, alert: Alert, now: datetime) -> bool:
    # Another session may insert the same alert at the same moment. A feed that has been deleted has no id.
    inserted = connection.execute(
        "INSERT INTO news.alerts (feed_id, kind, started_at, noticed_at, said, evidence)"
        f" SELECT {_FEED_ID}, %(kind)s, %(started_at)s, %(now)s, %(said)s, %(evidence)s"
        f" WHERE %(feed)s::text IS NULL OR {_FEED_ID} IS NOT NULL"
        " ON CONFLICT (feed_id, kind) WHERE ended_at IS NULL DO NOTHING",
        vars(alert) | {"now": now, "evidence": Jsonb(alert.evidence)},
    ).rowcount
    return inserted == 1


_FEED_ID = "(SELECT id FROM news.feeds WHERE slug = %(feed)s)"
_OPEN = f"WHERE al.feed_id IS NOT DISTINCT FROM {_FEED_ID} AND al.kind = %(kind)s AND al.ended_at IS NULL"


def _update(connection: Connection, alert: Alert) -> None:
    connection.execute(
        f"UPDATE news.alerts al SET said = %(said)s, evidence = %(evidence)s {_OPEN}",
        vars(alert) | {"evidence": Jsonb(alert.evidence)},
    )


def _end(connection: Connection, alert: Alert, now: datetime) -> bool:
    ended = connection.execute(
        f"UPDATE news.alerts al SET ended_at = greatest(%(now)s, al.started_at) {_OPEN}",
        {"feed": alert.feed, "kind": alert.kind, "now": now},
    ).rowcount
    return ended == 1
