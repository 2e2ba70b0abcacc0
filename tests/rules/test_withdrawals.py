"""Who may withdraw from a contract and until when, what stays owed, and what goes back: rules without a store."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing import withdrawal_notes
from o2c.invoicing.charge import Charge
from o2c.invoicing.events import CreditDue, WithdrawalCreditAsked
from o2c.invoicing.rules import charge_lines
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.charges import MONTHLY, ChargeStarted, ChargeWithdrawn, GoodsTakenBack
from o2c.kernel.money import part_of
from o2c.kernel.refusal import Refused
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.markets.pt import PT
from o2c.markets.registry import MARKETS
from o2c.orders.planned import Planned
from o2c.orders.rollup import ItemProgress, Progress
from o2c.orders.wish import START
from o2c.withdrawals.events import GoodsGraded
from o2c.withdrawals.rules import Contract, declare, right
from o2c.withdrawals.state import WithdrawalState
from tests.given import BOOK, MARKET, MONDAY
from tests.lives_of_withdrawals import after, awaited, back, contract, device, graded, sent, service, withdrawn
from tests.noted import invoice

DAY = timedelta(days=1)


@pytest.mark.parametrize("market", [each for versions in MARKETS.values() for each in versions], ids=lambda each: each.pin)
def test_every_market_says_how_long_and_why(market: Any) -> None:
    """Fourteen days and a refund within fourteen, by a statute that is named; every grade has what is kept of the price."""
    rules = market.life.withdrawal
    assert (rules.days, rules.refund_days, len(rules.source) > 40) == (14, 14, True)
    assert rules.kept_percent == {"as-new": 0, "used": 20, "damaged": 50, "lost": 0}


@pytest.mark.parametrize(
    ("market", "taken_on", "last_day"),
    [
        pytest.param(GB, datetime(2026, 1, 5, 12), "2026-01-19", id="GB-fourteen-days-after"),
        pytest.param(GB, datetime(2026, 1, 4, 12), "2026-01-18", id="GB-ends-on-a-Sunday"),
        pytest.param(NL, datetime(2026, 1, 4, 12), "2026-01-19", id="NL-a-Sunday-becomes-Monday"),
        pytest.param(PT, datetime(2026, 1, 3, 12), "2026-01-19", id="PT-a-Saturday-becomes-Monday"),
        pytest.param(NL, datetime(2026, 1, 5, 23, 30), "2026-01-20", id="NL-by-the-local-day"),
    ],
)
def test_the_last_day(market: Any, taken_on: datetime, last_day: str) -> None:
    """The day of the contract does not count, and where the law says so a last day that is not worked is moved."""
    made = contract(captured_at=taken_on.replace(tzinfo=MONDAY.tzinfo))
    assert right(made, market, business=False, today=date(2026, 1, 6)).last_day == last_day


@pytest.mark.parametrize(
    ("channel", "business", "today", "why"),
    [
        pytest.param("web", False, date(2026, 1, 19), "", id="on-the-last-day"),
        pytest.param("web", False, date(2026, 1, 20), "over", id="a-day-later"),
        pytest.param("web", True, date(2026, 1, 6), "business", id="a-business"),
        pytest.param("store", False, date(2026, 1, 6), "in-person", id="bought-in-a-store"),
        pytest.param("", False, date(2026, 1, 6), "", id="nobody-knows-where"),
    ],
)
def test_who_may_withdraw(channel: str, business: bool, today: date, why: str) -> None:
    """Consumers who did not buy in person, through the last day."""
    assert right(contract(channel=channel), MARKET, business=business, today=today).why == why


@pytest.mark.parametrize(
    ("said", "channel", "told"),
    [
        pytest.param("true", "call-centre", (True, "paper"), id="the-paper-says-yes"),
        pytest.param("false", "web", (False, "paper"), id="the-paper-says-no"),
        pytest.param("", "web", (True, "channel"), id="the-form-of-the-channel-asks"),
        pytest.param("", "call-centre", (False, "channel"), id="the-channel-does-not-ask"),
    ],
)
def test_whether_the_service_was_asked_to_begin(said: str, channel: str, told: tuple[bool, str]) -> None:
    """The paper counts first, then what the channel has customers ask."""
    made = contract(channel=channel)
    asked = {START: said} if said else {}
    item = Planned("1", "1", "mobile-line", "spec-mobile", asked, (), 1999, 0, MONTHLY, {}, "", "BA-1001", "GBP")
    made = replace(made, order=replace(made.order, items={"1": item}))
    granted = right(made, MARKET, business=False, today=date(2026, 1, 6))
    assert (granted.asked_to_start, granted.asked_by) == told


def goods_of(*delivered_on: str) -> Contract:
    """Devices of one order, the first of which is looked at; an empty day is one that is still to come."""
    item = Planned("1", "1", "lark-9", "spec-device", {}, (), 0, 49917, MONTHLY, {}, "", "BA-1001", "GBP")
    names = [str(n) for n in range(1, len(delivered_on) + 1)]
    steps = {name: ItemProgress(steps={"delivery": "done" if day else "requested"}) for name, day in zip(names, delivered_on, strict=True)}
    made = contract(device())
    records = {name: {"delivery": _came(day)} for name, day in zip(names, delivered_on, strict=True) if day}
    order = replace(made.order, items=dict.fromkeys(names, item), progress=Progress(items=steps), records=records)
    return replace(made, order=order)


def _came(day: str) -> Any:
    from o2c.kernel.work import Record

    return Record(outcome={"delivered_on": day})


@pytest.mark.parametrize(
    ("came_on", "last_day"),
    [
        pytest.param(("2026-01-07",), "2026-01-21", id="when-it-came"),
        pytest.param(("2026-01-07", "2026-01-12"), "2026-01-26", id="when-the-last-came"),
        pytest.param(("2026-01-07", ""), "", id="not-before-the-last-came"),
    ],
)
def test_the_period_of_goods_begins_with_the_last_of_them(came_on: tuple[str, ...], last_day: str) -> None:
    """Of several that were ordered together the last one counts; until it came the period does not end."""
    assert right(goods_of(*came_on), MARKET, business=False, today=date(2026, 1, 8)).last_day == last_day


def test_a_withdrawal_ends_the_contract_and_what_depends_on_it() -> None:
    """Product and charge of both end on the day, and each is a withdrawal of its own; the early end of the term costs nothing."""
    other = service(charge="6f9619ff-8b86-5d01-b42d-00cf4fc964ff/2")
    decision = declare(
        WithdrawalState(), contract(), [contract(replace(other, product="A:2"))], MARKET, business=False, at=MONDAY + 5 * DAY
    )
    told = [(stream.partition("-")[0], event.type_name) for stream, event in decision.elsewhere]
    ended = [("product", "product.terminated"), ("account", "account.charge-withdrawn")]
    assert told == [*ended, ("withdrawal", "withdrawal.declared"), *ended]
    assert [event.type_name for event in decision.events] == ["withdrawal.declared"]


def test_a_withdrawal_that_cannot_be() -> None:
    """Of nothing, of what ended, after the period: in one line that says what to do."""
    for product, told in (
        (replace(service(), standing=None), "no such product"),
        (replace(service(), ended_on="2026-01-09"), "ended on 2026-01-09"),
    ):
        with pytest.raises(Refused, match=told):
            declare(WithdrawalState(), contract(product), (), MARKET, business=False, at=MONDAY)
    with pytest.raises(Refused, match=r"the period is over.* \(it ran through 2026-01-19\)"):
        declare(WithdrawalState(), contract(), (), MARKET, business=False, at=MONDAY + 15 * DAY)


@pytest.mark.parametrize(
    ("market", "refund_by"),
    [pytest.param(GB, "2026-01-25", id="GB-from-the-goods"), pytest.param(NL, "2026-01-24", id="NL-from-the-declaration")],
)
def test_the_money_of_goods_waits_for_them(market: Any, refund_by: str) -> None:
    """Fourteen days from the proof that they were sent, or from the declaration but not before that proof, as the market says."""
    from o2c.withdrawals.rules import proven_sent

    state = awaited()
    assert state.refund_by == ""
    told = after(proven_sent(state, market, sent_on=date(2026, 1, 11), reference="P", at=MONDAY + 7 * DAY), state)
    assert told.refund_by == refund_by


@pytest.mark.parametrize(("found", "kept_minor"), [("as-new", 0), ("used", 9983), ("damaged", 24959), ("lost", 0)])
def test_what_is_kept_of_goods(found: str, kept_minor: int) -> None:
    """A share of the price by grade, half-up; the account is told, and the money goes back a day later."""
    decision = graded(back(), found)
    [(_, taken)] = decision.elsewhere
    assert isinstance(taken, GoodsTakenBack)
    assert taken.kept_minor == kept_minor
    assert [event.type_name for event in decision.events] == ["goods-return.graded", "withdrawal-refund.requested"]


def test_goods_that_were_credited_are_graded_without_a_deduction() -> None:
    """They were paid back whole as they were proven sent: what is found later only says what becomes of them."""
    state = after(sent(awaited()), awaited())
    state = replace(state, taken_back_on="2026-01-23")
    decision = graded(state, "damaged")
    [found, *_] = decision.events
    assert isinstance(found, GoodsGraded)
    assert (decision.elsewhere, found.kept_minor) == ((), 0)


def test_services_are_not_sent_back() -> None:
    """Nor is anything that nobody withdrew from."""
    with pytest.raises(Refused, match="is a service"):
        sent(after(withdrawn()))
    with pytest.raises(Refused, match="nobody withdrew"):
        graded(WithdrawalState())


def started(**more: Any) -> ChargeStarted:
    """A charge of 18.50 a month and 10.00 once from 8 January, the day of a bill."""
    told = {**ChargeStarted.example, "recurring_minor": 1850, "one_time_minor": 1000, "starts_on": "2026-01-08", **more}
    return ChargeStarted.model_validate(told)


def ended(day: str, *, served: bool = True) -> ChargeWithdrawn:
    """Its end by a withdrawal."""
    return ChargeWithdrawn(
        order=started().order, item="1", ended_on=day, served=served, product="A:1", by_product=True, one_time_owed=False
    )


def account(*events: Any, **more: Any) -> AccountState:
    """An account after events."""
    return replace(reduce(ACCOUNT.evolve, events, ACCOUNT.initial("")), due_run="2026-02-08", **more)


def test_five_of_thirty_one_days_of_a_service_at_18_50_are_2_98() -> None:
    """The proportionate charge of what was asked to begin and was not billed yet, net, half-up; what is charged once is not owed.

    Source: Directive 2011/83/EU, art. 14(3); SI 2013/3134, reg. 36(4) and (5).
    """
    found = withdrawal_notes.foreseen(account(started()), ended("2026-01-13"), ())
    assert found == withdrawal_notes.Foreseen(owed_minor=298)


def test_a_service_that_was_not_asked_to_begin_costs_nothing() -> None:
    """It ends as of its first day: nothing of it is ever billed."""
    state = ACCOUNT.evolve(account(started()), ended("2026-01-08", served=False))
    [charge] = state.charges.values()
    assert list(charge_lines(charge, date(2026, 2, 8))) == []
    assert withdrawal_notes.foreseen(account(started()), ended("2026-01-08", served=False), ()).owed_minor == 0


def billed_charge(**more: Any) -> Charge:
    """That charge, billed on 8 January for a month ahead."""
    return Charge(started().order, "1", "mobile-line", 1850, 1000, "2026-01-07", billed_to="2026-02-08", invoice="BA-1001-20260108", **more)


@pytest.mark.parametrize(
    ("of", "due"),
    [
        pytest.param(ended("2026-01-13"), [WithdrawalCreditAsked], id="withdrawn"),
        pytest.param(ended("2026-01-13").model_copy(update={"one_time_owed": True}), [CreditDue], id="ended-by-an-order"),
        pytest.param(ended("2026-02-08"), [WithdrawalCreditAsked], id="on-the-day-of-a-bill"),
        pytest.param(ended("2026-02-08").model_copy(update={"one_time_owed": True}), [], id="ended-on-the-day-of-a-bill"),
    ],
)
def test_what_is_to_be_credited_is_said_once(of: ChargeWithdrawn, due: list[type]) -> None:
    """What is charged once comes back to who withdrew, and to nobody else; once it was said it is not said again."""
    key = f"{started().order}/1"
    state = ACCOUNT.evolve(replace(account(started()), charges={key: billed_charge()}), of)
    told = ACCOUNT.advance(state, frozenset(), MONDAY, BOOK)
    credits = [event for event in told.events if isinstance(event, CreditDue)]
    assert [type(event) for event in credits] == due
    state = reduce(ACCOUNT.evolve, told.events, state)
    assert [event for event in ACCOUNT.advance(state, frozenset(), MONDAY, BOOK).events if isinstance(event, CreditDue)] == []


@hypothesis.given(
    price_minor=st.integers(1, 20_000),
    once_minor=st.integers(0, 20_000),
    days=st.integers(0, 31),
    asked=st.booleans(),
    kept_minor=st.integers(0, 25_000),
)
def test_what_stays_is_the_proportionate_charge_and_what_is_kept(
    price_minor: int, once_minor: int, days: int, asked: bool, kept_minor: int
) -> None:
    """Law: billed less credited is, to the minor unit, the share of the days served where the service was asked to begin, and what is kept of what was charged once."""
    end = date(2026, 1, 8) + days * DAY
    work = _billed(price_minor, once_minor)
    lines = withdrawal_notes.off(
        work, order="O", item="1", ended_on=(end if asked else date(2026, 1, 8)).isoformat(), kept_minor=kept_minor
    )
    left = price_minor + once_minor - sum(line.net_minor for line in lines)
    served_minor = part_of(price_minor, days, 31) if asked else 0
    assert left == served_minor + min(kept_minor, once_minor)


def _billed(price_minor: int, once_minor: int, *, month: int = 1) -> Any:
    """The payment's work of an invoice over a month from the 8th of a month on and a price that is charged once."""
    from o2c.invoicing.invoice import invoice_work
    from o2c.invoicing.papers import InvoiceLine

    of: dict[str, Any] = {"order": "O", "item": "1", "offering": "mobile-line", "tax_group": "standard"}
    days = {"from_day": f"2026-0{month}-08", "to_day": f"2026-0{month + 1}-08"}
    period = InvoiceLine(kind="period", **days, net_minor=price_minor, **of)
    once = InvoiceLine(kind="one-time", from_day="2026-01-08", to_day="2026-01-08", net_minor=once_minor, **of)
    state = invoice((price_minor, "20"))
    assert state.issued is not None
    issued = state.issued.model_copy(update={"lines": (period, *((once,) if once_minor else ())), "market": MARKET.pin})
    return invoice_work(replace(state, issued=issued), "invoice-1", "", "payment", BOOK)


def test_a_second_bill_within_the_period_is_credited_with_the_first() -> None:
    """What is charged once stands on the first bill, the days that are not served on the second: both are asked for, once each, and what stays is the share of the days served."""
    key = f"{started().order}/1"
    charge = replace(billed_charge(), first_invoice="BA-1001-20260108", invoice="BA-1001-20260208", billed_to="2026-03-08")
    state = ACCOUNT.evolve(replace(account(started()), charges={key: charge}), ended("2026-02-18"))
    told = ACCOUNT.advance(state, frozenset(), MONDAY, BOOK)
    asked = [event for event in told.events if isinstance(event, WithdrawalCreditAsked)]
    assert [(event.invoice, event.ended_on) for event in asked] == [("BA-1001-20260108", "2026-02-18"), ("BA-1001-20260208", "2026-02-18")]
    assert [
        e for e in ACCOUNT.advance(reduce(ACCOUNT.evolve, told.events, state), frozenset(), MONDAY, BOOK).events if isinstance(e, CreditDue)
    ] == []

    first, second = _billed(1850, 1000), _billed(1850, 0, month=2)
    served_minor = part_of(1850, 10, 28)
    of = {"order": "O", "item": "1", "ended_on": "2026-02-18", "kept_minor": 0}
    credits = [sum(line.net_minor for line in withdrawal_notes.off(work, **of)) for work in (first, second)]
    assert credits == [1000, 1850 - served_minor]
    assert served_minor == 661
    whole = [sum(line.net_minor for line in withdrawal_notes.off(work, **{**of, "ended_on": "2026-01-08"})) for work in (first, second)]
    assert whole == [2850, 1850]


def test_goods_with_a_price_a_month_are_credited_on_both_of_their_invoices() -> None:
    """The days that are not served at once, by the bill that had them; the price of the goods once these are back, by the invoice of its own."""
    key = f"{started().order}/1"
    charge = replace(billed_charge(), goods=True, goods_invoice="BA-1001-G1", first_invoice="BA-1001-20260108")
    state = ACCOUNT.evolve(replace(account(started()), charges={key: charge}), ended("2026-01-13"))
    told = ACCOUNT.advance(state, frozenset(), MONDAY, BOOK)
    assert [(type(e), e.invoice) for e in told.events if isinstance(e, CreditDue)] == [(CreditDue, "BA-1001-20260108")]
    back = GoodsTakenBack(order=started().order, item="1", taken_back_on="2026-01-20", kept_minor=100)
    state = ACCOUNT.evolve(reduce(ACCOUNT.evolve, told.events, state), back)
    told = ACCOUNT.advance(state, frozenset(), MONDAY, BOOK)
    asked = [(e.invoice, e.kept_minor) for e in told.events if isinstance(e, WithdrawalCreditAsked)]
    assert asked == [("BA-1001-G1", 100)]
