"""When a number may be asked for, and when it is cut over. The calendar and the form of the code come from the market's rules."""

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
    """Give the number that the item brings, as the channel wrote it; empty for none."""
    return str(work.subject.characteristics.get("portInNumber", ""))


def claimed(work: Work) -> tuple[Guard, ...]:
    """Claim the port-in of the number while it goes on, and for good once it is done; a text that is no number claims nothing."""
    number = number_of(work)
    return (work.guard("port-in", number),) if possible_mobile(number, work.market.numbering.region) else ()


def flaw(work: Work, at: datetime) -> str:
    """Give the first reason why the donor cannot be asked, judged as text and never repaired; empty when there is none.

    DQ-PHONE: no possible mobile number of the market in E.164 form. NP-CODE: the code is missing or has not the market's form. NP-NOTPORT:
    another order brings or brought the number. Source: the table of imperfect orders (design, section 11); ITU-T E.164.
    """
    if not possible_mobile(number_of(work), work.market.numbering.region):
        return "DQ-PHONE: the number to bring is no mobile number in E.164 form"
    rules = work.market.porting
    if rules.code_pattern and not code_is_wellformed(rules, str(work.subject.characteristics.get("portInCode", ""))):
        return "NP-CODE: the code is missing or malformed"
    if any(holder != work.holder for holder in work.guards.values()):
        return "NP-NOTPORT: another order brings or brought this number"
    return ""


def request(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the clearing house: `msisdn`, `code` and `market`."""
    return {"msisdn": number_of(work), "code": work.subject.characteristics.get("portInCode", ""), "market": work.market.code}


def reason_of(work: Work, code: str) -> str:
    """Give our code for the clearing house's. The market says which grounds of refusal a donor has.

    An outage is NP-CONFLICT, which is tried again; an unknown code is SYS-BUG.
    """
    return "NP-CONFLICT" if code == "UNAVAILABLE" else str(work.market.porting.refusals.get(code, DEFECT))


def scheduled(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the donor accepted, with the port window that follows from its answer.

    A donor that delays adds working days (`working_days_more`), or names the first day on which it can (`first_possible_on`). Source: the
    market's porting rules (Great Britain: Ofcom General Conditions on number portability; European Union: Directive (EU) 2018/1972, art.
    106).
    """
    first_on = data.get("first_possible_on")
    not_before = date.fromisoformat(str(first_on)) if first_on else None
    opens_at = port_window(work.market, at, working_days_more=int(data.get("working_days_more", 0)), not_before=not_before)
    reference = str(data.get("reference", ""))
    event = PortInScheduled(item=work.item, attempt=work.attempt, msisdn=number_of(work), window_opens_at=opens_at, reference=reference)
    # Claimed when it was asked for; taken again for the case that the claim was held then and became free before the check.
    return just(event) + Decision(takes=claimed(work))


def ported_by(work: Work, at: datetime) -> datetime:
    """Give the time by which a number is normally ported when its cut-over may be at a time: the opening of the window that is agreed, or of
    the first one that could be asked for then, no sooner than the day wished."""
    agreed = work.outcomes.get("porting", {}).get("window_opens_at")
    if agreed:
        return max(at, parse_time(str(agreed)))
    wished = work.subject.wished_on
    return port_window(work.market, at, not_before=date.fromisoformat(wished) if wished else None)


def cutover_due(work: Work, at: datetime) -> datetime:
    """Give the time of the cut-over: the opening of the window, or at once when the line was activated after that."""
    return max(at, parse_time(str(work.outcomes["porting"]["window_opens_at"])))


def cutover_request(work: Work) -> Mapping[str, Any]:
    """Give the body of the cut-over request to the clearing house: the `msisdn` to port and the `iccid` it goes to."""
    return {"msisdn": work.outcomes["porting"]["msisdn"], "iccid": work.outcomes["sim"]["iccid"]}


def ported(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the number is ours."""
    return just(NumberPortedIn(item=work.item, attempt=work.attempt, msisdn=work.outcomes["porting"]["msisdn"]))


def window_open(work: Work, at: datetime) -> str:
    """Give the reason why a port-in can no longer be cancelled once its window is open; empty before that.

    A hard point of no return. Source: order life cycle, section 4 (points of no return: PortWindowOpened).
    """
    opens_at = work.outcomes["porting"].get("window_opens_at")
    return "its port window is open" if opens_at and parse_time(str(opens_at)) <= at else ""


def cutting_over(work: Work, at: datetime) -> str:
    """Give the reason why a port-in can no longer be cancelled once its cut-over was asked for.

    Only a new port undoes it. Source: porting facts, section 3.3 (the change of the central database is the point of no return).
    """
    return "its number was cut over, or is about to be"


def withdrawal(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to drop the port: the number, and the opening of its window (empty if it was never confirmed)."""
    return {"msisdn": number_of(work), "window_opens_at": work.outcomes.get("porting", {}).get("window_opens_at", "")}


def withdrawn(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the number will not be ported, and free the claim.

    The claim is kept until then, so that no other order asks for the number while ours may still be ported.
    """
    return just(PortInCancelled(item=work.item, attempt=work.attempt, msisdn=number_of(work))) + Decision(frees=claimed(work))
