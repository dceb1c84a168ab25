"""Dates as pages write them: cases in the scripts, names and orders that occur."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingest.text.dates import believable, read_date
from tests.conftest import NOW

BAGHDAD = ZoneInfo("Asia/Baghdad")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("15 آذار 2024", "2024-03-15"),
        ("15 مارس 2024", "2024-03-15"),
        ("١٥/٣/٢٠٢٤", "2024-03-15"),
        ("۱۵/۳/۲۰۲۴", "2024-03-15"),
        ("15 ئازار 2024", "2024-03-15"),
        ("الجمعة 15 آذار/مارس 2024", "2024-03-15"),
        ("الجمعة، 15 مارس (آذار) 2024 م", "2024-03-15"),
        ("1 كانون الثاني 2020", "2020-01-01"),
        ("3 كانون الأول 2020", "2020-12-03"),
        ("٣ تشرين الثاني ٢٠٢١", "2021-11-03"),
        ("30 أيلول، 2025", "2025-09-30"),
        ("12 جويلية 2022", "2022-07-12"),
        ("12 غشت 2022", "2022-08-12"),
        ("5 أوت 2021", "2021-08-05"),
        ("7 دجنبر 2019", "2019-12-07"),
        ("٢٠ی ئەیلوولی 2024", "2024-09-20"),
        ("20 ئەیلوول 2024", "2024-09-20"),
        ("١٨ی کانوونی دووەمی ٢٠٢٦", "2026-01-18"),
        ("176871600", None),
        ("4 کانوونی یەکەم 2023", "2023-12-04"),
        ("March 15, 2024", "2024-03-15"),
        ("15th March 2024", "2024-03-15"),
        ("Mar. 5, 2024", "2024-03-05"),
        ("14. Februar 2012", "2012-02-14"),
        ("Publié le 3 août 2021", "2021-08-03"),
        ("14 de diciembre de 2019", "2019-12-14"),
        ("5 Mayıs 2020", "2020-05-05"),
        ("3 MAYIS 2020", "2020-05-03"),
        ("15 HAZİRAN 2020", "2020-06-15"),
        ("2024/03/15", "2024-03-15"),
        ("15.03.2024", "2024-03-15"),
        ("03/25/2024", "2024-03-25"),
        ("تاريخ النشر: 2024-03-15", "2024-03-15"),
        ("5 رمضان 1445 هـ الموافق 15 مارس 2024", "2024-03-15"),
        # No dates.
        ("© 2024", None),
        ("2024", None),
        ("مارس 2024", None),
        ("15/03/1445 هـ", None),
        ("رقم العدد 12345/2024", None),
        ("32/13/2024", None),
        ("31 شباط 2024", None),
        ("", None),
    ],
)
def test_days(text: str, at: str | None) -> None:
    found = read_date(text)
    assert (found and f"{found.at:%Y-%m-%d}") == at
    assert found is None or not found.has_time


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-03-15T10:30:00+03:00", datetime(2024, 3, 15, 7, 30, tzinfo=UTC)),
        ("2024-03-15T10:30:00Z", datetime(2024, 3, 15, 10, 30, tzinfo=UTC)),
        ("2024-03-15T10Z", datetime(2024, 3, 15, 10, tzinfo=UTC)),
        ("2024-03-15 10:30", datetime(2024, 3, 15, 7, 30, tzinfo=UTC)),
        ("Fri, 15 Mar 2024 10:30:00 GMT", datetime(2024, 3, 15, 10, 30, tzinfo=UTC)),
        ("15 آذار 2024 - 14:30", datetime(2024, 3, 15, 11, 30, tzinfo=UTC)),
        ("15 مارس 2024 الساعة 2:30 مساءً", datetime(2024, 3, 15, 11, 30, tzinfo=UTC)),
        ("١٥ مارس ٢٠٢٤ ٠٩:٠٥ ص", datetime(2024, 3, 15, 6, 5, tzinfo=UTC)),
        ("10:15 م | 15/3/2024", datetime(2024, 3, 15, 19, 15, tzinfo=UTC)),
        ("15 مارس 2024 - 14:30 بتوقيت غرينتش", datetime(2024, 3, 15, 14, 30, tzinfo=UTC)),
        ("15 مارس 2024 - 14:30 GMT+2", datetime(2024, 3, 15, 12, 30, tzinfo=UTC)),
        ("March 15, 2024 12:05 AM", datetime(2024, 3, 14, 21, 5, tzinfo=UTC)),
    ],
)
def test_times(text: str, at: datetime) -> None:
    found = read_date(text, BAGHDAD)
    assert found is not None
    assert (found.at.astimezone(UTC), found.has_time) == (at, True)


def test_what_cannot_be_true_is_not_believed() -> None:
    assert believable(NOW + timedelta(minutes=30), NOW) == NOW
    assert believable(NOW + timedelta(hours=2), NOW) is None
    assert believable(datetime(1970, 1, 1, tzinfo=UTC), NOW) is None


@pytest.mark.parametrize("text", ["1768716000", "1768716000000"])
def test_seconds_since_1970(text: str) -> None:
    found = read_date(text)
    assert found is not None
    assert (f"{found.at:%Y-%m-%dT%H:%M}", found.has_time) == ("2026-01-18T06:00", True)
