"""Deciding what is already so yields nothing. Rules that record an occurrence are named here; a command id protects those."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from o2c.catalogue.rules import publish
from o2c.catalogue.state import KIND as CATALOGUE
from o2c.customers.rules import register
from o2c.customers.state import KIND as CUSTOMER
from o2c.kernel.decision import Decision, just
from o2c.kernel.partner import RefusedBy
from o2c.kernel.stream import StreamKind
from o2c.orders.rules import advance, close, fail_item, receive
from o2c.orders.step import KIND as ORDER
from o2c.plan import SPECIFICATIONS, STEPS
from o2c.sim import rules as sims
from o2c.stock.state import KIND as DELIVERY
from tests.given import BOOK, MONDAY, PORTING, Story, item, wish

ROOT = Path(__file__).parents[2]
OFFERING = {
    "id": "line", "productSpecification": {"id": "spec-mobile"}, "validFor": {"startDateTime": "2026-01-01T00:00:00Z"},
    "productOfferingPrice": [{"priceType": "recurring", "price": {"dutyFreeAmount": {"unit": "GBP", "value": "29.9"}}}],
    "prodSpecCharValueUse": [{"name": "simType", "productSpecCharacteristicValue": [{"value": "esim"}]}],
}  # fmt: skip
PARTY = {
    "@type": "Individual", "id": "C-1001", "givenName": "Ada", "familyName": "Example", "birthDate": "1980-02-29",
    "partyCharacteristic": [{"name": "paymentMethod", "value": "card"}], "contactMedium": [{"characteristic": {"emailAddress": "ada@example.org"}}],
}  # fmt: skip
Decide = Callable[[Any], Decision]


def captured_once(state: Any) -> Decision:
    return receive(state, wish(item()), intake="intake-1", line=1, catalogue_version=1, now=MONDAY, original=None)[1]


def resubmitted_once(state: Any) -> Decision:
    changed = wish(item(), priority="1")
    return receive(state, changed, intake="intake-1", line=2, catalogue_version=1, now=MONDAY, original=wish(item()).original)[1]


def gone_on(state: Any) -> Decision:
    return advance(state, frozenset({""}), MONDAY, BOOK)


def failed(state: Any) -> Decision:
    return fail_item(state, "1", reason="NP-INACT", note="", at=MONDAY, book=BOOK)


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


IDEMPOTENT = [
    pytest.param(CATALOGUE, CATALOGUE.initial(""),
                 lambda s: just(*publish(s, document=OFFERING, currency="GBP", specifications=SPECIFICATIONS)), id="publish"),
    pytest.param(CUSTOMER, CUSTOMER.initial(""), lambda s: just(*register(s, document=PARTY)), id="register"),
    pytest.param(ORDER, ORDER.initial("order-1001"), captured_once, id="receive"),
    pytest.param(ORDER, Story(item()).state, resubmitted_once, id="receive-changed"),
    pytest.param(ORDER, validated(), gone_on, id="advance-to-the-next-gate"),
    pytest.param(ORDER, running(), failed, id="fail-item"),
    pytest.param(ORDER, running(item("1"), item("2", "roaming", relies_on=("1",))), failed, id="fail-item-with-dependants"),
    pytest.param(ORDER, all_failed(), close, id="close"),
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


def test_a_delivery_that_is_known_brings_nothing() -> None:
    """The second arrival of the same pieces is recorded as an arrival of none."""
    announced = sims.announce(rows=(("8944500102198304826", "001010000000001", "esim"),), at=MONDAY)
    state = DELIVERY.evolve(DELIVERY.initial("delivery-1"), announced)
    work = replace(DELIVERY.work(state, "delivery-1", "", "sim-arrival"), read={"sim-8944500102198304826": object()})
    decision = STEPS["sim-arrival"].complete(work, {}, MONDAY)
    assert (decision.elsewhere, decision.events[0].pools) == ((), {})


SETTING = {"catalogue.publish", "customers.register", "orders.receive", "orders.advance", "orders.close", "orders.fail_item"}
"""Rules that set a state: the table above holds them."""

OF_A_STEP = {
    "activation.activated", "activation.deactivate", "appointment.kept", "billing.bill", "billing.look_at", "charging.start", "charging.stop",
    "credit.approved", "credit.decide", "delivery.delivered", "esim.confirmed", "identity.decide", "identity.passed", "numbers.arrive",
    "numbers.assign", "numbers.change", "numbers.release", "payments.received", "porting.ported", "porting.scheduled", "qualification.qualified",
    "sim.arrive", "sim.assign", "sim.release", "sim.restock", "numbers.rested",
}  # fmt: skip
"""What a row of the agenda yields, once: the row is gone with it, and the command id is the row."""

OCCURRENCES = {"fallout.correct", "fallout.decide", "fallout.force", "fallout.give_up", "numbers.announce", "sim.announce"}
"""What a person does, as often as it is done: the command id is the action on the version that was seen."""


def deciding() -> Iterator[str]:
    """Every public rule that yields events."""
    for path in sorted((ROOT / "o2c").glob("*/rules.py")):
        module = importlib.import_module(f"o2c.{path.parent.name}.rules")
        for name, rule in inspect.getmembers(module, inspect.isfunction):
            returned = str(rule.__annotations__.get("return"))
            if (
                rule.__module__ == module.__name__
                and not name.startswith("_")
                and any(w in returned for w in ("Decision", "list[", "Announced"))
            ):
                yield f"{path.parent.name}.{name}"


def test_every_deciding_rule_is_of_one_of_the_kinds() -> None:
    """A new rule is put in the table, or named as an occurrence on purpose."""
    assert set(deciding()) == SETTING | OF_A_STEP | OCCURRENCES
