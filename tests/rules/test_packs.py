"""Packs of units that are bought once for a line: counted after what its plan includes, used up or over on their day, and on one bill once.

Source: openmeter #3293 (one-off packs could not be granted on an entitlement that a subscription owns); the turn of grants: billing facts, section 6.3, O4.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from o2c.catalogue.events import OfferingPrice, OfferingPublished
from o2c.catalogue.packs import pack_of
from o2c.catalogue.state import CatalogueState
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.invoicing.usage import basis_at, period_before, rated_before
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.periods import Period
from o2c.kernel.records import RECORDS, UsageRecord
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.rating.events import LimitSet, PackBought, UsageRated
from o2c.rating.packs import Pack, Spending, buy
from o2c.rating.tariff import Allowance
from tests.charges import ORDER, STREAM, account, charge
from tests.given import BOOK, CUSTOMER, MONDAY

LINE, OTHER = f"{ORDER}/1", f"{ORDER}/2"
PLAN = {"name": "1 GB", "usage": ["data"], "unit": "GB", "quantity": "1"}
MORE = Allowance(name="1 GB more", usage=("data",), unit="GB", quantity="1", priority=200)
UNLIMITED = Spending(0, None)


def sold(plan: dict[str, Any] = PLAN) -> CatalogueState:
    """A line with a gigabyte a month, and 0.01 for each megabyte after it."""
    usage = {"name": "Data", "usage": "data", "unit": "MB", "model": {"kind": "per-unit", "unit_amount": "0.01"}}
    prices = ({"kind": "usage", "amount_minor": 0, "usage": usage}, {"kind": "allowance", "amount_minor": 0, "allowance": plan})
    told = {**OfferingPublished.example, "prices": [OfferingPrice.model_validate(price) for price in prices]}
    return CatalogueState({"mobile-line": OfferingPublished.model_validate(told)})


def line(item: str = "1", starts_on: str = "2026-01-08", **more: Any) -> ChargeStarted:
    started = charge(starts_on, item=item)
    return started.model_copy(update={"terms": started.terms.model_copy(update={"usage_version": 12}), **more})


def bought(state: AccountState, on: date, allowance: Allowance = MORE, owner: str = LINE, price_minor: int = 500) -> AccountState:
    """The account after a pack was bought on a day of the period that runs."""
    run_on = date.fromisoformat(state.due_run)
    period = period_before(state, run_on) if on < run_on else Period(run_on, date(run_on.year, run_on.month + 1, run_on.day))
    pack = Pack("data-pack", allowance, price_minor, "standard")
    return account(*buy(state, pack, owner=owner, period=period, on=on, spending=UNLIMITED).events, state=state)


def used(id_: int, megabytes: int, on: date, owner: str = LINE) -> UsageRecord:
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    return UsageRecord(id_, owner, "data", "", "day", at, Decimal(megabytes * 10**6), "B", f"pgw/{id_}")


def work_of(state: AccountState, *records: UsageRecord) -> Work:
    work = ACCOUNT.work(state, STREAM, "", "bill-run", BOOK)
    return replace(work, read={"customer-C-1001": CUSTOMER, "catalogue-main@12": sold(), RECORDS: records})


def run(state: AccountState, *records: UsageRecord) -> tuple[AccountState, UsageRated, dict[str, list[int]]]:
    """The next run: the account after it, what it took, and the net amounts on its invoice by the kind of line."""
    decision = bill(work_of(state, *records), {}, MONDAY)
    [taken] = [event for event in decision.events if isinstance(event, UsageRated)]
    lines: dict[str, list[int]] = {}
    for _, issued in decision.elsewhere:
        for one in getattr(issued, "lines", ()):
            lines.setdefault(one.kind, []).append(one.net_minor)
    return account(*decision.events, state=state), taken, lines


def left(state: AccountState, *records: UsageRecord) -> dict[str, int]:
    """What is left of each allowance in the running period, in megabytes."""
    rated, _ = rated_before(work_of(state, *records), date.fromisoformat(state.due_run))
    return {grant.allowance.name: int(grant.left / 10**6) for grant in rated.grants}


@pytest.fixture
def served() -> AccountState:
    """A line served since 8 January, whose first bill was made that day: the next is of 8 February."""
    return run(account(line(starts_on="2026-01-05")))[0]


TWENTIETH = date(2026, 1, 20)


def test_it_is_counted_after_what_the_plan_includes(served: AccountState) -> None:
    """1.3 GB: all of the plan's, 300 MB of the pack, and nothing is charged for data; O4, the lower priority number first."""
    state = bought(served, TWENTIETH)

    assert left(state, used(1, 1300, TWENTIETH)) == {"1 GB": 0, "1 GB more P1": 700}
    assert run(state, used(1, 1300, TWENTIETH))[2].get("usage") is None


def test_a_lower_number_comes_before_the_plan(served: AccountState) -> None:
    """The turn is the offering's own word: with priority 10 the pack is used first."""
    state = bought(served, TWENTIETH, MORE.model_copy(update={"priority": 10}))
    assert left(state, used(1, 1300, TWENTIETH)) == {"1 GB": 700, "1 GB more P1": 0}


def test_what_neither_covers_has_its_price(served: AccountState) -> None:
    """2.5 GB of the plan's 1 and the pack's 1: 500 MB at a penny."""
    assert run(bought(served, TWENTIETH), used(1, 2500, TWENTIETH))[2]["usage"] == [500]


def test_it_is_on_the_next_bill_once(served: AccountState) -> None:
    """Two packs, two lines on one bill, with the tax group and the days on which they can be used; the bill after has none."""
    state, _, first = run(bought(bought(served, TWENTIETH), TWENTIETH))
    assert first["pack"] == [500, 500]
    assert "pack" not in run(state)[2]


def test_it_covers_nothing_of_before_it_was_bought(served: AccountState) -> None:
    """1.5 GB on the 19th, a pack on the 20th: 500 MB are charged, and the pack is whole."""
    state = bought(served, TWENTIETH)
    earlier = used(1, 1500, TWENTIETH - timedelta(days=1))
    assert left(state, earlier) == {"1 GB": 0, "1 GB more P1": 1000}
    assert run(state, earlier)[2]["usage"] == [500]


def test_what_is_left_is_over_with_its_day(served: AccountState) -> None:
    """Of one bill period, nothing is carried into the next, whatever the offering says of rollover."""
    state, taken, _ = run(bought(served, TWENTIETH, MORE.model_copy(update={"rollover_max": "1"})))
    assert taken.carried == ()
    assert state.usage.packs == ()
    assert left(state) == {"1 GB": 1000}


def test_one_of_two_periods_goes_on(served: AccountState) -> None:
    """Bought in January and good for two bill periods, what is left of it serves until 8 March, and is on no second bill."""
    state, _, first = run(bought(served, TWENTIETH, MORE.model_copy(update={"periods": 2})), used(1, 1300, TWENTIETH))
    assert left(state) == {"1 GB": 1000, "1 GB more P1": 700}
    state, taken, second = run(state, used(2, 1100, date(2026, 2, 20)))
    assert (first["pack"], "pack" in second, taken.carried) == ([500], False, ())
    assert left(state) == {"1 GB": 1000}


def test_it_belongs_to_its_line(served: AccountState) -> None:
    """Another line of the account uses none of it (a shared one would)."""
    state = bought(account(line("2", "2026-01-09"), state=served), TWENTIETH)
    assert left(state, used(1, 2500, TWENTIETH, OTHER))["1 GB more P1"] == 1000
    shared = bought(account(line("2", "2026-01-09"), state=served), TWENTIETH, MORE.model_copy(update={"shared": True}))
    assert left(shared, used(1, 2500, TWENTIETH, OTHER))["1 GB more P1"] == 0


def test_it_goes_on_with_its_line_under_another_plan(served: AccountState) -> None:
    """The charge of another plan takes the place of the one with which it was bought."""
    over = ChargeWithdrawn(order=ORDER, item="1", ended_on="2026-01-25", served=True, product=f"{ORDER}:1", by_product=True)
    state = account(over, line("9", "2026-01-25", product=f"{ORDER}:1"), state=bought(served, TWENTIETH))
    assert left(state, used(1, 1300, date(2026, 1, 26), f"{ORDER}/9"))["1 GB more P1"] == 700


def test_it_counts_towards_the_limit_of_the_bill(served: AccountState) -> None:
    """With a limit of 6.00 a pack for 5.00 leaves room for 100 MB; a second pack is refused, and a limit that just holds it is none that it goes beyond."""
    limit = LimitSet.model_validate({**LimitSet.example, "amount_minor": 600, "from_at": "2026-01-09T00:00:00Z"})
    state = bought(account(limit, state=served), TWENTIETH)
    rated, _ = rated_before(work_of(state, used(1, 2000, TWENTIETH), used(2, 100, TWENTIETH), used(3, 1, TWENTIETH)), date(2026, 2, 8))
    assert [record.id for record, _ in rated.beyond] == [3]
    pack = Pack("data-pack", MORE, 500, "standard")
    with pytest.raises(Refused, match=r"costs 5\.00, with which the bill would go beyond its limit of 6\.00"):
        buy(state, pack, owner=LINE, period=Period(date(2026, 1, 8), date(2026, 2, 8)), on=TWENTIETH, spending=Spending(101, 600))
    assert buy(state, pack, owner=LINE, period=Period(date(2026, 1, 8), date(2026, 2, 8)), on=TWENTIETH, spending=Spending(100, 600))


def test_one_bought_on_the_day_of_a_bill_before_it_is_made_is_of_the_next_period(served: AccountState) -> None:
    """Its units count at once, the bill of that day has nothing of it, and the next one has it once."""
    eighth = date(2026, 2, 8)
    state = bought(served, eighth)
    begun = basis_at(work_of(state, used(1, 1300, eighth)), eighth, eighth)
    assert {grant.allowance.name: int(grant.left / 10**6) for grant in begun.rated().grants} == {"1 GB": 0, "1 GB more P1": 700}
    state, taken, first = run(state)
    assert ("pack" in first, taken.spent.get("bill", {}).get("2026-02-08")) == (False, None)
    assert run(state)[2]["pack"] == [500]


def offered(*prices: dict[str, Any], **more: Any) -> CatalogueState:
    told = {
        **OfferingPublished.example,
        "offering": "data-pack",
        "specification": "spec-add-on",
        "requires": [],
        "characteristics": {},
        "defaults": {},
        "optional": [],
    }
    read = [OfferingPrice.model_validate(price) for price in prices]
    return CatalogueState({"data-pack": OfferingPublished.model_validate({**told, "prices": read, **more})})


ONCE = {"kind": "one-time", "amount_minor": 500}
UNITS = {"kind": "allowance", "amount_minor": 0, "allowance": MORE.model_dump()}
AT = datetime(2026, 1, 20, tzinfo=UTC)


def test_an_offering_that_is_a_pack() -> None:
    """A price once, and the units that it includes."""
    assert pack_of(offered(ONCE, UNITS), offering="data-pack", market="GB", at=AT) == Pack("data-pack", MORE, 500, "standard")


@pytest.mark.parametrize(
    ("state", "market", "said"),
    [
        pytest.param(offered(UNITS), "GB", "is no pack", id="no price"),
        pytest.param(offered(ONCE), "GB", "is no pack", id="no units"),
        pytest.param(offered(ONCE, UNITS, {"kind": "recurring", "amount_minor": 100}), "GB", "is no pack", id="a price a month"),
        pytest.param(offered(ONCE, UNITS, UNITS), "GB", "is no pack", id="two sorts of units"),
        pytest.param(offered(ONCE, UNITS), "PT", "is sold in GB alone", id="another market"),
        pytest.param(offered(ONCE, UNITS, status="Retired"), "GB", "is retired", id="retired"),
        pytest.param(offered(ONCE, UNITS, valid_from="2026-02-01T00:00:00Z"), "GB", "is not yet valid", id="not yet"),
        pytest.param(CatalogueState(), "GB", "is unknown", id="unknown"),
    ],
)
def test_an_offering_that_is_none(state: CatalogueState, market: str, said: str) -> None:
    """Refused by what it lacks."""
    with pytest.raises(Refused, match=said):
        pack_of(state, offering="data-pack", market=market, at=AT)


DAYS = st.lists(st.tuples(st.integers(0, 80), st.integers(1, 900), st.integers(1, 3)), max_size=6)


@hypothesis_given(DAYS)
def test_every_pack_is_on_one_bill_whenever_it_was_bought(days: list[tuple[int, int, int]]) -> None:
    """Packs bought on any days of three periods: together the bills have each price once, and no pack is granted twice in a period."""
    state = run(account(line(starts_on="2026-01-05")))[0]
    billed: list[int] = []
    for place, price_minor, periods in sorted(days):
        on = date(2026, 1, 8) + timedelta(days=place)
        while date.fromisoformat(state.due_run) <= on:
            names = list(left(state))
            assert len(names) == len(set(names))
            state, _, lines = run(state)
            billed += lines.get("pack", [])
        state = bought(state, on, MORE.model_copy(update={"periods": periods}), price_minor=price_minor)
    for _ in range(4):
        state, _, lines = run(state)
        billed += lines.get("pack", [])
    assert sorted(billed) == sorted(price_minor for _, price_minor, _ in days)
    assert state.usage.packs == ()


def test_the_event_says_until_when() -> None:
    """The running bill period counts as the first."""
    state = run(account(line(starts_on="2026-01-05")))[0]
    ends = [bought(state, TWENTIETH, MORE.model_copy(update={"periods": periods})).usage.packs[0].ends for periods in (1, 2, 3)]
    assert ends == ["2026-02-08", "2026-03-08", "2026-04-08"]
    assert isinstance(bought(state, TWENTIETH).usage.packs[0], PackBought)
