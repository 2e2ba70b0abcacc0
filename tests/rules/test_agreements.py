"""What is agreed with customers: by tier, of their own, by the version of the day; and files that cannot be loaded."""

from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.agreements import MILESTONES, AgreementsState, checked, evolve, in_force, packaged
from o2c.customers.care import Reached, due_of
from o2c.customers.care_events import CareAgreed
from o2c.customers.rules import agree_care
from o2c.kernel.refusal import Refused
from o2c.markets.registry import current

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
OWN = """version = "own-1"
[tiers.standard]
contacts = {}
until_hour = 18
complete_within_days = 30

[tiers.key-account]
contacts = { active = 2 }
until_hour = 17
complete_within_days = 15

[agreements.northern-rail]
customers = ["C-7", "C-8"]
contacts = { received = 0 }
until_hour = 20
complete_within_days = 5
"""


def loaded(*files: str) -> AgreementsState:
    """Files loaded a week apart, the first on Monday."""
    state = AgreementsState()
    for week, text in enumerate(files):
        for event in agree_care(state, text, MONDAY + timedelta(weeks=week)).events:
            state = evolve(state, event)
    return state


@pytest.mark.parametrize(
    ("customer", "tier", "agreed"),
    [
        pytest.param("C-7", "standard", ({"received": 0}, 20, 5), id="its own, whatever its tier"),
        pytest.param("C-7", "key-account", ({"received": 0}, 20, 5), id="in place of the tier's, whole"),
        pytest.param("C-1", "key-account", ({"active": 2}, 17, 15), id="that of its tier"),
        pytest.param("C-1", "standard", ({}, 18, 30), id="the standard one"),
        pytest.param("C-1", "priority", ({}, 18, 30), id="a tier of which the file says nothing"),
        pytest.param("", "", ({}, 18, 30), id="nobody whom we know"),
    ],
)
def test_what_holds_for_whom(customer: str, tier: str, agreed: tuple[dict[str, int], int, int]) -> None:
    """A customer's own agreement, else that of its tier, else the standard one."""
    found = in_force(loaded(OWN).loaded, MONDAY).of(customer, tier)
    assert (found.contacts, found.until_hour, found.complete_within_days) == agreed


@pytest.mark.parametrize(
    ("customer", "milestone", "due_at"),
    [
        pytest.param("C-7", "received", datetime(2026, 1, 5, 20, tzinfo=UTC), id="the same day, until its own hour"),
        pytest.param("C-7", "active", None, id="its tier's contacts are not its own"),
        pytest.param("C-1", "active", datetime(2026, 1, 7, 17, tzinfo=UTC), id="by its tier"),
    ],
)
def test_by_when_it_is_spoken_to(customer: str, milestone: str, due_at: datetime | None) -> None:
    """By the agreement that holds for it."""
    stone = Reached(customer, "key-account", "A", milestone, MONDAY, current("GB", MONDAY.date()))
    assert due_of(stone, in_force(loaded(OWN).loaded, MONDAY)) == due_at


@hypothesis.given(st.integers(-30, 60))
def test_what_was_agreed_on_the_day_counts(days: int) -> None:
    """Before the first file the package's, then each until the next; what was agreed later changes nothing of before."""
    later = OWN.replace("own-1", "own-2")
    version = in_force(loaded(OWN, later).loaded, MONDAY + timedelta(days=days)).version
    assert version == (packaged().version if days < 0 else "own-1" if days < 7 else "own-2")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        pytest.param(("standard", "usual"), "the tier standard", id="no standard tier"),
        pytest.param(("active = 2", "billed = 2"), "no milestone billed", id="no such milestone"),
        pytest.param(("active = 2", "active = -1"), "whole numbers", id="a day before"),
        pytest.param(("active = 2", "active = 1.5"), "whole numbers", id="half a day"),
        pytest.param(("complete_within_days = 5", "complete_within_days = 0"), "at least one", id="at once"),
        pytest.param(("until_hour = 20", "until_hour = 24"), "whole hour", id="no such hour"),
        pytest.param(("until_hour = 20\n", ""), "until_hour", id="no hour"),
        pytest.param(('["C-7", "C-8"]', "[]"), "names its customers", id="of nobody"),
        pytest.param(('["C-7", "C-8"]', '["C-7", "C-7"]'), "has one", id="twice"),
        pytest.param(("agreements.northern-rail", "agreements.key-account"), "of one of them", id="a tier and an agreement"),
        pytest.param(("own-1", packaged().version), "version", id="a version that was released"),
        pytest.param(("[tiers.standard]", "[tiers"), "no agreements were loaded", id="no TOML"),
        pytest.param(("tiers.", "tier."), "it lacks 'tiers'", id="no tiers"),
    ],
)
def test_files_that_cannot_be_loaded(changed: tuple[str, str], word: str) -> None:
    """A file with a flaw is refused with it."""
    with pytest.raises(Refused, match=word):
        checked((), OWN.replace(*changed))


def test_a_version_is_loaded_once() -> None:
    """The same file again is nothing; another one needs another version."""
    state = loaded(OWN)
    assert not agree_care(state, OWN, MONDAY)
    with pytest.raises(Refused, match="version"):
        agree_care(state, OWN.replace("until_hour = 20", "until_hour = 19"), MONDAY)


def test_a_file_that_fits_no_more_leaves_those_of_the_package() -> None:
    """What was right on its day may name a milestone that a later program has no more."""
    old = CareAgreed(version="old", since=MONDAY, document=OWN.replace("active", "shipped"))
    assert in_force(evolve(AgreementsState(), old).loaded, MONDAY) == packaged()


def test_the_package_itself_is_right() -> None:
    """It says what holds for every tier, and of every milestone that it names."""
    book = packaged()
    assert set(book.tiers) == {"standard", "priority", "key-account"}
    assert {name for each in book.tiers.values() for name in each.contacts} <= set(MILESTONES)
    assert all(each.complete_within_days > 0 for each in book.tiers.values())
