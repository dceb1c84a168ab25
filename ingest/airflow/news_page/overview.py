"""Gathers the news page's data from the modules that own the tables."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from db import Connection
from ingest.monitoring import alerts, feed_health
from ingest.store import articles, ledger

__all__ = ["Overview", "load"]

CHART_DAYS = 30
# Nobody can tell more colours than this apart.
CHART_OUTLETS = 8
FRESHNESS_ARTICLES = 2000
REASONS_AMONG = 20_000
REASONS = 8
ARTICLES = 25

# The worst first, so that feeds that need attention are at the top.
_ORDER = {health: place for place, health in enumerate(("gone", "failing", "silent", "waiting", "ok", "disabled"))}


@dataclass(frozen=True)
class Overview:
    """The page's data.

    `troubles` are those of the pipeline itself. `funnel` has (label, entries, share of all). `chart` is for plotly.
    """

    troubles: list[alerts.Alert]
    feeds: list[dict[str, Any]]
    healths: Counter[str]
    entries: int
    funnel: list[tuple[str, int, float]]
    reasons: list[tuple[str, str, int]]
    article_count: int
    last_landed_at: datetime | None
    fresh_articles: int
    delay_median: timedelta | None
    delay_p95: timedelta | None
    found: list[dict[str, Any]]
    matches: int
    pages: int
    spelled: articles.Spellings | None
    chart: dict[str, Any]


def load(connection: Connection, now: datetime, query: str, page: int = 1) -> Overview:
    """Return the page's data at `now`. `query` filters the articles; `page` says which of the matches are shown."""
    matches = articles.search_count(connection, query) if query else 0
    outcomes = ledger.outcomes(connection)
    feeds = feed_health.health(connection, now, outcomes)
    of_feed: defaultdict[str | None, list[alerts.Alert]] = defaultdict(list)
    for alert in alerts.look(connection, now):
        of_feed[alert.feed].append(alert)
    for row in feeds:
        row["alerts"] = of_feed[row["feed"]]
    feeds.sort(key=lambda row: (_ORDER[row["health"]], row["feed"]))
    # Includes imported entries, though the feeds shown do not include theirs.
    total = outcomes.total()
    count, last = articles.count_and_last(connection)
    known, median, p95 = articles.delays(connection, among=FRESHNESS_ARTICLES)
    first_day = (now - timedelta(days=CHART_DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return Overview(
        troubles=of_feed[None],
        feeds=feeds,
        healths=Counter(row["health"] for row in feeds),
        entries=total,
        funnel=ledger.funnel(ledger.by_status(outcomes)),
        reasons=ledger.frequent_reasons(connection, among=REASONS_AMONG, limit=REASONS),
        article_count=count,
        last_landed_at=last,
        fresh_articles=known,
        delay_median=median,
        delay_p95=p95,
        found=articles.newest(connection, limit=ARTICLES, query=query, page=page),
        matches=matches,
        pages=-(-matches // ARTICLES),
        spelled=articles.spellings(connection, query, matches) if query else None,
        chart=chart(articles.per_day(connection, first_day), first_day.date(), now.date()),
    )


def chart(rows: list[tuple[date, str, int]], first: date, last: date) -> dict[str, Any]:
    """Return the days, and each outlet's number of articles per day. Small outlets are added up as "others"."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    totals: Counter[str] = Counter()
    for _, outlet, count in rows:
        totals[outlet] += count
    shown = [outlet for outlet, _ in totals.most_common(CHART_OUTLETS)]
    series: dict[str, Counter[date]] = {outlet: Counter() for outlet in shown}
    for day, outlet, count in rows:
        series.setdefault(outlet if outlet in shown else "others", Counter())[day] += count
    return {
        "days": [day.isoformat() for day in days],
        "outlets": [{"name": name, "articles": [of[day] for day in days]} for name, of in series.items()],
    }
