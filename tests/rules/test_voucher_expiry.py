"""A use of a voucher is held no longer than its campaign says: then the order goes on without it, at the price without it."""

from datetime import timedelta
from typing import Any

import pytest

from o2c.kernel.partner import RefusedBy
from o2c.kernel.refusal import Refused
from o2c.vouchers.rules import issue
from o2c.vouchers.state import CampaignState
from tests.given import MONDAY, READ, item
from tests.rules.test_vouchers import Vouched, campaign, issued, vouched

SPRING = "voucher-SPRING"
MONTH = timedelta(days=30)


class Reserved(Vouched):
    """An order whose voucher is reserved for 30 days."""

    of = campaign(reserved_days=30)


class ForGood(Vouched):
    """An order whose voucher is reserved as long as the order goes on."""

    of = campaign(reserved_days=0)


class Two(Vouched):
    """An order with the vouchers of two campaigns, the one for 30 days, the other for 60."""

    def _read(self, stream: str) -> Any:
        summer = campaign(
            campaign="SUMMER", codes=["SUMMER"], reserved_days=60, discount={"name": "SUMMER", "percent": "10", "lasts_length": 1}
        )
        return {**READ, SPRING: campaign(reserved_days=30), "voucher-SUMMER": summer}.get(stream)


def ends(story: Vouched, stream: str = SPRING) -> list[tuple[str, str]]:
    """How the uses of a campaign ended."""
    return [
        (event.type_name, getattr(event, "how", ""))
        for of, event in story.elsewhere
        if of == stream and event.type_name != "voucher.reserved"
    ]


def discounts(story: Vouched) -> dict[str, list[str]]:
    """The discounts that each item is charged with."""
    return {name: [one.name for one in each.terms.discounts] for name, each in story.state.items.items()}


def waiting(story: Vouched) -> Vouched:
    """An order of which the activation waits for a person."""
    story.run(until="activation")
    story.attend("activation", "1", RefusedBy("REFUSED"))
    assert ("1", "activation") not in story.agenda
    return story


def test_an_order_that_stays_pending_loses_its_voucher() -> None:
    """Given back once with its guard, no sooner than after the days; the price is told anew, and the order completes without the discount."""
    story = waiting(Reserved(vouched(), item("2", relies_on=("1",))))
    assert story.agenda["", "voucher-expiry"].due_at == MONDAY + MONTH
    assert [each.reduced_minor for each in story.last("order.priced").recurring] == [400]
    story.attend("voucher-expiry")
    assert ends(story) == [("voucher.released", "expired")]
    assert ("voucher", "SPRING#1") not in story.holders
    assert discounts(story) == {"1": [], "2": []}
    assert story.names().count("order.priced") == 2
    priced = story.last("order.priced")
    assert [(each.amount_minor, each.reduced_minor) for each in priced.recurring] == [(3998, 0)]
    assert (priced.one_time_minor, priced.currency, priced.catalogue_version) == (2000, "GBP", 1)
    story.correct("activation", "1", {}, at=MONDAY + MONTH)
    story.run()
    assert story.names()[-1] == "order.completed"
    assert ends(story) == [("voucher.released", "expired")], "what expired is not given back again"


def test_an_order_at_its_gates_is_planned_without_what_expired() -> None:
    """It was never priced with it; nothing is priced twice."""
    story = Reserved(vouched())
    story.run(until="credit")
    story.attend("voucher-expiry")
    assert ends(story) == [("voucher.released", "expired")]
    assert "order.priced" not in story.names()
    story.run()
    assert (discounts(story), story.names().count("order.priced"), story.names()[-1]) == ({"1": []}, 1, "order.completed")
    assert [each.reduced_minor for each in story.last("order.priced").recurring] == [0]


def test_what_is_on_a_bill_stays() -> None:
    """Of two lines one was charged with the voucher when the days are over: it is redeemed as the order ends, and the others keep it."""
    story = Reserved(vouched(quantity=2))
    for name, step in story._due():
        if step == "voucher-expiry":
            break
        story.attend(step, name, RefusedBy("REFUSED") if (name, step) == ("1#2", "activation") else None)
    assert story.states()["1#1"] == "completed"
    story.attend("voucher-expiry")
    assert (ends(story), discounts(story)) == ([], {"1#1": ["SPRING"], "1#2": ["SPRING"]})
    assert story.last("order.vouchers-expired").codes == ()
    story.correct("activation", "1#2", {}, at=MONDAY + MONTH)
    story.run()
    assert ends(story) == [("voucher.redeemed", "")]


@pytest.mark.parametrize("how", ["completed", "cancelled"])
def test_of_an_order_that_is_over_nothing_expires(how: str) -> None:
    """Its row is off the agenda."""
    story = Reserved(vouched())
    story.run(until="number")
    assert ("", "voucher-expiry") in story.agenda
    if how == "cancelled":
        story.cancel()
    while any(step != "voucher-expiry" for _, step in story.agenda):
        name, step = next((name, step) for name, step in story._due() if step != "voucher-expiry")
        story.attend(step, name)
    assert (story.names()[-1], story.agenda) == (f"order.{how}", {})


def test_vouchers_of_several_campaigns_expire_each_on_its_day() -> None:
    """The later one stays until its own day, and so does what it takes off."""
    story = waiting(Two(vouched(), vouched("2", "SUMMER", relies_on=("1",))))
    story.attend("voucher-expiry")
    assert (ends(story), ends(story, "voucher-SUMMER")) == ([("voucher.released", "expired")], [])
    assert discounts(story) == {"1": [], "2": ["SUMMER"]}
    assert story.agenda["", "voucher-expiry"].due_at == MONDAY + 2 * MONTH
    story.attend("voucher-expiry")
    assert (ends(story, "voucher-SUMMER"), discounts(story)) == ([("voucher.released", "expired")], {"1": [], "2": []})
    assert ("", "voucher-expiry") not in story.agenda


@pytest.mark.parametrize("story", [Vouched(item()), ForGood(vouched())], ids=["without vouchers", "for as long as it goes on"])
def test_an_order_that_holds_nothing_for_some_days_asks_for_no_expiry(story: Vouched) -> None:
    """It has no row and no event more."""
    story.run(until="number")
    assert not [step for _, step in story.agenda if step == "voucher-expiry"]
    assert not [name for name in story.names() if "expir" in name]


@pytest.mark.parametrize(("days", "good"), [(0, True), (1, True), (3650, True), (3651, False), (-1, False)])
def test_the_days_of_a_campaign(days: int, good: bool) -> None:
    """None for as long as the order goes on, or up to ten years."""
    if good:
        assert issue(CampaignState(), issued(reserved_days=days)) == [issued(reserved_days=days)]
        return
    with pytest.raises(Refused, match="reserved for"):
        issue(CampaignState(), issued(reserved_days=days))
