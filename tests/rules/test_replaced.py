"""Another SIM in place of the one that a step works with: what was done with the first is done anew, and where a partner has that, the SIM is not replaced alone."""

from datetime import timedelta

import pytest

from o2c.fallout.rules import replaced
from o2c.kernel.partner import Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.refusal import Refused
from o2c.kernel.step import SILENCES_MAX
from o2c.plan import STEPS
from tests.given import BOOK, MONDAY, Story, item

ESIM, PHYSICAL = ({"simType": form} for form in ("esim", "physical"))


def fallen(characteristics: dict[str, str], step: str) -> Story:
    """An order of one line whose step has fallen out."""
    story = Story(item("1", characteristics=characteristics)).run(until=step)
    story.attend(step, "1", Failed("PERMANENT") if step == "esim" else RefusedBy("PERMANENT"))
    return story


def replace(story: Story, step: str) -> None:
    story.take(replaced(STEPS[step], story.work("1", step), BOOK, note="bad", at=MONDAY), at=MONDAY)


def test_a_profile_that_cannot_be_ordered_is_of_another_sim() -> None:
    """Nothing was done with the first one yet: the line completes with the second."""
    story = fallen(ESIM, "esim")
    first = story.state.record("1", "sim").outcome["iccid"]
    replace(story, "esim")
    story.run()

    assert story.states()["1"] == "completed"
    assert story.state.record("1", "sim").outcome["iccid"] != first


@pytest.mark.parametrize("step", ["activation", "esim-download"])
def test_what_a_partner_has_for_the_first_is_in_the_way(step: str) -> None:
    """The SIM platform has the profile, and the network the line, for the SIM that would be lost: refused, and nothing is lost. Found by the law with faults: the download was asked
    for while no SIM was there."""
    story = fallen(ESIM, step)
    with pytest.raises(Refused, match="replaced alone") as refused:
        replace(story, step)

    assert refused.value.kind == "conflict"
    assert "sim.lost" not in story.names()


@pytest.mark.parametrize("refused", [True, False], ids=["in-words-of-its-own", "never"])
def test_what_a_partner_may_have_for_the_first_is_too(refused: bool) -> None:
    """The SIM platform answered in words that nobody knows, or never did: the profile of the first SIM may be there, and would be called off by nobody. It is asked first, and where it
    has none the SIM is replaced. Found by the law with faults: the line was cancelled, and nobody asked for the profile back."""
    story = Story(item("1", characteristics=ESIM)).run(until="esim")
    for _ in range(1 if refused else SILENCES_MAX + 1):
        story.attend("esim", "1", RefusedBy("never seen before") if refused else Unknown(MONDAY + timedelta(hours=1)))
    with pytest.raises(Refused, match="replaced alone"):
        replace(story, "esim")

    story.correct("esim", "1", {})
    story.attend("esim", "1", NeverHeard())
    replace(story, "esim")
    assert story.run().states()["1"] == "completed"


def test_a_card_that_is_bad_is_sent_again() -> None:
    """The network refuses a card that was delivered: another is taken, sent, and switched on. It was switched on before the customer had it."""
    story = fallen(PHYSICAL, "activation")
    replace(story, "activation")
    told = len(story.names())
    story.run()

    again = [name for name in story.names()[told:] if name in ("sim.assigned", "delivery.delivered", "service.activated")]
    assert again == ["sim.assigned", "delivery.delivered", "service.activated"]
    assert story.states()["1"] == "completed"
