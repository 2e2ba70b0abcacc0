"""The deeds of the simulated back office, each by the same verb and rules as a person's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from o2c.desk.act import Deed, Refused
from o2c.desk.fallout import (
    Assign,
    Claim,
    Correct,
    Decide,
    Escalate,
    Fail,
    Force,
    Handling,
    LinkTicket,
    Release,
    RequestInformation,
    Resolution,
    Resume,
    Retry,
    Snooze,
    deed_of_work,
    deed_on,
)
from o2c.desk.orders import deed_of_cancel, deed_of_cancel_port
from o2c.desk.payments import deed_of_deposit
from o2c.engine.app import Engine
from o2c.fallout.handling import LEVEL_MAX
from o2c.kernel.money import from_minor
from o2c.kernel.periods import local_date
from o2c.simulation.office_case import Case
from o2c.simulation.office_values import Values

Asked = tuple[str, Deed]
"""A verb, and what it is to do."""


def claim(app: Engine, case: Case, by: str, minutes: int) -> Asked:
    """Take it in hand; a wait that is over is ended first."""
    ended: tuple[Handling, ...] = (Resume(),) if case.row["waits_for"] else ()
    return _worked(app, case, (*ended, Claim(minutes)), by, "")


def deed(app: Engine, case: Case, act: str, by: str, at: datetime, *, forgets: bool) -> Asked:
    """What an agent does about a fallout that he has in hand. Raises Refused as its verb does."""
    back: tuple[Handling, ...] = () if forgets else (Release(),)
    match act:
        case "request-information":
            until = at + timedelta(hours=case.table.answers.patience_hours)
            ask = RequestInformation("channel" if case.work.waiting_for == "channel" else "customer", until)
            return _worked(app, case, (ask, *back), by, f"what {case.reason.code} wants")
        case "assign":
            queue = case.row["queue"] if case.row["queue_now"] != case.row["queue"] else case.table.mistakes.misrouted_to
            return _worked(app, case, (Assign(queue=queue),), by, "belongs there")
        case "escalate":
            return _worked(app, case, (Escalate(), Snooze(_later(case, at, 1)), *back), by, case.reason.next)
        case "link-ticket":
            ticket = LinkTicket(f"DESK-{case.fallout[:8]}")
            return _worked(app, case, (ticket, Snooze(_later(case, at, 1)), *back), by, case.reason.next)
        case "snooze" | "pause":
            return _worked(app, case, (Snooze(_left_until(case, at)), *back), by, "nothing to do before")
        case "cancel":
            return "orders.cancel", deed_of_cancel(app, case.row["order_id"], note="nobody answered")
        case "cancel-port":
            return "ports.cancel", deed_of_cancel_port(app, case.row["order_id"], items=[case.work.item], note="nobody answered")
        case "deposit":
            return "payments.deposit", _deposit(app, case, at)
    how, note = _resolution(app, case, act, at)
    return "fallout.resolve", deed_on(app, case.row, how, note=note, by=by)


def put_off(app: Engine, case: Case, by: str, at: datetime) -> Asked:
    """What is done where a deed was refused: somebody above hears of it, and it is left alone for some days."""
    up: tuple[Handling, ...] = (Escalate(),) if (case.row["level"] or 0) < LEVEL_MAX else ()
    return _worked(app, case, (*up, Snooze(_later(case, at, case.table.ways.pause_days)), Release()), by, "could not be done")


def _worked(app: Engine, case: Case, handlings: Sequence[Handling], by: str, note: str) -> Asked:
    return "fallout.work", deed_of_work(app, case.row, handlings, note=note, by=by)


def _resolution(app: Engine, case: Case, act: str, at: datetime) -> tuple[Resolution, str]:
    match act:
        case "decide":
            percent = case.table.approved_percent.get(case.reason.code, 50)
            return Decide(case.chance.happens(percent, "approved")), "papers seen"
        case "force":
            return Force(), "done by other means"
        case "fail-item":
            return Fail(), "cannot be done"
        case "correct":
            changes = _values(app, case, at)
            return (Correct(changes), "as told") if changes else (Retry(), "tried again")
    return Retry(), "tried again"


def _values(app: Engine, case: Case, at: datetime) -> dict[str, str]:
    names = case.table.values.get(case.reason.code, ())
    values = Values(app, case.seed, case.fallout, case.deeds, case.table.desk(case.work.market), case.wrong)
    if not case.work.stream.startswith("order-"):
        return values.of_invoice(names)
    if case.work.item:
        return values.of_item(names, case.work, at)
    # Whoever errs here tries again without having corrected anything.
    return {} if case.wrong else values.of_order(case.work.state)


def _deposit(app: Engine, case: Case, at: datetime) -> Deed:
    """The rest of what the bureau wanted. Raises Refused where it named no amount."""
    wanted = case.work.outcomes.get("credit", {})
    open_minor = int(wanted.get("deposit_minor", 0)) - sum(one["amount_minor"] for one in case.work.state.kept("", "credit"))
    if open_minor <= 0:
        raise Refused(f"{case.work.stream}: no deposit is wanted", kind="conflict")
    amount, currency = from_minor(open_minor, wanted["currency"]), str(wanted["currency"])
    today = local_date(at, case.work.market.zone)
    return deed_of_deposit(
        app, case.row["order_id"], amount=str(amount), reference=f"DEP-{case.fallout[:8]}", currency=currency, arrived_on=today
    )


def _later(case: Case, at: datetime, days: int) -> datetime:
    return case.table.days_later(case.work.market, at, days)


def _left_until(case: Case, at: datetime) -> datetime:
    """Some working days on, or when its step goes on by itself, if that is later."""
    return max(_later(case, at, case.table.ways.pause_days), case.work.retry_at or at)
