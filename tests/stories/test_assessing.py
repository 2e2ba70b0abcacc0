"""What a change would take of an order in flight, before anybody decides it."""

from typing import Any

import pytest

from o2c.desk.act import Refused
from o2c.kernel.partner import Accepted
from o2c.simulation.launch_data import LINE_ADD_ONS, SECOND_LINE
from o2c.views.assessing import assess_change
from tests.world import Document, World, at, item, line, order, ported

ELSEWHERE = "7 Quay Street, Testford, ZZ1 2BB"
CALL_GUARD = LINE_ADD_ONS[1]
BEFORE_THE_COURIER = at(5, 9, 5)


@pytest.fixture
def physical(world: World) -> World:
    """A line whose SIM and number are taken; the courier comes for the parcel half an hour later, and brings it on the 9th."""
    world.stocked(physical=3)
    world.scripted.will("delivery", Accepted("PCL-1", at(9)))
    world.take(order("POST", line(sim="physical")))
    return world.run(BEFORE_THE_COURIER)


def changed(world: World, *items: Document, of: str = "POST", **top: Any) -> dict[str, Any]:
    """What it would take to make an order this one."""
    return dict(assess_change(world.app, of, {**order(of, *items), **top}))


def verdicts(told: dict[str, Any]) -> dict[str, str]:
    return {row["item"]: row["verdict"] for row in told["lines"]}


def work(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["action"], row["step"]) for row in told["plan"]]


def test_the_same_paper_takes_nothing(physical: World) -> None:
    """No difference, no work, no other price, and the days that were promised."""
    told = changed(physical, line(sim="physical"))

    assert (told["diff"], told["lines"], told["plan"], told["possible"]) == ([], [], [], True)
    assert (told["price"]["one_time_minor"], told["price"]["recurring_minor"]) == (0, 0)
    assert [(row["promised_before"], row["promised_after"]) for row in told["dates"]] == [(told["dates"][0]["promised_before"],) * 2]


def test_another_plan_before_the_service_is_on_is_free(physical: World) -> None:
    """Nothing that has begun works with it; what it costs more is told."""
    told = changed(physical, line(sim="physical", offering=SECOND_LINE))

    [difference] = told["diff"]
    assert (difference["attribute"], difference["from"], difference["to"]) == ("offering", "lark-line", SECOND_LINE.id)
    assert (verdicts(told), work(told), told["possible"]) == ({"1": "free"}, [], True)
    assert told["price"]["recurring_minor"] != 0


def test_another_address_takes_the_parcel_back(physical: World) -> None:
    """The address itself is shown to nobody; the SIM and the number stay."""
    told = changed(physical, line(sim="physical", place=ELSEWHERE))

    assert [(row["attribute"], row["from"], row["to"]) for row in told["diff"]] == [("place", None, None)]
    assert work(told) == [("redo", "delivery")]
    assert [(row["verdict"], row["ponr"]) for row in told["lines"]] == [("soft", "delivery")]


def test_another_form_of_sim_takes_back_in_reverse_order(physical: World) -> None:
    """The parcel before the card; the profile begins; the number stays."""
    told = changed(physical, line(sim="esim"))

    assert work(told)[:2] == [("undo", "delivery"), ("redo", "sim")]
    assert {("do", "esim"), ("do", "esim-download")} <= set(work(told))
    assert "number" not in {step for _, step in work(told)}
    assert verdicts(told) == {"1": "soft"}


def test_what_waited_for_it_is_done_anew(world: World) -> None:
    """A line that is on for nobody, because its profile was not downloaded: another form of SIM switches it on anew."""
    world.stocked(physical=3)
    world.scripted.will("esim-download", Accepted("DL-1", at(20)))
    world.take(order("POST", line()))
    world.run(at(6))
    told = changed(world, line(sim="physical"))

    assert ("redo", "activation") in work(told)
    assert verdicts(told) == {"1": "soft"}


def test_what_is_handed_over_needs_an_order_of_its_own(physical: World) -> None:
    """Once the courier has the parcel its address is past its point of no return; an add-on still is not."""
    physical.run(at(6))
    told = changed(physical, line(sim="physical", place=ELSEWHERE), item(CALL_GUARD, "2", relies_on="1"))

    assert (verdicts(told), told["possible"]) == ({"1": "hard", "2": "free"}, False)
    assert [row["ponr"] for row in told["lines"] if row["item"] == "1"] == ["delivery"]


def test_a_line_that_comes_is_planned_and_promised(physical: World) -> None:
    """With what it costs, and no sooner than what it relies on."""
    told = changed(physical, line(sim="physical"), item(CALL_GUARD, "2", relies_on="1"))

    assert work(told) == [("do", "activation"), ("do", "charging")]
    assert told["price"]["recurring_minor"] > 0
    days = {row["item"]: row["promised_after"] for row in told["dates"]}
    assert days["2"] >= days["1"] > ""


def test_a_line_is_promised_after_its_base_wherever_it_stands(physical: World) -> None:
    """The add-on that is listed first waits for the day of the line as well."""
    told = changed(physical, item(CALL_GUARD, "0", relies_on="1"), line(sim="physical", place=ELSEWHERE))

    days = {row["item"]: row["promised_after"] for row in told["dates"]}
    assert days["0"] == days["1"] > ""


def test_a_line_that_goes_is_taken_back(world: World) -> None:
    """All that was taken for it, and of nothing else."""
    world.stocked(physical=3)
    world.take(order("TWO", line(sim="physical"), line("2", sim="physical")))
    world.run(BEFORE_THE_COURIER)
    told = changed(world, line(sim="physical"), of="TWO")

    assert {row["item"] for row in told["plan"]} == {"2"}
    assert {row["action"] for row in told["plan"]} == {"undo"}
    assert (verdicts(told), told["price"]["recurring_minor"] < 0) == ({"2": "soft"}, True)


def test_a_merge_patch_is_laid_over_the_captured_paper(physical: World) -> None:
    """And nothing is written."""
    before = physical.types("order-" + physical.order("POST").order_id)
    told = assess_change(physical.app, "POST", {"requestedStartDate": "2026-02-02"}, merge=True)

    assert [(row["attribute"], row["to"]) for row in told["diff"]] == [
        ("requested_start", "2026-02-02"),
        ("requested_completion", "2026-02-02"),
    ]
    assert physical.types("order-" + physical.order("POST").order_id) == before


def test_a_channels_own_words_are_not_significant(physical: World) -> None:
    """They make no work, and are not shown: they may say anything."""
    told = changed(physical, line(sim="physical", giftCard="For Ann Example"))

    assert [(row["attribute"], row["significant"], row["to"]) for row in told["diff"]] == [("giftCard", False, None)]
    assert (told["plan"], "Ann Example" in str(told)) == ([], False)


def test_another_number_to_bring_is_not_shown(world: World) -> None:
    """That it differs is told, with the port that is done anew."""
    world.take(order("PORT", ported()))
    world.run(at(5, 10))
    told = changed(world, ported(msisdn="+447700900456"), of="PORT")

    assert [(row["attribute"], row["from"], row["to"]) for row in told["diff"]] == [("portInNumber", None, None)]
    assert ("redo", "porting") in work(told)


@pytest.mark.parametrize(
    ("paper", "kind", "says"),
    [
        pytest.param("{", "usage", "cannot be read", id="no JSON"),
        pytest.param({"productOrderItem": []}, "usage", "could not be carried out", id="no items"),
        pytest.param({"relatedParty": [{"id": "C-2", "role": "customer"}]}, "usage", "another customer", id="another customer"),
        pytest.param({"requestedStartDate": "soon"}, "usage", "DQ-DATE", id="no date"),
    ],
)
def test_what_cannot_be_is_refused(physical: World, paper: Any, kind: str, says: str) -> None:
    """In one line."""
    with pytest.raises(Refused, match=says) as refused:
        assess_change(physical.app, "POST", paper, merge=True)

    assert refused.value.kind == kind


def test_an_order_that_is_over_is_changed_in_service(world: World) -> None:
    """And one that is not planned is corrected where it waits."""
    world.take(order("DONE", line()), order("ODD", item(CALL_GUARD, "1")))
    world.run(at(12))
    for name, says in (("DONE", "what is in service"), ("ODD", "not planned yet")):
        with pytest.raises(Refused, match=says):
            assess_change(world.app, name, {}, merge=True)
