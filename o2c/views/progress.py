"""How an order came along: each step with its dates, what was promised and promised anew, and why it was rejected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from o2c.kernel.event import Fact
from o2c.kernel.reasons import Codes
from o2c.kernel.shapes import CallParked, FellOut, OfItem, OfStep
from o2c.orders.promise import Place
from o2c.orders.state import OrderState
from o2c.views.codes import guide_of
from o2c.views.fallouts import names_flaw
from o2c.views.reading import Rows, plain

_REACHED = {"requested": "asked_at", "recall": "asked_at", "done": "done_at"}
_EXPECTED = ("ask_again_at", "due_at")
PROMISES = frozenset({"promise.made", "promise.revised"})
"""The events that promise an item for a day, where the log has them; before, the plan did."""


def steps_of(state: OrderState, facts: Sequence[Fact], forecasts: Mapping[Place, datetime], codes: Codes) -> Rows:
    """The gates of an order and the steps of its items, in the order of the plan, each with its dates and how it stands in words.

    `expected_at` is when more is known of a step that is under way, when one that fell out goes on by itself (it is tried again, or its
    stock is due), or when one that is not begun is normally done (`forecasts`); `reference` the partner's own: a courier's, a clearing
    house's.
    """
    dates = _dates(facts)
    rows = [_row("", gate, status, (), state, dates, codes) for gate, status in state.progress.gates.items()]
    for item, planned in state.items.items():
        statuses = state.progress.items[item].steps
        rows += [_row(item, step, statuses[step], waits, state, dates, codes) for step, waits in planned.waits.items()]
    for row in rows:
        if row["status"] == "planned" and (by := forecasts.get((row["item"], row["step"]))):
            row["expected_at"] = plain(by)
    return rows


def _row(
    item: str,
    step: str,
    status: str,
    waits: tuple[str, ...],
    state: OrderState,
    dates: dict[tuple[str, str], dict[str, Any]],
    codes: Codes,
) -> dict[str, Any]:
    record = state.record(item, step)
    reached = dates.get((item, step), {})
    row: dict[str, Any] = {"item": item, "step": step, "status": status, "reason": record.reason, "waiting_for": record.waiting_for}
    row |= {key: reached.get(key) for key in ("asked_at", "done_at", "expected_at", "reference")}
    if away := reached.get("away"):
        return {**row, "waiting_for": "partner", "expected_at": None, "what": f"waits until {away} is up again"}
    if status == "declined":
        row["expected_at"] = None
    elif row["done_at"] or record.waiting_for:
        row["expected_at"] = plain(record.retry_at) if record.retry_at else None
    return {**row, "what": _what(row, reached.get("detail", ""), waits, codes)}


def _what(row: dict[str, Any], detail: str, waits: tuple[str, ...], codes: Codes) -> str:
    if row["status"] == "given-up":
        return "given up"
    if row["status"] == "declined":
        return f"declined: {row['reason']}, {guide_of(codes, row['reason']).meaning}".rstrip(".")
    if row["waiting_for"]:
        why = detail if names_flaw({**row, "detail": detail}) else guide_of(codes, row["reason"]).meaning
        return f"waits for {row['waiting_for']}: {row['reason']}, {why}".rstrip(".")
    if row["done_at"]:
        return f"done, {row['reference']}" if row["reference"] else "done"
    if row["expected_at"]:
        return f"under way, {row['reference']}" if row["reference"] else "under way"
    return f"after {', '.join(waits)}" if waits and not row["asked_at"] else str(row["status"])


def _dates(facts: Iterable[Fact]) -> dict[tuple[str, str], dict[str, Any]]:
    """When each step was first asked for, last done, when more is expected, and for which partner that is down it waits, by item and
    step."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for fact in facts:
        event = fact.event
        step = event.step if isinstance(event, OfStep) else event.step_name
        if not step or not isinstance(event, OfItem):
            continue
        row = found.setdefault((event.item, step), {})
        name = _REACHED.get(event.shape)
        if name == "done_at" or (name and name not in row):
            row[name] = plain(fact.occurred_at)
        if event.shape in ("undone", "cancelled", "given-up"):
            row.pop("done_at", None)
        if event.shape == "given-up":
            row.pop("expected_at", None)
        row["detail"] = event.detail if isinstance(event, FellOut) else ""
        row["away"] = event.partner if isinstance(event, CallParked) else ""
        for field in _EXPECTED:
            if hasattr(event, field):
                row["expected_at"] = plain(getattr(event, field))
        if reference := getattr(event, "reference", ""):
            row["reference"] = reference
    return found


def promises_of(facts: Sequence[Fact]) -> Rows:
    """What was promised of each item and when, the first first: by the plan, then by every promise made or revised, with its cause."""
    rows: Rows = []
    for fact in facts:
        if fact.event.type_name in ("order.planned", "order.revised"):
            for item in getattr(fact.event, "items", ()):
                _say(rows, _promise(fact, item.item, item.promised_on, "the plan"))
        elif fact.event.type_name in PROMISES:
            body = fact.event.model_dump(mode="json")
            for one in body.get("items") or [body]:
                _say(rows, _promise(fact, one.get("item", ""), one.get("promised_on", ""), _cause({**body, **one})))
    return rows


def _cause(body: Mapping[str, Any]) -> str:
    """The step and the reason that moved a promise; of the first one the agreement from which it follows, if any."""
    agreed = f"agreement {body['agreed_by']}" if body.get("agreed_by") else ""
    return " ".join(part for part in (body.get("cause_step", ""), body.get("cause_reason", ""), agreed) if part)


def _promise(fact: Fact, item: str, promised_on: str, cause: str) -> dict[str, Any]:
    return {"item": item, "promised_on": promised_on, "promised_at": plain(fact.occurred_at), "cause": cause}


def _say(rows: Rows, row: dict[str, Any]) -> None:
    """Add what was promised, unless the last word on its item was the same day: then only its cause, where it has one."""
    last = next((before for before in reversed(rows) if before["item"] == row["item"]), None)
    if last is None or last["promised_on"] != row["promised_on"]:
        rows.append(row)
    elif row["cause"]:
        last["cause"] = row["cause"]


def rejected_because(facts: Iterable[Fact], reasons: Codes) -> str:
    """Why an order was rejected, its code and what that means; empty for one that was not."""
    codes = [str(getattr(fact.event, "reason", "")) for fact in facts if fact.event.type_name == "order.rejected"]
    return f"{codes[-1]}: {guide_of(reasons, codes[-1]).meaning}" if codes else ""


def resubmissions_of(state: OrderState) -> Rows:
    """The papers that came under the order's external id with other content, and what became of each: its channel must see that."""
    became = {
        "": "waits for a person",
        "approve": "an order of its own",
        "decline": "refused (DQ-DUP)",
        "amend": "what this order was changed to",
    }
    return [
        {
            "channel": came.channel,
            "order_date": came.order_date,
            "differs_in": ", ".join(came.differing),
            "became": became[came.decision],
            "order": came.order,
            "fallout": came.fallout,
        }
        for came in state.resubmissions
    ]


_BECAME = {"retained": "kept by the account for bills paid in time", "credit": "credit of the account", "owed": "owed to the customer"}


def deposits_of(facts: Iterable[Fact]) -> Rows:
    """What came as deposits of an order, and what became of them once it was over: kept by its account, a credit of it, or owed to the
    customer."""
    return [
        {
            "occurred_at": plain(fact.occurred_at),
            "what": _BECAME.get(getattr(fact.event, "becomes", ""), "received"),
            "amount_minor": getattr(fact.event, "amount_minor", 0),
            "currency": getattr(fact.event, "currency", ""),
        }
        for fact in facts
        if fact.event.type_name in ("deposit.received", "deposit.released")
    ]
