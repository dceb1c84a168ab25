"""When an article was published. Ranks the dates in feed, page and address, and checks each for plausibility.

The feed comes first, then the page's metadata (JSON-LD, meta elements), then dates shown to readers near the title or
in the first lines of the text, and last the day in the address.
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

from ingest.extraction.metadata import Metadata
from ingest.model.document import Hint
from ingest.text.dates import EARLIEST, MONTH_NAMES, believable, date_in_address, read_date
from ingest.text.folding import fold
from ingest.text.zones import zone_of

__all__ = ["Dating", "dating", "dating_of_text"]

# Elements between a title and its date. Fewer are allowed if only the text shows that it is a date.
NEAR_TITLE, BARE_NEAR_TITLE = 60, 15
# The maximum length of a text with little besides a date, and of one with nothing else.
MAX_DATE_LENGTH, MAX_BARE_LENGTH = 150, 40
# The date may be in this many lines at the start of a text, in a line with at most this many other words (a place, a
# name). The day in the address may differ by this much (time zones, and pages put up the day before).
FIRST_LINES = 3
OTHER_WORDS = 3
AGREEING = timedelta(days=2)
_DATE_WORDS = frozenset(fold(" ".join((
    *MONTH_NAMES, "تم نشره نشر نشرت في بتاريخ تاريخ النشر الساعة آخر تحديث صباحا مساء ظهرا ص م بتوقيت غرينتش من شهر",
    "السبت الأحد الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة published posted updated on at date am pm gmt utc",
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun",
    "lundi mardi mercredi jeudi vendredi samedi dimanche le publié à montag dienstag mittwoch donnerstag freitag",
    "samstag sonntag am den lunes martes miércoles jueves viernes sábado domingo el de del pazartesi salı çarşamba",
    "perşembe cuma cumartesi pazar",
))).split())  # fmt: skip
_DATE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:date|time|datetime|publish(?:ed)?|posted|pubdate|tarikh)(?:$|[\s_-])", re.IGNORECASE
)
_MARKED = etree.XPath("//*[@itemprop='datePublished' or @itemprop='dateCreated' or @pubdate]")
_A_YEAR = re.compile(r"(?:19|20|١٩|٢٠|۱۹|۲۰)\d\d")
_AMERICAN = re.compile(r"^\s*(\d\d)/(\d\d)/(\d{4})( \d\d:\d\d:\d\d)\s*$")


_HEADINGS = frozenset(("h2", "h3", "h4", "h5", "h6"))
_SENTENCE_END = re.compile(r"[.!?؟]\s*$")
# So many lines that are only dates are a timeline.
TIMELINE = 2
# What stands before the date of publication, and of a later change.
_PUBLISHED = re.compile(r"publish|posted|first\s|(?:تم\s|تاريخ ال)?نشر|انتشار|بڵاو|created", re.IGNORECASE)
_CHANGED = re.compile(r"updat|modif|edited|تحديث|تعديل|به‌?روز|نوێکر", re.IGNORECASE)


@dataclass(frozen=True)
class Dating:
    """When an article was published, in UTC, and the source of that date. None if no date is plausible.

    `stated_at` is the date in the page's metadata, even if another was used. `refused` lists rejected dates.
    """

    at: datetime | None = None
    source: str | None = None
    stated_at: datetime | None = None
    refused: tuple[str, ...] = ()


def dating(tree: HtmlElement | None, metadata: Metadata, url: str, hint: Hint) -> Dating:
    """Return when the article was published, from the feed and the page (fetched from `url`).

    The text and the address are less reliable, and only used if these give no date: see `dating_of_text`.
    """
    refused: list[str] = []
    american = hint.country == "US" or (tree is not None and _is_american(tree))
    reading = _Reading(zone_of(hint.country), hint.now, american)
    stated_at = source = None
    for value, source in metadata.dates():
        # Programs that write seconds as well use the American order of month and day.
        stated_at = _believed(_AMERICAN.sub(r"\3-\1-\2\4", value), source, reading, refused)
        if stated_at is not None:
            break
    if hint.published_at is not None:
        return Dating(hint.published_at, "feed", stated_at, tuple(refused))
    if stated_at is not None:
        return Dating(stated_at, source, stated_at, tuple(refused))
    at = _shown(tree, metadata, url, reading, refused) if tree is not None else None
    if at is not None:
        return Dating(at, "page", None, tuple(refused))
    return Dating(refused=tuple(refused))


def dating_of_text(text: str, title: str | None, url: str, hint: Hint) -> tuple[datetime, str] | tuple[None, None]:
    """Return the date in a line of its own at the start of a text, else the date in the address.

    If the two disagree, the line is about something else.
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
    lines = text.split("\n")
    for line in lines[:FIRST_LINES]:
        words = fold(line).split()
        others = [word for word in words if not word.isdigit() and word not in _DATE_WORDS]
        if len(others) > OTHER_WORDS or " ".join(words) == folded_title or (others and _SENTENCE_END.search(line)):
            continue
        found = read_date(_of_publication(line), zone)
        at = believable(found.at, hint.now) if found else None
        if at is not None:
            # Several are a timeline.
            dates = {line.strip() for line in lines if _is_only_a_date(line)}
            return at if len(dates) < TIMELINE else None
    return None


@dataclass(frozen=True)
class _Reading:
    """How dates on a page are read: the zone of those without one, the time of the fetch, and the order of numbers."""

    zone: tzinfo
    now: datetime
    month_first: bool

    def is_today(self, moment: datetime) -> bool:
        return moment.astimezone(self.zone).date() == self.now.astimezone(self.zone).date()


def _shown(tree: HtmlElement, metadata: Metadata, url: str, reading: _Reading, refused: list[str]) -> datetime | None:
    title = metadata.title()
    changes = metadata.changes()
    for value, is_above in _beside_title(tree, title):
        said = _of_publication(value)
        if said != value and not read_date(said, reading.zone) and (changed := read_date(value, reading.zone)):
            changes.append(f"{changed.at:%Y-%m-%d}")
        moment = _believed(said, "page", reading, refused)
        # Above the title, sites show today's date.
        if moment is not None and not (is_above and reading.is_today(moment)):
            return moment
    bare = _bare_date(tree, title, url, reading)
    if bare is not None:
        return bare
    for value in _said(tree):
        moment = _believed(value, "page", reading, refused)
        if moment is not None:
            return moment
    # Without the extensive search, which turns any year on the page into January 1 of that year.
    day = find_date(tree, extensive_search=False, original_date=True, min_date=EARLIEST, max_date=reading.now)
    at = datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
    # It takes the day of a change where there is no other, and a calendar.
    if at is None or reading.is_today(at) or any(f"{at:%Y-%m-%d}" in value for value in changes):
        return None
    return at


def _of_publication(value: str) -> str:
    """What a text says about publication, without what it says about changes."""
    published, changed = _PUBLISHED.search(value), _CHANGED.search(value)
    if changed is None:
        return value
    if published is None:
        return value[: changed.start()]
    return value[published.start() :] if published.start() > changed.start() else value[: changed.start()]


def _is_american(tree: HtmlElement) -> bool:
    return (tree.get("lang") or "").strip().lower().replace("_", "-") == "en-us"


def _believed(value: str, source: str, reading: _Reading, refused: list[str]) -> datetime | None:
    found = read_date(value, reading.zone, month_first=reading.month_first)
    if found is None:
        return None
    moment = believable(found.at, reading.now)
    if moment is None:
        why = "too old" if found.at < EARLIEST else "future"
        refused.append(f"{source}: {why}: {found.at:%Y-%m-%dT%H:%M:%S%z}")
    return moment


def _beside_title(tree: HtmlElement, title: str | None) -> Iterator[tuple[str, bool]]:
    """Texts near the title in which a page may give its publication date, the most explicit first.

    The second value says that a text is above the title, and nothing but its name or place says what it is.
    """
    marked: list[HtmlElement] = _MARKED(tree)
    known = set(marked)
    timed = [element for element in tree.iter("time") if element not in known]
    values = {element.get("datetime") for element in timed}
    if len(timed) == 1 or (len(values) == 1 and None not in values):
        # If the page has only one time, it is the article's, wherever it is.
        marked += timed
    heading = _title_heading(tree, title)
    named = _close_to(heading, tree)
    above = set(heading.iterancestors()) | set(_before(heading, tree)) if heading is not None and named else set()
    for element in [*marked, *named]:
        is_above = element in above and element.tag != "time" and element not in known
        for value in (element.get("datetime"), element.get("content"), " ".join(element.itertext())):
            if value and len(value) <= MAX_DATE_LENGTH:
                yield value, is_above


def _before(heading: HtmlElement, tree: HtmlElement) -> Iterator[HtmlElement]:
    for element in tree.iter():
        if element is heading:
            return
        yield element


def _close_to(heading: HtmlElement | None, tree: HtmlElement) -> list[HtmlElement]:
    """Elements around a heading with a time or a date-like name, closest first. Without a heading, all of them."""
    elements = list(tree.iter())
    place = elements.index(heading) if heading is not None else 0
    first = max(place - NEAR_TITLE, 0)
    around = elements[first : place + NEAR_TITLE + 1] if heading is not None else elements
    timed: list[tuple[int, HtmlElement]] = []
    named: list[tuple[int, HtmlElement]] = []
    for number, element in enumerate(around, first):
        if element.tag == "time":
            timed.append((abs(number - place), element))
        elif any(name and _names_a_date(name) for name in (element.get("class"), element.get("id"))):
            named.append((abs(number - place), element))
    return [element for found in (timed, named) for _, element in sorted(found, key=itemgetter(0))]


def _bare_date(tree: HtmlElement, title: str | None, url: str, reading: _Reading) -> datetime | None:
    """A date in an element of its own beside the title, preferably after it.

    Nothing marks it as the article's. So the address must not contradict it, it must not be part of a link or a table,
    and above the title it must not be today's date, which sites show as a calendar.
    """
    heading = _title_heading(tree, title)
    if heading is None or not title or not _says(heading, fold(title)):
        return None
    elements = list(tree.iter())
    place = elements.index(heading)
    behind = elements[place + 1 : place + 1 + BARE_NEAR_TITLE]
    before = elements[max(place - BARE_NEAR_TITLE, 0) : place]
    address = date_in_address(url)
    for number, element in enumerate([*behind, *reversed(before)]):
        if len(element) or not _is_only_a_date(element.text) or _belongs_to_another(element):
            continue
        found = read_date(element.text, reading.zone, month_first=reading.month_first)
        at = believable(found.at, reading.now) if found else None
        if at is None or (address is not None and abs(at - address.at) > AGREEING):
            continue
        if element.tag in _HEADINGS and sum(_is_only_a_date(other.text) for other in tree.iter(element.tag)) > 1:
            # A timeline.
            continue
        if number < len(behind) or not reading.is_today(at):
            return at
    return None


def _said(tree: HtmlElement) -> Iterator[str]:
    """Texts of elements that begin with a word such as "published", wherever they are, but for those of others."""
    for element in tree.iter("div", "li", "p", "span", "strong", "td"):
        text = element.text
        if not text or len(text) > MAX_DATE_LENGTH or not _PUBLISHED.match(text.strip()) or not _A_YEAR.search(text):
            continue
        if not any(around.tag in ("a", "aside", "footer") for around in (element, *element.iterancestors())):
            yield _of_publication(text)


def _belongs_to_another(element: HtmlElement) -> bool:
    """Whether a date is in a table cell, a link or a list of links."""
    parent = element.getparent()
    return (
        element.tag in ("td", "th", "option")
        or any(around.tag in ("a", "nav", "aside", "footer") for around in (element, *element.iterancestors()))
        or (parent is not None and parent.tag in ("li", "ol", "ul") and next(parent.iter("a"), None) is not None)
    )


def _is_only_a_date(text: str | None) -> bool:
    if not text or not _A_YEAR.search(text) or len(text.strip()) > MAX_BARE_LENGTH:
        return False
    words = fold(text).split()
    return len(words) >= 3 and all(word.isdigit() or word in _DATE_WORDS for word in words)


@lru_cache(1000)
def _names_a_date(name: str) -> bool:
    return _DATE_CLASS.search(name) is not None


def _title_heading(tree: HtmlElement, title: str | None) -> HtmlElement | None:
    """The heading that contains the title, else the first heading, which may be the name of the site."""
    headings = list(tree.iter("h1"))
    folded = fold(title or "")
    if len(headings) > 1 and folded:
        headings.sort(key=lambda heading: not _says(heading, folded))
    return headings[0] if headings else None


def _says(heading: HtmlElement, folded_title: str) -> bool:
    words = fold(" ".join(heading.itertext()))
    return bool(words) and (words in folded_title or folded_title in words)
