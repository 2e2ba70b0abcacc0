"""An order that changes products in service is changed in flight: what it claims of them, what they are read as, and the day on which it is carried out."""

from datetime import UTC, datetime, timedelta

import pytest

from o2c.kernel.decision import Decision, just
from o2c.kernel.partner import RefusedBy
from o2c.kernel.shapes import CallParked
from o2c.products.events import ProductChangeAccepted, ProductChanged, ProductTerminated
from tests.given import Document, item
from tests.in_service import FIBRE, LINE, InLife, change

NUMBER, PLAN = {"numberChange": "true"}, {"sold": "care-quarter"}
NEW = item("3", "line")
ON = "2026-01-20"


def of_line(on: str = "", **values: str) -> tuple[Document, ...]:
    return (change("1", LINE, on=on, **values),)


def claims(story: InLife, product: str = LINE) -> dict[str, str]:
    """Which attributes of a product are to be changed, and by which item of which order."""
    return story.kept[f"product-{product}"].changing


def learn(story: InLife, *events: ProductChanged | ProductChangeAccepted | ProductTerminated) -> None:
    """The line learns what another order, or the end of its account, made of it."""
    story.take(Decision(elsewhere=tuple((f"product-{LINE}", event) for event in events)), at=story.now)


def planned(*items: Document) -> InLife:
    """An order that passed its gates a moment ago."""
    story = InLife(*items)
    story.pass_by(3)
    story.soon = True
    return story


def changed_on(story: InLife) -> str:
    return str(story.last("product.changed").changed_on)


@pytest.mark.parametrize("wished", [{"on": "2026-01-08"}, {"on": "2026-01-28"}, {}], ids=["sooner", "later", "at-once"])
@pytest.mark.parametrize("what", [NUMBER, PLAN], ids=["number", "plan"])
def test_another_day_is_kept(what: dict[str, str], wished: dict[str, str]) -> None:
    """The network was asked for the day of before, and that row stayed: the change was carried out on a day that nobody wished any more."""
    story = planned(*of_line(ON, **what))
    if ("1", "number") in story.agenda:
        story.attend("number", "1")
    assert story.agenda["1", "service-change"].due_at.date().isoformat() == ON
    assert story.change(of_line(wished.get("on", ""), **what))
    assert changed_on(story.mended()) == wished.get("on", "2026-01-05")


def test_what_an_order_claims_is_what_its_paper_says() -> None:
    """Another attribute is claimed in place of the first one, and a line that goes claims nothing."""
    story = planned(*of_line(ON, **PLAN), NEW)
    assert claims(story) == {"offering": "1001/1"}
    assert story.change((*of_line(ON, **NUMBER), change("2", FIBRE, action="delete", on=ON), NEW))
    assert (claims(story), claims(story, FIBRE)) == ({"number": "1001/1"}, {"termination": "1001/2"})
    assert story.change((change("1", LINE, action="delete", on=ON), NEW))
    assert (claims(story), claims(story, FIBRE)) == ({"termination": "1001/1"}, {})
    assert story.change((NEW,))
    assert claims(story) == {}
    assert story.mended().states() == {"": "completed", "1": "cancelled", "2": "cancelled", "3": "completed"}


def test_what_was_carried_out_is_past_taking_out_of_the_paper() -> None:
    """A paper that leaves out the plan which the line has by now was taken for one that says nothing of it, and the number was claimed for ever."""
    story = planned(change("1", LINE, **PLAN, **NUMBER), NEW)
    story.run(until="esim-download")
    assert (story.states()["1"], claims(story)) == ("completed", {})
    assert not story.change((*of_line(**NUMBER), NEW))
    assert story.change((change("1", LINE, **PLAN, **NUMBER), change("2", FIBRE, action="delete", on=ON), NEW))
    assert (claims(story), claims(story, FIBRE)) == ({}, {"termination": "1001/2"})


def test_what_an_order_stays_for_is_let_go_with_its_last_line() -> None:
    """Nothing is to be added to the line any more, so that it may be ended at once."""
    story = planned(change("1", LINE, action="noChange"), item("4", "guard", relies_on=("1",), requestedStartDate=ON), NEW)
    assert claims(story) == {"stays for 1001": "1001/1"}
    assert story.change((NEW,))
    assert claims(story) == {}


def test_two_orders_never_claim_the_same() -> None:
    """What another order is changing is not taken from it by a changed paper; what the paper gives up is free for the other one."""
    story = planned(*of_line(ON, **PLAN))
    learn(story, ProductChangeAccepted(order="OTHER", item="1", attributes=("number",)))
    assert not story.change(of_line(ON, **NUMBER))
    assert not story.change((change("1", LINE, action="delete", on=ON),))
    assert story.change(of_line(ON, simSwap="lost"))
    assert claims(story) == {"number": "OTHER/1", "sim": "1001/1"}


def test_a_line_that_was_carried_out_is_not_judged_again() -> None:
    """The line of before has its number: that it changes nothing more kept every other line of its order from being changed."""
    story = InLife(*of_line(**NUMBER), NEW).run(until="esim-download")
    assert story.states()["1"] == "completed"
    assert story.change((*of_line(**NUMBER), change("2", FIBRE, action="delete")))
    assert not story.change((*of_line(**PLAN), change("2", FIBRE, action="delete")))
    assert story.last("order.revision-refused").past == {"1": "its service is changed, or about to be"}


def test_what_another_order_made_of_the_product_is_no_difference() -> None:
    """The product has a card by now: a paper that moves the day of another number sends no card and no profile, and says nothing of it."""
    story = planned(*of_line(ON, **NUMBER))
    stands = story.kept[f"product-{LINE}"].standing
    assert stands is not None
    card = stands.model_copy(
        update={"characteristics": {**stands.characteristics, "simType": "physical"}, "holds": {**stands.holds, "sim_kind": "physical"}}
    )
    learn(story, ProductChanged(order="OTHER", item="1", attributes=("sim",), changed_on="2026-01-06", standing=card))
    assert story.change(of_line("2026-01-21", **NUMBER))
    assert [one.attribute for one in story.last("order.revised").changed] == ["requested_start", "requested_completion"]
    assert story.last("order.revised").items[0].attributes == ("number",)

    assert story.change(of_line("2026-01-21", **NUMBER, simType="esim"))
    assert story.last("order.revised").items[0].attributes == ("sim", "number")


def test_a_second_change_prices_nothing_anew() -> None:
    """Another number costs nothing: the line was sold again, at its whole price, as the paper was changed for the second time."""
    story = planned(*of_line(ON, **NUMBER), NEW)
    for on in ("2026-01-21", "2026-01-22"):
        assert story.change((*of_line(ON, **NUMBER), {**NEW, "requestedStartDate": on}))
    assert (story.state.items["1"].recurring_minor, story.state.items["1"].one_time_minor) == (0, 0)


def test_an_outage_keeps_no_order_from_being_changed() -> None:
    """The change waits for the network to be up again: another plan is what is asked for then, and nothing of the one of before."""
    story = InLife(*of_line(simSwap="lost")).run(until="service-change")
    parked = CallParked(
        item="1", step="service-change", attempt=1, partner="network", outage="0b6c1c5e-2f0a-5b61-9a53-1f7f1f2a6d10", query=False
    )
    story.take(just(parked), at=story.next_at())
    story.soon = True
    assert story.change(of_line(**PLAN))
    story.mended()

    [asked] = [ask.request.body for ask, _ in story.asked if ask.request.step == "service-change"]
    assert (asked["attributes"], asked["offering"], "replaced" in asked) == (["offering"], "care-quarter", False)
    assert (story.states()[""], story.names().count("sim.released")) == ("completed", 1)


@pytest.mark.parametrize("paper", [of_line(**PLAN), of_line("2026-01-25", **NUMBER)], ids=["plan", "day"])
def test_a_product_that_ended_meanwhile_is_changed_by_no_paper(paper: tuple[Document, ...]) -> None:
    """Its account was terminated: the order can go on without that line alone."""
    story = planned(*of_line(ON, **NUMBER), NEW)
    learn(story, ProductTerminated(cause="account-terminated", ended_on="2026-01-06"))
    assert not story.change((*paper, NEW))
    assert story.change((NEW,))
    assert story.mended().states() == {"": "completed", "1": "cancelled", "3": "completed"}


@pytest.mark.parametrize(("minutes", "state"), [(-3, "cancelled"), (1, "completed")], ids=["before-its-day", "on-its-day"])
def test_a_cease_can_be_cancelled_until_its_day_begins(minutes: int, state: str) -> None:
    """Then the network is asked, and the customer needs an order of its own."""
    story = planned(change("1", LINE, action="delete", on=ON))
    story.cancel(at=datetime(2026, 1, 20, tzinfo=UTC) + timedelta(minutes=minutes))
    assert ("cancellation.refused" in story.names()) == (state == "completed")
    assert story.mended().states()[""] == state
    assert (bool(story.kept[f"product-{LINE}"].ended_on), claims(story)) == (state == "completed", {})


def test_what_the_network_refused_may_be_wished_otherwise() -> None:
    """It has certainly not changed anything, so that nothing of it is past its point of no return."""
    story = InLife(*of_line(**PLAN)).run(but={("1", "service-change"): RefusedBy("PERMANENT")})
    assert story.change(of_line(**NUMBER))
    assert claims(story) == {"number": "1001/1"}
    assert story.mended().states()[""] == "completed"


def test_a_line_names_one_product_for_good() -> None:
    """What was asked of the first one could not be taken back from another."""
    story = planned(*of_line(ON, **NUMBER), NEW)
    assert not story.change((change("1", FIBRE, action="delete"), NEW))
    assert claims(story) == {"number": "1001/1"}
