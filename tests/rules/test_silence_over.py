"""A silence is over when the partner says what came of the request: from then on a person who tries again sends it again."""

from datetime import timedelta

import pytest

from o2c.kernel.partner import Accepted, Answer, NeverHeard, RefusedBy, Unknown
from o2c.kernel.step import SILENCES_MAX
from tests.given import MONDAY, Story, item

LATER = MONDAY + timedelta(hours=2)
SILENT = Unknown(LATER)


@pytest.mark.parametrize(
    ("step", "answers"),
    [
        pytest.param("delivery", [Accepted("P-1", LATER), SILENT, RefusedBy("WRONG-ADDRESS")], id="a-parcel-that-came-back"),
        pytest.param("activation", [SILENT, NeverHeard()], id="a-request-that-was-never-heard"),
        pytest.param("activation", [*[SILENT] * (SILENCES_MAX + 1), RefusedBy("PERMANENT")], id="silent-until-a-person-looked"),
    ],
)
def test_what_is_known_to_have_failed_is_sent_again(step: str, answers: list[Answer]) -> None:
    """It was asked about for ever: the courier, asked what came of a parcel that it could not deliver, says once more that it could not."""
    story = Story(item(characteristics={"simType": "physical"})).run(until=step)
    for answer in answers:
        if ("1", step) not in story.agenda:
            story.correct(step, "1", {})
        story.attend(step, "1", answer)
    told = len(story.events)
    story.correct(step, "1", {})

    assert story.names()[told:] == ["fallout.correction-applied", f"{step}.requested"]
    assert getattr(story.events[-1], "attempt", 0) > 1


def test_what_nobody_knows_is_asked_about() -> None:
    """Control: after silence alone the partner is asked first, however often a person tries."""
    story = Story(item()).run(until="activation")
    for _ in range(SILENCES_MAX + 1):
        story.attend("activation", "1", SILENT)
    story.correct("activation", "1", {})
    assert story.names()[-1] == "partner.silent"
