"""Each declared rule, seen red by the smallest history that breaks it and green by the one beside it; and laws of the evaluator."""

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.checks.conformance import RULE_NAMES
from o2c.checks.trade_rules import RULES
from tests.declared import (
    EVENT_TYPES,
    History,
    bill,
    billed,
    broken,
    charge,
    complained,
    device,
    goods,
    held,
    judged,
    late_bill,
    number,
    of,
    owing,
    sim,
    steps,
    tried,
    window,
    withdrawal,
)
from tests.histories import Told, captured, histories, of_order, order_id, seen

HOUR, DAY = 60, 24 * 60


DEBIT = bill("invoice.issued", method="direct-debit", issued_on="2026-01-05", market="GB@2026-01", lines=[])
ORDERED = [captured(0), of_order(0, "credit.approved", 1)]
ENDED = [*ORDERED, of_order(0, "order.completed", 9)]
HELD = of_order(0, "sim.fell-out", 3, item="1", waiting_for="us")
RESTING = {"due_at": "2026-01-08T09:00:00Z"}


def on(minutes: int, item: str = "1") -> list[Told]:
    """An item that is switched on."""
    return [of_order(0, "activation.requested", minutes - 1, item=item), of_order(0, "service.activated", minutes, item=item)]


TABLE: dict[str, tuple[History, History]] = {
    "order-states": (
        [*steps("sim.requested"), HELD, of_order(0, "number.requested", 3, item="2"),
         of_order(0, "number.fell-out", 4, item="2", waiting_for="us"),
         of_order(0, "cancellation.accepted", 5, item="")],
        [*steps("sim.requested"), HELD, of_order(0, "number.requested", 3, item="2"),
         of_order(0, "number.fell-out", 4, item="2", waiting_for="us"),
         of_order(0, "cancellation.requested", 5, item=""), of_order(0, "cancellation.accepted", 5, item="")],
    ),
    "item-states": (
        [*steps("sim.assigned", "number.assigned"), of_order(0, "sim.requested", 9, item="1")],
        steps("sim.requested", "sim.assigned", "number.requested", "number.assigned"),
    ),
    "device-states": (
        [device("device.received"), device("device.blocked", 1), device("device.taken", 2)],
        [device("device.received"), device("device.taken", 1), device("device.given-up", 2)],
    ),
    "sim-states": (
        [sim("sim.received"), sim("sim.scrapped", 1)],
        [sim("sim.received"), sim("sim.taken", 1), sim("sim.scrapped", 2)],
    ),
    "number-states": (
        [number("number.received"), number("number.quarantined", 1)],
        [number("number.received"), number("number.taken", 1), number("number.quarantined", 2, **RESTING), number("number.rested", 4 * DAY)],
    ),
    "on-states": (
        [*ORDERED, *on(5), of_order(0, "activation.requested", 8)],
        [*ORDERED, *on(5), of_order(0, "activation-cancel.requested", 6), of_order(0, "activation-cancel.confirmed", 7), of_order(0, "activation.requested", 8)],
    ),
    "service-change-states": (
        [*ORDERED, of_order(0, "service-change.requested", 2), of_order(0, "service-change-cancel.requested", 3), of_order(0, "service-change-cancel.confirmed", 4),
         of_order(0, "service-change.requested", 5)],
        [*ORDERED, of_order(0, "service-change.requested", 2), of_order(0, "service.changed", 3), of_order(0, "service-change-cancel.requested", 4),
         of_order(0, "service-change-cancel.confirmed", 5)],
    ),
    "product-off-states": (
        [goods("product-off.completed")],
        [goods("product-off.requested"), goods("product-off.completed", 1)],
    ),
    "profile-states": (
        [*ORDERED, of_order(0, "esim.requested", 2), of_order(0, "esim.downloaded", 3), of_order(0, "esim-cancel.requested", 4)],
        [*ORDERED, of_order(0, "esim.requested", 2), of_order(0, "esim.confirmed", 3), of_order(0, "esim-cancel.requested", 4)],
    ),
    "visit-states": (
        [*ORDERED, of_order(0, "appointment.requested", 2), of_order(0, "appointment.kept", 3), of_order(0, "appointment-cancel.requested", 4)],
        [*ORDERED, of_order(0, "appointment.requested", 2), of_order(0, "appointment-cancel.requested", 3), of_order(0, "appointment-cancel.confirmed", 4)],
    ),
    "port-states": (
        [of_order(0, "porting.requested", 1), of_order(0, "porting-cancel.requested", 2), of_order(0, "porting-cancel.confirmed", 3),
         window()],
        [of_order(0, "porting.requested", 1), window(), of_order(0, "porting-cancel.requested", 6), of_order(0, "porting-cancel.confirmed", 7)],
    ),
    "charge-states": (
        [charge("account.charge-started"), charge("account.charge-withdrawn", 1), charge("account.charge-started", 2)],
        [charge("account.charge-started"), charge("account.charge-withdrawn", 1)],
    ),
    "invoice-states": (
        [bill("invoice.issued", lines=[]), bill("payment.received", 1), bill("invoice.overdue", 2)],
        [bill("invoice.issued", lines=[]), bill("invoice.overdue", 1), bill("payment.received", 2)],
    ),
    "product-states": (
        [goods("product.started"), goods("product.terminated", 1), goods("product.suspended", 2)],
        [goods("product.started"), goods("product.suspended", 1), goods("product.resumed", 2), goods("product.terminated", 3)],
    ),
    "switch-out-states": (
        [goods("switch-out.matched"), goods("switch-out.triggered", 1)],
        [goods("switch-out.matched"), goods("switch-out.ordered", 1), goods("switch-out.withdrawn", 2), goods("switch-out.matched", 3), goods("switch-out.ordered", 4),
         goods("switch-out.triggered", 5), goods("switch-out.completed", 6)],
    ),
    "switch-in-states": (
        [of_order(0, "switch-match.requested"), of_order(0, "switch-match.completed", 1), of_order(0, "switch-trigger.completed", 2),
         of_order(0, "switch-cancel.requested", 3)],
        [of_order(0, "switch-match.requested"), of_order(0, "switch-match.completed", 1), of_order(0, "switch-order.completed", 2),
         of_order(0, "switch-cancel.requested", 3), of_order(0, "switch-cancel.confirmed", 4), of_order(0, "switch-match.requested", 5)],
    ),
    "suspension-states": (
        [captured(0), of_order(0, "order.suspended", 1), of_order(0, "order.resumed", 2), of_order(0, "order.suspension-fell-out", 3)],
        [captured(0), of_order(0, "order.suspended", 1), of_order(0, "order.suspension-fell-out", 2), of_order(0, "order.suspended", 3), of_order(0, "order.resumed", 4)],
    ),
    "end-notice-states": (
        [goods("end-notice.given")],
        [goods("end-notice.awaited"), goods("end-notice.given", 1), goods("end-notice.awaited", 2, about="best-price"), goods("end-notice.awaited", 3), goods("end-notice.given", 4)],
    ),
    "port-out-states": (
        [goods("port-out.authorised"), goods("port-out.completed", 1)],
        [goods("port-out.authorised"), goods("port-out.switched-off", 1), goods("port-out.failed", 2), goods("reactivation.completed", 3),
         goods("port-out.authorised", 4), goods("port-out.switched-off", 5), goods("port-out.completed", 6)],
    ),
    "withdrawal-states": (
        [withdrawal("withdrawal.declared"), withdrawal("goods-return.credited", 1)],
        [withdrawal("withdrawal.declared"), withdrawal("goods-return.received", 1), withdrawal("goods-return.graded", 2),
         withdrawal("withdrawal-refund.settled", 3)],
    ),
    "journey-states": (
        [tried("journey.started"), tried("journey.ordered", 1), tried("journey.lost", 2)],
        [tried("journey.started"), tried("journey.lost", 1), tried("journey.ordered", 2)],
    ),
    "complaint-states": (
        [complained("complaint.raised"), complained("complaint.resolved", 1), complained("complaint.answered", 2)],
        [complained("complaint.raised"), complained("complaint.answered", 1), complained("complaint.deadlocked", 2), complained("complaint.answered", 3),
         complained("complaint.answered", 4), complained("complaint.resolved", 5)],
    ),
    "credit-before-activation": (
        [captured(0), *on(5)],
        [*ORDERED, *on(5)],
    ),
    "off-by-the-network": (
        [*ORDERED, *on(5), of_order(0, "activation-cancel.requested", 6), of_order(0, "service.deactivated", 7)],
        [*ORDERED, *on(5), of_order(0, "activation-cancel.requested", 6), of_order(0, "activation-cancel.confirmed", 7),
         of_order(0, "service.deactivated", 7)],
    ),
    "off-with-its-base": (
        [goods("product.started"), goods("product.terminated", 1, cause="base-ended", gives_back={"activation": "A/1"}), captured(1, DAY)],
        [goods("product.started"), goods("product.terminated", 1, cause="base-ended", gives_back={"activation": "A/1"}), goods("product-off.requested", 1)],
    ),
    "warning-before-bar": (
        [owing("collections.barred"), owing("collections.warned", 1)],
        [owing("collections.warned"), owing("collections.barred", 1)],
    ),
    "billed-after-activation": (
        [*ORDERED, *on(5, "2"), billed(0, "1", 9)],
        [*ORDERED, *on(5), billed(0, "1", 9)],
    ),
    "goods-charged-after-delivery": (
        [*ORDERED, charge("account.charge-started", 3, goods=True)],
        [*ORDERED, of_order(0, "delivery.delivered", 2, item="1"), charge("account.charge-started", 3, goods=True), billed(0, "1", 4)],
    ),
    "late-payment-after-overdue": (
        [DEBIT, late_bill(2)],
        [DEBIT, bill("invoice.overdue", 1), late_bill(2)],
    ),
    "not-billed-once-withdrawn": (
        [*ORDERED, *on(2), charge("account.charge-started", 3), charge("account.charge-withdrawn", 4), billed(0)],
        [*ORDERED, *on(2), charge("account.charge-started", 3), billed(0, minutes=4),
         charge("account.charge-withdrawn", 5)],
    ),
    "nothing-after-the-end": (
        [*ENDED, of_order(0, "promise.revised", 10)],
        [*ENDED, of_order(0, "order.resubmitted", 10), of_order(0, "duplicate.suspected", 10), of_order(0, "duplicate.settled", 11),
         of_order(0, "credit-notice.sent", 12), of_order(0, "deposit.received", 13), of_order(0, "order.amended", 14)],
    ),
    "number-in-one-hand": (
        [number("number.received"), number("number.taken", 1, order=order_id(0)), number("number.taken", 2, order=order_id(1))],
        [number("number.received"), number("number.taken", 1, order=order_id(0)), number("number.quarantined", 2, **RESTING),
         number("number.rested", 4 * DAY), number("number.taken", 5 * DAY, order=order_id(1))],
    ),
    "sim-in-one-hand": (
        [sim("sim.received"), sim("sim.taken", 1, order=order_id(0)), sim("sim.taken", 2, order=order_id(1))],
        [sim("sim.received"), sim("sim.taken", 1, order=order_id(0)), sim("sim.returned", 2), sim("sim.restocked", 3),
         sim("sim.taken", 4, order=order_id(1))],
    ),
    "device-in-one-hand": (
        [device("device.received"), device("device.taken", 1, order=order_id(0)), device("device.taken", 2, order=order_id(1))],
        [device("device.received"), device("device.taken", 1, order=order_id(0)), device("device.returned", 2), device("device.restocked", 3),
         device("device.taken", 4, order=order_id(1))],
    ),
    "notice-respected": (
        [DEBIT, bill("payment.received", 13 * DAY, method="direct-debit")],
        [DEBIT, bill("payment.received", 14 * DAY, method="direct-debit")],
    ),
    "rest-respected": (
        [number("number.received"), number("number.taken", 1), number("number.quarantined", 2, **RESTING), number("number.rested", 2 * DAY)],
        [number("number.received"), number("number.taken", 1), number("number.quarantined", 2, **RESTING), number("number.rested", 4 * DAY)],
    ),
    "port-in-window": (
        [of_order(0, "porting.requested"), window(), of_order(0, "cutover.number-ported-in", DAY + 9 * HOUR)],
        [of_order(0, "porting.requested"), window(), of_order(0, "cutover.number-ported-in", DAY + HOUR)],
    ),
    "cancellation-answered": (
        [captured(0), of_order(0, "cancellation.requested", 1), of_order(0, "order.resubmitted", DAY), of_order(1, "cancellation.requested", DAY)],
        [captured(0), of_order(0, "cancellation.requested", 1), of_order(0, "cancellation.refused", 1)],
    ),
    "refusal-told-in-time": (
        [of("customer-C-1", "credit.notice-owed", order=order_id(0), owed_by="2026-01-10"), of_order(0, "credit-notice.sent", 7 * DAY)],
        [of("customer-C-1", "credit.notice-owed", order=order_id(0), owed_by="2026-01-10"), of_order(0, "credit-notice.sent", 6 * DAY)],
    ),
}  # fmt: skip
"""By rule, a history that breaks it and no other, and one beside it that keeps all. Day one is Monday, 5 January 2026, 9:00."""


def test_every_rule_is_seen_red_and_green() -> None:
    """A rule without a history that breaks it might be one that cannot be broken."""
    assert set(TABLE) == set(RULE_NAMES)
    assert len(RULE_NAMES) == len(RULES) == len(set(RULE_NAMES))


@pytest.mark.parametrize("name", TABLE)
def test_a_rule_is_broken_by_what_it_forbids_and_by_nothing_else(name: str) -> None:
    """The history breaks that one rule in one case; the one beside it, which differs in a detail, is looked at and keeps them all."""
    red, green = TABLE[name]

    assert {rule: len(what) for rule, what in broken(red).items()} == {name: 1}
    assert broken(green) == {}
    assert held(green)[name].orders >= 1


@pytest.mark.parametrize(
    ("name", "delay_s"),
    [
        pytest.param("notice-respected", 15 * 3600, id="from nine in the morning to midnight of the day after ten bank days"),
        pytest.param("rest-respected", 24 * 3600, id="a day before its rest was over"),
        pytest.param("port-in-window", 3600, id="an hour after its window closed"),
        pytest.param("refusal-told-in-time", -3 * 3600 + 24 * 3600, id="after that day had ended everywhere"),
        pytest.param("credit-before-activation", None, id="no rule of time"),
    ],
)
def test_by_how_much_a_rule_of_time_was_missed(name: str, delay_s: float | None) -> None:
    """In seconds; nothing for a rule that is about order alone."""
    row = held(TABLE[name][0])[name].row()
    told = row["delay_s"]

    assert told is None if delay_s is None else abs(told - delay_s) < 60


def test_a_case_is_told_once_by_the_event_that_first_broke_it() -> None:
    """What follows from a first fault is no second one; another order's is. The first in the log is named."""
    again = [of_order(order, "promise.revised", minutes) for order in (1, 0) for minutes in (10, 11)]
    history = [*ENDED, captured(1), of_order(1, "order.completed", 9), *again]
    kept = held(history)["nothing-after-the-end"]

    assert (kept.orders, len(kept.broken)) == (2, 2)
    assert [one.order for one in kept.broken] == [order_id(1), order_id(0)]
    assert kept.row()["first_event"] == kept.broken[0].event == seen(history)[5].event_id


@pytest.mark.parametrize(
    ("step", "kept"),
    [pytest.param("duplicate", True, id="what to do with a paper that came again"), pytest.param("sim", False, id="a step of the order")],
)
def test_what_is_decided_after_the_end(step: str, kept: bool) -> None:
    """A person may still say what a second paper is; a fallout of a step that is over is nobody's to decide."""
    decided = of_order(0, "fallout.decided", 10, step=step, item="")

    assert ("nothing-after-the-end" not in broken([*ENDED, decided])) is kept


def test_a_cutover_begun_in_the_window_may_be_told_of_after_it() -> None:
    """The answer to a question put in the window, when the clearing house kept silent, is of a cut-over that was done in it."""
    asked = of_order(0, "partner.silent", DAY + HOUR, step="cutover", item="1")
    late = of_order(0, "cutover.number-ported-in", 2 * DAY)

    assert broken([of_order(0, "porting.requested"), window(), asked, late]) == {}
    assert list(broken([of_order(0, "porting.requested"), window(), late])) == ["port-in-window"]


def test_a_window_that_was_given_up_is_none() -> None:
    """Nobody may cut over in it, although it was agreed once."""
    given_up = of_order(0, "porting.postponed", 6)
    history = [of_order(0, "porting.requested"), window(), given_up, of_order(0, "cutover.number-ported-in", DAY + HOUR)]

    assert broken(history)["port-in-window"] == ["cutover.number-ported-in with no window agreed"]


def test_a_mandate_that_comes_later_has_a_notice_of_its_own() -> None:
    """The payer of an invoice by card is told of a debit on the day of the mandate, not with the invoice."""
    by_card = bill("invoice.issued", method="card", market="GB@2026-01", lines=[])
    mandate = bill("payment.requested", 7 * DAY, method="direct-debit", attempt=2)
    ten_bank_days = [bill("payment.received", days * DAY, method="direct-debit") for days in (20, 21)]

    assert list(broken([by_card, mandate, ten_bank_days[0]])) == ["notice-respected"]
    assert broken([by_card, mandate, ten_bank_days[1]]) == {}


@hypothesis.given(history=histories(), shares=st.integers(2, 5))
def test_the_answer_is_the_same_in_however_many_shares_the_log_is_read(history: list[Told], shares: int) -> None:
    """Reading a large log several times bounds what is remembered and changes nothing."""
    records = seen(history)
    whole, parts = judged(records), judged(records, shares=shares)

    assert {name: kept.row() for name, kept in whole.items()} == {name: kept.row() for name, kept in parts.items()}


@hypothesis.given(history=histories())
def test_what_one_rule_finds_does_not_hang_on_the_others(history: list[Told]) -> None:
    """Asked for alone, a rule says the same, but for what is owed still: that is judged by the last event that was read."""
    records = seen(history)
    together = judged(records)
    for rule in RULES:
        if rule.kind != "response in time":
            assert judged(records, [rule])[rule.name].row() == together[rule.name].row()


def test_the_roll_up_reads_every_shape_that_moves_it() -> None:
    """Asked of the roll-up itself, so that a new shape of step events is not overlooked: each one moves the progress of some order."""
    rule = next(rule for rule in RULES if rule.name == "order-states")
    read = {EVENT_TYPES[name].shape for name in frozenset[str]().union(*(events.types for events in rule.reads))}

    assert {"requested", "done", "fell-out", "renewed", "recall", "item-failed", "cancellation-requested"} <= read
    assert not {"retry", "set-aside", "let-go"} & read
