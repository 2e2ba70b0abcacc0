"""A bill run and usage, by the rules alone: which records it takes, what a line without any owes, what the event carries on."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from o2c.catalogue.events import OfferingPrice, OfferingPublished
from o2c.catalogue.state import CatalogueState
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.invoicing.usage import records_wanted
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.records import RECORDS, UsageRecord
from o2c.rating.events import UsageRated
from tests.charges import ORDER, STREAM, account, charge
from tests.given import BOOK, CUSTOMER, MONDAY

OWNER = f"{ORDER}/1"
FLAT = {"kind": "graduated", "tiers": [{"up_to": "10", "flat_amount": "2"}, {"unit_amount": "0.1"}]}
EACH = {"kind": "per-unit", "unit_amount": "0.1"}


def sold(model: Any) -> CatalogueState:
    usage = {"name": "Calls", "usage": "voice", "unit": "minute", "model": model}
    price = OfferingPrice.model_validate({"kind": "usage", "amount_minor": 0, "usage": usage})
    return CatalogueState({"mobile-line": OfferingPublished.model_validate({**OfferingPublished.example, "prices": [price]})})


def metered(starts_on: str = "2026-01-05") -> ChargeStarted:
    started = charge(starts_on)
    return started.model_copy(update={"terms": started.terms.model_copy(update={"usage_version": 12})})


def used(id_: int, minutes: int, at: datetime) -> UsageRecord:
    return UsageRecord(id_, OWNER, "voice", "national", "day", at, Decimal(60 * minutes), "second", f"msc/{id_}")


def run(state: AccountState, *records: UsageRecord, model: Any = EACH) -> tuple[AccountState, UsageRated | None, list[int]]:
    """The next run: the account after it, what it took, and the usage lines of its invoice in minor units."""
    work = ACCOUNT.work(state, STREAM, "", "bill-run", BOOK)
    work = replace(work, read={"customer-C-1001": CUSTOMER, "catalogue-main@12": sold(model), RECORDS: records})
    decision = bill(work, {}, MONDAY)
    taken = next((event for event in decision.events if isinstance(event, UsageRated)), None)
    lines = [line.net_minor for _, issued in decision.elsewhere for line in getattr(issued, "lines", ()) if line.kind == "usage"]
    return account(*decision.events, state=state), taken, lines


def test_a_run_says_what_it_took() -> None:
    """Up to the last record; the next run wants what came later, or was used later."""
    state, taken, lines = run(account(metered()), used(7, 5, datetime(2026, 1, 6, tzinfo=UTC)))
    assert taken is not None
    assert (taken.run_on, taken.through, lines) == ("2026-01-08", 7, [50])
    wanted = records_wanted(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK))
    assert wanted is not None
    assert (wanted.through, wanted.billed_before, wanted.before) == (7, datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 2, 8, tzinfo=UTC))


def test_a_run_without_records_keeps_its_place() -> None:
    """The place of an earlier run is not given up."""
    state, _, _ = run(account(metered()), used(7, 5, datetime(2026, 1, 6, tzinfo=UTC)))
    state, taken, lines = run(state)
    assert taken is not None
    assert (taken.through, taken.lines, lines) == (7, (), [])


def test_an_account_without_prices_of_usage_has_no_such_event() -> None:
    """And wants no records."""
    state = account(charge("2026-01-05"))
    assert records_wanted(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK)) is None
    assert run(state)[1:] == (None, [])


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        pytest.param([metered()], [200], id="in service"),
        pytest.param([metered(), charge("2026-01-05", item="2"), ChargeWithdrawn(order=ORDER, item="1")], [], id="withdrawn"),
        pytest.param([charge("2026-01-05", item="2"), metered("2026-01-09")], [], id="not yet begun"),
    ],
)
def test_a_flat_amount_for_nothing_is_owed_in_service_only(events: list[Any], lines: list[int]) -> None:
    """The first tier of L1 costs its flat amount without a single unit; a line that is not in service does not owe it."""
    assert run(account(*events), model=FLAT)[2] == lines


def test_what_was_used_is_owed_though_the_line_has_ended() -> None:
    """It was used while it was somebody's."""
    state = account(metered(), charge("2026-01-05", item="2"), ChargeWithdrawn(order=ORDER, item="1"))
    assert run(state, used(7, 5, datetime(2026, 1, 6, tzinfo=UTC)))[2] == [50]
