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
