"""Health of feeds: which ones fail, and which have brought nothing new for longer than their own rhythm explains.

A feed that answers but never brings anything new looks healthy if only failures count.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from db import Connection
from ingest.runtime.clock import spell
from ingest.store import documents, feeds, ledger

__all__ = ["FeedRhythm", "describe", "health", "quiet_for", "rhythm"]

# With fewer gaps than this, a feed's rhythm is not known yet, and it is given a week.
ENOUGH_GAPS = 5
UNKNOWN_PATIENCE = timedelta(days=7)
# Nights and weekends make gaps several times longer than usual. So the gap that is multiplied is longer than nine out
# of ten gaps, and the shortest patience spans a quiet night.
PATIENCE_FACTOR = 3
SHORTEST_PATIENCE = timedelta(hours=12)
# News follows the week: offices close, papers do not appear. If the records go back far enough (ENOUGH_WEEKS), a quiet
# feed is silent if it had at least ENOUGH_FINDS finds in the same hours of each earlier week. Less than SHORTEST_QUIET
# is too short to matter.
WEEKS, ENOUGH_WEEKS, ENOUGH_FINDS = 4, 2, 6
SHORTEST_QUIET, WEEK = timedelta(hours=3), timedelta(days=7)
# Documents of all feeds to check for wrong dates: some days of a thousand feeds, in a tenth of a second.
DATES_AMONG = 20_000


@dataclass(frozen=True)
class FeedRhythm:
    """A feed's rhythm: the usual (median) time between two finds, None while unknown, and when it counts as silent.

    `weeks` has the finds in the same hours of earlier weeks. If enough of them are known, they decide.
    """

    usual: timedelta | None
    patience: timedelta
    quiet_for: timedelta
    weeks: tuple[int, ...] = ()

    @property
    def silent(self) -> bool:
        if len(self.weeks) >= ENOUGH_WEEKS and self.quiet_for < WEEK:
            return self.quiet_for >= SHORTEST_QUIET and min(self.weeks) >= ENOUGH_FINDS
        return self.quiet_for > self.patience


def rhythm(gaps: Sequence[timedelta], last_new_at: datetime, now: datetime, weeks: Sequence[int] = ()) -> FeedRhythm:
    """Return the rhythm of a feed from the times between finds. `last_new_at` is its last find, or its creation."""
    quiet_for = now - last_new_at
    if len(gaps) < ENOUGH_GAPS:
        patience = max([UNKNOWN_PATIENCE, *(gap * PATIENCE_FACTOR for gap in gaps)])
        return FeedRhythm(None, patience, quiet_for, tuple(weeks))
    ordered = sorted(gaps)
    long = ordered[(len(ordered) * 9) // 10]
    patience = max(long * PATIENCE_FACTOR, SHORTEST_PATIENCE)
    return FeedRhythm(ordered[len(ordered) // 2], patience, quiet_for, tuple(weeks))


def health(
    connection: Connection, now: datetime, counts: Counter[tuple[int, str]] | None = None
) -> list[dict[str, Any]]:
    """Return the rows of `feeds.health_rows`, each with the number of entries, of those that landed, and the `rhythm`.

    A feed that answers but is silent has the health `silent`. `dates` says what is systematically wrong with its dates,
    None if nothing is known to be. `counts` is the result of `ledger.outcomes`, if the caller already has it.
    """
    gaps = feeds.rhythms(connection)
    weeks = feeds.finds_in_earlier_weeks(connection, now, quiet_for=SHORTEST_QUIET, weeks=WEEKS)
    counts = ledger.outcomes(connection) if counts is None else counts
    totals: Counter[int] = Counter()
    for (feed, _), count in counts.items():
        totals[feed] += count
    dates = documents.doubtful_dates(connection, among=DATES_AMONG)
    rows = feeds.health_rows(connection)
    for row in rows:
        row["entries"] = totals[row["id"]]
        row["landed"] = counts[row["id"], "landed"] + counts[row["id"], "duplicate"]
        row["dates"] = dates.get(row["id"])
        last = row["last_new_at"] or row["created_at"]
        # A feed is quiet only until its last successful poll: since then it may have brought something.
        asked = max(min(row["last_success_at"] or now, now), last)
        row["rhythm"] = rhythm(gaps.get(row["feed"], []), last, asked, weeks.get(row["feed"], ()))
        if row["health"] == "ok" and row["rhythm"].silent:
            row["health"] = "silent"
    return rows


def describe(row: Mapping[str, Any]) -> str:
    """Return a sentence about a silent feed: for how long, its usual rhythm, and its last error if there is one."""
    said = quiet_for(row)
    return f"{said}; last error: {row['last_error']}" if row["last_error"] else f"{said}; it answers without error"


def quiet_for(row: Mapping[str, Any]) -> str:
    """Return for how long a feed has brought nothing new, and its usual rhythm."""
    measured: FeedRhythm = row["rhythm"]
    usual = f"usually every {spell(measured.usual)}" if measured.usual else "rhythm not known yet"
    if len(measured.weeks) >= ENOUGH_WEEKS:
        usual += f"; {min(measured.weeks)} times or more in the same hours of the last {len(measured.weeks)} weeks"
    return f"nothing new for {spell(measured.quiet_for)} ({usual})"
