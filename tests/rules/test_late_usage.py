"""Usage that comes after the final bill: a further one takes it, and what comes too late is charged to nobody."""

from datetime import date, timedelta

import pytest

from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.charges import ChargeWithdrawn
from o2c.kernel.frozen import changed
from o2c.rating.events import LateUsageReported, UsageWaived
from o2c.rating.late import take_late
from o2c.rating.state import UsageStanding
from tests.charges import ORDER, account, charge, run
from tests.used import LATE

FINAL = date(2026, 2, 8)
DAYS = 90


@pytest.fixture
def settled() -> AccountState:
    """An account with prices of usage whose only line ended on 20 January and that had its final bill on 8 February."""
    started = charge("2026-01-05")
    metered = started.model_copy(update={"terms": started.terms.model_copy(update={"usage_version": 12})})
    state, _ = run(account(metered))
    state, _ = run(account(ChargeWithdrawn(order=ORDER, item="1", ended_on="2026-01-20", served=True), state=state))
    assert (state.settled_on, state.due_run) == (FINAL.isoformat(), "")
    return state


@pytest.mark.parametrize(("days", "decided"), [(0, LateUsageReported), (1, LateUsageReported), (90, LateUsageReported), (91, UsageWaived)])
def test_so_many_days_after_the_final_bill_decide(
    settled: AccountState, days: int, decided: type[LateUsageReported] | type[UsageWaived]
) -> None:
    """Up to the last day that the market names it is billed, from the next one on it is not chargeable."""
    [event] = take_late(settled, records=LATE, came_on=FINAL + timedelta(days=days), days=DAYS).events
    assert (type(event), event.records) == (decided, 1)


@pytest.mark.parametrize(
    "state",
    [pytest.param({"settled_on": ""}, id="no-final-bill-yet"), pytest.param({"late_on": "2026-02-20"}, id="a-further-one-is-to-come")],
)
def test_a_bill_that_is_to_come_takes_it(settled: AccountState, state: dict[str, str]) -> None:
    """However late it comes: nothing is to be decided. Without a record there is nothing either."""
    assert not take_late(changed(settled, **state), records=LATE, came_on=FINAL + timedelta(days=200), days=DAYS)
    assert not take_late(settled, records=[], came_on=FINAL, days=DAYS)


@pytest.mark.parametrize(
    ("came_on", "run_on"),
    [("2026-02-08", "2026-03-08"), ("2026-03-07", "2026-03-08"), ("2026-03-08", "2026-04-08"), ("2026-04-30", "2026-05-08")],
)
def test_the_next_run_of_its_cycle_makes_the_further_bill(settled: AccountState, came_on: str, run_on: str) -> None:
    """On the account's own day of the month, after the day on which it came; it is final again, and no run follows it."""
    late = LateUsageReported(account="BA-1001", customer="C-1001", records=1, came_on=came_on)
    state = account(late, state=settled)
    assert (state.due_run, state.to_settle) == (run_on, True)
    state, _ = run(state)
    assert (state.due_run, state.late_on, state.to_settle) == ("", "", False)


def test_days_are_counted_from_the_first_final_bill(settled: AccountState) -> None:
    """A further one does not begin them anew: nobody is billed for good because something came in time."""
    late = LateUsageReported(account="BA-1001", customer="C-1001", records=1, came_on="2026-04-30")
    state, _ = run(account(late, state=settled))
    assert state.settled_on == FINAL.isoformat()
    [event] = take_late(state, records=LATE, came_on=FINAL + timedelta(days=91), days=DAYS).events
    assert isinstance(event, UsageWaived)


def test_what_is_not_chargeable_is_on_no_bill_of_after(settled: AccountState) -> None:
    """Its records are behind the place from which the next bill reads, should the account be charged again."""
    [event] = take_late(settled, records=LATE, came_on=FINAL + timedelta(days=91), days=DAYS).events
    state = ACCOUNT.evolve(settled, event)
    assert state.usage == changed(UsageStanding(), through=LATE[0].id, billed_before="2026-05-11")
    assert state.due_run == ""
