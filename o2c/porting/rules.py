"""When a number may be asked for, and when it is cut over. The calendar and the form of the code come from the market's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from o2c.kernel.decision import NOTHING, Decision, Guard, just
from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from o2c.kernel.shapes import StepRenewed
from o2c.kernel.step import RECALL_LEAD
from o2c.kernel.telephones import possible_mobile
from o2c.kernel.work import Work
from o2c.markets.base import code_is_wellformed
from o2c.markets.ports import PortWindow, compensation
from o2c.orders.changing import payer_in
from o2c.orders.planning import IN_SERVICE
from o2c.porting import timing
from o2c.porting.events import (
    CutoverPostponed,
    CutoverRequested,
    NumberPortedIn,
    PortInCancelled,
    PortInCancelRefused,
    PortInRequested,
    PortInScheduled,
    PortPostponed,
    PortRescheduled,
    PortWindowKept,
    PortWindowMissed,
)


def number_of(work: Work) -> str:
    """Give the number that the item brings, as the channel wrote it; empty for none, and in a state of before the item was planned."""
    return str(work.subject.characteristics.get("portInNumber", "")) if work.subject else ""


def claimed(work: Work) -> tuple[Guard, ...]:
    """Claim the port-in of the number while it goes on, and for good once it is done; a text that is no number claims nothing."""
    number = number_of(work)
    return (work.guard("port-in", number),) if possible_mobile(number, work.market.numbering.region) else ()


def own_number(work: Work) -> tuple[str, ...]:
    """Name the stream that the number has if it is our own; none for a text that is no number."""
    number = number_of(work)
    return (f"number-{number}",) if number and possible_mobile(number, work.market.numbering.region) else ()


def flaw(work: Work, at: datetime) -> str:
    """Give the first reason why the donor cannot be asked, judged as text and never repaired; empty when there is none.

    DQ-PHONE: no possible mobile number of the market in E.164 form. NP-CODE: the code is missing, has not the market's form, or is too old
    for the day that would be asked for, be it that the customer wishes a later one. NP-NOTPORT: another order brings or brought the number,
    or it is our own: of our stock, in service with a customer of ours, or at rest since. One that went back to the holder of its range, or
    to another operator, is not.
    Source: the table of imperfect orders (design, section 11); ITU-T E.164; the market's porting rules.
    """
    if not possible_mobile(number_of(work), work.market.numbering.region):
        return "DQ-PHONE: the number to bring is no mobile number in E.164 form"
    rules = work.market.porting
    if rules.code_pattern and not code_is_wellformed(rules, str(work.subject.characteristics.get("portInCode", ""))):
        return "NP-CODE: the code is missing or malformed"
    if old := _old_code(work, at):
        return f"NP-CODE: {old}"
    if any(holder != work.holder for holder in work.guards.values()):
        return "NP-NOTPORT: another order brings or brought this number"
    if any(number is not None and number.status not in ("returned", "ported_out") for number in work.read.values()):
        return "NP-NOTPORT: the number is our own already, in stock or in service"
    return ""


def _old_code(work: Work, at: datetime) -> str:
    """Say why the code is too old for the day that would be asked for; empty when it is not."""
    days = work.market.porting.code_valid_days
    if timing.code_too_old(work, local_date(at, work.market.zone)):
        return f"the code is older than {days} days"
    if timing.code_too_old(work, timing.asked_for(work, at)):
        return f"the code will be older than {days} days on the day of the port; ask for a new one nearer to that day"
    return ""


def same_old_code(work: Work, changes: Mapping[str, str], at: datetime) -> str:
    """Say that a correction brings the code that is too old already; empty for any other correction."""
    again = changes.get("portInCode") == work.subject.characteristics.get("portInCode", "")
    return f"that is the same code, and {old}; ask the customer for a new one" if again and (old := _old_code(work, at)) else ""


def request(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the clearing house: `msisdn`, `code` and `market`, and the window that is to be replaced, if any."""
    replaces = timing.standing(work).get("window_opens_at", "")
    body = {"msisdn": number_of(work), "code": work.subject.characteristics.get("portInCode", ""), "market": work.market.code}
    return {**body, "replaces": replaces} if replaces else body


def day_asked_for(work: Work, at: datetime) -> Mapping[str, Any]:
    """Give the part of the request that says from which day on the port is wanted (`not_before`); none for as soon as possible.

    A window that cannot be met, for a line that is not on, is given up (`postpone`) until it is known when the line will be.
    """
    if timing.held_up(work, at):
        return {"postpone": True}
    day = timing.asked_for(work, at)
    return {"not_before": day.isoformat()} if day > local_date(at, work.market.zone) else {}


def replaced(work: Work) -> Mapping[str, Any]:
    """Give the opening of the window that a request replaces."""
    return {"replaces": timing.agreed(work).get("window_opens_at")}


def reason_of(work: Work, code: str) -> str:
    """Give our code for the donor's ground of refusal, as the market has it; empty for what is no such ground."""
    return str(work.market.porting.refusals.get(code, ""))


def scheduled(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the donor accepted, with the port window that follows from its answer, in place of one agreed before, if there was one.

    A window that is given up (`postponed` in the answer, or as it was asked for) is followed by another once the line is on. A donor that
    delays adds working days (`working_days_more`), or names the first day on which it can (`first_possible_on`). Source: the market's
    porting rules (Great Britain: Ofcom General Conditions on number portability; European Union: Directive (EU) 2018/1972, art. 106).
    """
    if data.get("postponed", timing.held_up(work, at)):
        return just(_postponed(work, at)) + Decision(takes=claimed(work))
    first_on = data.get("first_possible_on")
    donor_from = date.fromisoformat(str(first_on)) if first_on else None
    chosen = timing.new_window(work, at, working_days_more=int(data.get("working_days_more", 0)), donor_from=donor_from)
    kept = timing.facts(work, chosen, at)
    body = {"item": work.item, "attempt": work.attempt, "msisdn": number_of(work), "reference": str(data.get("reference", "")), **kept}
    event: Event = PortInScheduled.model_validate(body) if not timing.agreed(work) else _rescheduled(work, body, chosen, at)
    # Claimed when it was asked for; taken again for the case that the claim was held then and became free before the check.
    return just(event) + Decision(takes=claimed(work))


def _rescheduled(work: Work, body: Mapping[str, Any], chosen: PortWindow, at: datetime) -> Event:
    old, cause = timing.window(work), timing.agreed(work).get("held_up_by") or timing.obstacle(work, at)
    late = timing.lateness(work, body["missed_on"], chosen.day)
    return PortRescheduled.model_validate({**body, **late, "replaced": old.opens_at, "cause": cause})


def _in_hand(work: Work) -> tuple[str, ...]:
    return tuple(step for step in IN_SERVICE if step in work.subject.waits)


def _postponed(work: Work, at: datetime) -> Event:
    old, cause = timing.window(work), timing.obstacle(work, at)
    if cause == "cut-over" and at < old.opens_at:
        cause = "activation"  # the line came on while the clearing house was asked
    missed_on = timing.missed_on(work, at)
    return PortPostponed(item=work.item, waits=_in_hand(work), replaced=old.opens_at, held_up_by=cause, missed_on=missed_on)


def too_late(work: Work, code: str, at: datetime) -> Decision:
    """Decide that the agreed window stands, when the clearing house moves it no more (TOO-LATE); nothing for any other refusal."""
    before = timing.standing(work)
    if code != "TOO-LATE" or not before:
        return NOTHING
    kept = {name: value for name, value in before.items() if name in PortWindowKept.model_fields}
    return just(PortWindowKept.model_validate({**kept, "item": work.item, "attempt": work.attempt}))


def ported_by(work: Work, at: datetime) -> datetime:
    """Give the time by which a number is normally ported: the opening of the window that is agreed, or of the first one after the customer
    normally has the SIM, no sooner than the day wished."""
    if timing.standing(work):
        return max(at, timing.window(work).opens_at)
    return timing.new_window(work, at, usual=True).opens_at


def cutover_due(work: Work, at: datetime) -> datetime:
    """Give the time at which the cut-over is looked at first: when its window opens, or while it can still be moved if the line is not
    on."""
    return timing.next_look(work, at)


def out_of_window(work: Work, at: datetime) -> Decision:
    """Decide what is done instead of a cut-over now; nothing within the agreed window, when the line is on and the code good.

    Before the cut-off a window that will not be met is moved, and so is one that was missed: that port is late. In between it is waited. A
    cut-over happens in no other window than the one agreed. Source: the market's porting rules; porting facts, section 3.3.
    """
    window, cause = timing.window(work), timing.obstacle(work, at)
    if window.open(at) and cause == "cut-over":
        return NOTHING
    if at >= window.closes_at:
        missed = PortWindowMissed(item=work.item, agreed_on=window.day.isoformat(), window_opens_at=window.opens_at, cause=cause)
        return just(missed) + _agree_anew(work, at)
    if cause == "code" or (timing.held_up(work, at) and timing.movable(work, at)):
        return _agree_anew(work, at)
    return just(CutoverRequested(item=work.item, attempt=work.attempt, due_at=timing.next_look(work, at)))


def _agree_anew(work: Work, at: datetime) -> Decision:
    """Ask the donor for another window; the cut-over waits for it as it did for the first."""
    opened = timing.window(work).opens_at
    attempt = work.state.record(work.item, "porting").attempt + 1
    asked = PortInRequested(item=work.item, attempt=attempt, due_at=at, replaces=opened)
    return just(CutoverPostponed(item=work.item), asked)


def cutover_request(work: Work) -> Mapping[str, Any]:
    """Give the body of the cut-over request to the clearing house: the `msisdn` to port and the `iccid` it goes to."""
    return {"msisdn": work.outcomes["porting"]["msisdn"], "iccid": work.outcomes["sim"]["iccid"]}


def ported(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the number is ours, and count how late it is if an agreed window was missed; the customer is credited what the market has
    for that.

    An answer that is got by query after the window tells of a cut-over that was asked for, and done, in it.
    """
    before, ported_on = timing.agreed(work), min(local_date(at, work.market.zone), timing.window(work).day)
    late = timing.lateness(work, before.get("missed_on", ""), ported_on)
    agreed_on = timing.window(work).day.isoformat()
    event = NumberPortedIn(
        item=work.item, attempt=work.attempt, msisdn=before["msisdn"], agreed_on=agreed_on, ported_on=ported_on.isoformat(), **late
    )
    credited = compensation(
        work.market,
        cause="port-in",
        account=payer_in(work.state, work.subject.account),
        customer=work.state.party,
        currency=work.subject.currency,
        msisdn=before["msisdn"],
        order=work.state.order_id,
        item=work.item,
        **late,
    )
    return Decision((event,), credited)


def frozen(work: Work, at: datetime) -> str:
    """Give the reason why a port-in can no longer be cancelled between its cut-off and the end of its window; empty otherwise.

    A hard point of no return. Source: order life cycle, section 4 (points of no return: the donor's cut-off, then PortWindowOpened).
    """
    past = bool(timing.standing(work)) and not timing.movable(work, at) and at < timing.window(work).closes_at
    return "the cut-off of its port is past" if past else ""


def cutting_over(work: Work, at: datetime) -> str:
    """Give the reason why a number that is ours, or may be, can no longer be cancelled.

    Only a new port undoes it. Source: porting facts, section 3.3 (the change of the central database is the point of no return).
    """
    asked = work.with_partner("cutover", at) and timing.window(work).opens_at <= at and timing.in_hand(work)
    return "its number was cut over, or is about to be" if asked or timing.done(work, "cutover") else ""


def cut_over(work: Work) -> bool:
    """Whether the number is ours, so that there is no port to be taken back: it goes back to the holder of its range when its line ends."""
    return timing.done(work, "cutover")


def withdrawal(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to drop the port: number, market, and the opening of its window (empty if none was agreed)."""
    opens_at = timing.standing(work).get("window_opens_at", "")
    return {"msisdn": number_of(work), "window_opens_at": opens_at, "market": work.market.code}


def withdrawal_due(work: Work, at: datetime) -> datetime:
    """Give the time at which the clearing house is asked to drop a port: at once where it has answered for it, so that no wish comes too
    late that was in time; else so much later that no request overtakes another."""
    return at if timing.done(work, "porting") else at + RECALL_LEAD


def comes_all_the_same(work: Work, code: str, at: datetime) -> Decision:
    """Decide that a port which the clearing house drops no more (TOO-LATE) goes on in its window, for an item that goes on.

    The number would be cut over with nobody to take it otherwise. Nothing for an item that ended, and for any other refusal: a person
    settles that.
    """
    if code != "TOO-LATE" or not timing.standing(work) or work.state.progress.items[work.item].ended:
        return NOTHING
    kept = too_late(replace(work, step="porting", attempt=work.state.record(work.item, "porting").attempt), code, at)
    window_opens_at = timing.window(work).opens_at
    refused = PortInCancelRefused(item=work.item, attempt=work.attempt, msisdn=number_of(work), window_opens_at=window_opens_at)
    return kept + just(*(StepRenewed(item=work.item, step=step) for step in ("cutover", "number-change")), refused)


def withdrawn(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the number will not be ported, and free the claim.

    The claim is kept until then, so that no other order asks for the number while ours may still be ported.
    """
    return just(PortInCancelled(item=work.item, attempt=work.attempt, msisdn=number_of(work))) + Decision(frees=claimed(work))
