"""An order of a site for which its group pays: whatever becomes of it, money of it stands with the account that pays, and none with its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from o2c.credit.rules import deposit, release
from o2c.customers.events import AccountPlaced
from o2c.customers.state import evolve
from o2c.kernel.balances import Compensated, DepositFreed, DepositKept
from o2c.kernel.charges import AccountOpened, ChargeStarted
from o2c.kernel.partner import Failed, RefusedBy
from o2c.markets import registry
from o2c.markets.pt import PT
from o2c.orders.changing import payer_in
from o2c.orders.penalties import Penalty, charged
from o2c.withdrawals.events import WithdrawalAwaited
from o2c.withdrawals.of_orders import Brought, withdraw
from tests import given
from tests.given import BOOK, CUSTOMER, MARKET, MONDAY, Story, item
from tests.rules.test_port_windows import PHYSICAL, bringing, january

SITE, GROUP = "BA-1001", "GROUP"


@pytest.fixture(autouse=True)
def _the_group_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    top = AccountPlaced(customer="C-1001", account=GROUP, level="entity", pays="itself")
    site = AccountPlaced(customer="C-1001", account=SITE, level="site", parent=GROUP, pays="parent")
    monkeypatch.setitem(given.READ, "customer-C-1001", evolve(evolve(CUSTOMER, top), site))
    # As if a late number were worth something in this market, too.
    late = replace(MARKET, porting=replace(MARKET.porting, delay=PT.porting.delay))
    monkeypatch.setitem(registry._BY_PIN, MARKET.pin, late)


def with_a_deposit() -> Story:
    """It is kept while the order is carried out, and freed when that is cancelled."""
    story = Story(item()).run(until="credit")
    story.attend("credit", "", RefusedBy("DEPOSIT", {"deposit_minor": 2000, "currency": "GBP"}))
    came = deposit(
        story.work("", "credit"), amount_minor=2000, currency="GBP", reference="TFR-1", method="card", today="2026-01-05", at=MONDAY
    )
    story.take(came)
    story.cancel()
    story.take(release(story.work("", "credit"), MONDAY))
    return story


def with_a_late_port() -> Story:
    """The cut-over fails through its window, and the number comes days later."""
    story = bringing(PHYSICAL).run(until="cutover")
    while "porting.window-missed" not in story.names():
        due = story.agenda["1", "cutover"].due_at
        in_window = january(9, 9) <= due < january(9, 17)
        story.attend("cutover", "1", Failed("UNAVAILABLE") if in_window else None, at=max(due, january(9, 16)) if in_window else due)
        if ("1", "cutover") not in story.agenda:
            story.correct("cutover", "1", {}, at=january(9, 17))
    return story.run()


def with_a_late_start_and_a_missed_visit() -> Story:
    """Nobody comes to the first visit of a fixed line."""
    story = Story(item("1", "fibre")).run(until="appointment")
    story.attend("appointment", "1", RefusedBy("NOT-KEPT"))
    story.correct("appointment", "1", {}, at=MONDAY + timedelta(days=30))
    return story.run()


def with_a_price_of_a_change() -> Story:
    """What it costs to call a visit off."""
    story = Story(item("1", "fibre")).run(until="appointment")
    costs = [Penalty("1", "1", "appointment", ("place",), 2500)]
    story.elsewhere += charged(story.state, costs, 1, MONDAY, BOOK)
    return story


def withdrawn_from_on_its_way() -> Story:
    """A line that can be stopped no more: its account is that which is to be charged nothing."""
    story = Story(item(characteristics={"simType": "physical"})).run(until="activation")
    story.attend("activation", "1")
    story.take(withdraw(story.state, Brought(), MARKET, note="", at=MONDAY + timedelta(days=3), book=BOOK))
    return story


LIVES: list[tuple[Callable[[], Story], set[type]]] = [
    (with_a_deposit, {DepositKept, DepositFreed}),
    (with_a_late_port, {Compensated, ChargeStarted}),
    (with_a_late_start_and_a_missed_visit, {Compensated, ChargeStarted}),
    (with_a_price_of_a_change, {ChargeStarted}),
    (withdrawn_from_on_its_way, {WithdrawalAwaited}),
]


@pytest.mark.parametrize(("lived", "told"), [pytest.param(*life, id=life[0].__name__) for life in LIVES])
def test_money_of_an_order_stands_with_the_account_that_pays(lived: Callable[[], Story], told: set[type]) -> None:
    """Credits, deposits, charges and what is awaited; the site's own account is opened, and nothing more."""
    story = lived()

    found = [event for _, event in story.elsewhere if hasattr(event, "account") and not isinstance(event, AccountOpened)]
    assert payer_in(story.state, SITE) == GROUP
    assert {type(event) for event in found} >= told
    assert {event.account for event in found} == {GROUP}
