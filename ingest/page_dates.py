"""When an article was published: what feed, page and address say, ranked, each checked before it is believed.

The feed goes first, then what the page says for programs (JSON-LD, meta elements), then what it shows to readers, near
its title or in the first lines of its text, and last the day in its address.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from operator import itemgetter

from htmldate import find_date
from lxml import etree
from lxml.html import HtmlElement

from ingest.dates import EARLIEST, MONTH_NAMES, believable, date_in_address, read_date
from ingest.document import Hint
from ingest.feed_dates import zone_of
from ingest.folding import fold
from ingest.page_metadata import Metadata

__all__ = ["Dating", "dating", "dating_of_text"]

# Elements between a title and the date that belongs to it; where only its text tells that it is one, they are fewer, as
# pages show the time of day at their top.
NEAR_TITLE, BARE_NEAR_TITLE = 60, 15
# The longest text that is little but a date, and that is nothing else.
MAX_DATE_LENGTH, MAX_BARE_LENGTH = 150, 40
# Lines at the beginning of a text among which its date may stand, and the words that such a line has beside it (a
# place, a name); how far the day in the address may be from it (zones, and pages put up the day before).
FIRST_LINES = 3
OTHER_WORDS = 3
AGREEING = timedelta(days=2)
_DATE_WORDS = frozenset(fold(" ".join((
    *MONTH_NAMES, "تم نشره نشر نشرت في بتاريخ تاريخ النشر الساعة آخر تحديث صباحا مساء ظهرا ص م بتوقيت غرينتش من شهر",
    "السبت الأحد الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة published posted updated on at date am pm gmt utc",
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun",
))).split())  # fmt: skip
_DATE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:date|time|datetime|publish(?:ed)?|posted|pubdate|tarikh)(?:$|[\s_-])", re.IGNORECASE
)
_MARKED = etree.XPath("//*[@itemprop='datePublished' or @itemprop='dateCreated' or @pubdate]")
_A_YEAR = re.compile(r"(?:19|20|١٩|٢٠|۱۹|۲۰)\d\d")
_AMERICAN = re.compile(r"^\s*(\d\d)/(\d\d)/(\d{4})( \d\d:\d\d:\d\d)\s*$")


@dataclass(frozen=True)
class Dating:
    """When an article was published, in UTC, and which source said so; None where none can be believed.

    `stated_at` is what the page says for programs, whoever was believed; `refused` what was said and not believed.
    """

    at: datetime | None = None
    source: str | None = None
    stated_at: datetime | None = None
    refused: tuple[str, ...] = ()


def dating(tree: HtmlElement | None, metadata: Metadata, hint: Hint) -> Dating:
    """Return when the article was published, as far as feed and page tell.

    The text and the address, which know less, are left for where these say nothing: see `dating_of_text`.
    """
    zone = zone_of(hint.country)
    refused: list[str] = []
    stated_at = source = None
    for value, source in metadata.dates():
        # Programs write days and months in the American order where they write seconds as well.
        stated_at = _believed(_AMERICAN.sub(r"\3-\1-\2\4", value), source, zone, hint.now, refused)
        if stated_at is not None:
            break
    if hint.published_at is not None:
        return Dating(hint.published_at, "feed", stated_at, tuple(refused))
    if stated_at is not None:
        return Dating(stated_at, source, stated_at, tuple(refused))
    at = _shown(tree, metadata.title(), zone, hint.now, refused) if tree is not None else None
    if at is not None:
        return Dating(at, "page", None, tuple(refused))
    return Dating(refused=tuple(refused))


def dating_of_text(text: str, title: str | None, url: str, hint: Hint) -> tuple[datetime, str] | tuple[None, None]:
    """Return the date that is a line of its own at the beginning of a text, else the one in the address.

    Where they do not agree, the line is about something else.
    """
    found = date_in_address(url)
    address = believable(found.at, hint.now) if found else None
    at = _date_line(text, title, hint)
    if at is not None and (address is None or abs(at - address) <= AGREEING):
        return at, "page"
    return (address, "url") if address else (None, None)


def _date_line(text: str, title: str | None, hint: Hint) -> datetime | None:
    zone = zone_of(hint.country)
    folded_title = fold(title or "")
    for line in text.split("\n", FIRST_LINES)[:FIRST_LINES]:
        words = fold(line).split()
        others = [word for word in words if not word.isdigit() and word not in _DATE_WORDS]
        if len(others) > OTHER_WORDS or " ".join(words) == folded_title:
            continue
        found = read_date(line, zone)
        at = believable(found.at, hint.now) if found else None
        if at is not None:
            return at
    return None


def _shown(tree: HtmlElement, title: str | None, zone: tzinfo, now: datetime, refused: list[str]) -> datetime | None:
    for value in _beside_title(tree, title):
        moment = _believed(value, "page", zone, now, refused)
        if moment is not None:
            return moment
    # Without the extensive search, which takes any year on the page for its first of January.
    day = find_date(tree, extensive_search=False, original_date=True, min_date=EARLIEST, max_date=now)
    return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None


def _believed(value: str, source: str, zone: tzinfo, now: datetime, refused: list[str]) -> datetime | None:
    found = read_date(value, zone)
    if found is None:
        return None
    moment = believable(found.at, now)
    if moment is None:
        why = "too old" if found.at < EARLIEST else "future"
        refused.append(f"{source}: {why}: {found.at:%Y-%m-%dT%H:%M:%S%z}")
    return moment


def _beside_title(tree: HtmlElement, title: str | None) -> Iterator[str]:
    """The texts in which a page may say when it was published, near its title, the most explicit first."""
    marked: list[HtmlElement] = _MARKED(tree)
    timed = [element for element in tree.iter("time") if element not in marked]
    values = {element.get("datetime") for element in timed}
    if len(timed) == 1 or (len(values) == 1 and None not in values):
        # The only time on the page is the article's, wherever it stands.
        marked += timed
    for element in [*marked, *_close_to(_title_heading(tree, title), tree)]:
        for value in (element.get("datetime"), element.get("content"), " ".join(element.itertext())):
            if value and len(value) <= MAX_DATE_LENGTH:
                yield value


def _close_to(heading: HtmlElement | None, tree: HtmlElement) -> list[HtmlElement]:
    """The elements around a heading that give a time, are named so, or have a date for text, the closest first.

    Without a heading, those of the page of the first two kinds.
    """
    elements = list(tree.iter())
    place = elements.index(heading) if heading is not None else 0
    first = max(place - NEAR_TITLE, 0)
    around = elements[first : place + NEAR_TITLE + 1] if heading is not None else elements
    timed: list[tuple[int, HtmlElement]] = []
    named: list[tuple[int, HtmlElement]] = []
    bare: list[tuple[int, HtmlElement]] = []
    for number, element in enumerate(around, first):
        distance = abs(number - place)
        if element.tag == "time":
            timed.append((distance, element))
        elif any(name and _names_a_date(name) for name in (element.get("class"), element.get("id"))):
            named.append((distance, element))
        elif heading is not None and distance <= BARE_NEAR_TITLE and not len(element) and _is_only_a_date(element.text):
            bare.append((distance, element))
    return [element for found in (timed, named, bare) for _, element in sorted(found, key=itemgetter(0))]


def _is_only_a_date(text: str | None) -> bool:
    if not text or len(text) > MAX_BARE_LENGTH or not _A_YEAR.search(text):
        return False
    words = fold(text).split()
    return len(words) >= 3 and all(word.isdigit() or word in _DATE_WORDS for word in words)


@lru_cache(1000)
def _names_a_date(name: str) -> bool:
    return _DATE_CLASS.search(name) is not None


def _title_heading(tree: HtmlElement, title: str | None) -> HtmlElement | None:
    """The heading that says the title; else the first one, which may be the name of the site."""
    headings = list(tree.iter("h1"))
    if len(headings) > 1 and title:
        folded = fold(title)
        for heading in headings:
            words = fold(" ".join(heading.itertext()))
            if words and (words in folded or folded in words):
                return heading
    return headings[0] if headings else None
