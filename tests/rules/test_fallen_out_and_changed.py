"""What a change in flight takes back while something of it has fallen out: each was found by the law of changed orders with faults."""

from o2c.kernel.partner import RefusedBy
from tests.changing import Changing
from tests.given import PORTING, item

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
