"""When a partner may be reached over the network, and which faults may be planned for its simulator."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast, get_args

from o2c.kernel.decision import Decision, just
from o2c.kernel.identifiers import derived_id
from o2c.kernel.periods import parse_time, stamp
from o2c.kernel.reasons import OutageRule
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.partners.events import (
    FaultKind,
    PartnerCameUp,
    PartnerFaultsPlanned,
    PartnerLinked,
    PartnerProbed,
    PartnerProbeOpened,
    PartnerProbeRequested,
    PartnerSimulated,
    PartnerWentDown,
    PlannedFault,
)
from o2c.partners.outages import DETECTION, Detected
from o2c.partners.state import PartnerState, stream_of

CALLS_MAX = 64
TIMEOUT_S_MAX = 30
"""The longest time-out: a page of work waits for its partners, and must be written before the lease on its rows ends."""
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def link(
    state: PartnerState, partner: str, *, url: str, credential: str, timeout_s: float, calls_max: int, clients: Collection[str]
) -> list[PartnerLinked]:
    """Reach a partner over the network; nothing when it is reached so already. `clients` are the partners that have a client.

    Raises Refused: missing (no client for such a partner), usage (a URL that is no address, a credential that is no name of an environment
    variable, a limit out of its bounds).
    """
    if partner not in clients:
        raise Refused(f"partner {partner} has no client over the network; there are {', '.join(sorted(clients))}", kind="missing")
    if not _ADDRESS.fullmatch(url) or not _VARIABLE.fullmatch(credential):
        raise Refused(f"partner {partner}: give an http(s) address without a login, and the name of the variable that holds the token")
    if not 1 <= calls_max <= CALLS_MAX or not 0.001 <= timeout_s <= TIMEOUT_S_MAX:
        raise Refused(f"partner {partner}: between 1 and {CALLS_MAX} calls at a time, and a time-out up to {TIMEOUT_S_MAX} s")
    event = PartnerLinked(partner=partner, url=url, credential=credential, timeout_ms=round(timeout_s * 1000), calls_max=calls_max)
    return [] if state.linked == event else [event]


def simulate(state: PartnerState, partner: str) -> list[PartnerSimulated]:
    """Simulate a partner again; nothing when it is simulated already."""
    return [PartnerSimulated(partner=partner)] if state.linked else []


RATE_MAX = 6_000


def declare_down(state: PartnerState, partner: str, *, by: str, reason: str, at: datetime) -> list[PartnerWentDown]:
    """Declare that a partner is down until somebody says that it is up; nothing when it was declared so already.

    One that was detected to be down stays down since then. Raises Refused (usage) without a reason.
    """
    _refuse_without(reason, partner)
    down = state.down
    if down and down.declared:
        return []
    since = down.since if down else at
    outage = down.outage if down else outage_id(partner, since)
    return [PartnerWentDown(partner=partner, outage=outage, since=since, by=by, declared=True, note=reason)]


def declare_up(state: PartnerState, partner: str, *, by: str, reason: str, rate_per_min: int, at: datetime) -> list[PartnerCameUp]:
    """Declare that a partner is up again, however it was found to be down; nothing when it is up.

    `rate_per_min` is how many parked calls are made in a minute. Raises Refused (usage) without a reason, and for a rate that is none.
    """
    _refuse_without(reason, partner)
    if not 1 <= rate_per_min <= RATE_MAX:
        raise Refused(f"partner {partner}: between 1 and {RATE_MAX} parked calls are made in a minute, not {rate_per_min}")
    if state.down is None:
        return []
    return [PartnerCameUp(partner=partner, outage=state.down.outage, up_at=at, by=by, rate_per_min=rate_per_min, note=reason)]


def detect_down(state: PartnerState, partner: str, found: Detected, rule: OutageRule) -> Decision:
    """Take a partner for down by its calls, and ask for the first probe; nothing when it is down already.

    Soon after it came up, it needs twice as many answers to come up again.
    """
    if state.down:
        return Decision()
    last, since, answers = state.outage, found.since, rule.answers_min
    if last and last.until:
        since = max(found.since, last.until)
        if since - last.until < timedelta(seconds=rule.window_s) and not last.declared:
            answers = min(2 * (last.answers_min or rule.answers_min), max(rule.answers_max, rule.answers_min))
    outage = outage_id(partner, since)
    down = PartnerWentDown(
        partner=partner,
        outage=outage,
        since=since,
        by=DETECTION,
        declared=False,
        calls=found.calls,
        failed=found.calls,
        orders=found.orders,
        window_s=rule.window_s,
        answers_min=answers,
    )
    return just(down, _probe(partner, outage, max(found.at, since), rule))


def probed(state: PartnerState, partner: str, rule: OutageRule, *, answered: bool, at: datetime) -> Decision:
    """Take down how a probe ended: the partner is up after enough answers in a row, or when it was down for too long, else there is another
    probe.

    Nothing when none was open.
    """
    down = state.down
    if down is None or not down.probing:
        return Decision()
    at = max(at, down.since)
    told = PartnerProbed(partner=partner, outage=down.outage, answered=answered)
    enough = answered and down.answers + 1 >= (down.answers_min or rule.answers_min)
    if enough or at - down.since >= timedelta(seconds=rule.longest_s):
        return just(told, PartnerCameUp(partner=partner, outage=down.outage, up_at=at, by=DETECTION, rate_per_min=rule.rate_per_min))
    return just(told, _probe(partner, down.outage, at, rule))


def left_alone(state: PartnerState, partner: str, rule: OutageRule, *, at: datetime) -> Decision:
    """Take a partner for up that answered its last probe and for which no call waits any more: whoever calls next shows how it stands."""
    down = state.down
    if down is None or down.declared or not down.answers:
        return Decision()
    up_at = max(at, down.since)
    return just(PartnerCameUp(partner=partner, outage=down.outage, up_at=up_at, by=DETECTION, rate_per_min=rule.rate_per_min))


def _probe(partner: str, outage: str, at: datetime, rule: OutageRule) -> PartnerProbeRequested:
    due_at = at + timedelta(seconds=rule.probe_every_s)
    return PartnerProbeRequested(partner=partner, outage=outage, due_at=due_at)


def open_probe(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Let the next call of a partner through that is down."""
    return just(PartnerProbeOpened(attempt=work.attempt, opened_at=at, **probe_facts(work)))


def probe_wanted(work: Work) -> bool:
    """Whether calls are to show when a partner is up again: not of one that a person declared down."""
    state: PartnerState = work.state
    return state.down is not None and not state.down.declared


def probe_facts(work: Work) -> dict[str, str]:
    """Give the partner and the outage of a probe."""
    state: PartnerState = work.state
    return {"partner": work.stream.removeprefix(stream_of("")), "outage": state.outage.outage if state.outage else ""}


def outage_id(partner: str, since: datetime) -> str:
    """Give the id of the time without a partner that began at a time."""
    return derived_id("outage", partner, stamp(since))


def _refuse_without(reason: str, partner: str) -> None:
    if not reason.strip():
        raise Refused(f"partner {partner}: --reason is kept with it; say how you know")


EVERY_PARTNER = "*"
FAULT_KINDS: tuple[str, ...] = tuple(kind for kind in get_args(FaultKind) if kind != "none")
_COLUMNS = ("partner", "kind", "percent", "from", "to")


def plan_faults(state: PartnerState, partner: str, faults: tuple[PlannedFault, ...]) -> list[PartnerFaultsPlanned]:
    """Plan the faults of a partner's simulator in place of those planned before; nothing when they are planned so already."""
    return [] if state.planned == faults else [PartnerFaultsPlanned(partner=partner, faults=faults)]


def faults_of(rows: Sequence[Mapping[str, Any]], partners: Collection[str]) -> dict[str, tuple[PlannedFault, ...]]:
    """Read a plan of faults: its rows by partner, in their order; a row for `*` is one for each of the partners.

    A row says `partner`, `kind`, `percent` (of the calls) and, where it does not hold always, `from` and `to` (times with a zone,
    half-open). Raises Refused for a row that is none, named by its number, and for partners of which more than all calls would meet a
    fault.
    """
    planned: dict[str, tuple[PlannedFault, ...]] = dict.fromkeys(partners, ())
    for number, row in enumerate(rows, 1):
        fault = _fault(number, row)
        named = str(row.get("partner", ""))
        if named not in planned and named != EVERY_PARTNER:
            raise Refused(f"fault {number}: there is no partner {named or '(none named)'}; there are {', '.join(sorted(planned))}")
        for name in planned if named == EVERY_PARTNER else (named,):
            planned[name] = (*planned[name], fault)
    for name, faults in planned.items():
        _refuse_too_many(name, faults)
    return planned


def _fault(number: int, row: Mapping[str, Any]) -> PlannedFault:
    if strange := sorted(set(row) - set(_COLUMNS)):
        raise Refused(f"fault {number}: there is no {', '.join(strange)}; a fault has {', '.join(_COLUMNS)}")
    if row.get("kind") not in FAULT_KINDS:
        raise Refused(f"fault {number}: kind is one of {', '.join(FAULT_KINDS)}, not {row.get('kind', '(none named)')}")
    starts_at, ends_at = _time(number, "from", row.get("from")), _time(number, "to", row.get("to"))
    if starts_at and ends_at and starts_at >= ends_at:
        raise Refused(f"fault {number}: it ends at {ends_at:%Y-%m-%dT%H:%MZ}, before it began; let `to` be later than `from`")
    return PlannedFault(
        kind=cast("FaultKind", row["kind"]), percent=_percent(number, row.get("percent")), starts_at=starts_at, ends_at=ends_at
    )


def _percent(number: int, told: object) -> str:
    try:
        percent = Decimal("NaN" if isinstance(told, bool) or told is None else str(told))
    except InvalidOperation:
        percent = Decimal("NaN")
    if not (percent.is_finite() and 0 <= percent <= 100):
        raise Refused(f"fault {number}: percent says how many calls in a hundred meet it, from 0 to 100, not {told}")
    return f"{percent:f}"


def _time(number: int, name: str, told: object) -> datetime | None:
    if told is None:
        return None
    try:
        return parse_time(told.isoformat() if isinstance(told, datetime) else str(told))
    except ValueError:
        raise Refused(f"fault {number}: `{name}` is a time with a zone, such as 2026-01-05T10:00:00Z, not {told}") from None


def _refuse_too_many(partner: str, faults: Sequence[PlannedFault]) -> None:
    """Look at each moment at which a fault begins: between two of them nothing changes but that faults end."""
    edges = {fault.starts_at for fault in faults}
    for at in edges:
        held = [fault for fault in faults if fault.starts_at == at or (at is not None and fault.holds(at))]
        rates = {fault.kind: Decimal(fault.percent) for fault in held if fault.kind != "outage"}
        if (total := sum(rates.values())) > 100:
            when = f"from {at:%Y-%m-%dT%H:%MZ}" if at else "always"
            raise Refused(f"{partner}: {total:f} in a hundred calls would meet a fault {when}; no more than 100 can")
