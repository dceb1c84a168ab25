"""A picture of the corpus: one self-contained page, and the numbers of its charts as CSV files beside it.

The numbers come from the analysts' views and the tables below them. Nothing here writes to the database.
"""

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, LiteralString

from db import Connection
from ingest.config.errors import IngestError
from ingest.config.events_file import Event
from ingest.monitoring import alerts
from ingest.store import articles, ledger
from ingest.store.articles import CHOSEN, Chosen
from ingest.text.spreadsheets import ENCODING, cells

__all__ = ["Counted", "Picture", "load", "write"]

OUTLETS, STORIES, REASONS = 25, 20, 15
REASONS_AMONG = 1_000_000
# Up to DAILY days, the chart has a bar per day; up to WEEKLY days, a bar per week.
DAILY, WEEKLY = 120, 1000
# No other language has more than a few percent of the news.
LANGUAGES = 5
COLOURS = ("#1d6fb8", "#e08214", "#1a7f37", "#8073ac", "#b3261e", "#878787")
FRESH = (
    ("5 minutes", timedelta(minutes=5)),
    ("15 minutes", timedelta(minutes=15)),
    ("an hour", timedelta(hours=1)),
    ("6 hours", timedelta(hours=6)),
    ("a day", timedelta(days=1)),
    ("a week", timedelta(days=7)),
)


@dataclass(frozen=True)
class Counted:
    """A row of a chart: a name, a count, and its share of all."""

    name: str
    count: int
    share: float


@dataclass(frozen=True)
class Picture:
    """The page's data. `coverage` has (first day of the step, language, articles); `step` is day, week or month."""

    totals: dict[str, Any]
    step: str
    coverage: list[tuple[date, str, int]]
    outlets: list[Counted]
    languages: list[Counted]
    countries: list[Counted]
    stories: list[dict[str, Any]]
    freshness: list[Counted]
    funnel: list[Counted]
    dates: list[Counted]
    copies: list[Counted]
    reasons: list[tuple[str, str, int]]
    alerts: list[alerts.Alert]


def load(connection: Connection, chosen: Chosen) -> Picture:
    """Return the picture of the chosen articles. Outcomes, reasons and alerts cover everything."""
    values = articles.bound(chosen)

    def rows(query: LiteralString, **more: object) -> list[tuple[Any, ...]]:
        return connection.execute(query, values | more).fetchall()

    ((count, firsts, outlets, first, last),) = rows(
        f"SELECT count(*), count(DISTINCT a.story_id), count(DISTINCT a.outlet), min(a.published_at)::date,"
        f" max(a.published_at)::date FROM news.articles a WHERE {CHOSEN}"
    )
    ((places,),) = rows(
        f"SELECT count(*) FROM news.sightings g JOIN news.articles a ON a.id = g.article_id WHERE {CHOSEN}"
    )
    span = (last - first).days if first else 0
    step = "day" if span <= DAILY else "week" if span <= WEEKLY else "month"
    languages = _counted(rows(_grouped("coalesce(a.language, 'unknown')")))
    shown = {row.name for row in languages[:LANGUAGES]}
    covered: dict[tuple[date, str], int] = {}
    for day, language, number in rows(
        "SELECT date_trunc(%(step)s, a.published_at AT TIME ZONE 'UTC')::date, coalesce(a.language, 'unknown'),"
        f" count(*) FROM news.articles a WHERE a.published_at IS NOT NULL AND {CHOSEN} GROUP BY 1, 2 ORDER BY 1, 2",
        step=step,
    ):
        key = (day, language if language in shown else "others")
        covered[key] = covered.get(key, 0) + number
    return Picture(
        totals={
            "articles": count,
            "stories": firsts,
            "places": places,
            "outlets": outlets,
            "first": first,
            "last": last,
        },
        step=step,
        coverage=[(day, language, number) for (day, language), number in sorted(covered.items())],
        outlets=_counted(rows(_grouped("a.outlet")), OUTLETS),
        languages=languages,
        countries=_counted(
            rows(
                "SELECT coalesce(f.country, 'unknown'), count(*) FROM news.articles a JOIN news.entries e ON"
                f" e.id = a.entry_id JOIN news.feeds f ON f.id = e.feed_id WHERE {CHOSEN} GROUP BY 1 ORDER BY 2 DESC, 1"
            ),
            OUTLETS,
        ),
        stories=_widest(rows),
        freshness=_freshness(rows),
        funnel=[Counted(*row) for row in ledger.funnel(ledger.statistics(connection))],
        dates=_counted(rows(_grouped("coalesce(a.published_from, 'no date')"))),
        copies=_counted(
            rows(
                "SELECT CASE WHEN s.size = 1 THEN 'no edited copies' WHEN s.first_article_id = a.id"
                " THEN 'first of several' ELSE 'edited copy' END, count(*) FROM news.articles a"
                f" JOIN news.stories s ON s.id = a.story_id WHERE {CHOSEN} GROUP BY 1 ORDER BY 2 DESC, 1"
            )
        ),
        reasons=ledger.frequent_reasons(connection, among=REASONS_AMONG, limit=REASONS),
        alerts=alerts.open_alerts(connection),
    )


def write(picture: Picture, path: Path, now: datetime, *, title: str, conditions: str, events: Sequence[Event]) -> int:
    """Write the page to `path`, and the CSV files beside it, named after it. Returns the number of files.

    Each file is written atomically. Raises IngestError if one cannot be written.
    """
    page = _page(picture, now, title=title, conditions=conditions, events=_within(picture, events))
    tables = _tables(picture)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for name, (header, rows) in tables.items():
            with _whole(path.with_name(f"{path.stem}-{name}.csv"), ENCODING) as file:
                writer = csv.writer(file)
                writer.writerow(header)
                writer.writerows(cells(row) for row in rows)
        with _whole(path) as file:
            file.write(page)
    except OSError as error:
        raise IngestError(f"{error.filename or path}: cannot be written: {error.strerror}") from error
    return 1 + len(tables)


def _grouped(expression: LiteralString) -> LiteralString:
    return f"SELECT {expression}, count(*) FROM news.articles a WHERE {CHOSEN} GROUP BY 1 ORDER BY 2 DESC, 1"


def _counted(rows: Iterable[tuple[str, int]], most: int | None = None) -> list[Counted]:
    """Return the rows with their shares of all. Rows after the first `most` are left out, but count in the sum."""
    found = list(rows)
    total = sum(count for _, count in found) or 1
    return [Counted(name, count, count / total) for name, count in found[:most]]


def _widest(rows: Callable[..., list[tuple[Any, ...]]]) -> list[dict[str, Any]]:
    found = rows(
        f"""
        SELECT first.published_at::date, coalesce(first.title, left(first.text, 80)), first.outlet, first.url,
               wide.outlets, wide.places
        FROM (
            SELECT a.story_id, count(DISTINCT f.outlet) AS outlets, count(*) AS places
            FROM news.articles a JOIN news.sightings g ON g.article_id = a.id JOIN news.feeds f ON f.id = g.feed_id
            WHERE {CHOSEN}
            GROUP BY a.story_id HAVING count(*) > 1
            ORDER BY 2 DESC, 3 DESC, a.story_id LIMIT %(most)s
        ) AS wide
        JOIN news.stories s ON s.id = wide.story_id
        JOIN news.articles first ON first.id = s.first_article_id
        ORDER BY wide.outlets DESC, wide.places DESC, wide.story_id
        """,
        most=STORIES,
    )
    names = ("published", "title", "outlet", "url", "outlets", "places")
    return [
        # The addresses of imported texts are not links.
        dict(zip(names, row, strict=True)) | {"link": row[3].startswith(("http://", "https://"))}
        for row in found
    ]


def _freshness(rows: Callable[..., list[tuple[Any, ...]]]) -> list[Counted]:
    """Return how many articles landed within each time after publication. Each time includes the shorter ones."""
    found = rows(
        f"""
        SELECT span.name, count(*) FILTER (WHERE fresh.delay <= span.most), count(*)
        FROM (
            SELECT a.landed_at - a.published_at AS delay
            FROM news.articles a JOIN news.entries e ON e.id = a.entry_id JOIN news.feeds f ON f.id = e.feed_id
            WHERE a.published_from = 'feed' AND a.published_at BETWEEN f.created_at AND a.landed_at AND {CHOSEN}
        ) AS fresh
        CROSS JOIN unnest(%(names)s::text[], %(most)s::interval[]) WITH ORDINALITY AS span(name, most, place)
        GROUP BY span.name, span.place ORDER BY span.place
        """,
        names=[name for name, _ in FRESH],
        most=[most for _, most in FRESH],
    )
    return [Counted(name, count, count / total) for name, count, total in found]


def _within(picture: Picture, events: Sequence[Event]) -> list[Event]:
    """Return the events within the period that the chart shows."""
    first, last = picture.totals["first"], picture.totals["last"]
    return [event for event in events if first and first <= event.on <= last]


def _page(picture: Picture, now: datetime, *, title: str, conditions: str, events: list[Event]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    chart = _coverage_chart(picture, events) if picture.coverage else None
    if chart is not None:
        from plotly.offline import get_plotlyjs

        library = get_plotlyjs()
    else:
        library = ""
    return environment.get_template("report.html").render(
        vars(picture)
        | {
            "now": now,
            "title": title,
            "conditions": conditions,
            "events": events,
            "coverage_chart": chart,
            "plotly_js": library,
        }
    )


def _coverage_chart(picture: Picture, events: list[Event]) -> str:
    """Return stacked bars per language, and a numbered line for each event, as HTML with JavaScript."""
    from plotly import graph_objects as go

    figure = go.Figure()
    languages = list(dict.fromkeys(row.name for row in picture.languages[:LANGUAGES]))
    shown = {language for _, language, _ in picture.coverage}
    for number, language in enumerate(name for name in (*languages, "others") if name in shown):
        days = [(day, count) for day, of, count in picture.coverage if of == language]
        figure.add_bar(
            x=[day.isoformat() for day, _ in days],
            y=[count for _, count in days],
            name=language,
            marker_color=COLOURS[number % len(COLOURS)],
        )
    for number, event in enumerate(events, 1):
        figure.add_vline(x=event.on.isoformat(), line={"color": "#5b6577", "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=event.on.isoformat(),
            y=1,
            yref="paper",
            yanchor="bottom",
            text=str(number),
            showarrow=False,
            hovertext=f"{event.on} {event.what}",
            font={"size": 11},
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.1,
        height=340,
        margin={"l": 40, "r": 10, "t": 24, "b": 30},
        template="plotly_white",
        legend={"orientation": "h", "y": -0.15},
        hovermode="x unified",
        font={"size": 12},
        yaxis={"rangemode": "tozero", "tickformat": ",d"},
        showlegend=True,
    )
    html: str = figure.to_html(
        full_html=False, include_plotlyjs=False, div_id="coverage", config={"displaylogo": False, "responsive": True}
    )
    return html


def _tables(picture: Picture) -> dict[str, tuple[tuple[str, ...], Iterable[Sequence[object]]]]:
    """Return the tables of the CSV files by name: header and rows."""
    counted = {
        "outlets": picture.outlets,
        "languages": picture.languages,
        "countries": picture.countries,
        "freshness": picture.freshness,
        "outcomes": picture.funnel,
        "dates": picture.dates,
        "copies": picture.copies,
    }
    tables: dict[str, tuple[tuple[str, ...], Iterable[Sequence[object]]]] = {
        name: (("name", "count", "share"), [(row.name, row.count, f"{row.share:.6f}") for row in rows])
        for name, rows in counted.items()
    }
    stories = ("published", "title", "outlet", "url", "outlets", "places")
    return tables | {
        "coverage": ((picture.step, "language", "articles"), picture.coverage),
        "stories": (stories, [[story[name] for name in stories] for story in picture.stories]),
        "reasons": (("outcome", "reason", "entries"), picture.reasons),
        "alerts": (
            ("feed", "kind", "since", "said"),
            [(alert.feed, alert.kind, alert.started_at.isoformat(), alert.said) for alert in picture.alerts],
        ),
    }


@contextmanager
def _whole(path: Path, encoding: str = "utf-8") -> Iterator[IO[str]]:
    """Yield a file that replaces `path` once it is complete."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        with partial.open("w", encoding=encoding, newline="") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
