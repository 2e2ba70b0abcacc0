"""The sites of an order: how far each is, what it waits for, and which is the slowest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from o2c.customers.state import CustomerState
from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.kernel.periods import local_date
from o2c.markets.base import Market
from o2c.orders.promise import Outlook
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState
from o2c.orders.wish import VISIT, VISIT_DAY
from o2c.views.orders import find_order
from o2c.views.shown import SiteShown

OVER = frozenset({"completed", "cancelled", "failed"})
_ASKED = frozenset({"requested", "pending", "held"})
RELEASE = "release"
"""What a line waits for before the day from which on work for it may begin."""


@dataclass(frozen=True, slots=True)
class _Line:
    """An item of an order, as far as its site needs it; days are ISO, empty for none."""

    item: str
    state: str
    waits_for: tuple[str, ...]
    release_on: str
    promised_on: str
    projected_on: str
    visit_on: str


def sites_of_order(app: Engine, name: str, *, personal: bool = False) -> list[SiteShown]:
    """The sites of an order, the slowest first: its lines by the account that they are ordered for and the place where they are wanted.

    `done` of the `lines` are complete, `ended` came to nothing. `waiting_for` counts the open lines by the step that was asked for and is
    not done, or `release` where the day from which on work may begin is still to come. `projected` is when the last open line is normally
    done, seen from now, `late_days` how far that is after the latest day promised. `personal` adds the address and whom to ask for. Raises
    Refused (missing).
    """
    _, state = find_order(app, name)
    market, now = app.book.market(state.market), app.clock().now
    outlook, today = Outlook(state, now, app.book), local_date(now, market.zone).isoformat()
    found: dict[tuple[str, str], list[_Line]] = {}
    for item, planned in state.items.items():
        found.setdefault((planned.account, planned.place), []).append(_line(state, outlook, item, today))
    [customer] = app.load([customer_stream(state.party)]).values()
    rows = (_site(state, place, lines, customer.state, personal) for place, lines in found.items())
    return sorted(
        rows, key=lambda row: (row["done"] + row["ended"] == row["lines"], -row["late_days"], _back(row["projected"]), row["site"])
    )


def _back(day: str | None) -> int:
    return -date.fromisoformat(day).toordinal() if day else 0


def _line(state: OrderState, outlook: Outlook, item: str, today: str) -> _Line:
    planned, progress = state.items[item], state.progress.items[item]
    how = item_state(progress)
    asked = tuple(step for step, status in progress.steps.items() if status in _ASKED) if how not in OVER else ()
    held_back = how not in OVER and planned.start_on > today
    expected = outlook.item(item) if how not in OVER else None
    return _Line(
        item=item,
        state=how,
        waits_for=(RELEASE,) if held_back else asked,
        release_on=planned.start_on if held_back else "",
        promised_on=planned.promised_on,
        projected_on=outlook.day(expected, item) if how not in OVER else "",
        visit_on=_visit_on(state, item, outlook.market) if how not in OVER else "",
    )


def _visit_on(state: OrderState, item: str, market: Market) -> str:
    """The day for which the fitter is booked, else the one that was chosen; empty for none."""
    due_at, booked = state.due.get(item, {}).get(VISIT, (None, False))
    return local_date(due_at, market.zone).isoformat() if booked and due_at else state.items[item].characteristics.get(VISIT_DAY, "")


def _site(state: OrderState, place: tuple[str, str], lines: Sequence[_Line], customer: CustomerState, personal: bool) -> SiteShown:
    account, address = place
    promised = max((line.promised_on for line in lines), default="")
    projected = max(line.projected_on for line in lines)
    waiting = Counter(step for line in lines for step in line.waits_for)
    at = customer.placed.get(account)
    row: dict[str, Any] = {
        "site": f"{account} {lines[0].item}",
        "account": account,
        "level": at.level if at else "",
        "lines": len(lines),
        "done": sum(line.state == "completed" for line in lines),
        "ended": sum(line.state in ("cancelled", "failed") for line in lines),
        "waiting_for": ", ".join(f"{step} {count}" for step, count in sorted(waiting.items(), key=lambda one: (-one[1], one[0]))),
        "release_on": min((line.release_on for line in lines if line.release_on), default=None),
        "visits_on": sorted({line.visit_on for line in lines if line.visit_on}),
        "promised": promised or None,
        "projected": projected or None,
        "late_days": _days_late(promised, projected),
        **({"address": address, "contact": at.contact if at else ""} if personal else {}),
    }
    return cast("SiteShown", row)


def _days_late(promised: str, projected: str) -> int:
    if not promised or not projected:
        return 0
    return max((date.fromisoformat(projected) - date.fromisoformat(promised)).days, 0)
