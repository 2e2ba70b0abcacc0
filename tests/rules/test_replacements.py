"""A parcel that the courier lost: its SIM is blocked for good, and another is sent, at a cost that is on record."""

from datetime import timedelta

from o2c.kernel.partner import Accepted, Failed, RefusedBy
from tests.given import MARKET, MONDAY, Story, item

PHYSICAL = item(characteristics={"simType": "physical"})
LATER = MONDAY + timedelta(days=2)


def sent() -> Story:
    """An order whose SIM is with the courier."""
    story = Story(PHYSICAL).run(until="delivery")
    story.attend("delivery", "1", Accepted("PCL-1", LATER))
    return story


def lost(story: Story) -> Story:
    """The courier says that the parcel is lost, when it is asked about it."""
    story.attend("delivery", "1", Failed("LOST"))
    return story


def test_a_parcel_in_the_couriers_hands_is_an_event_of_its_own() -> None:
    """What the courier took over stands in the order under the courier's reference, and the item cannot be cancelled from then on."""
    story = sent()
    handed_over = story.last("delivery.handed-over")
    assert (handed_over.reference, handed_over.ask_again_at) == ("PCL-1", LATER)
    story.cancel(at=LATER)
    assert story.last("cancellation.refused").past == {"1": "its parcel was handed to the courier, or is about to be"}


def test_a_lost_sim_is_blocked_and_another_is_sent() -> None:
    """The loss costs a replacement; the first SIM is scrapped and free of its holder, and the line is activated with the second."""
    story = lost(sent()).run()
    [first, second] = [event.iccid for event in story.events if event.type_name == "sim.assigned"]
    assert first != second
    assert (story.last("sim.lost").iccid, story.last("sim.lost").cost_minor) == (first, MARKET.sim_replacement_minor)
    assert (story.last("sim.scrapped").iccid, story.last("sim.scrapped").cause) == (first, "lost")
    assert [key for kind, key in story.holders if kind == "sim"] == [second]
    assert story.states() == {"": "completed", "1": "completed"}
    assert story.names().count("delivery.fell-out") == 1


def test_an_order_of_a_device_alone_never_looks_as_if_nothing_had_begun() -> None:
    """Nothing of it is done once its only parcel is lost: another device is asked for before the parcel is put back, so that held leads to in progress."""
    story = Story(item(sold="handset", characteristics={"sku": "lark-9"})).run(until="delivery")
    story.attend("delivery", "1", Accepted("PCL-1", LATER))
    lost(story)
    assert [(before, after) for of, before, after, _ in story.passed if of == "1"][-2:] == [("inProgress", "held"), ("held", "inProgress")]
    assert (story.run().names().count("device.assigned"), story.states()[""]) == (2, "completed")


def test_what_a_suspended_order_has_lost_is_done_anew_when_it_goes_on() -> None:
    """Until then nothing is taken from stock for it, and its item is held; it never looks as if nothing had begun."""
    story = Story(item(sold="handset", characteristics={"sku": "lark-9"})).run(until="delivery")
    story.attend("delivery", "1", Accepted("PCL-1", LATER))
    story.suspend_or_resume()
    story.attend("delivery", "1", Failed("LOST"), at=LATER)
    assert (story.states(), "device.lost" in story.names()) == ({"": "pending", "1": "held"}, False)

    story.suspend_or_resume()
    assert story.names()[-3:] == ["device.lost", "device.requested", "step.renewed"]
    assert (story.run().states()[""], ("held", "acknowledged") in [(before, after) for _, before, after, _ in story.passed]) == (
        "completed",
        False,
    )


def test_the_second_parcel_is_another_request_with_the_second_sim() -> None:
    """The courier is asked under the next attempt, so that it does not take the question for the first one."""
    story = lost(sent()).run(until="delivery")
    work = story.work("1", "delivery")
    assert (work.attempt, work.outcomes["sim"]["iccid"]) == (2, story.last("sim.assigned").iccid)


def test_a_line_that_lost_three_parcels_waits_for_a_person() -> None:
    """Losses are made good by themselves twice; then somebody looks into it, and a retry sends another SIM, never the lost one."""
    story = lost(sent())
    for _ in range(2):
        story.run(until="delivery")
        story.attend("delivery", "1", Accepted("PCL-2", LATER))
        lost(story)
    assert story.states()["1"] == "held"
    assert story.agenda == {}
    story.correct("delivery", "1", {}, at=LATER)
    story.run()
    iccids = [event.iccid for event in story.events if event.type_name == "sim.assigned"]
    assert len(set(iccids)) == len(iccids) == 4
    assert story.states()["1"] == "completed"


def test_a_lost_sim_waits_for_stock_like_any_other() -> None:
    """When there is no other SIM the item waits for the next delivery of stock."""
    story = lost(sent())
    story.attend("sim", "1", in_stock=False)
    assert (story.last("sim.fell-out").reason, story.states()["1"]) == ("INV-SIM", "pending")
    story.attend("sim", "1")
    story.run()
    assert story.states()["1"] == "completed"


def test_a_parcel_that_was_not_taken_loses_no_sim() -> None:
    """Control: a wrong address is corrected, and the same SIM goes out."""
    story = Story(PHYSICAL).run(until="delivery")
    story.attend("delivery", "1", RefusedBy("WRONG-ADDRESS"))
    story.correct("delivery", "1", {"place": "2 Mill Lane, Testford, ZZ1 1AA"})
    story.run()
    assert len({event.iccid for event in story.events if event.type_name == "sim.assigned"}) == 1
    assert "sim.lost" not in story.names()
