"""Lives of journeys and complaints, for the golden folds, and their rules that decide once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from o2c.complaints import rules as complaints
from o2c.complaints.events import ComplaintRaised, OffersLoaded
from o2c.complaints.state import KIND as COMPLAINT
from o2c.complaints.state import OFFERS, ComplaintState
from o2c.customers.agreements import KIND as CARE
from o2c.customers.care_events import CareAgreed
from o2c.customers.events import CustomerRegistered
from o2c.customers.rules import agree_care
from o2c.customers.state import CustomerState
from o2c.journeys import rules
from o2c.journeys.events import AttemptFailed, JourneyIdentified
from o2c.journeys.policy import packaged
from o2c.journeys.policy_events import JourneyPolicyLoaded
from o2c.journeys.state import KIND, POLICY, PROSPECTS, JourneyState, ProspectsState
from o2c.kernel.balances import GoodwillGiven
from o2c.kernel.decision import Decision
from o2c.markets.registry import MARKETS
from o2c.vouchers.events import VouchersIssued
from o2c.vouchers.state import CampaignState

Told = tuple[str, Mapping[str, Any]]
_LOOK, _FORGET, _CLOCK = ({"item": "", "step": step} for step in ("journey-look", "prospect-forget", "complaint-clock"))
_BEGUN: tuple[Told, ...] = (
    ("journey.started", {}),
    ("journey.identified", {}),
    ("journey.attempt-failed", {}),
    ("journey.look-requested", {}),
)


def _steps(of: Mapping[str, str], requested: str) -> tuple[Told, ...]:
    """Everything that may come between the request of a step and its end."""
    names = ("partner.accepted", "partner.silent", "retry.scheduled", "call.parked", "call.resumed")
    return (*((name, of) for name in names), (requested, {"attempt": 2}), ("step.cancelled", of), ("step.forced", of), ("step.skipped", of))


OF_JOURNEYS: Mapping[str, Mapping[str, Sequence[Told]]] = {
    "journey": {
        "won back": (
            *_BEGUN, ("journey.outreach-opened", {}), ("journey.call-abandoned", {}), ("journey.linked", {}), ("journey.outreach-made", {"outcome": "no-answer"}),
            ("journey.outreach-made", {}), ("journey.incentive-given", {}), ("journey.resumed", {}), ("journey.ordered", {}),
        ),
        "joined, and lost": (
            *_BEGUN, ("journey.joined", {}), ("journey.basket-filled", {}), ("journey.quote-given", {}), ("journey.store-visited", {}), ("journey.lost", {}),
        ),
        "goes on in another": (("journey.started", {}), ("journey.basket-filled", {}), ("journey.followed", {})),
        "a program": (("journey.started", {}), ("journey.basket-filled", {}), ("journey.set-apart", {}), ("journey.ordered", {"recovered": False})),
        "stopped by a defect": (*_BEGUN, ("journey.look-fell-out", {}), ("step.stopped", _LOOK), *_steps(_LOOK, "journey.look-requested")),
    },
    "prospects": {
        "forgotten": (("prospects.key-opened", {}), ("prospects.forgotten", {})),
        "stopped by a defect": (("prospects.key-opened", {}), ("prospects.forget-fell-out", {}), ("step.stopped", _FORGET), *_steps(_FORGET, "prospects.key-opened")),
    },
    "care": {"agreed twice": (("care.agreed", {}), ("care.agreed", {"version": "own-2", "document": "x"}))},
    "journeys": {"loaded twice": (("journeys.policy-loaded", {}), ("journeys.policy-loaded", {"version": "own-2", "document": "x"}))},
    "offers": {"loaded twice": (("offers.loaded", {}), ("offers.loaded", {"version": "own-2", "document": "x"}))},
    "complaint": {
        "answered in another channel": (("complaint.raised", {}), ("complaint.clock-requested", {}), ("complaint.escalated", {}), ("complaint.answered", {}), ("complaint.resolved", {})),
        "taken outside": (("complaint.raised", {}), ("complaint.clock-requested", {}), ("complaint.opened-outside", {})),
        "deadlocked": (("complaint.raised", {}), ("complaint.clock-requested", {}), ("complaint.deadlocked", {})),
        "stopped by a defect": (("complaint.raised", {}), ("complaint.clock-requested", {}), ("complaint.clock-fell-out", {}), ("step.stopped", _CLOCK), *_steps(_CLOCK, "complaint.clock-requested")),
    },
}  # fmt: skip
"""By kind of stream, the lives of its golden folds."""

TRIED: Mapping[str, Sequence[Told]] = {
    "tried something": (
        ("customer.registered", {}),
        ("customer.journey-noted", {}),
        ("customer.journey-noted", {"journey": "B"}),
        ("customer.journey-ended", {}),
    )
}
"""What somebody tries, in the life of a customer."""

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
FAILED = AttemptFailed(channel="web", tried_at=NOW, error="HTTP-504", waited_s=94, value_minor=2400, currency="GBP")
KNOWN = CustomerState(papers=CustomerRegistered.model_validate(CustomerRegistered.example))
CAMPAIGN = CampaignState(
    issued=VouchersIssued.model_validate(
        {
            **VouchersIssued.example,
            "campaign": "SORRY",
            "codes": ["SORRY-A1"],
            "discount": {"name": "SORRY", "percent": "20", "lasts_length": 1},
        }
    )
)
LATER = NOW + timedelta(hours=2)


def after(state: JourneyState, decision: Decision) -> JourneyState:
    """A journey after the events of a decision."""
    for event in decision.events:
        state = KIND.evolve(state, event)
    return state


def tried(state: JourneyState | None = None, *, journey: str = "A", at: datetime = NOW, what: Any = FAILED) -> JourneyState:
    """A journey after one more attempt, which failed unless it is said otherwise."""
    state = state or JourneyState()
    told = what.model_copy(update={"tried_at": at})
    return after(state, rules.attempt(state, told, journey=journey, market="GB@2026-01", kept_days=30, at=at, policy=packaged()))


RAISED = ComplaintRaised.model_validate({**ComplaintRaised.example, "outside_from": None})
GOODWILL = GoodwillGiven.model_validate({**GoodwillGiven.example, "customer": RAISED.customer})
CLOCK = MARKETS["GB"][-1].care.complaints


def complained() -> ComplaintState:
    """A complaint that was raised, and no more."""
    state = ComplaintState()
    for event in complaints.raise_complaint(state, RAISED, KNOWN, at=NOW, clock=CLOCK).events:
        state = COMPLAINT.evolve(state, event)
    return state


OF_TRIED = [
    pytest.param(
        POLICY, POLICY.initial(""), lambda s: rules.load_policy(s, str(JourneyPolicyLoaded.example["document"]), NOW), id="load-policy"
    ),
    pytest.param(
        CARE, CARE.initial(""), lambda s: agree_care(s, str(CareAgreed.example["document"]), NOW, markets=MARKETS), id="agree-care"
    ),
    pytest.param(OFFERS, OFFERS.initial(""), lambda s: complaints.load_offers(s, str(OffersLoaded.example["document"])), id="load-offers"),
    pytest.param(
        COMPLAINT, ComplaintState(), lambda s: complaints.raise_complaint(s, RAISED, KNOWN, at=NOW, clock=CLOCK), id="raise-a-complaint"
    ),
    pytest.param(
        COMPLAINT, complained(), lambda s: complaints.escalate(s, team="care", deadlock=False, clock=CLOCK), id="escalate-a-complaint"
    ),
    pytest.param(COMPLAINT, complained(), lambda s: complaints.resolve(s, remedy="credit", channel="call"), id="resolve-a-complaint"),
    pytest.param(
        COMPLAINT,
        complained(),
        lambda s: complaints.resolve(s, remedy="credit", channel="call", gives=lambda: (GOODWILL, 9_999)),
        id="resolve-a-complaint-with-money",
    ),
    pytest.param(KIND, tried(), lambda s: rules.identify(s, JourneyIdentified(what="login", digest="d", sealed="s")), id="identify"),
    pytest.param(KIND, tried(), lambda s: rules.link(s, "C-1001", KNOWN), id="link-a-journey"),
    pytest.param(KIND, tried(), lambda s: rules.join(s, tried(journey="B")), id="join-journeys"),
    pytest.param(KIND, tried(), lambda s: rules.promise(s, "SORRY-A1", CAMPAIGN, LATER), id="promise-a-voucher"),
    pytest.param(KIND, tried(), lambda s: rules.ordered(s, order="O", customer="C-1001", found_by="named"), id="an-order-follows"),
    pytest.param(
        PROSPECTS,
        ProspectsState(),
        lambda s: rules.open_key(s, key="GB-2026-01-05", market="GB@2026-01", at=NOW, kept_days=30),
        id="open-a-key",
    ),
]
"""By kind of stream and state, the rules of journeys that decide once and, on what they made, nothing."""
