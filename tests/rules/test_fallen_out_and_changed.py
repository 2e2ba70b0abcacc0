"""What a change in flight takes back while something of it has fallen out: each was found by the law of changed orders with faults."""

import pytest

from o2c.kernel.partner import RefusedBy
from tests.changing import Changing
from tests.given import PORTING, Document, item

BRINGS = "+447700900123"
NOT_DOWNLOADED = RefusedBy("8.8.5-3.8")


def test_the_fallout_of_a_step_that_is_taken_back_is_over() -> None:
    """A download that the customer refused was tried again by a person while the port, the line and the profile were taken back: it was asked for of no SIM."""
    brings = item(characteristics=PORTING)
    story = Changing(brings).run(but={("1", "esim-download"): NOT_DOWNLOADED})
    assert "porting.postponed" in story.names()
    assert story.change((item(characteristics={"simType": "physical"}),))
    stands = story.state.progress.items["1"].steps["esim-download"], story.state.record("1", "esim-download").fallout
    assert stands == ("cancelled", "")
    assert story.change((item(),))

    story.mended()

    assert story.states()["1"] == "completed"
    assert story.names().index("esim.confirmed") < story.names().index("esim.downloaded")


def test_what_its_partner_dropped_is_not_asked_back_once_more() -> None:
    """The line was off for another paper, while its port was still to be dropped; its item was cancelled then, and the network was to switch off once more what was off."""
    story = Changing(item(characteristics=PORTING), item("2")).run(but={("1", "esim-download"): NOT_DOWNLOADED})
    assert story.change((item(characteristics={"simType": "physical"}), item("2")))
    story.attend("activation-cancel", "1")
    assert story.state.progress.items["1"].recalls["porting-cancel"] == "requested"

    story.cancel("1", at=story.now)
    story.mended()

    assert story.names().count("activation-cancel.requested") == 1
    assert (story.names().count("service.deactivated"), story.states()["1"]) == (1, "cancelled")


@pytest.mark.parametrize(
    ("paper", "past"),
    [
        pytest.param(
            (item(), item("2"), item("3", "roaming", relies_on=("1",))), {"3": "item 1, on which it relies, is cancelled"}, id="relied-on"
        ),
        pytest.param((item(),), {"2": "nothing else of the order goes on; cancel the order instead"}, id="alone"),
    ],
)
def test_a_line_that_was_cancelled_carries_nothing(paper: tuple[Document, ...], past: dict[str, str]) -> None:
    """An add-on that a changed paper brings for a line which was cancelled waited for it for ever, and an order whose paper was of such a line alone went from in progress to cancelled at
    one stroke; one that goes with another line comes."""
    story = Changing(item(), item("2")).run(until="esim")
    story.cancel("1", at=story.next_at())
    assert not story.change(paper)
    assert story.last("order.revision-refused").past == past

    assert story.change((item(), item("2"), item("3", "roaming", relies_on=("2",))))
    assert story.mended().states() == {"": "partial", "1": "cancelled", "2": "completed", "3": "completed"}


@pytest.mark.parametrize(
    "paper",
    [
        pytest.param(item(), id="that-drops-it"),
        pytest.param(item(characteristics={**PORTING, "portInNumber": "+447700900188"}), id="that-brings-another"),
    ],
)
def test_a_number_that_comes_all_the_same_is_the_lines(paper: Document) -> None:
    """The clearing house drops the port no more when a changed paper asks it to: the order brings that number after all, and the line gets it. It was cut over with nobody to take it, or
    the order asked for the other number from then on, and the one that came was claimed for ever."""
    story = Changing(item(characteristics=PORTING)).run(until="cutover")
    assert story.change((paper,))
    story.attend("porting-cancel", "1", RefusedBy("TOO-LATE"))

    assert story.state.items["1"].characteristics.items() >= PORTING.items()
    story.mended()

    assert (story.states()["1"], story.last("number.changed").msisdn) == ("completed", BRINGS)
    assert {key for kind, key in story.holders if kind in ("port-in", "number")} == {BRINGS}


def test_such_a_number_is_asked_for_again_as_it_was() -> None:
    """Where its window is missed, as the line is not on, the next one is agreed for the number that was asked for, whatever the paper says."""
    other = item(characteristics={**PORTING, "portInNumber": "+447700900188"})
    story = Changing(item(characteristics=PORTING)).run(but={("1", "activation"): RefusedBy("PERMANENT")}, until="cutover")
    assert story.change((other,))
    story.attend("porting-cancel", "1", RefusedBy("TOO-LATE"))
    story.run()

    assert "porting.window-missed" in story.names()
    assert story.mended().last("porting.rescheduled").msisdn == BRINGS


def test_a_line_that_went_keeps_no_other_from_being_changed() -> None:
    """Once a line was taken out, or cancelled, every later paper was refused for it ("it is cancelled")."""
    story = Changing(item(), item("2"), item("3")).run(until="esim")
    assert story.change((item(), item("3")))
    story.cancel("3", at=story.next_at())
    assert story.change((item(characteristics={"simType": "physical"}), item("3")))
    assert story.change((item(),))

    assert story.mended().states() == {"": "completed", "1": "completed", "2": "cancelled", "3": "cancelled"}
    assert not story.change((item(), item("2")))
