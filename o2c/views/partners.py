"""The partners of a store: simulated or real, and how they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.reasons import Codes
from o2c.partners.registry import PARTNERS, REAL, usual_faults
from o2c.partners.state import Outage, PartnerState, stream_of
from o2c.views.reading import Rows, plain
from o2c.views.shown import FaultShown, PartnerShown, PartnerStatusShown

PARTNER_NAMES = tuple(sorted(PARTNERS))
"""The partners by the names the steps call them."""


STATUS_COLUMNS = ("partner", "state", "since", "by", "parked", "drained", "rate_per_min")
FAULT_COLUMNS = ("partner", "kind", "percent", "from", "to", "planned")


def partner_states(app: Engine) -> dict[str, PartnerState]:
    """How each partner is linked, by name."""
    loaded = app.load(map(stream_of, PARTNERS))
    return {name: loaded[stream_of(name)].state for name in PARTNERS}


def list_partners(app: Engine) -> list[PartnerShown]:
    """Every partner: simulated or real, where it is reached and within which limits; `client` says whether it could be real."""
    return [_row(name, state) for name, state in sorted(partner_states(app).items())]


def list_partner_statuses(app: Engine) -> list[PartnerStatusShown]:
    """Every partner: up, down or draining, since when and by whose word (`detection`: the calls showed it), and the calls of its last
    outage.

    `parked` counts the calls that waited, each once, and `drained` those that have been made again; they differ in the end by those whose
    orders gave up waiting. `rate_per_min` is how many parked calls are, or would be, made in a minute.
    """
    now, states = app.clock().now, partner_states(app)
    codes = app.codes().at(now)
    calls = app.reads.calls_of([state.outage.outage for state in states.values() if state.outage], now)
    return [_status_row(name, state.outage, calls, codes, now) for name, state in sorted(states.items())]


def _status_row(name: str, outage: Outage | None, calls: Mapping[str, tuple[int, int]], codes: Codes, now: datetime) -> PartnerStatusShown:
    usual = codes.outage_rule(name).rate_per_min
    if outage is None:
        told: tuple[Any, ...] = ("up", None, None, 0, 0, usual)
    else:
        parked, drained = calls.get(outage.outage, (0, 0))
        drains = outage.drained_until is not None and outage.drained_until > now
        state = "draining" if drains else "up" if outage.until else "down"
        by = outage.ended_by if outage.until else outage.by
        told = (state, plain(outage.until or outage.since), by, parked, drained, outage.rate_per_min or usual)
    return cast("PartnerStatusShown", dict(zip(STATUS_COLUMNS, (name, *told), strict=True)))


def list_faults(app: Engine) -> list[FaultShown]:
    """Every fault that simulated partners meet: how many calls in a hundred, and when; first those that are `planned`, which stand in place
    of the usual ones of their kind while they hold.
    """
    rows: Rows = []
    for name, state in sorted(partner_states(app).items()):
        planned = [(fault.kind, fault.percent, fault.starts_at, fault.ends_at, True) for fault in state.planned]
        usual = [(kind, f"{percent:g}", None, None, False) for kind, percent in usual_faults(name)]
        rows += [dict(zip(FAULT_COLUMNS, (name, *map(plain, fault)), strict=True)) for fault in (*planned, *usual)]
    return cast("list[FaultShown]", rows)


def _row(name: str, state: PartnerState) -> PartnerShown:
    linked = state.linked
    return {
        "partner": name,
        "kind": "real" if linked else "simulated",
        "client": name in REAL,
        "url": linked.url if linked else None,
        "credential": linked.credential if linked else None,
        "timeout_s": linked.timeout_ms / 1000 if linked else None,
        "calls_max": linked.calls_max if linked else None,
    }
