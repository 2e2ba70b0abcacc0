"""Deciding what is already so yields nothing. Rules that record an occurrence are named here; a command id protects those."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from o2c.balance.rules import pay_back
from o2c.catalogue.rules import publish
from o2c.catalogue.state import KIND as CATALOGUE
from o2c.credit.rules import deposit, release
from o2c.customers.rules import register
from o2c.customers.state import KIND as CUSTOMER
from o2c.devices.events import DeviceBlocked, DeviceReceived
from o2c.devices.rules import block, unblock
from o2c.devices.state import KIND as DEVICE
from o2c.fallout.codes import packaged
from o2c.hooks.events import HookSubscribed, HookSuspended
from o2c.hooks.rules import allow_private_address, resume, rotate, subscribe, suspend, unsubscribe
from o2c.hooks.state import KIND as HOOK
from o2c.instalments.events import InstalmentsAgreed
from o2c.instalments.rules import settle
from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.state import ACCOUNT
from o2c.jobs.events import JobStarted, Tried
from o2c.jobs.rules import report, start
from o2c.jobs.state import KIND as JOB
from o2c.kernel.attend import expect
from o2c.kernel.balances import DepositFreed
from o2c.kernel.decision import Decision, just
from o2c.kernel.partner import RefusedBy
from o2c.kernel.reasons import OutageRule
from o2c.kernel.shapes import PartnerAccepted
from o2c.kernel.stream import StreamKind
from o2c.numbers import rules as numbers
from o2c.numbers.events import NumberEarmarked, NumberReceived, NumberReserved
from o2c.numbers.state import KIND as NUMBER
from o2c.orders import suspending
from o2c.orders.amending import Amendment, amend
from o2c.orders.cancellation import cancel
from o2c.orders.giving_up import cancel_port
from o2c.orders.promise import revise
from o2c.orders.receiving import Arrival, receive
from o2c.orders.rules import advance, close, fail_item
from o2c.orders.step import KIND as ORDER
from o2c.partners.events import PartnerFaultsPlanned, PartnerLinked, PartnerProbed, PartnerProbeOpened, PartnerWentDown
from o2c.partners.outages import Detected
from o2c.partners.rules import declare_down, declare_up, detect_down, left_alone, link, plan_faults, probed, simulate
from o2c.partners.state import KIND as PARTNER
from o2c.payments.rules import record
from o2c.plan import SPECIFICATIONS, STEPS
from o2c.sim import rules as sims
from o2c.stock.state import KIND as DELIVERY
from tests.books import OF_LEDGER
from tests.collecting import OF_COLLECTIONS
from tests.credentials import OF_ACCESS
from tests.given import BOOK, MARKET, MONDAY, PORTING, READ, Story, item, wish
from tests.given_back import OF_TAKEN_BACK
from tests.kinds_of_rules import OCCURRENCES, OF_A_STEP, SETTING
from tests.lives_of_goods_in_service import OF_PRODUCTS_IN_SERVICE
from tests.lives_of_journeys import OF_TRIED
from tests.lives_of_withdrawals import OF_WITHDRAWN
from tests.refunding import OF_REFUNDS
from tests.saved import OF_SAVED
from tests.told import OF_MESSAGES
from tests.used import OF_USAGE
from tests.vouched import OF_PRICES
from tests.watched import OF_TRIGGERS

ROOT = Path(__file__).parents[2]
OFFERING = {
    "id": "line", "productSpecification": {"id": "spec-mobile"}, "validFor": {"startDateTime": "2026-01-01T00:00:00Z"},
    "productOfferingPrice": [{"priceType": "recurring", "recurringChargePeriod": "month", "price": {"dutyFreeAmount": {"unit": "GBP", "value": "29.9"}}}],
    "prodSpecCharValueUse": [{"name": "simType", "productSpecCharacteristicValue": [{"value": "esim"}]}],
}  # fmt: skip
PARTY = {
    "@type": "Individual", "id": "C-1001", "givenName": "Ada", "familyName": "Example", "birthDate": "1980-02-29",
    "partyCharacteristic": [{"name": "paymentMethod", "value": "card"}], "contactMedium": [{"characteristic": {"emailAddress": "ada@example.org"}}],
}  # fmt: skip
Decide = Callable[[Any], Decision]


def _on_line(line: int) -> Arrival:
    return Arrival("intake-1", line, 1, MARKET.pin, MONDAY)


def captured_once(state: Any) -> Decision:
    return receive(state, wish(item()), _on_line(1), original=None, codes=packaged().newest)[1]


def resubmitted_once(state: Any) -> Decision:
    again, first = wish(item(), priority="1"), wish(item()).original
    return receive(state, again, _on_line(2), original=first, codes=packaged().newest)[1]


def gone_on(state: Any) -> Decision:
    return advance(state, frozenset({""}), MONDAY, BOOK)


def failed(state: Any) -> Decision:
    return fail_item(state, "1", reason="NP-INACT", note="", at=MONDAY, book=BOOK)


def cancelled(state: Any) -> Decision:
    return cancel(state, note="", at=MONDAY, book=BOOK)


def port_cancelled(state: Any) -> Decision:
    return cancel_port(state, note="", at=MONDAY, book=BOOK)


def cancelled_in_part(state: Any) -> Decision:
    return cancel(state, ("2",), note="", at=MONDAY, book=BOOK)


def amended(state: Any) -> Decision:
    return amend(state, Amendment(priority=0, category="business", description="for the shop"), {"description": "for the shop"})


def running(*wanted: Any, until: str = "number") -> Any:
    return Story(*(wanted or (item(characteristics=PORTING),))).run(until=until).state


def all_failed() -> Any:
    """An order whose only item was failed, before its end is recorded."""
    state = running()
    for event in failed(state).events:
        state = ORDER.evolve(state, event)
    return state


def validated() -> Any:
    """An order that passed its first gate, before the next is asked for."""
    story = Story(item())
    story.attend("validation")
    events = story.events[: story.names().index("identity.requested")]
    state = ORDER.initial(story.stream)
    for event in events:
        state = ORDER.evolve(state, event)
    return state


def waiting_for_a_deposit() -> Any:
    story = Story(item()).run(until="credit")
    story.attend("credit", "", RefusedBy("DEPOSIT", {"deposit_minor": 5000, "currency": "GBP"}))
    return story.state


def deposited(amount_minor: int) -> Decide:
    def decide(state: Any) -> Decision:
        work = replace(ORDER.work(state, "order-1001", "", "credit", BOOK), read=READ)
        return deposit(work, amount_minor=amount_minor, currency="GBP", reference="TFR-1", method="bank-transfer", at=MONDAY)

    return decide


def given_back(state: Any) -> Decision:
    return numbers.release_reservation(state, msisdn="+447700910001", at=MONDAY)


def let_go(state: Any) -> Decision:
    return numbers.let_go(ORDER.work(state, "order-1001", "1", "number", BOOK), MONDAY)


def kept() -> Any:
    """An order that waits for a number from stock, after one was set aside for its item."""
    return ORDER.evolve(running(item()), NumberEarmarked(item="1", msisdn="+447700910001", number_class="golden"))


def reserved() -> Any:
    body = {**NumberReserved.example, "due_at": MONDAY + timedelta(days=7)}
    return NUMBER.evolve(NUMBER.initial("number-+447700910001"), NumberReserved.model_validate(body))


def arrived(amount_minor: int) -> Decide:
    def decide(state: Any) -> Decision:
        work = INVOICE.work(state, "invoice-1", "", "payment", BOOK)
        return record(work, amount_minor=amount_minor, remittance="TFR-1", arrived_on="", today="2026-01-12", begun_by=MONDAY)

    return decide


def paid_back(state: Any) -> Decision:
    return pay_back(state, amount_minor=5000, remittance="TFR-9", method="bank-transfer", returned_on="2026-01-12")


def released(state: Any) -> Decision:
    return release(ORDER.work(state, "order-1001", "", "credit", BOOK), MONDAY)


def with_a_deposit() -> Any:
    """An order that waits for more than the instalment it has."""
    state = waiting_for_a_deposit()
    for event in deposited(2000)(state).events:
        state = ORDER.evolve(state, event)
    return state


def declined_with_a_deposit() -> Any:
    """An order that was rejected although an instalment of its deposit had come."""
    story = Story(item()).run(until="credit")
    story.attend("credit", "", RefusedBy("DEPOSIT", {"deposit_minor": 5000, "currency": "GBP"}))
    story.take(deposited(2000)(story.state))
    story.decide("credit", approve=False)
    assert story.names()[-1] == "order.rejected"
    return story.state


def owing() -> Any:
    """An account that holds more than it is asked for."""
    return ACCOUNT.evolve(ACCOUNT.initial("account-BA-1001"), DepositFreed.model_validate(DepositFreed.example))


def issued() -> Any:
    """An invoice that will be collected."""
    state = INVOICE.evolve(INVOICE.initial("invoice-1"), InvoiceIssued.model_validate(InvoiceIssued.example))
    for event in INVOICE.advance(state, frozenset({""}), MONDAY, BOOK).events:
        state = INVOICE.evolve(state, event)
    return state


FAULTS = PartnerFaultsPlanned.model_validate(PartnerFaultsPlanned.example).faults
DOWN = PARTNER.evolve(PARTNER.initial(""), PartnerWentDown.model_validate(PartnerWentDown.example))
DETECTED = PARTNER.evolve(PARTNER.initial(""), PartnerWentDown.model_validate({**PartnerWentDown.example, "declared": False}))
PROBING = PARTNER.evolve(DETECTED, PartnerProbeOpened.model_validate(PartnerProbeOpened.example))
ANSWERED = PARTNER.evolve(PROBING, PartnerProbed.model_validate(PartnerProbed.example))


def linked(state: Any) -> Decision:
    wished = {name: value for name, value in PartnerLinked.example.items() if name != "timeout_ms"}
    return just(*link(state, clients=("credit-bureau",), timeout_s=PartnerLinked.example["timeout_ms"] / 1000, **wished))


def late() -> Any:
    """An access, and what relies on it, whose fitter comes later than promised, before the promise is revised."""
    story = Story(item("1", "fibre"), item("2", "roaming", relies_on=("1",))).run(until="appointment")
    told = PartnerAccepted(item="1", step="appointment", attempt=1, reference="VIS-1", ask_again_at=MONDAY + timedelta(days=30))
    return ORDER.evolve(story.state, told)


def out_of_stock() -> Any:
    """An order that waits for a SIM of which no day is known."""
    story = Story(item()).run(until="sim")
    story.attend("sim", "1", in_stock=False)
    return story.state


def told_of_stock(state: Any) -> Decision:
    return expect(ORDER.work(state, "order-1001", "1", "sim", BOOK), MONDAY + timedelta(days=16))


SUBSCRIBED = HookSubscribed.model_validate(HookSubscribed.example)
TOLD = HOOK.evolve(HOOK.initial(""), SUBSCRIBED)
BEGUN = JobStarted.model_validate({**JobStarted.example, "fallouts": ["f-1", "f-2"]})
IDEMPOTENT = [
    *(*OF_ACCESS, *OF_COLLECTIONS),
    *(*OF_SAVED, *OF_MESSAGES, *OF_LEDGER, *OF_PRICES, *OF_REFUNDS, *OF_TAKEN_BACK, *OF_PRODUCTS_IN_SERVICE, *OF_TRIED, *OF_TRIGGERS, *OF_WITHDRAWN),
    *OF_USAGE,
    pytest.param(CATALOGUE, CATALOGUE.initial(""),
                 lambda s: just(*publish(s, document=OFFERING, market=MARKET, on=MONDAY.date(), specifications=SPECIFICATIONS)), id="publish"),
    pytest.param(CUSTOMER, CUSTOMER.initial(""), lambda s: just(*register(s, document=PARTY, at=MONDAY)), id="register"),
    pytest.param(ORDER, ORDER.initial("order-1001"), captured_once, id="receive"),
    pytest.param(ORDER, Story(item()).state, resubmitted_once, id="receive-changed"),
    pytest.param(ORDER, validated(), gone_on, id="advance-to-the-next-gate"),
    pytest.param(ORDER, late(), lambda s: revise(s, ("1",), MONDAY, BOOK), id="revise-a-promise-and-those-that-rely-on-it"),
    pytest.param(ORDER, late(), gone_on, id="advance-to-a-later-promise"),
    pytest.param(ORDER, out_of_stock(), told_of_stock, id="tell-when-stock-is-due"),
    pytest.param(ORDER, running(), failed, id="fail-item"),
    pytest.param(ORDER, running(item("1"), item("2", "roaming", relies_on=("1",))), failed, id="fail-item-with-dependants"),
    pytest.param(ORDER, Story(item()).state, cancelled, id="cancel-at-its-gates"),
    pytest.param(ORDER, running(), cancelled, id="cancel"),
    pytest.param(ORDER, running(item("1"), item("2", "roaming", relies_on=("1",))), cancelled_in_part, id="cancel-item"),
    pytest.param(ORDER, running(), amended, id="amended"),
    pytest.param(ORDER, running(), lambda s: suspending.suspend(s, until=MONDAY + timedelta(days=9), waits_for="us", note="", at=MONDAY, book=BOOK), id="suspend"),
    pytest.param(ORDER, Story(item()).run(until="sim").suspend().state, lambda s: suspending.resume(s, note="", at=MONDAY, book=BOOK), id="resume"),
    pytest.param(ORDER, running(), port_cancelled, id="cancel-port"),
    pytest.param(ORDER, running(until="cutover"), port_cancelled, id="cancel-a-port-that-is-agreed"),
    pytest.param(ORDER, all_failed(), close, id="close"),
    pytest.param(ORDER, waiting_for_a_deposit(), deposited(2000), id="part-of-a-deposit"),
    pytest.param(ORDER, waiting_for_a_deposit(), deposited(5000), id="deposit"),
    pytest.param(ORDER, with_a_deposit(), released, id="release-a-deposit"),
    pytest.param(ORDER, declined_with_a_deposit(), deposited(3000), id="a-deposit-of-an-order-that-is-over"),
    pytest.param(ACCOUNT, owing(), paid_back, id="pay-back"),
    pytest.param(ORDER, kept(), let_go, id="let-go-of-a-number"),
    pytest.param(NUMBER, reserved(), given_back, id="release-a-reservation"),
    pytest.param(INVOICE, issued(), arrived(1000), id="part-of-an-invoice-by-bank"),
    pytest.param(INVOICE, issued(), arrived(2399), id="invoice-by-bank"),
    pytest.param(INVOICE, issued(), arrived(4500), id="too-much-by-bank"),
    pytest.param(PARTNER, PARTNER.initial("partner-credit-bureau"), linked, id="link-a-partner"),
    pytest.param(ACCOUNT, ACCOUNT.evolve(ACCOUNT.initial(""), InstalmentsAgreed(**InstalmentsAgreed.example)), lambda s: settle(s, order=InstalmentsAgreed.example["order"], item="2", today=MONDAY.date()), id="settle-instalments"),
    pytest.param(DEVICE, DEVICE.evolve(DEVICE.initial(""), DeviceReceived(**DeviceReceived.example)), lambda s: block(s, imei="001010120000003", cause="stolen"), id="block-a-device"),
    pytest.param(DEVICE, DEVICE.evolve(DEVICE.initial(""), DeviceBlocked(**DeviceBlocked.example)), lambda s: unblock(s, imei="001010120000003", reason="found", at=MONDAY), id="unblock-a-device"),
    pytest.param(PARTNER, PARTNER.evolve(PARTNER.initial(""), PartnerLinked(**PartnerLinked.example)), lambda s: just(*simulate(s, "credit-bureau")), id="simulate-a-partner"),
    pytest.param(PARTNER, PARTNER.initial(""), lambda s: just(*plan_faults(s, "network", FAULTS)), id="plan-faults"),
    *(pytest.param(PARTNER, state, lambda s: just(*declare_down(s, "network", by="ann", reason="planned", at=MONDAY)), id=f"declare-down-{what}") for what, state in (("a-partner", PARTNER.initial("")), ("what-was-detected", DETECTED))),
    pytest.param(PARTNER, DOWN, lambda s: just(*declare_up(s, "network", by="ann", reason="they called", rate_per_min=60, at=MONDAY)), id="declare-up"),
    pytest.param(PARTNER, PARTNER.initial(""), lambda s: detect_down(s, "network", Detected(MONDAY, MONDAY + timedelta(minutes=1), 8, 8), OutageRule()), id="find-a-partner-down"),
    pytest.param(PARTNER, PROBING, lambda s: probed(s, "network", OutageRule(), answered=True, at=MONDAY), id="a-probe-that-was-answered"),
    pytest.param(PARTNER, ANSWERED, lambda s: left_alone(s, "network", OutageRule(), at=MONDAY), id="a-partner-that-nobody-waits-for"),
    pytest.param(HOOK, HOOK.initial(""), lambda s: subscribe(s, SUBSCRIBED), id="subscribe"),
    pytest.param(HOOK, TOLD, lambda s: allow_private_address(s, "h"), id="allow-a-private-address"),
    pytest.param(HOOK, TOLD, lambda s: rotate(s, "h", generation=2, at=MONDAY), id="rotate-a-secret"),
    pytest.param(HOOK, TOLD, lambda s: suspend(s, "gone"), id="suspend-a-hook"),
    pytest.param(HOOK, HOOK.evolve(TOLD, HookSuspended(reason="dead")), lambda s: resume(s, "h"), id="resume-a-hook"),
    pytest.param(HOOK, TOLD, lambda s: unsubscribe(s, "h"), id="unsubscribe"),
    pytest.param(JOB, JOB.initial("job-1"), lambda s: start(s, BEGUN), id="start-a-job"),
    pytest.param(JOB, JOB.evolve(JOB.initial("job-1"), BEGUN), lambda s: report(s, [Tried(fallout="f-1", result="done")]), id="report-of-a-job"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "decide"), IDEMPOTENT)
def test_deciding_what_is_already_so_yields_nothing(kind: StreamKind, before: Any, decide: Decide) -> None:
    """The rule yields events once; on the state they make, it yields none, takes nothing and frees nothing."""
    first = decide(before)
    assert first.events
    state = before
    for event in first.events:
        state = kind.evolve(state, event)
    assert decide(state) == Decision()


@pytest.mark.parametrize("until", ["validation", "identity", "credit", "number", "activation", "charging", "cutover", ""])
def test_advancing_twice_asks_for_nothing_more(until: str) -> None:
    """Wherever an order stands, what follows from it was asked for when it got there."""
    story = Story(item("1", characteristics=PORTING), item("2", "roaming", relies_on=("1",))).run(until=until)
    assert gone_on(story.state) == Decision()
    assert close(story.state) == Decision()


def test_a_gate_that_said_no_is_recorded_once() -> None:
    """A rejected order is closed, and stays so."""
    story = Story(item()).run(but={("", "identity"): RefusedBy("FAIL")})
    assert story.names()[-1] == "order.rejected"
    assert close(story.state) == gone_on(story.state) == Decision()


def test_reserving_a_number_twice_keeps_it_once() -> None:
    """The second time nothing happens, to the order or to the number."""
    state, until = running(item()), MONDAY + timedelta(days=7)
    number = NUMBER.evolve(NUMBER.initial("number-+447700910001"), NumberReceived(msisdn="+447700910001", number_class="golden"))
    for expected in (True, False):
        work = ORDER.work(state, "order-1001", "1", "number", BOOK)
        decision = numbers.reserve(work, number, msisdn="+447700910001", until=until, note="", at=MONDAY)
        assert bool(decision) is expected
        for event in decision.events:
            state = ORDER.evolve(state, event)
        for _, event in decision.elsewhere:
            number = NUMBER.evolve(number, event)
    assert decision == Decision()


def test_a_delivery_that_is_known_brings_nothing() -> None:
    """The second arrival of the same pieces is recorded as an arrival of none."""
    announced = sims.announce(rows=(("8944500102198304826", "001010000000001", "esim"),), at=MONDAY)
    state = DELIVERY.evolve(DELIVERY.initial("delivery-1"), announced)
    work = replace(DELIVERY.work(state, "delivery-1", "", "sim-arrival", BOOK), read={"sim-8944500102198304826": object()})
    decision = STEPS["sim-arrival"].complete(work, {}, MONDAY)
    assert (decision.elsewhere, decision.events[0].pools) == ((), {})


def deciding() -> Iterator[str]:
    """Every public rule that yields events."""
    for path in sorted([*(ROOT / "o2c").glob("*/rules.py"), ROOT / "o2c" / "orders" / "receiving.py"]):
        module = importlib.import_module(f"o2c.{path.parent.name}.{path.stem}")
        for name, rule in inspect.getmembers(module, inspect.isfunction):
            returned = str(rule.__annotations__.get("return"))
            if (
                rule.__module__ == module.__name__
                and not name.startswith("_")
                and any(w in returned for w in ("Decision", "list[", "Announced"))
            ):
                yield f"{path.parent.name}.{name}"


def called(code: CodeType) -> Iterator[str]:
    """The names a function uses, those in functions within it too."""
    yield from (code.co_name, *code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from called(constant)


def test_every_rule_that_sets_a_state_is_in_the_table() -> None:
    """A rule is not merely listed as one that sets a state: some row of the table decides by it."""
    tried = {name for row in IDEMPOTENT for name in called(row.values[2].__code__)}  # type: ignore[union-attr] # a value of a param is untyped
    assert {rule for rule in SETTING if rule.partition(".")[2] not in tried} == {"numbers.reserve"}


def test_every_deciding_rule_is_of_one_of_the_kinds() -> None:
    """A new rule is put in the table, or named as an occurrence on purpose."""
    assert set(deciding()) == SETTING | OF_A_STEP | OCCURRENCES
