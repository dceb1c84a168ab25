"""The agency that a text credits."""

import pytest

from ingest.text.agencies import agency_of


@pytest.mark.parametrize(
    ("author", "body", "agency"),
    [
        ("رويترز", "نص", "Reuters"),
        (None, "بغداد (رويترز) - قال مسؤول", "Reuters"),
        (None, "بغداد - أ ف ب: قال مسؤول", "AFP"),
        (None, "WASHINGTON (AP) — Officials said", "AP"),
        (None, "BAGHDAD, Oct 3 (Xinhua) -- Iraq said", "Xinhua"),
        (None, "عواصم ـ وكالات\nقال مسؤول إن الاجتماع غدا", "agencies"),
        (None, "قال مسؤول إن الاجتماع غدا.\n(الأناضول)", "Anadolu"),
        (None, "قال مسؤول إن الاجتماع غدا.\nالمصدر: رويترز", "Reuters"),
        ("هدى الكناني", "قال السوداني لرويترز إن التحالف سيغادر", None),
        (None, "He told Reuters that the talks were over.", None),
        (None, "وفي تصريح لوكالة الأناضول قال المتحدث إن الاجتماع تأجل.", None),
    ],
)
def test_agencies(author: str | None, body: str, agency: str | None) -> None:
    assert agency_of(author, body) == agency


def test_what_is_too_long_for_a_credit_is_not_read_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: str) -> str:
        raise AssertionError("it was folded")

    monkeypatch.setattr("ingest.text.agencies.fold", never)
    assert agency_of("a&" * 100_000, "&" * 100_000) is None
