"""Which items of a feed are new, known or changed: tables of cases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ingest.model.status import Status
from ingest.polling.recognition import Recognised, recognise
from ingest.store.ledger import KnownItem, NewEntry
from tests.conftest import NOW

URL = "https://a.example/1"


def entry(identity: str = "g1", url: str | None = URL, title: str = "Title", **more: object) -> NewEntry:
    made = NewEntry(identity, url, url, "a.example", title, "Summary", None, None, None)
    return replace(made, **more)  # type: ignore[arg-type]


def known(identity: str = "g1", url: str | None = URL, title: str = "Title", **more: object) -> KnownItem:
    return replace(KnownItem(1, identity, url, title, "Summary", None, "landed"), **more)  # type: ignore[arg-type]


def identities(found: Recognised) -> list[str]:
    return [item.identity for item in found.new]


def changed(found: Recognised) -> list[tuple[int, bool]]:
    return [(change.id, change.refetch) for change in found.changed]


def test_what_is_not_known_is_new_and_what_is_known_is_not() -> None:
    found = recognise([entry(), entry("g2", "https://a.example/2")], [known()])
    assert (identities(found), changed(found)) == (["g2"], [])


@pytest.mark.parametrize(
    ("said", "had"),
    [
        (entry(title="Another title"), known()),
        (entry(summary="More"), known()),
        (entry(updated_at=NOW), known(updated_at=NOW - timedelta(hours=1))),
    ],
)
def test_what_says_something_else_has_changed(said: NewEntry, had: KnownItem) -> None:
    assert changed(recognise([said], [had])) == [(1, True)]


@pytest.mark.parametrize("had", [known(), known(updated_at=NOW)])
def test_a_date_of_change_that_comes_or_goes_is_no_change(had: KnownItem) -> None:
    said = entry(updated_at=None if had.updated_at else NOW)
    assert recognise([said], [had]) == Recognised((), ())


@pytest.mark.parametrize(
    ("status", "said", "refetch"),
    [
        ("landed", entry(title="x", status=Status.OFF_TOPIC, reason="gate"), True),
        ("off_topic", entry(title="x", status=Status.OFF_TOPIC, reason="gate"), False),
        ("off_topic", entry(title="x"), True),
        ("dead", entry(title="x"), True),
        ("landed", entry(url=None, title="x"), False),
    ],
)
def test_a_change_is_looked_at_where_the_page_is_wanted(status: str, said: NewEntry, refetch: bool) -> None:
    assert changed(recognise([said], [known(status=status)])) == [(1, refetch)]


class TestGuids:
    def test_one_guid_for_several_items_names_none_of_them_alone(self) -> None:
        other = entry(url="https://a.example/2", title="Another")
        found = recognise([other], [known()])
        assert identities(found) == ["g1 https://a.example/2"]
        # And the next time it is known.
        again = known("g1 https://a.example/2", "https://a.example/2", "Another", id=2)
        assert recognise([other], [known(), again]) == Recognised((), ())

    def test_an_item_that_moved_keeps_its_guid_and_its_title(self) -> None:
        assert recognise([entry(url="https://a.example/new-slug")], [known()]) == Recognised((), ())

    def test_a_guid_that_changes_names_the_same_page(self) -> None:
        found = recognise([entry("another guid", title="Another title")], [known()])
        assert (identities(found), changed(found)) == ([], [(1, True)])

    def test_items_that_share_an_address_are_told_apart_by_their_guids(self) -> None:
        shared = [entry(), entry("g2", title="Second"), entry("g3", title="Third")]
        assert identities(recognise(shared, [known()])) == ["g2", "g3"]

    def test_an_item_without_an_address_is_completed(self) -> None:
        assert identities(recognise([entry()], [known(url=None)])) == ["g1"]
        assert recognise([entry(url=None)], [known()]) == Recognised((), ())
