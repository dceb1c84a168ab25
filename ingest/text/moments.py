"""Moments as feeds write them: all of a text is understood, or none of it. Pure.

RFC 5322 and RFC 3339 with the mistakes that publishing systems make, day, month and year in either order, month names
in the languages of `ingest.text.dates`, names of zones, seconds since 1970.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.text.dates import MONTH_NUMBERS, plain

__all__ = ["Moment", "read_moment"]

# No date is longer, in characters.
LONGEST = 100
# Hours from UTC. BST is British, CST American. AST is Arabian or Atlantic, whichever is nearer to the feed's own zone.
_ZONES = {
    "z": 0, "gmt": 0, "utc": 0, "ut": 0, "wet": 0, "bst": 1, "cet": 1, "west": 1, "cest": 2, "eet": 2, "cat": 2,
    "sast": 2, "eest": 3, "idt": 3, "msk": 3, "trt": 3, "eat": 3, "irst": 3.5, "gst": 4, "pkt": 5, "hkt": 8, "sgt": 8,
    "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "ndt": -2.5, "nst": -3.5, "adt": -3, "brt": -3,
    "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8, "akst": -9, "hst": -10,
}  # fmt: skip
_ARABIAN, _ATLANTIC = timedelta(hours=3), timedelta(hours=-4)
_HALVES = {
    "am": 0, "a.m": 0, "pm": 12, "p.m": 12, "ص": 0, "صباحا": 0, "م": 12, "مساء": 12, "ظهرا": 12, "عصرا": 12,
}  # fmt: skip
# Days of the week say nothing that the date does not; here so that no other word is passed over.
_DAYS_OF_THE_WEEK = """
    mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday tues thur thurs weds lun mar
    mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche mo di mi do fr sa so montag dienstag
    mittwoch donnerstag freitag samstag sonntag lunes martes miércoles jueves viernes sábado domingo mié jue vie
    sáb dom seg ter qua qui sex segunda terça quarta quinta sexta feira pazartesi salı çarşamba perşembe cuma
    cumartesi pazar
    السبت الاحد الاثنين الثلاثاء الاربعاء الخميس الجمعه الجمعة
"""
_IGNORED = frozenset((_DAYS_OF_THE_WEEK + "at on of de le el am um uhr à الساعه الساعة في من st nd rd th t").split())
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_OF_WORDS = re.compile("|".join(name for name in MONTH_NUMBERS if " " in name))
_TOKEN = re.compile(
    r"(?P<comment>[(\[][^)\]]*[)\]])"
    r"|(?P<iso>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?!\d)"
    r"|(?P<day>\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?!\d)"
    r"|(?P<time>\d{1,2}:\d{1,2}(?::\d{1,2}(?:[.,]\d{1,9})?)?)(?!\d)"
    r"|(?P<offset>(?:(?:gmt|utc)\s?)?[+\-]\d{1,2}(?::?\d{2})?)(?![\d:])"
    r"|(?P<digits>\d+)"
    r"|(?P<place>[a-z]+(?:/[a-z_]+)+)"
    r"|(?P<word>[^\W\d_]+(?:\.m)?)"
    r"|(?P<between>[\s.,،;|–/]+|-(?!\d))"
)


@dataclass(frozen=True)
class Moment:
    """A moment, aware if the text has a zone, and whether it has a time of day."""

    at: datetime
    has_time: bool


@dataclass
class _Read:
    day: tuple[int, int, int] | None = None
    clock: tuple[int, int, int] | None = None
    half: int | None = None
    away: tzinfo | None = None
    numbers: tuple[int, ...] = ()
    month: int | None = None
    named: str = ""


def read_moment(text: str, near: tzinfo = UTC) -> Moment | None:
    """Return the moment that a text gives, or None if it does not, or has something besides.

    `near` is the zone of the feed: it decides what AST means, and no more.
    """
    lowered = plain(text.strip()).lower() if len(text) <= LONGEST else ""
    if re.fullmatch(r"[12]\d{9}(?:\d{3})?", lowered):
        return Moment(datetime.fromtimestamp(int(lowered[:10]), UTC), has_time=True)
    if compact := re.fullmatch(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:t?(\d\d)(\d\d)(\d\d)?)?", lowered):
        year, month, day, *clock = (int(part) if part else 0 for part in compact.groups())
        return _moment(_Read(day=(year, month, day), clock=(clock[0], clock[1], clock[2]) if compact[4] else None))
    read, place = _Read(), 0
    # The T between date and time, and the Z behind a time, are written without spaces.
    lowered = re.sub(r"(?<=\d)t(?=\d)", " ", lowered)
    lowered = re.sub(r"(?<=\d)z\b", " z", lowered)
    # A dash in front of a year is no sign.
    lowered = re.sub(r"(?<=[^\W\d_])-(?=\d{2,4}\b)", " ", lowered)
    lowered = _MONTH_OF_WORDS.sub(lambda found: _MONTHS[MONTH_NUMBERS[found[0]] - 1], lowered)
    while place < len(lowered):
        token = _TOKEN.match(lowered, place)
        if token is None or not _take(read, token.lastgroup or "", token[0], near):
            return None
        place = token.end()
    return _moment(read)


def _take(read: _Read, kind: str, said: str, near: tzinfo) -> bool:
    """Note what a part of the text says. Return False if it does not belong to a date, or was said before."""
    match kind:
        case "comment" | "between":
            return True
        case "iso" | "day" if read.day is None:
            numbers = [int(part) for part in re.split(r"\D", said)]
            year, month, day = numbers if kind == "iso" else reversed(numbers)
            # Of two that may be months, the day comes first.
            read.day = (year, day, month) if month > 12 >= day else (year, month, day)
        case "time" if read.clock is None:
            hour, minute, *second = said.replace(",", ".").split(":")
            read.clock = (int(hour), int(minute), int(float(second[0])) if second else 0)
        case "offset":
            return _take_offset(read, said)
        case "digits":
            read.numbers += (int(said[:9]),)
        case "place" if read.away is None:
            try:
                read.away = ZoneInfo("/".join(part.title() for part in said.split("/")))
            except (ZoneInfoNotFoundError, ValueError, OSError):
                # No such zone, or the name of a folder of them.
                return False
        case "word":
            return _take_word(read, said, near)
        case _:
            return False
    return True


def _take_offset(read: _Read, said: str) -> bool:
    sign, digits = re.sub(r"[^+\-\d]", "", said)[:1], re.sub(r"\D", "", said)
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 14 or minutes > 59 or (read.away is not None and read.away is not UTC):
        return False
    away = timedelta(hours=hours, minutes=minutes)
    read.away = timezone(-away if sign == "-" else away)
    return True


def _take_word(read: _Read, said: str, near: tzinfo) -> bool:
    if said in _HALVES and read.clock is not None and read.half is None:
        read.half = _HALVES[said]
    elif said in MONTH_NUMBERS and (read.month is None or read.named in _IGNORED):
        # "mar" is March, or Tuesday if a month follows.
        read.month, read.named = MONTH_NUMBERS[said], said
    elif said == "ast" and read.away is None:
        here = datetime(2024, 1, 1, tzinfo=near).utcoffset() or timedelta(0)
        read.away = timezone(min(_ARABIAN, _ATLANTIC, key=lambda away: abs(away - here)))
    elif said in _ZONES:
        # Behind an offset, the name of a zone says nothing more.
        read.away = read.away or (UTC if not _ZONES[said] else timezone(timedelta(hours=_ZONES[said])))
    else:
        return said in _IGNORED
    return True


def _year(number: int) -> int:
    """The year that is meant by two digits (RFC 5322, 4.3)."""
    return number if number > 99 else number + (2000 if number < 50 else 1900)


def _moment(read: _Read) -> Moment | None:
    day = read.day
    if day is None and read.month is not None and len(read.numbers) == 2:
        first, second = read.numbers
        day = (_year(second), read.month, first) if first <= 31 else (first, read.month, second)
    elif read.numbers or read.month is not None:
        return None
    if day is None or not 1 <= day[0] <= 9999:
        return None
    hour, minute, second = read.clock or (0, 0, 0)
    if read.half is not None and hour <= 12:
        hour = hour % 12 + read.half
    if hour > 24 or minute > 59 or second >= 61 or (hour == 24 and (minute or second)):
        return None
    try:
        # Hour 24 and second 60 are those after.
        at = datetime(*day) + timedelta(hours=hour, minutes=minute, seconds=second)  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None
    return Moment(at.replace(tzinfo=read.away), read.clock is not None)
