"""The final bill of an account: what was served and used until its last line ended, once, and nothing after it."""

from dataclasses import replace
from datetime import date, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.collections.rules import barred
from o2c.collections.state import KIND as COLLECTION
from o2c.invoicing.events import AccountBilled
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.invoicing.usage import grants_of, period_before
from o2c.kernel.balances import DepositKept, DepositRetained
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn, PriceTerms, RestEnded
from o2c.kernel.event import Event
from o2c.rating.account import Tariff
from o2c.rating.tariff import Allowance
from tests.charges import ORDER, STREAM, account, charge, run, told
from tests.given import BOOK, CUSTOMER, MONDAY

_HELD = {"account": "BA-1001", "customer": "C-1001", "currency": "GBP", "amount_minor": 5000, "order": ORDER}


def deposit() -> tuple[DepositKept, DepositRetained]:
    """A deposit of 50.00 that is kept until three bills were paid in time."""
    return DepositKept(**_HELD, method="card"), DepositRetained(**_HELD, good_bills=3)


def ended(on: str, item: str = "1", *, served: bool = True) -> ChargeWithdrawn:
    return ChargeWithdrawn(order=ORDER, item=item, ended_on=on, served=served)


def weekly(starts_on: str, minor: int) -> ChargeStarted:
    return charge(starts_on, minor).model_copy(update={"terms": PriceTerms(period_unit="week")})


def billed(state: AccountState) -> AccountBilled:
    """What the account says of its next run."""
    work = replace(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK), read={"customer-C-1001": CUSTOMER})
    [found] = [event for event in bill(work, {}, MONDAY).events if isinstance(event, AccountBilled)]
    return found


@pytest.mark.parametrize(
    ("started", "end", "lines"),
    [
        pytest.param(charge("2026-01-10", 3100, 500), "2026-01-20",
                     [("one-time", "2026-01-10", "2026-01-10", 500), ("part-period", "2026-01-10", "2026-01-20", 1000)], id="ten-of-31-days"),
        pytest.param(charge("2026-01-20", 3100), "2026-01-20", [], id="not-a-day"),
        pytest.param(weekly("2026-01-10", 700), "2026-01-20",
                     [("period", "2026-01-10", "2026-01-17", 700), ("part-period", "2026-01-17", "2026-01-20", 300)], id="a-week-and-three-days"),
    ],
)  # fmt: skip
def test_what_was_served_and_is_on_no_bill_is_billed_up_to_its_end(
    started: ChargeStarted, end: str, lines: list[tuple[str, str, str, int]]
) -> None:
    """A line added after the last run, on an account whose services are ended for a debt: its days are charged, and none after them."""
    state, _ = run(account(charge("2026-01-05")))
    state = account(started.model_copy(update={"item": "2"}), ended(end), ended(end, "2"), state=state)
    assert (state.due_run, billed(state).final) == ("2026-02-08", True)
    state, invoice = run(state)
    assert told(invoice) == lines
    assert (state.due_run, state.settled_on) == ("", "2026-02-08")
    if invoice:
        assert invoice.final


def test_a_bill_is_not_final_while_anything_is_served() -> None:
    """One of two lines has ended: its last days stand on the bill of the other, which goes on."""
    state, _ = run(account(charge("2026-01-05")))
    state = account(charge("2026-01-12", 3100, item="2"), ended("2026-01-20", "2"), state=state)
    state, invoice = run(state)
    assert invoice is not None
    assert [line.net_minor for line in invoice.lines if line.item == "2"] == [800]
    assert (invoice.final, state.settled_on, state.due_run) == (False, "", "2026-03-08")


def test_a_bill_is_not_final_while_what_ending_costs_is_to_come() -> None:
    """A line that ends in its term on the day of a run, before it: what that costs begins on this day, so that the next bill has it, which is the final one. Until then a
    deposit is kept for it."""
    state, _ = run(account(charge("2026-01-05")))
    cost = charge("2026-02-08", 0, 18_500, item="1-change")
    state = account(*deposit(), ended("2026-02-08"), cost, ended("2026-02-08", "1-change"), state=state)
    assert (state.due_run, billed(state).final) == ("2026-02-08", False)
    state, none = run(state)
    assert (none, state.due_run, state.balance.deposits) == (None, "2026-03-08", {ORDER: 5_000})
    state, last = run(state)
    assert last is not None
    assert (told(last), last.final) == ([("one-time", "2026-02-08", "2026-02-08", 18_500)], True)
    assert (last.credit_used_minor, state.balance.deposits, state.due_run) == (5_000, {}, "")


def test_an_account_that_is_charged_again_after_its_final_bill_is_billed_again() -> None:
    """And it will have another final bill."""
    state, _ = run(account(charge("2026-01-05")))
    state, _ = run(account(ended("2026-01-20"), state=state))
    assert state.settled_on
    state = account(charge("2026-03-10", item="2"), state=state)
    assert (state.settled_on, state.due_run) == ("", "2026-04-08")


PRODUCT = f"{ORDER}:1"


class Life:
    """A product in life, on an account that keeps a deposit for it: what its customer orders, a few days after another, and the bill runs between."""

    def __init__(self) -> None:
        self.day, self.turn, self.status, self.finals = date(2026, 1, 5), 1, "serves", list[str]()
        self.state = account(charge("2026-01-05"), *deposit())

    def tell(self, *events: Event) -> None:
        self.state = account(*events, state=self.state)

    def do(self, deed: str) -> None:
        """Do it, if it can be done now."""
        self.day += timedelta(days=9)
        item, on = str(self.turn), self.day.isoformat()
        over = ended(on, item).model_copy(update={"product": PRODUCT, "by_product": True})
        if self.status == "serves" and deed in ("rests", "ends"):
            self.tell(over.model_copy(update={"rests": deed == "rests"}))
        elif self.status == "rests" and deed == "serves":
            self.turn += 1
            self.tell(charge(on, item=str(self.turn)).model_copy(update={"product": PRODUCT}))
        elif self.status == "rests" and deed == "ends":
            self.tell(RestEnded(product=PRODUCT, ended_on=on, by_product=True))
        else:
            return
        self.status = deed

    def bill(self) -> None:
        """Make the bill runs that are due."""
        while self.state.due_run and date.fromisoformat(self.state.due_run) <= self.day:
            self.finals += [self.state.due_run] if billed(self.state).final else []
            self.state, _ = run(self.state)


@hypothesis.given(st.lists(st.tuples(st.sampled_from(("rests", "serves", "ends", "waits")), st.booleans()), max_size=12))
@hypothesis.example([("rests", True), ("waits", True), ("waits", True), ("waits", True), ("ends", True)])
@hypothesis.example([("rests", False), ("serves", False), ("rests", True), ("ends", True)])
def test_a_rest_is_no_end(deeds: list[tuple[str, bool]]) -> None:
    """An account whose product rests, uncharged, is to go on: it has no final bill, keeps its deposit, and no time begins after which usage is billed no more. Once the
    product ends, wherever it rested then, there is one final bill, and the deposit is free."""
    life = Life()
    for deed, runs in deeds:
        life.do(deed)
        if runs:
            life.bill()
        if life.status != "ends":
            assert (life.finals, life.state.settled_on) == ([], "")
            assert life.state.balance.deposits == {ORDER: 5000}
    if life.status == "ends":
        life.day += timedelta(days=70)
        life.bill()
        assert len(life.finals) == 1
        assert (life.state.balance.deposits, life.state.due_run) == ({}, "")


def test_what_rests_ends_with_its_account() -> None:
    """An account that is ended for a debt while one of its lines rests, uncharged: the network ends both, and nothing is waited for; while it is barred alone, what
    rests is left alone."""
    rests = ended("2026-01-14", "2").model_copy(update={"rests": True, "product": f"{ORDER}:2"})
    held = account(charge("2026-01-05"), charge("2026-01-05", item="2"), rests)
    for level, told_of, follows in (("ended", ["1", "2"], ["account.charge-withdrawn", "account.rest-ended"]), ("soft", ["1"], [])):
        state = replace(COLLECTION.initial(""), account="BA-1001", market="GB@2026-01", bar_asked=level)
        work = replace(COLLECTION.work(state, "collection-BA-1001", "", "barring", BOOK), read={STREAM: held})
        decision = barred(work, {}, MONDAY)
        assert [line.item for line in decision.events[0].lines] == told_of
        assert [event.type_name for _, event in decision.elsewhere] == follows


def test_what_was_served_before_a_rest_is_billed_in_it() -> None:
    """A line that was added after the last run, and rests before the next one: its days stand on the bill of the run that stands, which is not the last."""
    state = account(charge("2026-01-10", 3100), ended("2026-01-14").model_copy(update={"rests": True, "product": PRODUCT}))
    state, invoice = run(state)
    assert invoice is not None
    assert (told(invoice), invoice.final) == ([("part-period", "2026-01-10", "2026-01-14", 400)], False)
    assert (state.due_run, state.settled_on) == ("", "")


def test_an_item_that_never_was_complete_is_not_billed_for_its_days() -> None:
    """As before: what failed before its first bill costs nothing, and its run is called off."""
    state = account(charge("2026-01-05"), ended("2026-01-06", served=False))
    assert (state.due_run, state.to_settle) == ("", False)


def test_included_units_cover_what_was_used_before_the_end() -> None:
    """The units of the month in which a line ended are granted to it: it paid for them."""
    started = charge("2026-01-05")
    metered = started.model_copy(update={"terms": started.terms.model_copy(update={"usage_version": 12})})
    state = account(metered, ended("2026-01-20"))
    tariffs = {f"{ORDER}/1": Tariff("mobile-line", (), (Allowance(name="50 messages", usage=("sms",), unit="message", quantity="50"),))}
    assert len(grants_of(state, tariffs, period_before(state, date(2026, 2, 8)))) == 1
    assert grants_of(state, tariffs, period_before(state, date(2026, 3, 8))) == ()


@hypothesis.given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 9_999))
def test_a_line_is_billed_for_the_days_it_was_served(before: int, served: int, minor: int) -> None:
    """Whenever it starts and ends: the days on all its bills, less those credited, are the days from its start to its end."""
    starts = date(2026, 1, 9) + timedelta(days=before)
    end = starts + timedelta(days=served)
    state, days, at = account(charge("2026-01-05", item="9"), charge(starts.isoformat(), minor)), [], False
    for _ in range(6):
        if not at and state.due_run and date.fromisoformat(state.due_run) > end:
            state, at = account(ended(end.isoformat()), state=state), True
        state, invoice = run(state)
        days += [line for line in (invoice.lines if invoice else ()) if line.item == "1" and line.kind != "one-time"]
    covered = {
        date.fromisoformat(line.from_day) + timedelta(days=n)
        for line in days
        for n in range((date.fromisoformat(line.to_day) - date.fromisoformat(line.from_day)).days)
    }
    assert {starts + timedelta(days=n) for n in range(served)} <= covered
    [kept] = [one for one in state.charges.values() if one.item == "1"]
    assert kept.billed_to <= end.isoformat() or kept.credited or not served
