"""Money that is left on an account when its service has ended: it goes back unasked, and a person sees where that does not work."""

from o2c.kernel.partner import Answer, Answered, RefusedBy
from o2c.kernel.partner import Request as Asked
from tests.console import console
from tests.desk import Desk
from tests.lives_of_products import change
from tests.stories.test_deposits import content, held, oracle_agrees
from tests.world import World, at, line, order


def test_an_overpayment_goes_back_two_weeks_after_the_final_bill(world: World, desk: Desk) -> None:
    """30.00 came above the first bill, more than the last days cost. The provider refuses it first: a person gives that up, and it is asked
    again two weeks later."""
    world.stocked(pays="card")
    world.take(order("WEB-1", line(term="1")))
    world.run(at(10))
    [first] = desk.sees("customers", "show", "C-1")["invoices"]
    desk.types("payments", "record", first["invoice"], "--amount", "30.00", "--reference", "TFR-1")
    world.run(at(6, month=2))
    world.take(order("END", change(world, "WEB-1", action="delete"), on=at(6, month=2)))
    world.run(at(21, month=2))
    kept = held(desk)
    assert kept.keys() == {"credit"}
    assert desk.sees("balance", "show", "BA-C-1")[0]["goes_back_on"] == "2026-02-22"
    with console(world, world.folder) as site, site.by("ann", "agent") as ann:
        assert "Goes back by itself 22 Feb 2026" in " ".join(ann.opens("/console/holdings/BA-C-1").text.split())
    content(world)

    world.scripted.will("refund", RefusedBy("ACCOUNT-CLOSED"))
    world.run(at(24, month=2))
    [fallout] = world.fallouts(reason="PAY-REFUND")
    assert (fallout["queue"], held(desk)) == ("payments", {"owed": kept["credit"]})
    for refund in [item["of"] for item in desk.sees("balance", "show", "BA-C-1")[0]["items"] if item["what"] == "refund"]:
        desk.types("refunds", "give-up", "BA-C-1", refund, "--reason", "his account is closed")
    assert held(desk) == kept
    world.run(at(20, month=3))
    assert held(desk) == {}
    assert desk.sees("customers", "show", "C-1")["money_held"][0]["returned_minor"] == kept["credit"]
    content(world)
    oracle_agrees(world)


def test_what_is_still_owed_is_paid_by_it_first(world: World, desk: Desk) -> None:
    """The card was declined for January and paid February, whose days after the end are credited: that pays for a part of January."""

    def paid(request: Asked) -> Answer:
        return RefusedBy("DECLINED") if str(request.body["number"]).endswith("20260108") else Answered({"reference": "PMT-2"})

    world.stocked(pays="card")
    world.scripted.will("payment", *[paid] * 60)
    world.take(order("WEB-1", line(term="1")))
    world.run(at(10, month=2))
    world.take(order("END", change(world, "WEB-1", action="delete"), on=at(10, month=2)))
    world.run(at(20, month=2))
    credit, debt = held(desk)["credit"], held(desk)["open"]
    assert 0 < credit < debt
    world.run(at(28, month=3))
    assert held(desk) == {"open": debt - credit}
    assert desk.sees("payments", "show", "BA-C-1-20260108")["payments"][-1]["method"] == "set-off"
    content(world)
    oracle_agrees(world)
