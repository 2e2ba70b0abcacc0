"""The rules that every order, SIM, number, port, charge and invoice is held to: one list, as data. A rule more is an entry more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, cast

from o2c.checks import machines
from o2c.checks.rolled_up import ENDS, RolledUp
from o2c.checks.rule_kinds import (
    Broken,
    Events,
    NotBefore,
    Notice,
    NotSuccession,
    OneHolder,
    Precedence,
    Response,
    Rule,
    Step,
    Transitions,
    Within,
    after_day,
    at_field,
    by_item,
    by_late_invoice,
    by_order,
    by_piece,
    by_stream,
    done,
    in_,
    named,
)
from o2c.kernel.charges import EARLY, LATE_CHANGE
from o2c.kernel.periods import local_date, local_time
from o2c.markets import registry
from o2c.markets.base import Market, debit_day
from o2c.orders.rollup import ITEM_TRANSITIONS, ORDER_TRANSITIONS
from o2c.products.bases import ON
from projections.engine.seen import Seen

_DEBIT = "direct-debit"


def _debit_notice(notice: Notice, seen: Seen) -> Notice:
    """Reckon from when on an invoice may be debited: after the notice of its market, counted from its issue, or from the day of a later
    mandate.

    A later mandate shows by the demand that follows it at once. What was told once stands, because a debit that was returned needs no other
    notice. It notes the invoice's market.
    """
    market_pin = notice.noted or seen.body.get("market", "")
    if seen.body.get("method") != _DEBIT or notice.until or not market_pin:
        return Notice(notice.until, market_pin)
    return Notice(_debited_from(market_pin, seen.occurred_at, seen.body.get("issued_on", "")), market_pin)


def _debited_from(pin: str, told_at: datetime, issued_on: str) -> datetime:
    market = cast("Market", registry.market(pin))
    told_on = max(local_date(told_at, market.zone), date.fromisoformat(issued_on) if issued_on else date.min)
    return local_time(debit_day(market, told_on=told_on, wanted_on=told_on), 0, 0, market.zone)


def _rest(notice: Notice, seen: Seen) -> Notice:
    return Notice(at_field("due_at")(seen))


@dataclass(frozen=True, kw_only=True)
class WarnedBefore(Rule):
    """A bar names at least one warning that was given before it, and none that was not, or that warned of what was cleared since."""

    kind: ClassVar[str] = "precedence"

    @property
    def reads(self) -> tuple[Events, ...]:
        """Warnings, what clears an account, and bars."""
        return (_WARNED, _CLEARED, _BARRED)

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Keep the warnings given, with their currency; hold a bar against those it names."""
        given: dict[str, str] = memo or {}
        if _WARNED.has(seen):
            return Step({**given, seen.body["notice"]: seen.body["currency"]})
        if _CLEARED.has(seen):
            return Step({notice: currency for notice, currency in given.items() if currency != seen.body["currency"]})
        named_ = seen.body.get("notices", ())
        return Step(
            given, True, None if named_ and given.keys() >= set(named_) else Broken(f"{seen.type} with no {_WARNED.words} before it")
        )


@dataclass(frozen=True, kw_only=True)
class AskedOff(Response):
    """What ends with its base is asked of the network at once, where the network had it on: goods never were."""

    def follow(self, memo: Any, seen: Seen) -> Step:
        """Leave out the end of what was never switched on."""
        was_off = self.asked.has(seen) and ON not in seen.body["gives_back"]
        return Step(memo) if was_off else super().follow(memo, seen)


_WARNED, _CLEARED, _BARRED = named("collections.warned"), named("collections.cleared"), named("collections.barred")


RULES: tuple[Rule, ...] = (
    RolledUp(
        name="order-states",
        says="An order moves from state to state as declared.",
        source="TM Forum TMF622; orders/rollup.py, ORDER_TRANSITIONS",
        by=by_order,
        whose="order",
        allowed=ORDER_TRANSITIONS,
    ),
    RolledUp(
        name="item-states",
        says="An item of an order moves from state to state as declared.",
        source="TM Forum TMF622; orders/rollup.py, ITEM_TRANSITIONS",
        by=by_order,
        whose="items",
        allowed=ITEM_TRANSITIONS,
    ),
    Transitions(
        name="sim-states",
        says="A SIM is received, assigned, returned and restocked, or scrapped for good.",
        source="sim/state.py",
        by=by_stream,
        machine=machines.SIM,
    ),
    Transitions(
        name="device-states",
        says="A device is received, assigned, returned and restocked; one that is blocked is offered to nobody again.",
        source="devices/state.py",
        by=by_stream,
        machine=machines.DEVICE,
    ),
    Transitions(
        name="number-states",
        says="A number is on offer, reserved or assigned, and rests before it is on offer again; one that was brought in rests, too, and goes back. One that went to another operator comes back from there alone.",
        source="numbers/state.py",
        by=by_stream,
        machine=machines.NUMBER,
    ),
    Transitions(
        name="port-states",
        says="A port is asked for and agreed before the number comes, and does not come once it was dropped, unless it was asked for anew.",
        source="porting/rules.py",
        by=by_item,
        machine=machines.PORT,
    ),
    Transitions(
        name="charge-states",
        says="A charge begins once, rests only while it runs, and is withdrawn once.",
        source="billing/state.py",
        by=by_item,
        machine=machines.CHARGE,
    ),
    Transitions(
        name="invoice-states",
        says="An invoice is issued once, and is neither overdue nor paid in part once it is paid.",
        source="billing/state.py",
        by=by_stream,
        machine=machines.INVOICE,
    ),
    Transitions(
        name="product-states",
        says="A product rests only while it serves, serves again only after it rested, and ends once.",
        source="TM Forum TMF637 v4.0.0, ProductStatusType; products/state.py",
        by=by_stream,
        machine=machines.PRODUCT,
    ),
    Transitions(
        name="port-out-states",
        says="A number goes to another operator once that was authorised and its service was switched off; what failed there serves here again before it is asked for anew.",
        source="porting facts, section 3.3 (port-out); products/rules.py",
        by=by_stream,
        machine=machines.PORT_OUT,
    ),
    *(
        Transitions(name=name, says=says, source="order life cycle, section 4 (compensations); decisions/0069", by=by, machine=machine)
        for name, by, machine, says in (
            ("on-states", by_item, machines.ON, "A service is switched on once asked for, off by the network, only then asked for anew."),
            ("service-change-states", by_item, machines.CHANGE_OF_SERVICE, "A service is changed once asked for, or taken back for good."),
            ("product-off-states", by_stream, machines.OFF_WITH_BASE, "What ended with its base is switched off once asked for."),
            ("profile-states", by_item, machines.PROFILE, "An eSIM profile is ordered, then downloaded; then called off no more."),
            ("visit-states", by_item, machines.VISIT, "A visit is booked before it is kept, and called off no more once it was."),
        )
    ),
    Transitions(
        name="switch-in-states",
        says="A fixed service comes from another provider once that was asked and took the order; what was called off is asked for anew, and what is ours is called off no more.",
        source="Ofcom General Conditions of Entitlement, C7; switching/rules.py",
        by=by_item,
        machine=machines.SWITCH_IN,
    ),
    Transitions(
        name="suspension-states",
        says="An order is resumed, and overruns the day until which it was suspended, only while it is suspended.",
        source="order life cycle, section 1 (pending: it waits, and has a time-out); orders/suspending.py",
        by=by_order,
        machine=machines.SUSPENSION,
    ),
    Transitions(
        name="switch-out-states",
        says="A fixed service goes to another provider once it was matched, with its customer told, ordered, and the new one is on.",
        source="Ofcom General Conditions of Entitlement, C7; products/switching.py",
        by=by_stream,
        machine=machines.SWITCH_OUT,
    ),
    Transitions(
        name="end-notice-states",
        says="A customer is told of the end of a term, and of the best prices, once each time that it was due.",
        source="Directive (EU) 2018/1972, art. 105(3); products/state.py, next_notice",
        by=by_stream,
        machine=machines.END_NOTICE,
    ),
    Transitions(
        name="withdrawal-states",
        says="A withdrawal is declared once; of goods the money goes back once they were graded, or credited as they were proven sent.",
        source="Directive 2011/83/EU, art. 13 and 14; withdrawals/rules.py",
        by=by_stream,
        machine=machines.WITHDRAWAL,
    ),
    Transitions(
        name="journey-states",
        says="A journey goes on until an order follows it, it goes on in another one, or it is lost; one that was lost is found again by an order alone.",
        source="journeys/state.py; journeys/rules.py, ordered",
        by=by_stream,
        machine=machines.JOURNEY,
    ),
    Transitions(
        name="complaint-states",
        says="A complaint is raised once, answered as often as it takes, may be taken outside, and is over once it is resolved.",
        source="Ofcom Approved Complaints Code; complaints/rules.py",
        by=by_stream,
        machine=machines.COMPLAINT,
    ),
    Precedence(
        name="credit-before-activation",
        says="Nothing is switched on before credit was approved.",
        source="order life cycle, section 2 (stages); orders/rollup.py, GATES",
        by=by_order,
        first=done("credit"),
        then=done("activation"),
    ),
    Precedence(
        name="off-by-the-network",
        says="A service that an item had on counts as off only after the network switched it off.",
        source="order life cycle, section 4 (rule c: undo in reverse order of dependence, each step able to fall out)",
        by=by_item,
        first=done("activation-cancel"),
        then=named("service.deactivated"),
    ),
    AskedOff(
        name="off-with-its-base",
        says="A service that ends with the one that it relied on is asked of the network at once.",
        source="TM Forum TMF637 (a terminated product is served no more); products/rules.py, ends_with_base",
        by=by_stream,
        asked=named("product.terminated", cause="base-ended"),
        answered=named("product-off.requested"),
        until=in_(seconds=0),
    ),
    WarnedBefore(
        name="warning-before-bar",
        says="The lines of an account are barred only after its holder was warned, by the warnings that the bar names, since the account last owed nothing.",
        source="Ofcom General Condition C3 (due warning before service is restricted for a bill that was not paid) [M]",
        by=by_stream,
    ),
    Precedence(
        name="billed-after-activation",
        says="An item is billed only after it was switched on, or after the product that it changes was, or serves again; what an early end or a late change costs after that; goods after they were charged, which they are once they were delivered.",
        source="fallout table, code BIL-START (the start of charging equals the activation)",
        by=by_item,
        first=done("activation"),
        others=(
            named("account.charge-started", goods=True),
            named("account.charge-started", offering=EARLY),
            named("account.charge-started", offering=LATE_CHANGE),
            done("inventory"),
            named("product.resumed"),
        ),
        then=named("invoice.issued"),
    ),
    Precedence(
        name="goods-charged-after-delivery",
        says="Goods are charged only after they were delivered.",
        source="Value Added Tax Act 1994, s. 6(2); Directive 2006/112/EC, art. 63 (the tax point of goods)",
        by=by_item,
        first=done("delivery"),
        then=named("account.charge-started", goods=True),
    ),
    Precedence(
        name="late-payment-after-overdue",
        says="Nobody is charged for paying an invoice late before it was overdue.",
        source="Late Payment of Commercial Debts (Interest) Act 1998, s. 4 (interest runs from the day after the due day); Directive 2011/7/EU, art. 3",
        by=by_late_invoice,
        first=named("invoice.overdue"),
        then=named("invoice.issued"),
    ),
    NotSuccession(
        name="not-billed-once-withdrawn",
        says="An item that was never complete is billed no more once its charge was withdrawn, but for what it used, on the final bill of its account.",
        source="invoicing/rules.py, charge_lines",
        by=by_item,
        first=named("account.charge-withdrawn", served=False),
        never=named("invoice.issued"),
        but=(named("invoice.issued", final=True),),
    ),
    NotSuccession(
        name="nothing-after-the-end",
        says="Nothing happens to an order after its end but what the plan allows: papers that come again, the notice of a refusal, deposits, notes, and the end of a service.",
        source="order life cycle, section 1 (final never leaves final)",
        by=by_order,
        first=ENDS,
        never=Events(of="order"),
        but=(
            named("order.resub*", "order.amended", "duplicate.*", "deposit.*", "item.ceased"),
            Events(step="duplicate"),
            Events(step="credit-notice"),
        ),
    ),
    OneHolder(
        name="number-in-one-hand",
        says="A number is in no two hands at a time.",
        source="orders and numbers guard a number by one row; Ofcom General Condition B1 (numbering)",
        by=by_piece("msisdn"),
        taken=named("number.reserved", "number.assigned", "number.taken", "number.changed", "number.brought-in"),
        freed=named("number.quarantined", "number.claim-dropped", "number.reservation-*", "number.released", "number.ported-out"),
    ),
    OneHolder(
        name="sim-in-one-hand",
        says="A SIM is in no two hands at a time.",
        source="orders guard a SIM by one row; ITU-T E.118 (one card, one account number)",
        by=by_piece("iccid"),
        taken=named("sim.assigned", "sim.taken"),
        freed=named("sim.returned", "sim.scrapped", "sim.released", "sim.lost"),
    ),
    OneHolder(
        name="device-in-one-hand",
        says="A device is in no two hands at a time.",
        source="orders guard a device by one row; 3GPP TS 22.016 (one equipment, one IMEI)",
        by=by_piece("imei"),
        taken=named("device.assigned", "device.taken"),
        freed=named("device.returned", "device.given-up", "device.released", "device.lost"),
    ),
    NotBefore(
        name="notice-respected",
        says="A direct debit is collected no sooner than its notice is over, in the bank days of the market.",
        source="the market's rules for debits (Great Britain: Direct Debit Guarantee, advance notice)",
        by=by_stream,
        starts=named("invoice.issued", "payment.requested"),
        then=(named("payment.received", method=_DEBIT), named("payment.fell-out", partner_code="RETURNED")),
        told=_debit_notice,
    ),
    NotBefore(
        name="rest-respected",
        says="A number is offered again, or goes back to the holder of its range, no sooner than its rest is over.",
        source="the market's numbering rules (Great Britain: Ofcom General Condition C7.6)",
        by=by_stream,
        starts=named("number.quarantined", "number.claim-dropped"),
        then=(named("number.rested", "number.returned"),),
        told=_rest,
    ),
    Within(
        name="port-in-window",
        says="A number is cut over only in a window that was agreed with the donor.",
        source="the market's porting rules (Great Britain: Ofcom General Condition C7)",
        by=by_item,
        opens=named("porting.scheduled", "porting.rescheduled", "porting.window-kept"),
        from_="window_opens_at",
        to="window_closes_at",
        ends=named("porting.postponed", "porting.window-missed"),
        begun=Events(step="cutover", shapes=("accepted", "silent")),
        then=named("cutover.number-ported-in"),
    ),
    Response(
        name="cancellation-answered",
        says="A cancellation that is asked for is accepted or refused at once.",
        source="TM Forum TMF622, cancelProductOrder",
        by=by_item,
        asked=named("cancellation.requested"),
        answered=named("cancellation.accepted", "cancellation.refused"),
        until=in_(seconds=0),
    ),
    Response(
        name="refusal-told-in-time",
        says="A customer whom a credit report went against is told so within the days of the market.",
        source="the market's credit rules (United States: 15 USC 1681m(a); 12 CFR 1002.9(a)(1))",
        by=by_order,
        asked=named("credit.notice-owed"),
        answered=done("credit-notice"),
        until=after_day("owed_by"),
    ),
)
"""All rules, those about the life of things first."""
