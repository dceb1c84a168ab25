"""Finds problems of the pipeline itself. `troubles` is a pure function of what `look` reads from the database.

- `configuration`: a file is broken, and the last good version is used.
- `stalled`: work is due, but none of its kind has been done for ten minutes.
- `backlog`: work is being done, but some has waited for hours.
- `workers`: worker processes keep dying, and no page is to blame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from db import Connection
from ingest.runtime.clock import spell
from ingest.store import configurations, feeds, ledger, periodic, worker_deaths
from ingest.store.configurations import Problem
from ingest.store.ledger import Due

__all__ = ["Finding", "State", "Waiting", "look", "troubles"]

STALLED_AFTER = timedelta(minutes=10)
# Pages of a host are fetched one by one, so a few hundred new ones at once wait for an hour.
BACKLOG_AFTER = timedelta(hours=3)
# A single worker may be killed by an administrator or for lack of memory.
DEATHS, DEATHS_WITHIN = 3, timedelta(minutes=15)
# The verb for each stage.
_DOES = {"poll": "polled", "fetch": "fetched", "extract": "extracted", "land": "landed"}


@dataclass(frozen=True)
class Waiting:
    """The work that is due for a stage, and when the stage last did any."""

    stage: str
    due: Due
    done_at: datetime | None

    @property
    def still_since(self) -> datetime | None:
        """Since when work could have been done but was not, or None if nothing is due."""
        return self.due.since and max(self.due.since, self.done_at or self.due.since)

    def __str__(self) -> str:
        return f"{self.due.count:,} to be {_DOES[self.stage]}"


@dataclass(frozen=True)
class State:
    """The pipeline's state in the database. `deaths` are those within the last DEATHS_WITHIN, newest first."""

    waiting: Sequence[Waiting]
    problems: Sequence[Problem]
    deaths: Sequence[tuple[datetime, str]]


@dataclass(frozen=True)
class Finding:
    """A problem: its kind, since when, a sentence, and the numbers behind it."""

    kind: str
    started_at: datetime
    said: str
    evidence: dict[str, Any]


def look(connection: Connection, now: datetime) -> State:
    """Return the pipeline's state from the database. Does not commit."""
    due = {"poll": feeds.due(connection, now)} | ledger.due(connection, now)
    return State(
        [Waiting(stage, due[stage], periodic.done_at(connection, stage)) for stage in _DOES],
        configurations.problems(connection),
        worker_deaths.since(connection, now - DEATHS_WITHIN),
    )


def troubles(state: State, now: datetime) -> list[Finding]:
    """Return what is wrong with the pipeline. Pure."""
    found = [*_configuration(state)]
    still = [of for of in state.waiting if of.still_since and now - of.still_since >= STALLED_AFTER]
    found += _stalled(still, now)
    found += _backlog([of for of in state.waiting if of not in still], now)
    if len(state.deaths) >= DEATHS:
        first, how = state.deaths[-1][0], state.deaths[0][1]
        said = (
            f"{len(state.deaths)} worker processes died within {spell(DEATHS_WITHIN)}, and no page is to blame; "
            f"the last: {how}. Is there enough memory?"
        )
        found.append(Finding("workers", first, said, {"deaths": len(state.deaths)}))
    return found


def _configuration(state: State) -> list[Finding]:
    if not state.problems:
        return []
    said = "; ".join(
        f"{problem.problem}; "
        + ("no good one is known" if problem.understood_at is None else f"the last good {problem.file} file is used")
        for problem in state.problems
    )
    since = min(problem.problem_since for problem in state.problems)
    return [Finding("configuration", since, said, {"files": [problem.file for problem in state.problems]})]


def _stalled(still: Sequence[Waiting], now: datetime) -> list[Finding]:
    since = min((of.still_since for of in still if of.still_since), default=None)
    if since is None:
        return []
    waiting = ", ".join(map(str, still))
    said = f"nothing has been done for {spell(now - since)}, though there are {waiting}. Is the pipeline running?"
    return [Finding("stalled", since, said, {of.stage: of.due.count for of in still})]


def _backlog(working: Sequence[Waiting], now: datetime) -> list[Finding]:
    late = [of for of in working if of.due.waits_since and now - of.due.waits_since >= BACKLOG_AFTER]
    since = min((of.due.waits_since for of in late if of.due.waits_since), default=None)
    if since is None:
        return []
    said = f"work has waited for {spell(now - since)}: there are {', '.join(map(str, late))}"
    return [Finding("backlog", since, said, {of.stage: of.due.count for of in late})]
