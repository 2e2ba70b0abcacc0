"""The desk for partners: reaching one over the network, or going back to its simulator. Workers take it up when they are started."""

from __future__ import annotations

from datetime import datetime

from o2c.desk.act import Deed, act
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision, just
from o2c.kernel.refusal import Refused
from o2c.partners import rules
from o2c.partners.registry import PARTNERS, REAL
from o2c.partners.state import PartnerState, stream_of


def link_partner(
    app: Engine, context: Context, partner: str, *, url: str, credential: str, timeout_s: float = 10.0, calls_max: int = 8
) -> Written:
    """Reach a partner over the network from now on. `credential` names the environment variable with its token.

    Raises Refused: missing (no such partner, or it has no client), usage (an address, name or limit that is none).
    """
    _refuse_unknown(partner)
    told = {"url": url, "credential": credential, "timeout_ms": round(timeout_s * 1000), "calls_max": calls_max}

    def rule(state: PartnerState, at: datetime) -> Decision:
        return just(
            *rules.link(
                state, partner, url=url, credential=credential, timeout_ms=round(timeout_s * 1000), calls_max=calls_max, clients=REAL
            )
        )

    return act(app, context, "partners.link", Deed(stream_of(partner), (rule,), ["link", told]))


def simulate_partner(app: Engine, context: Context, partner: str) -> Written:
    """Simulate a partner from now on. Raises Refused (missing) when there is no such partner."""
    _refuse_unknown(partner)

    def rule(state: PartnerState, at: datetime) -> Decision:
        return just(*rules.simulate(state, partner))

    return act(app, context, "partners.simulate", Deed(stream_of(partner), (rule,), ["simulate"]))


def _refuse_unknown(partner: str) -> None:
    if partner not in PARTNERS:
        raise Refused(f"there is no partner {partner}; there are {', '.join(sorted(PARTNERS))}", kind="missing")
