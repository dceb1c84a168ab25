"""Dates on news pages, in Arabic, Kurdish and some European languages, with the digits of any of these. Pure.

A date needs day, month and year together; a year alone does not count. Hijri dates are ignored, because pages give the
Gregorian date beside them.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

from ingest.text.folding import LETTER_FORMS

__all__ = [
    "EARLIEST",
    "FUTURE_TOLERANCE",
    "MONTH_NAMES",
    "MONTH_NUMBERS",
    "Dated",
    "believable",
    "date_in_address",
    "plain",
    "read_date",
]

# A date further ahead than this is a mistake, not a fast clock. No web page is older than EARLIEST.
FUTURE_TOLERANCE = timedelta(hours=1)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

# By number: the Levant and Iraq, the Gulf and Egypt, the Maghreb, Kurdish (Sorani), English, French, German, Spanish,
# Turkish. Spelled as `plain` returns them: without hamza and vowels, with Arabic kaf and ya.
_MONTHS = {
    1: "كانون الثاني|يناير|جانفي|كانووني دووەم|كانوني دووەم|january|jan|janvier|januar|jänner|enero|ocak",
    2: "شباط|فبراير|فيفري|شوبات|february|feb|février|fevrier|februar|febrero|şubat|subat",
    3: "اذار|مارس|ئازار|march|mar|mars|märz|marzo|mart",
    4: "نيسان|ابريل|افريل|april|apr|avril|abril|nisan",
    5: "ايار|مايو|ماي|ئايار|may|mai|mayo|mayıs|mayis",
    6: "حزيران|يونيو|يونيه|جوان|حوزەيران|june|jun|juin|juni|junio|haziran",
    7: "تموز|يوليو|يوليه|يوليوز|جويليه|تەمووز|تەمموز|july|jul|juillet|juli|julio|temmuz",
    8: "اب|اغسطس|اوت|غشت|ئاب|august|aug|août|aout|agosto|ağustos|agustos",
    9: "ايلول|سبتمبر|شتنبر|ئەيلوول|ئەيلول|september|sept|sep|septembre|septiembre|eylül|eylul",
    10: "تشرين الاول|اكتوبر|تشريني يەكەم|october|oct|octobre|oktober|octubre|ekim",
    11: "تشرين الثاني|نوفمبر|نونبر|تشريني دووەم|november|nov|novembre|noviembre|kasım|kasim",
    12: "كانون الاول|ديسمبر|دجنبر|كانووني يەكەم|كانوني يەكەم|december|dec|décembre|decembre"
    "|dezember|diciembre|aralık|aralik",
}
MONTH_NUMBERS = {name: number for number, names in _MONTHS.items() for name in names.split("|")}
MONTH_NAMES = tuple(MONTH_NUMBERS)
_NAMES = "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True))
_YEAR = r"((?:19|20)\d\d)(?!\d)"
_DAY = r"(?<![\d.,:])(0?[1-9]|[12]\d|3[01])"
_BETWEEN = r"[\s.,/،-]{1,3}(?:من\s|ي\s|of\s|de\s)?"
# `تشرين الاول - اكتوبر 2024`: both names of the month.
_TWICE = rf"(?:\s*[/(\-–]\s*(?:{_NAMES})\s*\)?)?"
_DAY_MONTH_YEAR = re.compile(
    rf"{_DAY}(?:st|nd|rd|th|ي)?{_BETWEEN}(?:شهر\s)?({_NAMES})ي?{_TWICE}[\s.,/،()-]{{1,3}}(?:عام\s|سنه\s|ي\s|de\s)?{_YEAR}"
)
_MONTH_DAY_YEAR = re.compile(rf"\b({_NAMES})\.?\s{{1,2}}{_DAY}(?:st|nd|rd|th)?[,،\s]{{1,3}}{_YEAR}")
_YEAR_FIRST = re.compile(rf"(?<![\d]){_YEAR}\s?[/.\-]\s?(0?[1-9]|1[0-2])\s?[/.\-]\s?(0?[1-9]|[12]\d|3[01])(?!\d)")
# `/2024/03/15/`, `/2024-03-15-`, `/20240315/`: whole parts of an address, not pieces of longer numbers.
_IN_ADDRESS = re.compile(r"(?<=[/_-])((?:19|20)\d\d)([/_-]?)(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?=[/_.-]|$)")
_YEAR_LAST = re.compile(rf"{_DAY}\s?[/.\-]\s?(0?[1-9]|[12]\d|3[01])\s?[/.\-]\s?{_YEAR}")
_TIME = re.compile(
    r"(?<!\d)([01]?\d|2[0-3])\s?[:٫]\s?([0-5]\d)(?:\s?:\s?([0-5]\d))?"
    r"(?:\s?(am|pm|a\.m|p\.m|ص|م|صباحا|مساء|ظهرا|عصرا|ليلا)(?![\w]))?"
)
_AFTERNOON = {"pm", "p.m", "م", "مساء", "ظهرا", "عصرا", "ليلا"}
_ISO = re.compile(
    r"(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?\s?(?:Z|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE,
)
_UNIX = re.compile(r"[12]\d{9}(?:\d{3})?")
_OFFSET = re.compile(r"(?:gmt|utc)\s?([+-])\s?(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
# Names that pages use for their time zone.
_ZONES = (
    (re.compile(r"غرينتش|جرينتش|جرينيتش|\bgmt\b|\butc\b", re.IGNORECASE), timedelta(0)),
    (
        re.compile(r"(?:توقيت|بتوقيت)\s(?:بغداد|العراق|مكه|السعوديه|الرياض|الدوحه|الكويت)|\bast\b", re.IGNORECASE),
        timedelta(hours=3),
    ),
    *(
        (re.compile(rf"\b(?:{names})\b", re.IGNORECASE), timedelta(hours=hours))
        for names, hours in (
            ("est|cdt", -5),
            ("edt", -4),
            ("cst|mdt", -6),
            ("mst|pdt", -7),
            ("pst", -8),
            ("bst|cet", 1),
            ("cest|eet", 2),
            ("eest|trt", 3),
        )
    ),
    (re.compile(r"(?:توقيت|بتوقيت)\s(?:ابوظبي|ابو ظبي|دبي|الامارات|مسقط)", re.IGNORECASE), timedelta(hours=4)),
)
# A time belongs to a date if it is at most this many characters away.
_TIME_WITHIN = 40
_LETTER_FORMS = str.maketrans(LETTER_FORMS)


@dataclass(frozen=True)
class Dated:
    """An aware moment, and whether the text gives its time of day."""

    at: datetime
    has_time: bool


def read_date(text: str, zone: tzinfo = UTC, *, month_first: bool = False) -> Dated | None:
    """Return the first date in `text`, or None. Without a zone, it is in `zone`; a day alone means its midnight.

    Of 01/04/2026, the day comes first, unless `month_first`. Ten or thirteen digits alone are seconds or milliseconds
    since 1970.
    """
    stripped = text.strip()[:400]
    if not stripped:
        return None
    simple = plain(stripped)
    if _UNIX.fullmatch(simple):
        return Dated(datetime.fromtimestamp(int(simple[:10]), UTC), has_time=True)
    return _iso(simple, zone) or _rfc5322(stripped) or _written(simple, zone, month_first=month_first)


def date_in_address(url: str) -> Dated | None:
    """Return the day in the path of an address, as its first minute in UTC, or None if there is none."""
    match = _IN_ADDRESS.search(url.partition("://")[2].partition("?")[0])
    if match is None:
        return None
    # Eight digits at the end are more often an id than a day.
    if not match[2] and (len(match[0]) != len("20240315") or match.end() == len(match.string)):
        return None
    day = _day((match[1], match[3], match[4]), "ymd")
    return Dated(day.replace(tzinfo=UTC), has_time=False) if day else None


def believable(moment: datetime, now: datetime) -> datetime | None:
    """Return a publication date in UTC, at most `now`, or None if it cannot be right."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(moment.astimezone(UTC), now) if EARLIEST <= moment <= now + FUTURE_TOLERANCE else None


def plain(text: str) -> str:
    """Return a text with letters in their simplest form, digits as ASCII, no marks. Punctuation stays."""
    decomposed = unicodedata.normalize("NFKC", text).translate(_LETTER_FORMS)
    kept = (char for char in decomposed if unicodedata.category(char) not in ("Mn", "Cf") and char != "\u0640")
    return "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in kept)


def _iso(text: str, zone: tzinfo) -> Dated | None:
    if len(text) > len("2024-01-01"):
        with suppress(ValueError):
            return Dated(_aware(datetime.fromisoformat(text), "", zone), has_time=True)
    match = _ISO.search(text)
    if match is None:
        return None
    value = match[0].strip().replace(" ", "T", 1).replace(" ", "")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) == len("2024-01-01"):
        return _at_time(moment, text[match.end() :], zone)
    return Dated(_aware(moment, text[match.end() :], zone), has_time=True)


def _rfc5322(text: str) -> Dated | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    # Without a zone, it accepts too much as a date, and ignores AM and PM.
    return Dated(moment, has_time=":" in text) if moment.tzinfo is not None else None


def _written(text: str, zone: tzinfo, *, month_first: bool) -> Dated | None:
    # The lower case of the Turkish dotted capital I has its dot as a separate combining mark.
    lowered = text.lower().replace("i\u0307", "i")
    found = []
    for pattern, order in (
        (_DAY_MONTH_YEAR, "dmy"),
        (_MONTH_DAY_YEAR, "mdy"),
        (_YEAR_FIRST, "ymd"),
        (_YEAR_LAST, "mdy" if month_first else "dmy"),
    ):
        match = pattern.search(lowered)
        if match is not None and (moment := _day(match.groups(), order)) is not None:
            found.append((match.start(), match.end(), moment))
    if not found:
        return None
    start, end, moment = min(found)
    after, before = lowered[end : end + _TIME_WITHIN], lowered[max(start - _TIME_WITHIN, 0) : start]
    return _at_time(moment, after if _TIME.search(after) else before, zone)


def _day(parts: tuple[str, ...], order: str) -> datetime | None:
    numbers = dict(zip(order, (MONTH_NUMBERS.get(part) or int(part) for part in parts), strict=True))
    if numbers["m"] > 12 >= numbers["d"]:
        # In the other order.
        numbers["m"], numbers["d"] = numbers["d"], numbers["m"]
    try:
        return datetime(numbers["y"], numbers["m"], numbers["d"])  # noqa: DTZ001 - the zone comes with the time
    except ValueError:
        return None


def _at_time(day: datetime, text: str, zone: tzinfo) -> Dated:
    time = _TIME.search(text[:_TIME_WITHIN])
    if time is None:
        return Dated(day.replace(tzinfo=zone), has_time=False)
    hour, minute, second = int(time[1]), int(time[2]), int(time[3] or 0)
    if time[4] and hour <= 12:
        hour = hour % 12 + (12 if time[4] in _AFTERNOON and not (time[4] == "ليلا" and hour == 12) else 0)
    return Dated(_aware(day.replace(hour=hour, minute=minute, second=second), text, zone), has_time=True)


def _aware(moment: datetime, text: str, zone: tzinfo) -> datetime:
    if moment.tzinfo is not None:
        return moment
    near = text[:_TIME_WITHIN]
    offset = _OFFSET.search(near)
    if offset is not None and int(offset[2]) <= 14:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return moment.replace(tzinfo=timezone(away if offset[1] == "+" else -away))
    for pattern, away in _ZONES:
        if pattern.search(near):
            return moment.replace(tzinfo=timezone(away))
    return moment.replace(tzinfo=zone)
