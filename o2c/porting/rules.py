"""When a number may be asked for, and when it is cut over. Calendar and code form come from the market's rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from o2c.kernel.decision import Decision, Guard, just
from o2c.kernel.identifiers import possible_mobile
from o2c.kernel.periods import parse_time
from o2c.kernel.reasons import DEFECT
from o2c.kernel.work import Work
from o2c.markets.base import code_is_wellformed, port_window
from o2c.porting.events import NumberPortedIn, PortInCancelled, PortInScheduled


def number_of(work: Work) -> str:
    return str(work.subject.characteristics.get("portInNumber", ""))


def claimed(work: Work) -> tuple[Guard, ...]:
    """The port-in is claimed by number while it goes on and for good once it is done; a number that is none claims nothing."""
    number = number_of(work)
    return (work.guard("port-in", number),) if possible_mobile(number, work.market.numbering.region) else ()


def flaw(work: Work, at: datetime) -> str:
    """Judged as text, never repaired: number, then code, then whether another order has the number."""
    if not possible_mobile(number_of(work), work.market.numbering.region):
        return "DQ-PHONE: the number to bring is no mobile number in E.164 form"
    rules = work.market.porting
    if rules.code_pattern and not code_is_wellformed(rules, str(work.subject.characteristics.get("portInCode", ""))):
        return "NP-CODE: the code is missing or malformed"
    if any(holder != work.holder for holder in work.guards.values()):
        return "NP-NOTPORT: another order brings or brought this number"
    return ""


def request(work: Work) -> Mapping[str, Any]:
    return {"msisdn": number_of(work), "code": work.subject.characteristics.get("portInCode", ""), "market": work.market.code}


def reason_of(work: Work, code: str) -> str:
    """Our code for the clearing house's; which grounds a donor has, the market says."""
    return "NP-CONFLICT" if code == "UNAVAILABLE" else str(work.market.porting.refusals.get(code, DEFECT))


def scheduled(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """The window the donor's answer leads to: a delaying donor adds working days, or names the first day it can."""
    first_on = data.get("first_possible_on")
    not_before = date.fromisoformat(str(first_on)) if first_on else None
    opens_at = port_window(work.market, at, working_days_more=int(data.get("working_days_more", 0)), not_before=not_before)
    reference = str(data.get("reference", ""))
    event = PortInScheduled(item=work.item, attempt=work.attempt, msisdn=number_of(work), window_opens_at=opens_at, reference=reference)
    # Claimed when it was asked for; taken again for the case that the claim was held then and became free before the check.
    return just(event) + Decision(takes=claimed(work))


def cutover_due(work: Work, at: datetime) -> datetime:
    """The window's opening; at once when the line was activated after it."""
    return max(at, parse_time(str(work.outcomes["porting"]["window_opens_at"])))


def cutover_request(work: Work) -> Mapping[str, Any]:
    return {"msisdn": work.outcomes["porting"]["msisdn"], "iccid": work.outcomes["sim"]["iccid"]}


def ported(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(NumberPortedIn(item=work.item, attempt=work.attempt, msisdn=work.outcomes["porting"]["msisdn"]))


def window_open(work: Work, at: datetime) -> str:
    """Hard point of no return of a port-in (order life cycle, section 4)."""
    opens_at = work.outcomes["porting"].get("window_opens_at")
    return "its port window is open" if opens_at and parse_time(str(opens_at)) <= at else ""


def cutting_over(work: Work, at: datetime) -> str:
    return "its number was cut over, or is about to be"


def withdrawal(work: Work) -> Mapping[str, Any]:
    """Which port is taken back; of one that was never confirmed the window is unknown."""
    return {"msisdn": number_of(work), "window_opens_at": work.outcomes.get("porting", {}).get("window_opens_at", "")}


def withdrawn(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """The claim was kept until now, so that nobody asks for the number while ours is still to be ported."""
    return just(PortInCancelled(item=work.item, attempt=work.attempt, msisdn=number_of(work))) + Decision(frees=claimed(work))
