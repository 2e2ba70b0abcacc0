"""What the network is asked for names what it is to serve: SIM and number, the number of the time, and the lines that something is added to."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, RefusedBy, Unknown
from o2c.kernel.step import SILENCES_MAX
from o2c.plan import STEPS
from o2c.products.state import ProductState
from tests.given import MONDAY, PORTING, Story, item

BROUGHT = PORTING["portInNumber"]
LATER = MONDAY + timedelta(days=9)


def asked(story: Story, step: str, name: str = "1") -> list[dict[str, Any]]:
    """The bodies of what the network was asked for of an item, by a step."""
    requests = (ask.request for ask, _ in story.asked if ask.partner == "network")
    return [dict(request.body) for request in requests if (request.step, request.item) == (step, name)]


def held(story: Story, name: str = "1") -> dict[str, str]:
    """The SIM and the number from stock of an item."""
    sim, number = (story.state.record(name, step).outcome for step in ("sim", "number"))
    return {"iccid": sim["iccid"], "imsi": sim["imsi"], "msisdn": number["msisdn"]}


def rested(story: Story) -> list[str]:
    return [stream.removeprefix("number-") for stream, event in story.elsewhere if event.type_name == "number.quarantined"]


def test_a_line_is_served_by_its_temporary_number_until_the_one_it_brings_is_ours() -> None:
    """The network has the one in use first, and after the cut-over the ported one in its place; only then the temporary one is off, and rests."""
    story = Story(item(characteristics=PORTING)).run(until="number-change")
    assert asked(story, "activation") == [{"offering": "line", **held(story)}]
    assert (asked(story, "number-change"), rested(story)) == ([], [])

    story.run()

    replaced = held(story)["msisdn"]
    anew = {**held(story), "msisdn": BROUGHT, "replaced": {"msisdn": replaced}}
    assert asked(story, "number-change") == [{"attributes": ["number"], "offering": "line", **anew}]
    assert (rested(story), story.states()["1"]) == ([replaced], "completed")


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        pytest.param(RefusedBy("REFUSED"), "held", "NET-CFG", id="refused"),
        pytest.param(Failed("UNAVAILABLE"), "inProgress", "", id="met nobody, and tried again"),
        pytest.param(Accepted("CHG-1", LATER), "inProgress", "", id="taken on, and done later"),
        pytest.param(Unknown(LATER), "inProgress", "", id="silent, and asked what came of it"),
    ],
)
def test_the_number_is_the_lines_only_when_the_network_says_so(answer: Answer, state: str, reason: str) -> None:
    """Whatever it answers first: the line is not complete, and neither number is given away."""
    story = Story(item(characteristics=PORTING)).run(until="number-change")
    story.attend("number-change", "1", answer)
    assert (rested(story), "number.changed" in story.names(), story.states()["1"] != "completed") == ([], False, True)
    assert story.state.record("1", "number-change").reason in (reason, "NET-HLR")
    if state == "held":
        story.correct("number-change", "1", {}, at=LATER)
    story.run()
    assert (rested(story), story.states()["1"]) == ([held(story)["msisdn"]], "completed")


def test_a_network_that_never_says_so_is_somebodys() -> None:
    """Neither number is given away while nobody knows by which one the line is reached; when the line fails, it is switched off."""
    story = Story(item(characteristics=PORTING)).run(until="number-change")
    for _ in range(SILENCES_MAX + 1):
        story.attend("number-change", "1", Unknown(LATER))
    assert (story.state.record("1", "number-change").reason, rested(story)) == ("NET-TMO", [])

    story.give_up("number-change", at=LATER + timedelta(days=1))
    story.run()

    assert [body["status"] for body in asked(story, "activation-cancel")] == ["terminated"]
    assert (set(rested(story)), story.states()["1"]) == ({BROUGHT, held(story)["msisdn"]}, "failed")


def test_an_add_on_names_the_line_that_it_is_added_to() -> None:
    """By its SIM and number; of several each, through another add-on too; and so when it is switched off again."""
    story = Story(
        item(), item("2", "roaming", relies_on=("1",)), item("3"), item("4", "roaming", relies_on=("1", "3")), item("5", "roaming", relies_on=("2",))
    ).run()  # fmt: skip
    one, three = held(story, "1"), held(story, "3")
    assert [asked(story, "activation", name) for name in "245"] == [
        [{"offering": "roaming", "lines": [one]}],
        [{"offering": "roaming", "lines": [one, three]}],
        [{"offering": "roaming", "lines": [one]}],
    ]


def test_an_add_on_of_a_fixed_access_names_its_line() -> None:
    """A fixed access is known to the network by its line id."""
    answers: dict[tuple[str, str], Answer] = {("1", "qualification"): Answered({"line_id": "LINE-0000000001"})}
    story = Story(item("1", "fibre"), item("2", "roaming", relies_on=("1",))).run(but=answers)
    assert asked(story, "activation", "2") == [{"offering": "roaming", "lines": [{"line_id": "LINE-0000000001"}]}]


@pytest.mark.parametrize(("ended_on", "wrong"), [("", False), ("2026-01-04", True)])
def test_nothing_is_added_to_a_line_that_ended_meanwhile(ended_on: str, wrong: bool) -> None:
    """The network would have it on for nobody: the add-on is DQ-ACTION before it is asked."""
    work = Story(item()).run(until="sim").work("1", "activation")
    bare = changed(work.state, records={})
    added = replace(
        work, state=bare, subject=changed(work.subject, on_products=("9:1",)), read={"product-9:1": ProductState(ended_on=ended_on)}
    )
    check = STEPS["activation"].check
    assert check is not None
    assert check(added, MONDAY).startswith("DQ-ACTION") is wrong
