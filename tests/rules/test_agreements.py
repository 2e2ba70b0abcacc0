"""What is agreed with customers: by tier, of their own, by the version of the day; and files that cannot be loaded."""

from datetime import UTC, date, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.customers.agreements import MILESTONES, Agreement, AgreementsState, checked, evolve, in_force, packaged
from o2c.customers.care import Reached, due_of, worked_after
from o2c.customers.care_events import CareAgreed
from o2c.customers.rules import agree_care
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market, is_working_day
from o2c.markets.registry import MARKETS, current

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
        for event in agree_care(state, text, MONDAY + timedelta(weeks=week), markets=MARKETS).events:
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
    found = in_force(loaded(OWN).loaded, MONDAY).of(customer, tier, "GB")
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


NL, GB = current("NL", MONDAY.date()), current("GB", MONDAY.date())
IN_TWO = """
[agreements.northern-rail]
customers = ["C-7"]
markets = ["GB"]
contacts = { active = 1 }
until_hour = 18
complete_within_days = 5
promised_working_days = 3

[agreements.noord-rail]
customers = ["C-7"]
markets = ["NL"]
contacts = { active = 1 }
until_hour = 18
complete_within_days = 5
"""
ONE_FOR_BOTH = OWN.replace("until_hour = 20", "until_hour = 18").replace("received = 0", "active = 1")


@pytest.mark.parametrize(
    ("text", "market", "reached_at", "due_at"),
    [
        # The King's Birthday is kept on Monday the 27th of April 2026, and the early May bank holiday on the 4th of May.
        pytest.param(ONE_FOR_BOTH, GB, datetime(2026, 4, 24, 9, tzinfo=UTC), datetime(2026, 4, 27, 17, tzinfo=UTC), id="a site in England"),
        pytest.param(ONE_FOR_BOTH, NL, datetime(2026, 4, 24, 9, tzinfo=UTC), datetime(2026, 4, 28, 16, tzinfo=UTC), id="a site in the Netherlands"),
        pytest.param(ONE_FOR_BOTH, GB, datetime(2026, 5, 1, 9, tzinfo=UTC), datetime(2026, 5, 5, 17, tzinfo=UTC), id="a holiday in England"),
        pytest.param(ONE_FOR_BOTH, NL, datetime(2026, 5, 1, 9, tzinfo=UTC), datetime(2026, 5, 4, 16, tzinfo=UTC), id="which the Netherlands do not have"),
        pytest.param(ONE_FOR_BOTH + 'calendar = "NL"\n', GB, datetime(2026, 4, 24, 9, tzinfo=UTC), datetime(2026, 4, 28, 16, tzinfo=UTC), id="one calendar for all sites"),
        pytest.param(ONE_FOR_BOTH + 'closed_on = ["2026-04-27"]\n', GB, datetime(2026, 4, 24, 9, tzinfo=UTC), datetime(2026, 4, 28, 17, tzinfo=UTC), id="a day of its own"),
        pytest.param(ONE_FOR_BOTH + 'closed_on = ["2026-04-27"]\n', NL, datetime(2026, 4, 24, 9, tzinfo=UTC), datetime(2026, 4, 28, 16, tzinfo=UTC), id="a day that nobody works anyway"),
    ],
)  # fmt: skip
def test_each_site_keeps_its_working_days_and_its_clock(text: str, market: Market, reached_at: datetime, due_at: datetime) -> None:
    """The working days, the hour and the time zone are those of the order's market, unless the agreement names a calendar; and days of the customer's own are none."""
    assert due_of(Reached("C-7", "", "A", "active", reached_at, market), in_force(loaded(text).loaded, MONDAY)) == due_at


def test_an_agreement_for_each_market() -> None:
    """Of two agreements of one customer each order has that of its market, and of a third market that of its tier."""
    book = checked((), OWN[: OWN.index("[agreements")] + IN_TWO, MARKETS)
    assert [book.name_of("C-7", "key-account", market) for market in ("GB", "NL", "PT")] == ["northern-rail", "noord-rail", "key-account"]


@hypothesis.given(
    start=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    days=st.integers(0, 12),
    closed=st.sets(st.dates(date(2026, 1, 1), date(2027, 1, 31)), max_size=5),
)
def test_so_many_working_days_after(start: date, days: int, closed: set[date]) -> None:
    """The day is worked, and so many worked days lie after the start up to it; a day more is later."""
    agreement = Agreement({}, 18, 30, closed_on=tuple(map(str, closed)))
    day = worked_after(agreement, GB, start, days)
    between = [start + timedelta(days=n) for n in range(1, (day - start).days + 1)]
    worked = [each for each in between if is_working_day(GB.calendar, each) and each not in closed]

    assert len(worked) == days or (days == 0 and (day == start or worked == [day]))
    assert is_working_day(GB.calendar, day)
    assert day not in closed
    assert days == 0 or worked_after(agreement, GB, start, days + 1) > day


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
        pytest.param(("until_hour = 20", 'until_hour = 20\nmarkets = ["GB", "XX"]'), "no market XX", id="no such market"),
        pytest.param(("until_hour = 20", 'until_hour = 20\ncalendar = "XX"'), "no market XX", id="no such calendar"),
        pytest.param(("until_hour = 20", 'until_hour = 20\nclosed_on = ["24 December"]'), "24 December", id="no day"),
        pytest.param(("until_hour = 20", "until_hour = 20\npromised_working_days = -1"), "whole numbers", id="promised for before"),
        pytest.param(("until_hour = 17", 'until_hour = 17\nmarkets = ["NL"]'), "of their own for some", id="a tier in one market"),
        pytest.param(
            (
                "complete_within_days = 5\n",
                'complete_within_days = 5\n[agreements.dutch]\ncustomers = ["C-8"]\nmarkets = ["NL"]\ncontacts = {}\nuntil_hour = 9\ncomplete_within_days = 5\n',
            ),
            "one in a market",
            id="twice in one market",
        ),
    ],
)
def test_files_that_cannot_be_loaded(changed: tuple[str, str], word: str) -> None:
    """A file with a flaw is refused with it."""
    with pytest.raises(Refused, match=word):
        checked((), OWN.replace(*changed), MARKETS)


def test_a_version_is_loaded_once() -> None:
    """The same file again is nothing; another one needs another version."""
    state = loaded(OWN)
    assert not agree_care(state, OWN, MONDAY, markets=MARKETS)
    with pytest.raises(Refused, match="version"):
        agree_care(state, OWN.replace("until_hour = 20", "until_hour = 19"), MONDAY, markets=MARKETS)


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
