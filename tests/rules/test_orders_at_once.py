"""Two orders of one product at once, and what leaves us meanwhile: what each says of it to the network, and what is added to what ends."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted, RefusedBy, Unknown
from o2c.orders.changing import gone
from o2c.plan import STEPS
from o2c.products.events import ProductChangeAccepted, ProductSuspended
from o2c.products.leaving_events import PortOutAuthorised
from o2c.products.rules import switch_on
from o2c.products.serving import rests_or_serves, sold_as
from o2c.products.state import KIND, OWNER, ProductState, product_work
from o2c.products.switch_events import SwitchOrdered
from tests.given import BOOK, item
from tests.in_service import BASES, EXTRA, FIBRE, LINE, InLife, change

PLAN, NUMBER = {"sold": "care-quarter"}, {"numberChange": "true"}
LATER = "2026-01-20"
BASE = BASES[f"product-{LINE}"]


def asked(story: InLife, step: str) -> list[dict[str, Any]]:
    """What the network was asked for by a step, by either order."""
    return [dict(ask.request.body) for ask, _ in story.asked if (ask.partner, ask.request.step) == ("network", step)]


def ordered(*items: Any, beside: InLife | None = None) -> InLife:
    """An order that passed its gates."""
    story = InLife(*items, beside=beside)
    story.pass_by(3)
    return story


def test_another_number_puts_no_other_plan_back() -> None:
    """The order for the number was validated before the plan was changed: it named the plan of before to the network."""
    number = ordered(change("1", LINE, on=LATER, **NUMBER))
    ordered(change("1", LINE, **PLAN), beside=number).mended()
    number.mended()
    assert [(body["attributes"], body["offering"]) for body in asked(number, "service-change")] == [
        (["offering"], "care-quarter"),
        (["number"], "care-quarter"),
    ]


def test_a_plan_that_is_being_changed_is_not_named() -> None:
    """Neither by another order's change nor as that is taken back: the network may have the one or the other."""
    plan = ordered(change("1", LINE, on=LATER, **PLAN))
    number = ordered(change("1", LINE, **NUMBER), beside=plan)
    number.run(until="service-change")
    number.attend("service-change", "1", RefusedBy("PERMANENT"))
    number.correct("service-change", "1", {}, at=number.now)
    number.attend("service-change", "1", Accepted("R-1", number.now + timedelta(hours=2)))
    number.run(until="esim-download")
    assert ["offering" in body for body in asked(number, "service-change")] == [False, False, False]

    assert sold_as(plan.kept[f"product-{LINE}"], order=plan.state.order_id) == {"offering": "line"}
    assert sold_as(plan.kept[f"product-{LINE}"], order="another") == {}


@pytest.mark.parametrize(
    ("by", "status"), [("", {"status": "suspended"}), ("D/1", {}), ("C/1", {"status": "suspended"})], ids=["nobody", "another", "itself"]
)
def test_what_rests_is_said_to_rest_but_while_another_changes_that(by: str, status: dict[str, str]) -> None:
    """An order that is taken back would wake what another order has just let rest."""
    resting = KIND.evolve(BASE, ProductSuspended(order="B", item="1", reason="lost-phone", suspended_on="2026-01-05", charged=True))
    told = KIND.evolve(resting, ProductChangeAccepted(order=by[:1], item="1", attributes=("status",))) if by else resting
    assert rests_or_serves(told, order="C") == status


def test_a_resting_line_whose_number_stayed_goes_on_resting() -> None:
    """It was lost or stolen: as its port failed the network was asked to have it serve."""
    resting = KIND.evolve(BASE, ProductSuspended(order="B", item="1", reason="lost-phone", suspended_on="2026-01-05", charged=True))
    bodies = [switch_on(product_work(state, f"product-{LINE}", "", "reactivation", BOOK)) for state in (BASE, resting)]
    assert [body["status"] for body in bodies] == ["active", "suspended"]


def test_what_the_network_is_to_take_back_is_nobody_elses_meanwhile() -> None:
    """The product was free at once: another order changed the same of it, and the take-back could name nothing to go back to."""
    story = ordered(change("1", LINE, **NUMBER)).run(until="service-change")
    assert isinstance(story, InLife)
    for _ in range(STEPS["service-change"].silences_max + 1):
        story.attend("service-change", "1", Unknown(story.now + timedelta(hours=2)))
    story.give_up("service-change", at=story.now)
    assert story.kept[f"product-{LINE}"].changing == {"number": "1001/1"}
    story.run()
    assert (story.names()[-1], story.kept[f"product-{LINE}"].changing) == ("order.failed", {})


def test_what_a_person_counts_as_taken_back_is_free_with_the_order() -> None:
    """No event of its own says so."""
    story = ordered(change("1", LINE, **NUMBER)).run(until="service-change")
    assert isinstance(story, InLife)
    for _ in range(STEPS["service-change"].silences_max + 1):
        story.attend("service-change", "1", Unknown(story.now + timedelta(hours=2)))
    story.give_up("service-change", at=story.now)
    story.attend("service-change-cancel", "1", RefusedBy("REFUSED"))
    story.force("service-change-cancel", at=story.now)
    assert (story.state.closed, story.kept[f"product-{LINE}"].changing) == ("order.failed", {})


def test_what_is_added_to_a_line_after_its_end_was_ordered_ends_with_it() -> None:
    """Its number is changed first, which is over before the end is ordered; what is added begins later, and was charged for ever."""
    added = ordered(change("1", LINE, **NUMBER), item("4", "guard", relies_on=("1",), requestedStartDate="2026-01-12"))
    for name, step in added._due():
        if name == "4":
            break
        added.attend(step, name)
    end = ordered(change("1", LINE, action="delete", on=LATER), beside=added)
    added.mended()
    end.now = added.now
    end.mended()
    assert (added.states()["4"], end.states()[""]) == ("completed", "completed")
    assert [end.kept[f"product-{product}"].ended_on for product in (LINE, EXTRA, FIBRE, "1001:4")] == [LATER, LATER, "", LATER]


def test_what_ended_before_something_added_to_it_is_charged_has_nothing_added() -> None:
    """The network took its time to switch the add-on on: it fell to nothing, and was charged for ever. Given up, it is switched off."""
    story = ordered(change("1", LINE, action="noChange"), item("4", "guard", relies_on=("1",)))
    story.run(until="activation")
    story.attend("activation", "4", Accepted("R-1", story.now + timedelta(hours=4)))
    story.end(LINE, date(2026, 1, 5))
    story.run()
    assert story.last("charging.fell-out").detail == "item 4 is added to a product that ended on 2026-01-05"
    story.give_up("charging", "4", at=story.now)
    story.run()
    assert (story.states()["4"], asked(story, "activation-cancel")[-1]["status"]) == ("failed", "terminated")
    assert "account.charge-started" not in [event.type_name for _, event in story.elsewhere]


PORTED = PortOutAuthorised.model_validate({**PortOutAuthorised.example, "agreed_on": "2026-01-08"})
SWITCHED = SwitchOrdered(reference="R-1", planned_on="2026-01-09")


@pytest.mark.parametrize(
    ("attributes", "event", "why"),
    [
        ((OWNER,), PORTED, "whose number goes to another operator on 2026-01-08"),
        ((OWNER,), SWITCHED, "that is switched to another provider on 2026-01-09"),
        (("sim",), PORTED, ""),
    ],
    ids=["port", "switch", "sim"],
)
def test_nobody_takes_over_what_is_to_leave_us(attributes: tuple[str, ...], event: Any, why: str) -> None:
    """Its owner asked for that after the order was accepted: the new one would lose the number as soon as it is his. Any other change goes on."""
    story = ordered(change("1", LINE, simSwap="lost"))
    work = story.work("1", "inventory")
    told: ProductState = KIND.evolve(BASE, event)

    found = gone(replace(work, subject=changed(work.subject, attributes=attributes), read={f"product-{LINE}": told}), story.now)
    assert found == (f"DQ-ACTION: item 1 takes over a product {why}" if why else "")
