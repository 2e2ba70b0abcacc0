"""The download of an eSIM: the service is charged from it, by the market's rule, and nobody else ever gets the profile."""

from datetime import timedelta

import pytest

from o2c.charging.rules import start
from o2c.esim import rules
from o2c.kernel.frozen import changed
from o2c.kernel.partner import Accepted, RefusedBy
from o2c.markets.gb import GB
from o2c.markets.nl import NL
from o2c.partners.sim_platform import DOWNLOAD_FIRST_MINUTES, DOWNLOAD_SPREAD, SimulatedSimPlatform
from tests.asking import asked
from tests.given import MONDAY, PORTING, Story, item

PLATFORM = SimulatedSimPlatform(7)
THURSDAY = MONDAY + timedelta(days=3)


def awaiting(answer: Accepted | RefusedBy) -> Story:
    """A line that is on in the network, when the platform first answers about its download."""
    story = Story(item()).run(until="esim-download")
    story.attend("esim-download", "1", answer)
    return story


def test_an_esim_is_charged_from_the_day_of_its_download() -> None:
    """Switched on in the network on Monday, downloaded on Thursday: the bill begins on Thursday, and the order is complete then."""
    story = awaiting(Accepted("8944", THURSDAY))
    assert (story.last("service.activated").starts_on, story.states()["1"]) == ("2026-01-05", "inProgress")
    story.run()
    assert (story.last("charging.started").starts_on, story.last("account.charge-started").starts_on) == ("2026-01-08", "2026-01-08")
    assert story.states() == {"": "completed", "1": "completed"}


def test_a_physical_sim_is_charged_from_its_activation() -> None:
    """Control: what comes by parcel is in the customer's hand when it is switched on."""
    story = Story(item(characteristics={"simType": "physical"})).run()
    assert story.last("charging.started").starts_on == story.last("service.activated").starts_on


def test_a_download_that_a_person_vouches_for_is_charged_from_that_day() -> None:
    """The customer says on Thursday that it works: nobody knows an earlier day."""
    story = awaiting(RefusedBy("8.8.5-6.4"))
    story.force("esim-download", at=THURSDAY)
    work = story.work("1", "charging")
    assert story.agenda["1", "charging"]
    [done] = start(work, {}, THURSDAY).events
    assert done.model_dump()["starts_on"] == "2026-01-08"


@pytest.mark.parametrize(("market", "state"), [pytest.param(GB, "Installed", id="download"), pytest.param(NL, "Enabled", id="first-use")])
def test_the_market_says_which_state_is_waited_for(market: object, state: str) -> None:
    """One market charges from the download, another from the first use; the platform is asked for the state that counts."""
    work = changed(Story(item()).run(until="esim-download").work("1", "esim-download"), market=market)
    assert rules.awaited(work)["state"] == state
    assert rules.downloaded(work, {}, MONDAY).events[0].model_dump()["state"] == state


@pytest.mark.parametrize(
    ("code", "reason", "state"),
    [
        pytest.param("8.8.5-3.8", "SIM-DL-REJ", "pending", id="the-customer-refused"),
        pytest.param("8.8.5-6.4", "SIM-DL-LIM", "held", id="too-many-downloads"),
        pytest.param("8.2.7-6.4", "SIM-DL-LIM", "held", id="too-many-codes"),
    ],
)
def test_a_download_that_fails_is_told_by_its_code(code: str, reason: str, state: str) -> None:
    """The platform's code (GSMA SGP.22) stands beside ours; nothing is charged meanwhile."""
    story = awaiting(RefusedBy(code))
    fallen = story.last("esim-download.fell-out")
    assert (fallen.reason, fallen.partner_code, story.states()["1"]) == (reason, code, state)
    assert "charging.started" not in story.names()


def test_a_downloaded_profile_is_never_asked_back_nor_given_again() -> None:
    """An item that fails after the download asks for no cancellation; its SIM is scrapped."""
    story = Story(item()).run(until="charging")
    story.give_up("charging")
    story.run()
    assert "esim-cancel.requested" not in story.names()
    assert story.last("sim.scrapped").cause == "used"


def test_a_profile_that_waits_for_its_download_is_asked_back() -> None:
    """Control: before the download the platform is asked to drop it."""
    story = awaiting(RefusedBy("8.8.5-3.8"))
    story.give_up("esim-download")
    assert "esim-cancel.requested" in story.names()


def test_customers_download_within_a_day_most_within_the_hour() -> None:
    """The simulated platform names the time of the download: never at once, at the latest after a day, half of them within the hour."""
    answers = [PLATFORM.submit(asked("esim-download", n)) for n in range(400)]
    minutes = sorted((a.ask_again_at - MONDAY).total_seconds() / 60 for a in answers if isinstance(a, Accepted))
    assert minutes[0] >= DOWNLOAD_FIRST_MINUTES
    assert minutes[-1] <= DOWNLOAD_FIRST_MINUTES * DOWNLOAD_SPREAD
    assert 0.4 < sum(minute <= 60 for minute in minutes) / len(minutes) < 0.6


def test_a_line_that_nobody_downloaded_can_still_be_cancelled() -> None:
    """On in the network and awaiting the customer's download: it is switched off, its number given back, its profile asked back."""
    story = awaiting(Accepted("8944", THURSDAY))
    story.cancel(at=MONDAY + timedelta(minutes=20))
    story.run()
    assert story.states() == {"": "cancelled", "1": "cancelled"}
    assert {"service.deactivated", "esim-cancel.confirmed", "number.released", "sim.released"} <= set(story.names())
    assert "charging.started" not in story.names()
    assert (story.holders, story.agenda) == ({}, {})


def test_its_port_is_given_up_with_it_before_the_cut_off() -> None:
    """Twenty minutes after the order, long before the clearing house's cut-off, the donor is asked to drop the port."""
    story = Story(item(characteristics=PORTING)).run(until="esim-download")
    story.attend("esim-download", "1", Accepted("8944", THURSDAY))
    story.cancel(at=MONDAY + timedelta(minutes=20))
    story.run()
    assert (story.states()[""], "porting-cancel.confirmed" in story.names()) == ("cancelled", True)


def test_a_downloaded_line_cannot_be_cancelled() -> None:
    """Control: once the customer has the profile the service is theirs."""
    story = Story(item()).run(until="charging")
    story.cancel(at=MONDAY + timedelta(minutes=20))
    assert story.last("cancellation.refused").past == {"1": "its service is on, or being switched on"}
