"""The desk for partners: reaching one over the network, going back to its simulator, planning faults. Workers take it up when they are
started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from o2c.desk.act import Deed, act, act_on_all
from o2c.engine.app import Context, Engine, Written
from o2c.kernel.decision import Decision, just
from o2c.kernel.refusal import Refused
from o2c.partners import rules
from o2c.partners.events import PlannedFault
from o2c.partners.registry import PARTNERS, REAL
from o2c.partners.state import PartnerState, stream_of


def link_partner(
    app: Engine, context: Context, partner: str, *, url: str, credential: str, timeout_s: float = 10.0, calls_max: int = 8
) -> Written:
    """Reach a partner over the network from now on. `credential` names the environment variable with its token.

    Raises Refused: missing (no such partner, or it has no client), usage (an address, name or limit that is none).
    """
    _refuse_unknown(partner)
    told = {"url": url, "credential": credential, "timeout_s": timeout_s, "calls_max": calls_max}

    def rule(state: PartnerState, at: datetime) -> Decision:
        return just(*rules.link(state, partner, url=url, credential=credential, timeout_s=timeout_s, calls_max=calls_max, clients=REAL))

    return act(app, context, "partners.link", Deed(stream_of(partner), (rule,), ["link", told]))


def simulate_partner(app: Engine, context: Context, partner: str) -> Written:
    """Simulate a partner from now on. Raises Refused (missing) when there is no such partner."""
    _refuse_unknown(partner)

    def rule(state: PartnerState, at: datetime) -> Decision:
        return just(*rules.simulate(state, partner))

    return act(app, context, "partners.simulate", Deed(stream_of(partner), (rule,), ["simulate"]))


def partner_down(app: Engine, context: Context, partner: str, *, reason: str) -> Written:
    """Declare that a partner is down: what would be asked of it waits, and nothing falls out, until somebody says that it is up.

    Raises Refused: missing (no such partner), usage (no reason).
    """
    _refuse_unknown(partner)

    def rule(state: PartnerState, at: datetime) -> Decision:
        return just(*rules.declare_down(state, partner, by=context.actor, reason=reason, at=at))

    return act(app, context, "partners.down", Deed(stream_of(partner), (rule,), ["down", reason]))


def partner_up(app: Engine, context: Context, partner: str, *, reason: str, rate_per_min: int = 0) -> Written:
    """Declare that a partner is up again: what waited for it is asked by priority, promised day and age, `rate_per_min` in a minute.

    Without a rate it is that of the partner's rule. Raises Refused: missing (no such partner), usage (no reason, a rate that is none).
    """
    _refuse_unknown(partner)

    def rule(state: PartnerState, at: datetime) -> Decision:
        rate = rate_per_min or app.book.codes.at(at).outage_rule(partner).rate_per_min
        return just(*rules.declare_up(state, partner, by=context.actor, reason=reason, rate_per_min=rate, at=at))

    return act(app, context, "partners.up", Deed(stream_of(partner), (rule,), ["up", reason, rate_per_min]))


def plan_faults(app: Engine, context: Context, rows: Sequence[Mapping[str, Any]]) -> list[Written]:
    """Simulate the partners with planned faults from now on, in place of all that was planned before; what became of each partner.

    Raises Refused for a plan that cannot be (see `partners.rules.faults_of` for what a row says), and then plans nothing.
    """
    planned = rules.faults_of(rows, PARTNERS)
    deeds = [_planning(partner, faults) for partner, faults in planned.items()]
    done = act_on_all(app, context, "partners.plan-faults", deeds)
    for one in done:
        if isinstance(one, Refused):
            raise one
    return [one for one in done if isinstance(one, Written)]


def refuse_impossible(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise Refused for a plan of faults that cannot be, for who must know before there is a store."""
    rules.faults_of(rows, PARTNERS)


def _planning(partner: str, faults: tuple[PlannedFault, ...]) -> Deed:
    def rule(state: PartnerState, at: datetime) -> Decision:
        return just(*rules.plan_faults(state, partner, faults))

    return Deed(stream_of(partner), (rule,), ["plan faults", [fault.model_dump(mode="json") for fault in faults]])


def _refuse_unknown(partner: str) -> None:
    if partner not in PARTNERS:
        raise Refused(f"there is no partner {partner}; there are {', '.join(sorted(PARTNERS))}", kind="missing")
