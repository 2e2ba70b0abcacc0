"""Events of a journey. What tells who it is stands sealed, under the key of its day, which goes by itself (`store/prospects.py`)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from o2c.kernel.event import Event, Pii, Upcast
from o2c.kernel.shapes import Done, FellOut, Guarded, Requested

LOOK, FORGET = "journey-look", "prospect-forget"
"""The steps by which a journey that nothing follows is lost, and by which what is personal in the journeys of a day goes."""
GIVEN = "voucher-given"
"""The kind of the guards of codes that were promised to somebody: each is promised once."""
_BY_POLICY = (Upcast(defaults={"policy": ""}),)
"""Which version of the rules decided was kept later."""
Outcome = Literal["reached", "no-answer", "not-wanted", "wrong-contact"]
ORDER = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff"
_ID = "3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6"
_SEALED = "2026-01-05:c2VhbGVk"


def journey_stream(journey: str) -> str:
    """Give the name of a journey's stream: `journey-` and its id."""
    return f"journey-{journey}"


def prospects_stream(key: str) -> str:
    """Give the name of the stream of a day's key: `prospects-` and the name of the key."""
    return f"prospects-{key}"


class JourneyStarted(Event, name="journey.started", stream="journey"):
    """Somebody whom we may not know yet tried something for the first time, under the rules of a market.

    `journey` is its id, made of the first thing that told who it is; `began_at` is when, and `ends_by` the time by which it is over
    whatever happens: what is personal in it is gone then. `policy` is the version of the rules for journeys.
    """

    example = {
        "journey": _ID, "market": "GB@2026-01", "began_at": "2026-01-05T09:00:00Z", "ends_by": "2026-02-04T09:00:00Z", "policy": "journeys/2026-12",
    }  # fmt: skip
    journey: str
    market: str
    began_at: datetime
    ends_by: datetime
    policy: str


class JourneyIdentified(Event, name="journey.identified", stream="journey"):
    """Something told who is on the journey: a login, a telephone number, or the token of a browser. Kept as a keyed digest, by which it is
    found again, and sealed as it was said."""

    example = {"what": "login", "digest": "3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6", "sealed": _SEALED}
    what: str
    digest: Annotated[str, Pii("identity-digest")]
    sealed: Annotated[str, Pii("sealed")]


class JourneyFollowed(Event, name="journey.followed", stream="journey"):
    """Who is known by this goes on in another journey: `into`. Whoever looks for the one finds the other."""

    example = {"into": "9a1b3f0c9a5e8d1b47c2a6e0f1b2c3d4"}
    into: str


class JourneyJoined(Event, name="journey.joined", stream="journey"):
    """Another journey was of the same person: what was tried there counts here from now on."""

    example = {"journey": "9a1b3f0c9a5e8d1b47c2a6e0f1b2c3d4", "attempts": 2, "failed": 1}
    journey: str
    attempts: int
    failed: int


class JourneyLinked(Event, name="journey.linked", stream="journey"):
    """The person on the journey is a customer of ours."""

    example = {"customer": "C-1001"}
    customer: str


class JourneySetApart(Event, name="journey.set-apart", stream="journey"):
    """This is nobody who wants to buy: a program (`bot`) or a test of our own. `rule` is the rule for it, and `because` says it in
    words."""

    example = {"apart": "bot", "rule": "declared-robot", "because": "the client says that it is a program"}
    apart: Literal["bot", "test"]
    rule: str
    because: str


class OfAttempt(Event):
    """Base of what somebody tried in a channel at a time: the `offerings` it was about, what that is worth (minor units, as the channel
    reckoned it; 0: it did not), and what was keyed in so far, as a part of a TMF622 paper, sealed. `paths` are the fields that were keyed
    in, without their values."""

    failed: ClassVar[bool] = False
    kind: ClassVar[str] = ""
    channel: str
    tried_at: datetime
    offerings: tuple[str, ...] = ()
    value_minor: int = 0
    currency: str = ""
    paths: tuple[str, ...] = ()
    paper: Annotated[str, Pii("sealed")] = ""


_ABOUT = {
    "tried_at": "2026-01-05T09:00:00Z", "offerings": ["lark-line"], "value_minor": 2400, "currency": "GBP", "paths": ["/productOrderItem/0/productOffering/id"], "paper": _SEALED,
}  # fmt: skip


class BasketFilled(OfAttempt, name="journey.basket-filled", stream="journey"):
    """Something was put into a basket, or changed in it."""

    kind = "basket"
    example = {"channel": "web", **_ABOUT}


class QuoteGiven(OfAttempt, name="journey.quote-given", stream="journey"):
    """A price was named to the person, under a reference."""

    kind = "quote"
    example = {"channel": "store", **_ABOUT, "reference": "Q-1001"}
    reference: str = ""


class AttemptFailed(OfAttempt, name="journey.attempt-failed", stream="journey"):
    """An order could not be placed: the channel's `error`, a code, and how long the person waited for it, in seconds."""

    failed = True
    kind = "failed"
    example = {"channel": "web", **_ABOUT, "error": "HTTP-504", "waited_s": 94}
    error: str
    waited_s: int = 0


class CallAbandoned(OfAttempt, name="journey.call-abandoned", stream="journey"):
    """The person rang and hung up: how long it was with the machine (IVR) and how long on hold, in seconds."""

    failed = True
    kind = "abandoned-call"
    example = {"channel": "call", **_ABOUT, "ivr_s": 75, "hold_s": 1260}
    ivr_s: int = 0
    hold_s: int = 0


class StoreVisited(OfAttempt, name="journey.store-visited", stream="journey"):
    """The person was in a store and left without an order."""

    kind = "visit"
    example = {"channel": "store", **_ABOUT, "store": "S-12"}
    store: str = ""


class JourneyResumed(OfAttempt, name="journey.resumed", stream="journey"):
    """The person went on in another channel with what had been keyed in before."""

    kind = "resumed"
    example = {"channel": "call", **_ABOUT}


class OutreachOpened(Event, name="journey.outreach-opened", stream="journey"):
    """Something failed the person, so we get in touch: from `open_from` on and before `open_until`, with an incentive worth up to
    `budget_minor` (0: none)."""

    example = {"open_from": "2026-01-05T10:00:00Z", "open_until": "2026-01-12T09:00:00Z", "budget_minor": 1000, "currency": "GBP"}
    open_from: datetime
    open_until: datetime
    budget_minor: int
    currency: str


class OutreachMade(Event, name="journey.outreach-made", stream="journey"):
    """We got in touch, by a medium, and what came of it; `policy` is the version of the rules that allowed it (empty: not kept yet)."""

    upcasts = _BY_POLICY
    example = {"medium": "call", "outcome": "reached", "turn": 1, "policy": "journeys/2026-12"}
    medium: str
    outcome: Outcome
    turn: int
    policy: str = ""


class IncentiveGiven(Guarded, name="journey.incentive-given", stream="journey"):
    """The person was promised a voucher, worth `amount_minor` as it was reckoned. The next order that names the code redeems it, once."""

    example = {"journey": _ID, "code": "SORRY-A1", "amount_minor": 480, "currency": "GBP"}
    journey: str
    code: str
    amount_minor: int
    currency: str

    def held(self) -> tuple[tuple[str, str], str]:
        """The code is promised to this journey."""
        return (GIVEN, self.code), journey_stream(self.journey)


class JourneyOrdered(Event, name="journey.ordered", stream="journey"):
    """An order followed: `recovered` says that something had failed and we had got in touch before. `found_by` says how it was known to
    follow: it named the journey, or it is of the same customer within the days of the policy. `sources` says by their places in the order's
    paper which of its fields stand as they were keyed in before, and by which event: `STREAM@VERSION`. `policy` is the version of the rules
    by which it was found (empty: it was named, or this was not kept yet)."""

    upcasts = _BY_POLICY
    example = {
        "order": ORDER, "customer": "C-1001", "recovered": True, "found_by": "named",
        "sources": {"/productOrderItem/0/productOffering/id": "journey-3f0c9a5e8d1b47c2a6e0f1b2c3d4e5f6@3"}, "policy": "",
    }  # fmt: skip
    order: str
    customer: str
    recovered: bool
    found_by: Literal["named", "customer"]
    sources: dict[str, str] = {}
    policy: str = ""


class JourneyLookRequested(Requested, name="journey.look-requested", step=LOOK, stream="journey"):
    """Unless something follows before it is due, the journey is lost. `policy` is the version of the rules by which the last attempt was
    judged: until when it may be followed, how we get in touch, and whether it was a person's (empty: not kept yet)."""

    upcasts = _BY_POLICY
    example = {"item": "", "due_at": "2026-01-19T09:00:00Z", "policy": "journeys/2026-12"}
    policy: str = ""


class JourneyLost(Done, name="journey.lost", step=LOOK, stream="journey"):
    """Nothing followed for so long that nothing will."""

    example = {"item": "", "attempts": 2, "failed": 1}
    attempts: int
    failed: int


class JourneyLookFellOut(FellOut, name="journey.look-fell-out", step=LOOK, stream="journey"):
    """Whether a journey is lost could not be decided."""

    upcasts = ()
    example = {
        "item": "", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class ProspectKeyOpened(Requested, name="prospects.key-opened", step=FORGET, stream="prospects"):
    """The first journey of a day in a market: what is personal in that day's journeys is sealed under this key, which goes when it is
    due."""

    example = {"item": "", "due_at": "2026-02-05T00:00:00Z", "key": "GB-2026-01-05", "market": "GB@2026-01"}
    key: str
    market: str


class ProspectsForgotten(Done, name="prospects.forgotten", step=FORGET, stream="prospects"):
    """The key is gone, in the same transaction as this event was written: nobody can read or recognise any more whom the journeys of its
    day were of."""

    example = {"item": "", "key": "GB-2026-01-05"}
    key: str


class ProspectForgetFellOut(FellOut, name="prospects.forget-fell-out", step=FORGET, stream="prospects"):
    """The key of a day could not be let go."""

    upcasts = ()
    example = {
        "item": "", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
