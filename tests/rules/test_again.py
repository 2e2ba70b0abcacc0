"""What is kept of an exchange is enough to decide again: every kind of answer comes back as it was."""

from datetime import UTC, datetime

import pytest

from o2c.kernel.again import answer_of
from o2c.kernel.event import Event
from o2c.kernel.flow import exchange
from o2c.kernel.partner import Accepted, Answer, Answered, Failed, NeverHeard, RefusedBy, Unknown
from o2c.kernel.shapes import PartnerAccepted, PartnerSilent, RetryStopped

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
LATER = datetime(2026, 1, 5, 12, tzinfo=UTC)
OTHER = RetryStopped(item="1", step="esim", attempt=2, promised_on="2026-01-07")


@pytest.mark.parametrize(
    ("answer", "beside"),
    [
        pytest.param(Answered({"reference": "R-1"}), OTHER, id="done"),
        pytest.param(RefusedBy("DEPOSIT", {"deposit_minor": 5000}), OTHER, id="refused"),
        pytest.param(Failed("UNAVAILABLE"), OTHER, id="failed"),
        pytest.param(Accepted("P-1", LATER), PartnerAccepted(item="1", step="esim", attempt=1, reference="P-1", ask_again_at=LATER), id="accepted"),
        pytest.param(Unknown(LATER), PartnerSilent(item="1", step="esim", attempt=1, ask_again_at=LATER), id="silent"),
        pytest.param(NeverHeard(), OTHER, id="never heard"),
    ],
)  # fmt: skip
def test_an_answer_comes_back(answer: Answer, beside: Event) -> None:
    """What stands beside the event, with the event, is the answer that was given."""
    assert answer_of(exchange("network", {"item": "1"}, answer, 0), beside, AT) == answer


def test_a_silence_at_the_last_query_comes_back_as_one() -> None:
    """It stands beside a fallout, which says no time: the partner was silent then."""
    assert answer_of(exchange("network", {}, Unknown(LATER), 0), OTHER, AT) == Unknown(AT)


def test_a_question_that_met_nobody_comes_back_as_a_silence() -> None:
    """It was asked again, so it said nothing of the work; nor does it when it is decided again."""
    silent = PartnerSilent(item="1", step="esim", attempt=1, ask_again_at=LATER)
    assert answer_of(exchange("network", {}, Failed("UNAVAILABLE"), 0), silent, AT) == Unknown(LATER)
